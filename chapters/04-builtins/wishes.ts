/**
 * The words of the demonstration's command line: flags of the daemon, and what to look at.
 *
 * @module
 */

/** A job to run at the end. */
export interface Word {
  readonly job: "version" | "log" | "events" | "search" | "auth" | "commands" | "subscribers_count";
  readonly value: string;
}

/** What the reader asked for. */
export interface Wishes {
  /** For the daemon. */
  readonly flags: readonly string[];
  /** How many of the five steps. */
  readonly steps: number;
  /** Whether the builtins are to be loaded a second time. */
  readonly twice: boolean;
  readonly taken: readonly string[];
  readonly bridge: string | undefined;
  readonly words: readonly Word[];
  /** The name to say more about. */
  readonly name: string | undefined;
}

export const HELP = `Flags of the daemon (--bridge none, --iptables=false, --icc=false, --bip 10.9.0.1/24, -D, …), and these words:

  steps=3            stop after step 3 of 5
  name=pull          say where a name comes from, and what leads to it
  twice              load the builtins a second time
  taken=172.17.0.0/16    the machine has a route there already
  bridge=10.9.0.1/24     the machine has a docker0 with this address already

  version            run this job when the daemon has started; so also
  commands
  log=65             65 times
  events=1           since second 1
  subscribers_count
  search=busybox
  auth=ann:secret
`;

const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
const WORDS: Readonly<Record<string, RegExp>> = {
  steps: /^[1-5]$/,
  name: /^[a-z_]+$/,
  taken: CIDR,
  bridge: CIDR,
  log: /^\d{1,4}$/,
  events: /^\d{0,10}$/,
  search: /^.*$/,
  auth: /^[^:]+:.*$/,
};
const BARE = ["version", "commands", "subscribers_count", "events"];

/** A word that cannot be understood. */
export class BadWordError extends Error {}

/** Takes the words out; what is left is the daemon's. @throws {BadWordError} */
export function readWishes(args: readonly string[]): Wishes {
  const flags: string[] = [];
  const words: Word[] = [];
  const said = new Map<string, string[]>();
  for (const arg of args) {
    const [key = "", ...rest] = arg.split("=");
    const value = rest.join("=");
    if (arg === "twice") said.set("twice", [""]);
    else if (BARE.includes(arg)) words.push({ job: arg as Word["job"], value: arg === "events" ? "1" : "" });
    else if (rest.length > 0 && Object.hasOwn(WORDS, key)) {
      if (!WORDS[key]?.test(value)) throw new BadWordError(`Cannot read ${arg}: see --help`);
      if (["log", "events", "search", "auth"].includes(key)) words.push({ job: key as Word["job"], value });
      else said.set(key, [...(said.get(key) ?? []), value]);
    } else flags.push(arg);
  }
  return {
    flags,
    words,
    steps: Number(said.get("steps")?.at(-1) ?? 5),
    twice: said.has("twice"),
    taken: said.get("taken") ?? [],
    bridge: said.get("bridge")?.at(-1),
    name: said.get("name")?.at(-1),
  };
}
