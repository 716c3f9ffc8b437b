/**
 * `docker images --tree` and `--viz`: images and their parents.
 *
 * @module
 */

import type { Env } from "../../../engine/env.ts";
import { humanSize } from "../../../pkg/units/size.ts";
import { truncateID } from "../../../utils/utils.ts";

/** What is shown of the images. */
export interface TreeOptions {
  readonly noTrunc: boolean;
  /** Id or name to start from; `""`: every image without a parent. */
  readonly name: string;
}

type Node = (image: Env, prefix: string) => string;

/** Images by their parents, and where to start. */
function grow(images: readonly Env[], name: string): { starts: Env[]; children: Map<string, Env[]> } {
  const children = new Map<string, Env[]>();
  let start: Env | undefined;
  for (const image of images) {
    const siblings = children.get(image.get("ParentId"));
    if (siblings) siblings.push(image);
    else children.set(image.get("ParentId"), [image]);
    const id = image.get("Id");
    if (name !== "" && (name === id || name === truncateID(id) || tags(image).includes(name))) start = image;
  }
  return { starts: start ? [start] : name === "" ? (children.get("") ?? []) : [], children };
}

function tags(image: Env): string[] {
  return image.getList("RepoTags") ?? [];
}

function named(image: Env): boolean {
  const [first] = tags(image);
  return first !== undefined && first !== "<none>:<none>";
}

/** @origin api/client/commands.go (*DockerCli).WalkTree */
function walk(images: readonly Env[], children: ReadonlyMap<string, Env[]>, prefix: string, node: Node): string {
  return images
    .map((image, i) => {
      const last = i + 1 === images.length;
      const below = children.get(image.get("Id")) ?? [];
      return (
        node(image, `${prefix}${last ? "└─" : "├─"}`) + walk(below, children, `${prefix}${last ? "  " : "│ "}`, node)
      );
    })
    .join("");
}

/** A tree of text. @origin api/client/commands.go (*DockerCli).printTreeNode */
export function imageTree(images: readonly Env[], { noTrunc, name }: TreeOptions): string {
  const { starts, children } = grow(images, name);
  return walk(starts, children, "", (image, prefix) => {
    const id = noTrunc ? image.get("Id") : truncateID(image.get("Id"));
    const suffix = named(image) ? ` Tags: ${tags(image).join(", ")}` : "";
    return `${prefix}${id} Virtual Size: ${humanSize(image.getInt("VirtualSize"))}${suffix}\n`;
  });
}

/** A graph in the language of Graphviz. @origin api/client/commands.go (*DockerCli).printVizNode */
export function imageViz(images: readonly Env[], { noTrunc, name }: TreeOptions): string {
  const { starts, children } = grow(images, name);
  const short = (id: string) => (noTrunc ? id : truncateID(id));
  const body = walk(starts, children, "", (image) => {
    const id = short(image.get("Id"));
    const parent = short(image.get("ParentId"));
    const edge = parent === "" ? ` base -> "${id}" [style=invis]\n` : ` "${parent}" -> "${id}"\n`;
    if (!named(image)) return edge;
    const style = 'shape=box,fillcolor="paleturquoise",style="filled,rounded"';
    return `${edge} "${id}" [label="${id}\\n${tags(image).join("\\n")}",${style}];\n`;
  });
  return `digraph docker {\n${body} base [style=invisible]\n}\n`;
}
