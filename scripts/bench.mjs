/**
 * `npm run bench`: Drydock and dockerd 20.10 on the same work, in turn, each in a network namespace of its own.
 *
 * Prints medians and ratios (ours / theirs; for requests per second theirs / ours, so that below 1 is always better for
 * us). Needs root. Everything it makes lies in one directory, on a tmpfs if there is a large one, and goes at the end.
 *
 * Options: `--quick` fewer rounds, `--only boot,run,crowd,output,build,pull,load,memory,requests`.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { root, setup } from "./setup.mjs";

const run = promisify(execFile);
const args = process.argv.slice(2);
const quick = args.includes("--quick");
const only = args.includes("--only")
  ? args[args.indexOf("--only") + 1].split(",")
  : ["boot", "run", "crowd", "output", "build", "pull", "load", "memory", "requests"];
const wanted = (...names) => names.some((name) => only.includes(name));

if (process.getuid?.() !== 0) {
  console.error("Cannot run the benchmark: it needs root (network namespaces, containers). Run it with sudo.");
  process.exit(1);
}
await setup(["run", "test", "bench"]);
await (await import("./build.mjs")).build({ force: true });
const { pushBenchImages } = await import("./bench/image.mjs");
const { benchCrowd, benchOutput, benchRun } = await import("./bench/containers.mjs");
const { benchBuild, benchLoad, plainTools } = await import("./bench/images.mjs");

const shm = statfsSync("/dev/shm");
const base = mkdtempSync(join(shm.bavail * shm.bsize > 4e9 ? "/dev/shm" : "/var/tmp", "drydock-bench-"));
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const children = new Set();

// nsenter, not `ip netns exec`: that one mounts a new /sys, without the cgroups.
function start(ns, command, argv, options = {}) {
  const child = spawn("nsenter", [`--net=/run/netns/${ns}`, command, ...argv], {
    stdio: ["ignore", "ignore", "pipe"],
    ...options,
  });
  child.log = "";
  child.stderr?.on("data", (d) => {
    child.log = (child.log + d).slice(-4000);
  });
  children.add(child);
  child.ended = new Promise((resolve) =>
    child.on("exit", (code, signal) => {
      children.delete(child);
      resolve(code ?? signal);
    }),
  );
  return child;
}

function request(socketPath, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath, method, path, headers: { host: "docker", ...headers } }, (res) => {
      let text = "";
      res.on("data", (d) => {
        text += d;
      });
      res.on("end", () => resolve({ status: res.statusCode, text }));
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body);
  });
}

async function untilAnswer(socket, child) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The daemon ended before it answered:\n${child.log}`);
    try {
      if ((await request(socket, "GET", "/_ping")).status === 200) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The two contestants: how each is started with its own directory. */
const contestants = {
  drydock: {
    ns: "drydock-bench-a",
    command: join(root, "bin/docker"),
    args: (dir) => ["-d", "-H", `unix://${dir}/docker.sock`, "-g", `${dir}/root`, "-p", `${dir}/pid`],
  },
  dockerd: {
    ns: "drydock-bench-b",
    command: "dockerd",
    args: (dir) => [
      "-H",
      `unix://${dir}/docker.sock`,
      "--data-root",
      `${dir}/root`,
      "--exec-root",
      `${dir}/exec`,
      "--pidfile",
      `${dir}/pid`,
      "--storage-driver",
      "overlay2",
      "--log-level",
      "error",
    ],
  },
};

let serial = 0;
async function boot(who) {
  const dir = join(base, `${who}-${serial++}`);
  mkdirSync(dir);
  const { ns, command, args: make } = contestants[who];
  const before = performance.now();
  const child = start(ns, command, make(dir));
  const socket = `${dir}/docker.sock`;
  await untilAnswer(socket, child);
  return { dir, child, socket, ns, bootMs: performance.now() - before };
}

