import { expect, test } from "vitest";
import { BufferWriter } from "../../../src/sync/io.ts";
import { fixture, settle } from "./fixture.ts";

test("a container that runs and ends tells so in order, and gives back its mount", async () => {
  const { daemon, run, start, events, driver } = await fixture();
  const { id, process } = await start({}, "web");
  expect(daemon.mustGet("web").state.running).toBe(true);
  expect(driver.mounted.get(id)).toBe(1);
  const waiting = run("wait", ["web"]);
  process.exit(3);
  expect(await waiting).toBe("3\n");
  await daemon.mustGet(id).teardown;
  expect(driver.mounted.has(id)).toBe(false);
  expect(events).toEqual(["create web", "start web", "die web 3"]);
});

test("start says when there is nothing to do, and names the container when it fails", async () => {
  const { run, start, create, exec, driver, daemon } = await fixture();
  await start({}, "web");
  await expect(run("start", ["web"])).rejects.toMatchObject({ message: "Container already started", statusCode: 304 });
  await expect(run("start", ["nope"])).rejects.toMatchObject({ message: "No such container: nope", statusCode: 404 });
  await create({}, "bad");
  exec.failure = new Error('exec: "foo": executable file not found in $PATH');
  await expect(run("start", ["bad"])).rejects.toThrow(
    'Cannot start container bad: exec: "foo": executable file not found in $PATH',
  );
  expect(daemon.mustGet("bad").state.running).toBe(false);
  expect(driver.mounted.has(daemon.mustGet("bad").id)).toBe(false);
});

test("the state is on disk after the start and after the end", async () => {
  const { daemon, host, start } = await fixture();
  const { id, process } = await start();
  await settle();
  const read = async () => JSON.parse(await host.fs.readFile(`/root/containers/${id}/config.json`, "utf8"));
  expect((await read()).State).toMatchObject({ Running: true, Pid: 1001 });
  process.exit(0);
  await settle();
  await daemon.mustGet(id).teardown;
  expect((await read()).State).toMatchObject({ Running: false, Pid: 0, ExitCode: 0 });
});

test("restart policy on-failure gives up after its number of runs; the pause doubles", async () => {
  const { exec, host, start, events, daemon } = await fixture();
  const first = await start({ HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } }, "web");
  const next = exec.next();
  first.process.exit(5);
  await settle();
  expect(daemon.mustGet("web").state.restarting).toBe(true);
  await host.clock.advance(199);
  expect(exec.processes).toHaveLength(1);
  await host.clock.advance(1);
  (await next).exit(5);
  await settle();
  expect(daemon.mustGet("web").state).toMatchObject({ running: false, exitCode: 5 });
  expect(daemon.mustGet("web").restartCount).toBe(1);
  expect(events).toEqual(["create web", "start web", "die web 5", "start web", "die web 5"]);
});

test("stop between two runs ends the policy at once", async () => {
  const { run, start, daemon, events } = await fixture();
  const { process } = await start({ HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } }, "web");
  process.exit(6);
  await settle();
  await run("stop", ["web"], { t: 1 });
  expect(daemon.mustGet("web").state).toMatchObject({ running: false, restarting: false, exitCode: 6 });
  expect(events.filter((e) => e.startsWith("die"))).toEqual(["die web 6"]);
});

test("stop asks first and kills when the time is over", async () => {
  const { run, start, host } = await fixture();
  const { process } = await start({}, "web");
  const stopping = run("stop", ["web"], { t: 2 });
  await settle();
  expect(process.signals).toEqual([15]);
  await host.clock.advance(2000);
  await stopping;
  expect(process.signals).toEqual([15, 9]);
  await expect(run("stop", ["web"])).rejects.toMatchObject({ message: "Container already stopped", statusCode: 304 });
});

test("kill takes numbers and names, and knows what is no signal", async () => {
  const { run, start, events } = await fixture();
  const { process } = await start({}, "web");
  await run("kill", ["web", "SIGHUP"]);
  await run("kill", ["web", "10"]);
  expect(process.signals).toEqual([1, 10]);
  for (const text of ["BOGUS", "0", "32", "sighup", "-1"]) {
    await expect(run("kill", ["web", text])).rejects.toThrow(`Invalid signal: ${text}`);
  }
  await run("kill", ["web"]);
  expect(events.slice(-2)).toEqual(["die web 137", "kill web"]);
  await run("kill", ["web"]); // 1.2.0: nothing to do is no error
  await expect(run("kill", ["web"], { strict: true })).rejects.toMatchObject({ statusCode: 409 });
});

test("kill of a process that was killed gives -1, or 137 for a shell", async () => {
  const { run, start } = await fixture();
  await start({}, "web");
  await run("kill", ["web"]);
  expect(await run("wait", ["web"])).toBe("-1\n");
  expect(await run("wait", ["web"], { exitFormat: "shell" })).toBe("137\n");
});

test("wait knows no container, and ends when its caller goes away", async () => {
  const { run, start, eng } = await fixture();
  await expect(run("wait", ["nope"])).rejects.toThrow("wait: no such container: nope");
  await start({}, "web");
  const gone = new AbortController();
  const job = eng.job("wait", "web");
  const waiting = job.run({ signal: gone.signal });
  gone.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
});

