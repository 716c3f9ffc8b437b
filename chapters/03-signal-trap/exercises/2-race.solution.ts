/** An answer to exercise 2. @module */

import type { Outcome } from "./2-race.ts";

/** Which step each goroutine takes next, the counter, and what has happened so far. */
interface State extends Outcome {
  readonly next: readonly (1 | 2 | 3 | "end")[];
  readonly counter: number;
}

function step(state: State, which: number): State {
  const move = (to: State["next"][number], change: Partial<State> = {}): State => ({
    ...state,
    next: state.next.map((at, i) => (i === which ? to : at)),
    ...change,
  });
  switch (state.next[which]) {
    case 1:
      return state.counter >= 3 ? move("end", { forced: true }) : move(2);
    case 2:
      return move(3, { counter: state.counter + 1 });
    default:
      return move("end", { cleanups: state.cleanups + (state.counter === 1 ? 1 : 0) });
  }
}

/** Walks through all states; one that was seen before leads nowhere new. */
export function outcomes(signals: number): Outcome[] {
  const found = new Map<string, Outcome>();
  const seen = new Set<string>();
  const walk = (state: State): void => {
    // Which goroutine is where does not matter, only how many are.
    const key = JSON.stringify({ ...state, next: [...state.next].sort() });
    if (seen.has(key)) return;
    seen.add(key);
    const { cleanups, forced } = state;
    if (state.next.every((at) => at === "end")) found.set(`${cleanups} ${forced}`, { cleanups, forced });
    state.next.forEach((at, which) => {
      if (at !== "end") walk(step(state, which));
    });
  };
  walk({ next: Array<1>(signals).fill(1), counter: 0, cleanups: 0, forced: false });
  return [...found.values()];
}
