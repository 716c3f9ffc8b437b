import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { readLines } from "../calls.ts";
import { demoHost, example } from "../demo.ts";
import { headersOf } from "../disk.ts";
import { ADD, BASE, CODE, Session } from "../session.ts";

const { carryOut } = await subject<typeof import("./4-apply.solution.ts")>(import.meta.url);

test.each([
  [example],
  [["get", "rm /etc", "write /etc now a file", "mkdir /srv/deep"]],
  [["get", "rm /bin/ls", "mkdir /bin/ls", "write /bin/ls/inside x"]],
  [["get", "mv /srv /www", "rm /tmp", "mkdir /tmp"]],
])("exercise 4: the tree is that of vfs after %j", async (lines) => {
  const session = await Session.open("/d", demoHost(), 2);
  await session.run(readLines(lines));
  const { driver } = session.stores;
  let tree: string[] = [];
  for (const [id, parent] of [[BASE], [ADD, BASE], [CODE, ADD]] as const) {
    tree = carryOut(
      tree,
      (await headersOf(driver.diff(id, parent))).map(({ name }) => name),
    );
  }
  expect(tree).toEqual((await session.underVfs()).map(({ path }) => path).sort());
});
