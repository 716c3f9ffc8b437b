import { expect, test } from "vitest";
import { fixture, settle } from "./fixture.ts";

const policy = (Name: string, MaximumRetryCount = 0) => ({
  HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
});

/** A container whose runs the test ends one by one. */
async function supervised(name: string, most?: number) {
  const f = await fixture();
  const { process } = await f.start(policy(name, most), "web");
  let current = process;
  const container = f.daemon.mustGet("web");
  return {
    ...f,
    container,
    /** The present run's process. */
    process: () => current,
    /** Ends the present run after so long. @returns the pause that follows, `undefined` when there is none */
    async end(exitCode: number, ranMs = 0): Promise<number | undefined> {
      await f.host.clock.advance(ranMs);
      current.exit(exitCode);
      await settle();
      return f.host.clock.next;
    },
    /** Lets the pause go by. */
    async again(): Promise<void> {
      const next = f.exec.next();
      await f.host.clock.advance(f.host.clock.next ?? 0);
      current = await next;
      await settle();
    },
  };
}

test("a policy doubles its pause from 200 ms on, up to a minute", async () => {
  const f = await supervised("always");
  const pauses: (number | undefined)[] = [];
  for (let i = 0; i < 12; i++) {
    pauses.push(await f.end(1));
    await f.again();
  }
  expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000]);
  expect(f.container.restartCount).toBe(12);
});

test("a run of more than ten seconds sets the pause back to 100 ms, one of ten seconds does not", async () => {
  const f = await supervised("always");
  const pauses: (number | undefined)[] = [];
  for (const ranMs of [0, 0, 10_000, 10_001, 0, 60_000, 10_001]) {
    pauses.push(await f.end(0, ranMs));
    await f.again();
  }
  expect(pauses).toEqual([200, 400, 800, 100, 200, 100, 100]);
});

test("always starts again whatever the exit code, no policy never does", async () => {
  const always = await supervised("always");
  expect(await always.end(0)).toBe(200);
  await always.again();
  expect(await always.end(0)).toBe(400);
  for (const name of ["", "no"]) {
    const never = await supervised(name);
    expect(await never.end(1)).toBe(undefined);
    expect(never.container.state).toMatchObject({ running: false, restarting: false, exitCode: 1 });
  }
});

test("on-failure ends with the first success; without a number it tries for ever", async () => {
  const f = await supervised("on-failure");
  for (let i = 0; i < 30; i++) {
    expect(await f.end(9)).toBeGreaterThan(0);
    await f.again();
  }
  expect(await f.end(0)).toBe(undefined);
  expect(f.container.state).toMatchObject({ running: false, exitCode: 0 });
  expect(f.container.restartCount).toBe(30);
});

test.each([
  [1, 0],
  [2, 1],
  [5, 4],
])("on-failure:%i starts a container again %i times", async (most, restarts) => {
  const f = await supervised("on-failure", most);
  for (let i = 0; i < restarts; i++) {
    expect(await f.end(3)).toBeGreaterThan(0);
    await f.again();
  }
  expect(await f.end(3)).toBe(undefined);
  expect(f.container.state).toMatchObject({ running: false, exitCode: 3 });
  expect([f.container.restartCount, f.exec.processes.length]).toEqual([restarts, restarts + 1]);
});

test("between two runs a container counts as running, has no process, and says how it ended", async () => {
  const f = await supervised("always");
  await f.end(4);
  expect(f.container.state).toMatchObject({ running: true, restarting: true, pid: 0, exitCode: 4 });
  expect(String(f.container.state)).toBe("Restarting (4) Less than a second ago");
  await expect(f.run("delete", ["web"])).rejects.toThrow("You cannot remove a running container");
  await expect(f.run("start", ["web"])).rejects.toMatchObject({ statusCode: 304 });
  await f.again();
  expect(f.container.state).toMatchObject({ running: true, restarting: false, pid: 1002, exitCode: 0 });
  expect(f.events).toEqual(["create web", "start web", "die web 4", "start web"]);
});

test("wait wakes at the end of a run, also when another one follows", async () => {
  const f = await supervised("always");
  const waited = f.run("wait", ["web"]);
  await settle();
  await f.end(6);
  expect(await waited).toBe("6\n");
});

test("what a run stands on is kept for the next: mount, network, volumes", async () => {
  const f = await supervised("always");
  const { mounted } = f.driver;
  const before = new Map(mounted);
  for (let i = 0; i < 3; i++) {
    await f.end(1);
    expect(mounted).toEqual(before);
    await f.again();
  }
  expect(f.exec.processes.every(({ command }) => command === f.exec.processes[0]?.command)).toBe(true);
});

test("any signal of the user's ends the policy with that run", async () => {
  const f = await supervised("always");
  await f.run("kill", ["web", "HUP"]);
  expect(f.process().signals).toEqual([1]);
  expect(await f.end(2)).toBe(undefined);
  expect(f.container.state).toMatchObject({ running: false, exitCode: 2 });
  // The next start has it again, and counts from the beginning.
  const next = f.exec.next();
  await f.run("start", ["web"]);
  (await next).exit(2);
  await settle();
  expect([f.host.clock.next, f.container.restartCount]).toEqual([200, 0]);
});

test("a stop or a kill between two runs ends the policy at once, with one die", async () => {
  for (const job of ["stop", "kill"]) {
    const f = await supervised("on-failure", 5);
    await f.end(7);
    await f.run(job, ["web"]);
    expect(f.host.clock.next).toBe(undefined);
    expect(f.container.state).toMatchObject({ running: false, restarting: false, exitCode: 7 });
    expect(f.events.filter((event) => event.startsWith("die"))).toEqual(["die web 7"]);
    await f.container.teardown;
    expect(f.driver.mounted.size).toBe(0);
  }
});

test("a later run that cannot be started counts as a failure, and is tried again", async () => {
  const f = await supervised("on-failure", 3);
  await f.end(1);
  f.exec.failure = new Error("no more processes");
  await f.host.clock.advance(200);
  await settle();
  expect(f.container.state).toMatchObject({ running: true, restarting: true, exitCode: -1 });
  expect(f.host.stderr.text).toContain("Error running container: no more processes");
  expect(f.host.clock.next).toBe(400);
  f.exec.failure = undefined;
  await f.again();
  expect(f.container.state).toMatchObject({ running: true, restarting: false });
  expect(await f.end(1)).toBe(undefined);
  expect(f.container.restartCount).toBe(2);
});

test("the count of restarts is on disk while the container runs", async () => {
  const f = await supervised("always");
  await f.end(1);
  await f.again();
  await f.container.saved();
  const json = JSON.parse(await f.host.fs.readFile(`${f.container.root}/config.json`, "utf8"));
  expect([json.RestartCount, json.State.Running, json.State.Restarting]).toEqual([1, true, false]);
});
