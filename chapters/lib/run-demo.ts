/**
 * Runs the demonstration of a chapter in a terminal: `run-demo.ts 01-config-flags [argument…]`.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";

const [name, ...args] = process.argv.slice(2);
const out: Writer = { write: (chunk) => void process.stdout.write(chunk) };
const { demo }: { demo: (args: readonly string[], out: Writer) => Promise<number> } = await import(
  `../${name}/demo.ts`
);
process.exitCode = await demo(args, out);
