/**
 * Writes the generated pages to `book/out/`: where each Go file of 1.2.0 went, and where Drydock differs on purpose.
 *
 * A tag that does not resolve fails the build.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkOrigins, collectTags, sourceMap, type Tag } from "./tags.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "book/out");
const goLink = (path: string) => `[${path}](https://github.com/moby/moby/blob/v1.2.0/${path})`;
const place = (tag: Tag) => `[${tag.file}](../../${tag.file}#L${tag.line})${tag.symbol ? ` \`${tag.symbol}\`` : ""}`;

const tags = collectTags(root);
const faults = checkOrigins(tags);
if (faults.length > 0) {
  for (const fault of faults) console.error(fault);
  process.exit(1);
}

const map = sourceMap(tags);
const mapped = map.filter(({ here }) => here.length > 0);
const sourcePage = [
  "# Source map",
  "",
  `Each Go file of Docker 1.2.0 and the places here that carry on its work: ${mapped.length} of ${map.length} files.`,
  "",
  "| Docker 1.2.0 | Drydock |",
  "| --- | --- |",
  ...map.map(({ go, here }) => {
    const files = [...new Map(here.map((tag) => [tag.file, tag])).values()];
    return `| ${goLink(go)} | ${files.map((tag) => `[${tag.file}](../../${tag.file})`).join("<br>") || "not here yet"} |`;
  }),
  "",
].join("\n");

const deviations = tags.filter((tag) => tag.kind === "deviation");
const deviationPage = [
  "# Where Drydock differs from Docker 1.2.0 on purpose",
  "",
  ...deviations.flatMap((tag) => [`- ${place(tag)}: ${tag.text}`]),
  "",
].join("\n");

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "source-map.md"), sourcePage);
writeFileSync(join(out, "deviations.md"), deviationPage);
console.log(`book/out/source-map.md: ${mapped.length} of ${map.length} Go files are here`);
console.log(`book/out/deviations.md: ${deviations.length} differences on purpose`);
