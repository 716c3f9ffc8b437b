/**
 * What `npm run bench` measures of containers: one run, many starts at once, and 100 MB of output, written and read.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Containers that are started at once. */
const CROWD = 50;
/** Bytes of output, in lines of 100 bytes. */
const OUTPUT_BYTES = 100_000_000;

const line = "a".repeat(99);
const hostConfig = { NetworkMode: "bridge" };

async function answered(bench, daemon, method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const answer = await bench.request(daemon.socket, method, `/v1.24${path}`, {
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text === "" ? undefined : JSON.parse(answer.text);
}

async function create(bench, daemon, Cmd) {
  const body = { Image: bench.tiny, Cmd, HostConfig: hostConfig };
  return (await answered(bench, daemon, "POST", "/containers/create", body)).Id;
}

/** Milliseconds until this many containers run, all asked for at once. */
async function crowd(bench, daemon) {
  const ids = await Promise.all(
    Array.from({ length: CROWD }, () => create(bench, daemon, ["/bin/busybox", "sleep", "1000"])),
  );
  const before = performance.now();
  await Promise.all(ids.map((id) => answered(bench, daemon, "POST", `/containers/${id}/start`)));
  const ms = performance.now() - before;
  const removed = performance.now();
  await Promise.all(ids.map((id) => answered(bench, daemon, "DELETE", `/containers/${id}?force=1`)));
  return { start: ms, remove: performance.now() - removed };
}

/** Milliseconds to write the output into the log, and to read it all through `logs`; megabytes the daemon grew to. */
async function output(bench, daemon) {
  const command = `/bin/busybox yes ${line} | /bin/busybox head -c ${OUTPUT_BYTES}`;
  const id = await create(bench, daemon, ["/bin/sh", "-c", command]);
  const begun = performance.now();
  await answered(bench, daemon, "POST", `/containers/${id}/start`);
  await answered(bench, daemon, "POST", `/containers/${id}/wait`);
  const write = performance.now() - begun;
  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, bench.residentMb(daemon.child.pid));
  }, 20);
  const before = performance.now();
  const { stdout } = await run("curl", [
    ..."-s -o /dev/null -w %{size_download} --unix-socket".split(" "),
    daemon.socket,
    `http://docker/v1.24/containers/${id}/logs?stdout=1&stderr=1`,
  ]);
  const read = performance.now() - before;
  clearInterval(sampler);
  // Frames hold a line or more: eight bytes each.
  const most = OUTPUT_BYTES + (OUTPUT_BYTES / (line.length + 1)) * 8;
  if (Number(stdout) < OUTPUT_BYTES || Number(stdout) > most) throw new Error(`logs gave ${stdout} bytes`);
  await answered(bench, daemon, "DELETE", `/containers/${id}`);
  return { write, read, peak };
}

/** `docker run --rm`, with the same client for both. */
export async function benchRun(bench, daemons) {
  for (const daemon of Object.values(daemons)) await bench.client(daemon, "run", "--rm", bench.tiny, "true");
  const [ours, theirs] = await bench.inTurn(bench.quick ? 5 : 15, async (who) => {
    const before = performance.now();
    await bench.client(daemons[who], "run", "--rm", bench.tiny, "true");
    return performance.now() - before;
  });
  bench.report("docker run --rm true (same client)", "ms", ours, theirs, { aim: "0.50" });
}

/** Many containers at once. */
export async function benchCrowd(bench, daemons) {
  const removals = { drydock: [], dockerd: [] };
  const [ours, theirs] = await bench.inTurn(bench.quick ? 1 : 3, async (who) => {
    const { start, remove } = await crowd(bench, daemons[who]);
    removals[who].push(remove);
    return start;
  });
  bench.report(`${CROWD} containers started at once`, "ms", ours, theirs);
  bench.report(
    `${CROWD} containers removed at once by force`,
    "ms",
    bench.median(removals.drydock),
    bench.median(removals.dockerd),
  );
}

/** A lot of output. */
export async function benchOutput(bench, daemons) {
  const other = { drydock: { write: [], peak: [] }, dockerd: { write: [], peak: [] } };
  const [ours, theirs] = await bench.inTurn(bench.quick ? 1 : 3, async (who) => {
    const { write, read, peak } = await output(bench, daemons[who]);
    other[who].write.push(write);
    other[who].peak.push(peak);
    return read;
  });
  const medians = (what) => [bench.median(other.drydock[what]), bench.median(other.dockerd[what])];
  bench.report("100 MB of output, from start to end", "ms", ...medians("write"));
  bench.report("the same read by logs", "ms", ours, theirs, { aim: "0.20" });
  bench.report("peak memory while it is read", "MB", ...medians("peak"), { aim: "<200 MB" });
}
