/**
 * The job `viz`: the images as a graph in the language of Graphviz.
 *
 * @origin graph/viz.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import type { TagStore } from "./tags.ts";

/** @origin graph/viz.go (*TagStore).CmdViz */
export async function cmdViz(store: TagStore, job: Job): Promise<void> {
  const lines = ["digraph docker {\n"];
  for (const image of (await store.graph.map()).values()) {
    lines.push(
      image.parent === "" ? ` base -> "${image.id}" [style=invis]\n` : ` "${image.parent}" -> "${image.id}"\n`,
    );
  }
  for (const [id, names] of store.getRepoRefs()) {
    const label = [id, ...names.map((name) => name.replace(/["\\]/g, "\\$&"))].join("\\n");
    lines.push(` "${id}" [label="${label}",shape=box,fillcolor="paleturquoise",style="filled,rounded"];\n`);
  }
  lines.push(" base [style=invisible]\n}\n");
  await job.stdout.write(lines.join(""));
}
