/**
 * Fills the chapters' pages from the source; with `--check` changes nothing and says what is wrong.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkLinks, coverage, fillTests } from "./links.ts";
import { checkBookPages, generated } from "./pages.ts";
import { checkProse, fillPage, pages, proseChapters } from "./prose.ts";
import { stageFaults } from "./stages.ts";
import { diskTree } from "./tree.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const tree = diskTree(root);
const chapters = proseChapters(tree);

if (!process.argv.includes("--check")) {
  const table = "book/data/series-links.json";
  const filled = fillTests(tree, tree.read(table) ?? "");
  if (filled !== tree.read(table)) {
    writeFileSync(join(root, table), filled);
    console.log(`${table}: names of tests filled; run npm run book again`);
    process.exit(1);
  }
  for (const path of chapters.flatMap((name) => pages.map((page) => `chapters/${name}/${page}`))) {
    const before = tree.read(path);
    const { page } = fillPage(tree, path);
    if (before === undefined || before === page) continue;
    writeFileSync(join(root, path), page);
    console.log(`${path}: filled`);
  }
  for (const [path, page] of Object.entries(generated(tree))) {
    if (tree.read(path) === page) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), page);
    console.log(`${path}: filled`);
  }
}

const faults = [...checkLinks(tree), ...checkBookPages(tree)];
for (const chapter of chapters) {
  faults.push(...(await checkProse(tree, chapter)), ...(await stageFaults(root, tree, chapter)));
}
for (const fault of faults) console.error(fault);
const { all, tested, reason, later } = coverage();
console.log(`claims: ${tested} of ${all} tested, ${reason} need no test, ${later} wait for their chapter`);
if (faults.length > 0) process.exit(1);
