/**
 * Commands that must succeed.
 */

import { expect } from "vitest";
import type { Result } from "./daemon.ts";

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