async function stop({ child, dir }) {
  child.kill("SIGTERM");
  await child.ended;
  spawnSync("sh", ["-c", `awk '$5 ~ "^${dir}" {print $5}' /proc/self/mountinfo | sort -r | xargs -r -n1 umount -l`]);
  rmSync(dir, { recursive: true, force: true });
}

/** The process and its descendants. */
function family(pid) {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // Ended meanwhile.
    }
  }
  const found = [pid];
  for (let i = 0; i < found.length; i++) for (const [p, parent] of parents) if (parent === found[i]) found.push(p);
  return found;
}

/** Resident megabytes of a daemon with all its helpers (for dockerd: containerd too). */
function residentMb(pid) {
  let kb = 0;
  for (const member of family(pid)) {
    try {
      kb += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${member}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      // Ended meanwhile.
    }
  }
  return kb / 1024;
}

const client = (daemon, ...argv) =>
  run("nsenter", [`--net=/run/netns/${daemon.ns}`, "docker", "-H", `unix://${daemon.socket}`, ...argv], {
    env: { PATH: process.env.PATH, HOME: base },
  });

const rows = [];
function report(name, unit, ours, theirs, { higherIsBetter = false, aim } = {}) {
  const ratio = higherIsBetter ? theirs / ours : ours / theirs;
  rows.push([
    name,
    `${ours.toFixed(ours < 10 ? 1 : 0)} ${unit}`,
    `${theirs.toFixed(theirs < 10 ? 1 : 0)} ${unit}`,
    ratio.toFixed(2),
    aim ?? "1.00",
  ]);
  console.log(rows.at(-1).join("  "));
}

async function inTurn(rounds, measure) {
  const times = { drydock: [], dockerd: [] };
  for (let i = 0; i < rounds; i++) for (const who of ["drydock", "dockerd"]) times[who].push(await measure(who, i));
  return [median(times.drydock), median(times.dockerd)];
}

async function pull(daemon, image) {
  const answer = await request(
    daemon.socket,
    "POST",
    `/v1.24/images/create?fromImage=${encodeURIComponent(image)}&tag=latest`,
  );
  if (answer.status !== 200 || /"error"/.test(answer.text)) throw new Error(`pull failed: ${answer.text.slice(-500)}`);
}

async function requestsPerSecond(daemon, path, count) {
  const { stdout } = await run("h2load", [
    "--h1",
    "-n",
    String(count),
    "-c",
    "8",
    "-t",
    "1",
    `--base-uri=unix:${daemon.socket}`,
    `http://localhost${path}`,
  ]);
  return Number(/([\d.]+) req\/s/.exec(stdout)?.[1] ?? Number.NaN);
}

