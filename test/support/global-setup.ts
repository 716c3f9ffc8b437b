import { build } from "../../scripts/build.mjs";

/** Brings `dist/` up to date once, before any suite that starts threads or daemons from it. */
export default async function setup(): Promise<void> {
  await build();
}
