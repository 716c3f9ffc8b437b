import { expect, test } from "vitest";
import { State } from "../../../src/daemon/state.ts";
import { ManualClock } from "../../../src/host/memory/clock.ts";

const start = Date.UTC(2014, 7, 20, 20, 20, 14);

// origin: daemon/state_test.go TestStateRunStop
test("State.waitStop() wakes at each change of a container that runs", async () => {
  const state = new State(new ManualClock(start));
  expect(await state.waitStop()).toBe(0);
  state.setRunning(7);
  const waiting = state.waitStop();
  state.setRestarting(3);
  expect(await waiting).toBe(3);
  expect([state.running, state.restarting, state.pid]).toEqual([true, true, 0]);
});

test("State.waitNotRunning() sleeps through restarts", async () => {
  const state = new State(new ManualClock(start));
  state.setRunning(7);
  const ends: number[] = [];
  const waiting = state.waitNotRunning().then((code) => ends.push(code));
  state.setRestarting(3);
  state.setRunning(8);
  await Promise.resolve();
  expect(ends).toEqual([]);
  state.setStopped(4);
  await waiting;
  expect(ends).toEqual([4]);
});

test("State.waitNextExit() waits also for a container that has not started", async () => {
  const state = new State(new ManualClock(start));
  const waiting = state.waitNextExit();
  state.setRunning(7);
  state.setStopped(5);
  expect(await waiting).toBe(5);
});

test("State.toString() says how long, also when the clock goes back", async () => {
  const clock = new ManualClock(start);
  const state = new State(clock);
  expect(String(state)).toBe("");
  state.setRunning(7);
  await clock.advance(3000);
  expect(String(state)).toBe("Up 3 seconds");
  state.paused = true;
  expect(String(state)).toBe("Up 3 seconds (Paused)");
  state.setStopped(-1, 9);
  clock.jump(-3_600_000);
  expect(String(state)).toMatch(/^Exited \(-1\) Less than a second ago$/);
  expect(state.describe(state.shellExitCode)).toMatch(/^Exited \(137\)/);
});

test("State.toJson() and load() agree, and what is broken counts as absent", () => {
  const state = new State(new ManualClock(start));
  state.setRunning(7);
  state.setStopped(-1, 9);
  const again = new State(new ManualClock(start));
  again.load(state.toJson(true));
  expect(again.toJson(true)).toEqual(state.toJson(true));
  again.load({ Running: "yes", Pid: "7", StartedAt: "yesterday" });
  expect(again.toJson(false)).toEqual({
    Running: false,
    Paused: false,
    Restarting: false,
    Pid: 0,
    ExitCode: 0,
    StartedAt: "0001-01-01T00:00:00Z",
    FinishedAt: "0001-01-01T00:00:00Z",
  });
});