try {
  const storage = join(base, "registry");
  mkdirSync(storage);
  const config = join(base, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${storage}\nhttp:\n  addr: 127.0.0.1:5055\n`,
  );
  for (const { ns } of Object.values(contestants)) {
    await run("ip", ["netns", "del", ns]).catch(() => {});
    await run("ip", ["netns", "add", ns]);
    await run("ip", ["-n", ns, "link", "set", "lo", "up"]);
  }
  console.log("preparing: an image of 150 MB, 8 layers, 20,000 small files");
  const prepare = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const up = async () => (await fetch("http://127.0.0.1:5055/v2/").catch(() => undefined))?.ok;
  while (!(await up())) await new Promise((resolve) => setTimeout(resolve, 20));
  await pushBenchImages("http://127.0.0.1:5055", readFileSync("/usr/bin/busybox"));
  prepare.kill();
  for (const { ns } of Object.values(contestants)) start(ns, "docker-registry", ["serve", config]);
  console.log("measure  ours  dockerd 20.10  ratio  aim");

  if (only.includes("boot")) {
    const [ours, theirs] = await inTurn(quick ? 3 : 7, async (who) => {
      const daemon = await boot(who);
      await stop(daemon);
      return daemon.bootMs;
    });
    report("boot to first answer", "ms", ours, theirs, { aim: "0.50" });
  }

  if (wanted("pull", "memory")) {
    const peak = { drydock: [], dockerd: [] };
    const idle = { drydock: [], dockerd: [] };
    const [ours, theirs] = await inTurn(quick ? 1 : 5, async (who) => {
      const daemon = await boot(who);
      await new Promise((resolve) => setTimeout(resolve, 1500)); // idle means idle: let start-up garbage settle
      idle[who].push(residentMb(daemon.child.pid));
      let high = 0;
      const sampler = setInterval(() => {
        high = Math.max(high, residentMb(daemon.child.pid));
      }, 50);
      const before = performance.now();
      await pull(daemon, "127.0.0.1:5055/bench");
      const ms = performance.now() - before;
      clearInterval(sampler);
      peak[who].push(high);
      await stop(daemon);
      return ms;
    });
    report("pull 150 MB, 8 layers, 20,000 files", "ms", ours, theirs, { aim: "0.50" });
    const plain = [];
    for (let i = 0; i < (quick ? 1 : 5); i++)
      plain.push(await plainTools({ ns: contestants.drydock.ns }, join(base, `plain-${i}`)));
    report("the same by two of curl | sha256sum | tar (theirs)", "ms", ours, median(plain), { aim: "0.70" });
    report("idle memory", "MB", median(idle.drydock), median(idle.dockerd), { aim: "<90 MB" });
    report("peak memory in the pull", "MB", median(peak.drydock), median(peak.dockerd), { aim: "<200 MB" });
  }

  if (only.includes("load")) {
    const daemon = await boot("dockerd");
    await pull(daemon, "127.0.0.1:5055/bench");
    const archive = join(base, "bench.tar");
    await client(daemon, "save", "-o", archive, "127.0.0.1:5055/bench");
    await stop(daemon);
    await benchLoad({ quick, boot, stop, report, inTurn, median, residentMb }, archive);
    rmSync(archive);
  }

  if (wanted("run", "crowd", "output", "build", "requests")) {
    const daemons = { drydock: await boot("drydock"), dockerd: await boot("dockerd") };
    const tiny = "127.0.0.1:5055/tiny";
    for (const daemon of Object.values(daemons)) await pull(daemon, tiny);
    const bench = { quick, tiny, client, request, report, inTurn, median, residentMb };
    if (only.includes("run")) await benchRun(bench, daemons);
    if (only.includes("crowd")) await benchCrowd(bench, daemons);
    if (only.includes("output")) await benchOutput(bench, daemons);
    if (only.includes("build")) await benchBuild(bench, daemons);
    if (only.includes("requests")) {
      for (const path of ["/v1.24/version", "/v1.24/containers/json", "/_ping"]) {
        for (const daemon of Object.values(daemons)) await requestsPerSecond(daemon, path, 500);
        const [ours, theirs] = await inTurn(quick ? 1 : 3, (who) =>
          requestsPerSecond(daemons[who], path, quick ? 3000 : 10_000),
        );
        report(`GET ${path.replace("/v1.24", "")}`, "/s", ours, theirs, { higherIsBetter: true });
      }
    }
    for (const daemon of Object.values(daemons)) await stop(daemon);
  }

  const width = [0, 1, 2, 3, 4].map((i) =>
    Math.max(...rows.map((row) => row[i].length), ["measure", "ours", "dockerd 20.10", "ratio", "aim"][i].length),
  );
  const line = (cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(width[i]) : cell.padStart(width[i]))).join("  ");
  console.log(`\n${line(["measure", "ours", "dockerd 20.10", "ratio", "aim"])}`);
  for (const row of rows) console.log(line(row));
} finally {
  for (const child of children) child.kill("SIGTERM");
  await Promise.all([...children].map((child) => child.ended));
  for (const { ns } of Object.values(contestants)) spawnSync("ip", ["netns", "del", ns], { stdio: "ignore" });
  spawnSync("sh", ["-c", `awk '$5 ~ "^${base}" {print $5}' /proc/self/mountinfo | sort -r | xargs -r -n1 umount -l`]);
  rmSync(base, { recursive: true, force: true });
}
