/**
 * Commands that must succeed, and what most tests begin with.
 */

import { expect } from "vitest";
import type { Result, TestDaemon } from "./daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "./images.ts";

/** `docker` with some words. */
export type Docker = (...args: string[]) => Promise<Result>;

/** What a program wrote that had to succeed. */
export async function ok(result: Promise<Result>): Promise<string> {
  const { code, stdout, stderr } = await result;
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return stdout;
}

/** What `docker` wrote that had to succeed; a failure names its words. */
export async function okWith(docker: Docker, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  expect(`${args.join(" ")}: ${code} ${stderr}`).toMatch(/: 0 /);
  return stdout;
}

/**
 * Makes an image that a daemon has by way of a registry in its network.
 *
 * @returns its name there
 */
export async function provide(
  daemon: TestDaemon,
  registry: TestRegistry,
  ...[name, ...made]: Parameters<TestRegistry["push"]>
): Promise<string> {
  await registry.push(name, ...made);
  const image = `${registry.address}/${name}`;
  await okWith(daemon.docker, "pull", image);
  return image;
}

/** Gives a daemon an image `base` with busybox; the registry it comes from is gone again. */
export async function provideBase(daemon: TestDaemon): Promise<void> {
  const registry = await startRegistry(daemon.netns.prefix);
  try {
    await okWith(daemon.docker, "tag", await provide(daemon, registry, "base", [BUSYBOX]), "base");
  } finally {
    await registry.stop();
  }
}
