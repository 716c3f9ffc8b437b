/**
 * The version of the Linux kernel.
 *
 * @origin pkg/parsers/kernel/kernel.go
 * @module
 */

import type { Host } from "../../../host/host.ts";

/** `3.12.8-gentoo`: three numbers and the rest. @origin pkg/parsers/kernel/kernel.go KernelVersionInfo */
export interface KernelVersionInfo {
  readonly kernel: number;
  readonly major: number;
  readonly minor: number;
  readonly flavor: string;
}

/** @origin pkg/parsers/kernel/kernel.go (*KernelVersionInfo).String */
export function kernelVersionText(version: KernelVersionInfo): string {
  return `${version.kernel}.${version.major}.${version.minor}${version.flavor}`;
}

/** @returns −1, 0 or 1; the flavor does not count @origin pkg/parsers/kernel/kernel.go CompareKernelVersion */
export function compareKernelVersion(
  a: Omit<KernelVersionInfo, "flavor">,
  b: Omit<KernelVersionInfo, "flavor">,
): number {
  return Math.sign(a.kernel - b.kernel || a.major - b.major || a.minor - b.minor);
}

/** The version of the kernel that runs. @origin pkg/parsers/kernel/kernel.go GetKernelVersion */
export function getKernelVersion({ machine }: Pick<Host, "machine">): KernelVersionInfo {
  return parseRelease(machine.kernelRelease);
}

/**
 * Reads what `uname -r` prints. The third number may be missing, as in `3.12-1-amd64`.
 *
 * @throws Error when it does not start with two numbers
 * @origin pkg/parsers/kernel/kernel.go ParseRelease
 */
export function parseRelease(release: string): KernelVersionInfo {
  const match = /^\s*([+-]?\d+)\.([+-]?\d+)(?:\.([+-]?\d+))?(\S*)/.exec(release);
  if (match === null) throw new Error(`Can't parse kernel version ${release}`);
  const [, kernel, major, minor = "0", flavor = ""] = match;
  return { kernel: Number(kernel), major: Number(major), minor: Number(minor), flavor };
}
