/**
 * The exercises of the chapters: one test for the reader's answer and for ours.
 *
 * ```text
 * exercises/1-names.ts            where the reader writes; throws yourTurn() until then
 * exercises/1-names.solution.ts   an answer
 * exercises/1-names.test.ts       tests the answer; with DRYDOCK_EXERCISE=mine, what the reader wrote
 * ```
 *
 * @module
 */

/**
 * Says that an exercise is still to be done.
 *
 * @param _given - what the answer will use
 */
export function yourTurn(..._given: unknown[]): never {
  throw new Error("Your turn: this exercise is not done yet.");
}

/**
 * Loads what an exercise's test looks at.
 *
 * @param test - address of the test, `import.meta.url`
 */
export async function subject<Answer>(test: string): Promise<Answer> {
  const ending = process.env["DRYDOCK_EXERCISE"] === "mine" ? ".ts" : ".solution.ts";
  return (await import(/* @vite-ignore */ test.replace(/\.test\.ts$/, ending))) as Answer;
}