test("AutoRemove removes the container, its layers and its name after the end", async () => {
  const { run, start, daemon, driver, host, events } = await fixture();
  const { id, process } = await start({ HostConfig: { AutoRemove: true } }, "web");
  const removed = run("wait", [id], { condition: "removed" });
  process.exit(4);
  expect(await removed).toBe("4\n");
  expect(daemon.get(id)).toBeUndefined();
  expect([...driver.layers.keys()].filter((layer) => layer.startsWith(id))).toEqual([]);
  expect(await host.fs.readdir("/root/containers")).toEqual([]);
  expect(daemon.containerGraph.exists("/web")).toBe(false);
  expect(events.at(-1)).toBe("destroy web");
});

test("AutoRemove removes a container that could not be started", async () => {
  const { run, create, exec, daemon } = await fixture();
  const id = await create({ HostConfig: { AutoRemove: true } });
  const removed = run("wait", [id], { condition: "removed" });
  exec.failure = new Error("no");
  await expect(run("start", [id])).rejects.toThrow("no");
  await removed;
  expect(daemon.get(id)).toBeUndefined();
});

test("delete wants a stopped container, or force", async () => {
  const { run, start, daemon, driver } = await fixture();
  const { id } = await start({}, "web");
  await expect(run("delete", ["web"])).rejects.toThrow(
    "You cannot remove a running container. Stop the container before attempting removal or use -f",
  );
  await run("delete", ["web"], { forceRemove: true });
  expect(daemon.get(id)).toBeUndefined();
  expect(driver.layers.size).toBe(1);
  await expect(run("delete", ["web"])).rejects.toMatchObject({ message: "No such container: web", statusCode: 404 });
});

test("start waits for the end of the teardown before it begins again", async () => {
  const { run, start, driver, exec } = await fixture();
  const { id, process } = await start({}, "web");
  const put = driver.put.bind(driver);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  driver.put = async (layer) => {
    await held;
    return put(layer);
  };
  process.exit(0);
  await settle();
  const again = run("start", ["web"]);
  await settle();
  expect(exec.processes).toHaveLength(1);
  release();
  await again;
  expect(exec.processes).toHaveLength(2);
  expect(driver.mounted.get(id)).toBe(1);
});

test("pause and unpause change the state and refuse what makes no sense", async () => {
  const { run, start, create, daemon, events } = await fixture();
  const { id } = await start({}, "web");
  await run("pause", ["web"]);
  expect(daemon.mustGet("web").state.paused).toBe(true);
  await expect(run("pause", ["web"])).rejects.toThrow(`Cannot pause container web: Container ${id} is already paused`);
  await expect(run("stop", ["web"])).rejects.toThrow(
    `Container ${id} is paused. Unpause the container before stopping`,
  );
  await run("unpause", ["web"]);
  await expect(run("unpause", ["web"])).rejects.toThrow(`Container ${id} is not paused`);
  const other = await create();
  await expect(run("pause", [other])).rejects.toThrow(`Container ${other} is not running`);
  expect(events.filter((e) => /pause/.test(e))).toEqual(["pause web", "unpause web"]);
});

test("resize reaches the terminal, and does nothing without one", async () => {
  const { run, start, daemon } = await fixture();
  await start({ Tty: true }, "web");
  await run("resize", ["web", "24", "80"]);
  const sizes: number[][] = [];
  daemon.mustGet("web").console = {
    resize: (h: number, w: number) => sizes.push([h, w]),
    write: () => undefined,
    close: () => undefined,
    output: (async function* () {})(),
  };
  await run("resize", ["web", "24", "80"]);
  await run("resize", ["web", "99999", "80"]);
  expect(sizes).toEqual([[24, 80]]);
  await expect(run("resize", ["web", "a", "80"])).rejects.toThrow("invalid syntax");
});

test("logs give whole lines, the last ones, with times, and a last line without an end", async () => {
  const { run, start, daemon } = await fixture();
  const { process } = await start({}, "web");
  await process.pipes.stdout.write("one\ntwo\n");
  await process.pipes.stderr.write("bad\n");
  await process.pipes.stdout.write("end");
  process.exit(0);
  await run("wait", ["web"]);
  expect(await run("logs", ["web"], { stdout: true })).toBe("one\ntwo\nend");
  expect(await run("logs", ["web"], { stdout: true, tail: "1" })).toBe("end");
  expect(await run("logs", ["web"], { stdout: true, tail: "0" })).toBe("");
  expect(await run("logs", ["web"], { stdout: true, tail: "2", timestamps: true })).toBe("2014-08-20T20:20:14Z end");
  expect(daemon.mustGet("web").log?.closed).toBe(true);
  await expect(run("logs", ["web"])).rejects.toThrow("You must choose at least one stream");
});

test("logs follow until the container ends; new lines have 1.2.0's brackets around the time", async () => {
  const { eng, start } = await fixture();
  const { process } = await start({}, "web");
  await process.pipes.stdout.write("one\n");
  const job = eng.job("logs", "web");
  job.importEnv({ stdout: true, follow: true, timestamps: true });
  const out = new BufferWriter();
  job.stdout.add(out);
  const following = job.run();
  await settle();
  await process.pipes.stdout.write("two\n");
  await settle();
  process.exit(0);
  await following;
  expect(out.toString()).toBe("2014-08-20T20:20:14Z one\n[2014-08-20T20:20:14Z] two\n");
});
