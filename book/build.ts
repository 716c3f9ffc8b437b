/**
 * Builds the site of the book; with `--serve` serves it on this machine.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { serveSite } from "./site/serve.ts";
import { buildSite } from "./site/site.ts";
import { checkArticles, checkOrigins, collectTags } from "./tags.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const tags = collectTags(root);
const faults = [...checkOrigins(tags), ...checkArticles(tags), ...(await buildSite(root))];
for (const fault of faults) console.error(fault);
if (faults.length > 0) console.error(`book/dist has ${faults.length} faults`);

const port = Number(
  /^--serve(?:=(\d+))?$/.exec(process.argv.find((arg) => arg.startsWith("--serve")) ?? "")?.[1] ?? 4014,
);
if (process.argv.some((arg) => arg.startsWith("--serve"))) {
  const { url } = await serveSite(join(root, "book/dist"), port);
  console.log(`the book is at ${url} (Ctrl-C ends)`);
} else {
  process.exit(faults.length > 0 ? 1 : 0);
}
