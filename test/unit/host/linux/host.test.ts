import { existsSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { linuxClock } from "../../../../src/host/linux/clock.ts";
import { linuxExec } from "../../../../src/host/linux/exec.ts";
import { linuxHost } from "../../../../src/host/linux/host.ts";
import { BufferWriter, readAll } from "../../../../src/sync/io.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const exec = linuxExec(process.env);

/** Bundles a program as the real one is bundled, and runs it. */
async function runBundled(program: string, input = ""): Promise<string> {
  const outfile = join(mkdtempSync(join(process.cwd(), "node_modules/.drydock-")), "program.cjs");
  await build({
    stdin: { contents: program, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile,
    logOverride: { "empty-import-meta": "silent" },
  });
  const end = await exec.run(process.execPath, [outfile], { input });
  await exec.run("rm", ["-r", join(outfile, "..")]);
  expect(`${end.stderr}`).toBe("");
  return `${end.stdout}`;
}

test("linuxHost() loads nothing a client does not use", async () => {
  const loaded = await runBundled(`
    import { linuxHost } from "./src/host/linux/host.ts";
    const host = linuxHost();
    void host.stdout.write("");
    const names = ["http", "https", "net", "tls", "crypto", "child_process", "worker_threads", "dgram", "_http_client"];
    const builtins = process.moduleLoadList.filter((entry) => names.includes(entry.replace("NativeModule ", "")));
    console.log(JSON.stringify([builtins, Object.keys(require.cache).length]));
  `);
  const [builtins, files] = JSON.parse(loaded) as [string[], number];
  expect(builtins).toEqual([]);
  expect(files).toBe(1);
});

test("linuxHost() finds koffi from a bundle", async () => {
  const text = await runBundled(`
    import { linuxHost } from "./src/host/linux/host.ts";
    const host = linuxHost();
    const { read, write } = host.kernel.pipe();
    host.net.fetch("https://127.0.0.1:65531/", { tls: { insecure: true } }).catch((cause) => {
      console.log(read !== write, cause.code);
    });
  `);
  expect(text).toBe("true ECONNREFUSED\n");
});

test("Host.stdin and Host.stdout carry bytes as they are", async () => {
  const program = `
    import { linuxHost } from "./src/host/linux/host.ts";
    const { stdin, stdout } = linuxHost();
    (async () => {
      let size = 0;
      for await (const chunk of stdin) { size += chunk.length; await stdout.write(chunk); }
      await stdout.write(\` \${size} \${stdin.isTerminal} \${stdout.isTerminal}\`);
    })();
  `;
  const input = "0123456789".repeat(20_000);
  expect(await runBundled(program, input)).toBe(`${input} 200000 false false`);
});

test("Host.hash() and Host.random() give what they say", () => {
  const { hash, random } = linuxHost();
  expect(hash("sha256").update("a").update(Buffer.from("bc")).hex()).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(random.bytes(32).length).toBe(32);
  expect(random.bytes(32).equals(random.bytes(32))).toBe(false);
});

test("Host.machine speaks Go", () => {
  const { machine } = linuxHost();
  expect(machine).toMatchObject({ os: "linux", pid: process.pid, runtime: `node${process.versions.node}` });
  expect(machine.arch).toMatch(/^(amd64|arm64|arm|386|riscv64|s390x|ppc64le|loong64)$/);
  expect(machine.cpus).toBeGreaterThan(0);
});

test("Host.signals calls the handler until it is taken back", async () => {
  const { signals } = linuxHost();
  let count = 0;
  const off = signals.on("SIGUSR2", () => count++);
  process.kill(process.pid, "SIGUSR2");
  await expect.poll(() => count).toBe(1);
  off();
  expect(process.listenerCount("SIGUSR2")).toBe(0);
});

test("Clock.nowNs() agrees with the wall clock and does not go back", () => {
  let before = 0n;
  for (let round = 0; round < 10_000; round++) {
    const ns = linuxClock.nowNs();
    expect(ns >= before).toBe(true);
    before = ns;
  }
  expect(Math.abs(Number(before / 1_000_000n) - linuxClock.now())).toBeLessThan(50);
});

test("Clock.sleep() ends with its signal", async () => {
  const stop = new AbortController();
  const nap = linuxClock.sleep(60_000, stop.signal);
  stop.abort(new Error("awake"));
  await expect(nap).rejects.toThrow("awake");
  await expect(linuxClock.sleep(1, stop.signal)).rejects.toThrow("awake");
  await linuxClock.sleep(1);
});

test("Host.exec, readers and writers fit together", async () => {
  const host = linuxHost();
  const sink = new BufferWriter();
  sink.write(
    await readAll(
      host.exec.pipe(
        "cat",
        [],
        (async function* () {
          yield Buffer.from(tmpdir());
        })(),
      ),
    ),
  );
  expect(`${sink}`).toBe(tmpdir());
});

test("Host.fs.mkdir() makes what is missing above, and fails where nothing can be made", async () => {
  const { fs } = linuxHost();
  const dir = temporaryDirectory("mkdir-");
  expect(await fs.mkdir(join(dir, "a/b/c/"), { recursive: true, mode: 0o700 })).toBe(join(dir, "a"));
  expect(statSync(join(dir, "a/b")).mode & 0o777).toBe(0o700);
  expect(await fs.mkdir(join(dir, "a/b/c"), { recursive: true })).toBeUndefined();
  const many = await Promise.all(Array.from({ length: 20 }, () => fs.mkdir(join(dir, "x/y/z"), { recursive: true })));
  expect([many.length, existsSync(join(dir, "x/y/z"))]).toEqual([20, true]);
  writeFileSync(join(dir, "file"), "");
  await expect(fs.mkdir(join(dir, "file"), { recursive: true })).rejects.toMatchObject({ code: "EEXIST" });
  await expect(fs.mkdir(join(dir, "file/x/y"), { recursive: true })).rejects.toMatchObject({ code: "ENOTDIR" });
  // Node's own never comes back from this.
  const proc = fs.mkdir("/proc/drydock/x", { recursive: true });
  await expect(proc).rejects.toMatchObject({ code: "ENOENT", path: "/proc/drydock" });
});

test("Clock.sleep() does not wake up at once from a sleep of months", async () => {
  const stop = new AbortController();
  const asleep = linuxClock.sleep(90 * 86_400_000, stop.signal).then(
    () => "awake",
    () => "stopped",
  );
  expect(await Promise.race([asleep, linuxClock.sleep(20).then(() => "asleep")])).toBe("asleep");
  stop.abort();
  expect(await asleep).toBe("stopped");
});
