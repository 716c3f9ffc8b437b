import { memfs } from "memfs";
import { expect, test } from "vitest";
import type { FileSystem } from "../../../../src/host/host.ts";
import { getOperatingSystem, isContainerized } from "../../../../src/pkg/parsers/operatingsystem/operatingsystem.ts";

function hostWith(files: Record<string, string>): { fs: FileSystem } {
  return { fs: memfs(files).fs.promises as unknown as FileSystem };
}

test.each([
  ['NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 14.04 LTS"\nVERSION_ID="14.04"\n', "Ubuntu 14.04 LTS"],
  ['NAME=Gentoo\nPRETTY_NAME="Gentoo/Linux"\n', "Gentoo/Linux"],
  ["PRETTY_NAME='Void'\n", "Void"],
  ["PRETTY_NAME=Arch", "Arch"],
])("getOperatingSystem() reads the pretty name of %j", async (text, name) => {
  expect(await getOperatingSystem(hostWith({ "/etc/os-release": text }))).toBe(name);
});

test("getOperatingSystem() says when there is no pretty name or no file", async () => {
  await expect(getOperatingSystem(hostWith({ "/etc/os-release": "NAME=x\n" }))).rejects.toThrow(
    "PRETTY_NAME not found",
  );
  await expect(getOperatingSystem(hostWith({}))).rejects.toMatchObject({ code: "ENOENT" });
});

test.each([
  ["9:perf_event:/\n8:blkio:/\n", false],
  ["9:perf_event:/docker/3cef1b53c50b0fa357d994f8a1a8cd783c76bbf4f5dd08b226e38a8bd331338d\n8:blkio:/\n", true],
  ["0::/init.scope\n", false],
  ["0::/\n", false],
])("isContainerized() judges %j", async (text, inside) => {
  expect(await isContainerized(hostWith({ "/proc/1/cgroup": text }))).toBe(inside);
});
