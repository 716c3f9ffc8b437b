/**
 * What `runc` says of a failure, in the words of 1.2.0 where its own libcontainer met the same one.
 *
 * @module
 */

/** A prefix or a sentence of runc's, and what stands for it. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  // Names of the layers it passed through.
  [/^runc (?:run|create|start) failed: /, ""],
  [/^unable to start container process: /, ""],
  [/^error during container init: /, ""],
  [/^error setting cgroup config for procHooks process: /, ""],
  [/^unable to apply cgroup configuration: /, ""],
  [/: unknown$/, ""],
  // A limit that the kernel does not take: the file says which.
  [/^failed to write ".*?": (?=write )/s, ""],
  [/^sethostname: /, "sethostname "],
  [/^chdir to cwd \("(.*)"\) set in config\.json failed: (.*)$/s, "finalize namespace chdir to $1 $2"],
  [
    /^error mounting "(\/.*?)" to rootfs at "(.*?)": (?:mount .*?, flags: 0x[0-9a-f]+(?:, data: .*?)?: )?(.*)$/s,
    "setup mount namespace bind mounts mounting $1 into ROOTFS$2 $3",
  ],
];

/** The message of the last error in a log with one JSON object per line, or the last line that is none. */
function lastMessage(text: string): string {
  const lines = text.split("\n").filter(Boolean);
  const last = lines.reverse().find((line) => !line.startsWith("{") || /"level":"(error|fatal)"/.test(line)) ?? "";
  try {
    return String((JSON.parse(last) as { msg?: unknown }).msg ?? last);
  } catch {
    return last; // no JSON: the plain line is the message
  }
}

/**
 * The message of the last error in runc's log, without the names of the layers it passed through.
 *
 * @param text - runc's log, one JSON object per line, or its standard error
 * @param rootfs - where the container's root is on the host: 1.2.0 names it in front of a mount's place
 */
export function runcError(text: string, rootfs = ""): string {
  let message = lastMessage(text);
  for (const [pattern, words] of WORDS) message = message.replace(pattern, words);
  return message.replace("into ROOTFS", () => `into ${rootfs}`);
}
