import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../support/temporary.ts";

const LAUNCHER = join(import.meta.dirname, "../../../bin/docker");
const directory = temporaryDirectory("launcher-");

/** A repository that has been built, and a `node` that says how it was called. */
function install(name: string, built = true): string {
  const root = join(directory, name);
  for (const folder of ["bin", "dist", "path"]) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(LAUNCHER, join(root, "bin/docker"));
  if (built) writeFileSync(join(root, "dist/docker.cjs"), "");
  const node = join(root, "path/node");
  writeFileSync(
    node,
    '#!/bin/sh\necho "extra=${NODE_EXTRA_CA_CERTS-unset} kept=${DRYDOCK_EXTRA_CA_CERTS-unset}"\nprintf "<%s>" "$@"\n',
  );
  chmodSync(node, 0o755);
  return root;
}

function launch(root: string, args: string[], program = join(root, "bin/docker")): string {
  const env = { PATH: `${join(root, "path")}:/usr/bin:/bin`, NODE_EXTRA_CA_CERTS: "/ca.pem" };
  return execFileSync(program, args, { env, encoding: "utf8" });
}

test("bin/docker starts node with the bundle and the arguments as they are", () => {
  const root = install("plain");
  expect(launch(root, ["run", "a b", "", "$x", "*"])).toBe(
    `extra=unset kept=/ca.pem\n<--><${root}/bin/../dist/docker.cjs><run><a b><><$x><*>`,
  );
});

test("bin/docker keeps the file of an --env-file from node", () => {
  const root = install("env-file");
  writeFileSync(join(root, "dist/docker.cjs"), "console.log(JSON.stringify(process.argv.slice(2)))");
  const file = join(root, "file");
  writeFileSync(file, "NODE_OPTIONS=--no-such-option\n");
  for (const name of [file, "/no/such/file"]) {
    const out = execFileSync(join(root, "bin/docker"), ["run", "--env-file", name], { encoding: "utf8" });
    expect(JSON.parse(out)).toEqual(["run", "--env-file", name]);
  }
});

test.each([
  [["-d"]],
  [["--daemon"]],
  [["--daemon=true"]],
  [["-H", "tcp://127.0.0.1:1", "-d"]],
  [["-Dd"]],
  [["--dns", "8.8.8.8", "-d"]],
])("bin/docker %j keeps the certificates for the daemon", (args) => {
  expect(launch(install("daemon"), args)).toMatch(/^extra=\/ca\.pem kept=unset\n/);
});

test.each([[["run", "-d", "x"]], [["-H", "-d", "ps"]], [["ps"]], [["--", "-d"]], [[]]])(
  "bin/docker %j starts without them",
  (args) => {
    expect(launch(install("client"), args)).toMatch(/^extra=unset kept=\/ca\.pem\n/);
  },
);

test("bin/docker finds its bundle through links and from its own directory", () => {
  const root = install("linked");
  const link = join(directory, "docker-link");
  symlinkSync(join(root, "bin/docker"), link);
  expect(launch(root, ["x"], link)).toContain(`<${root}/bin/../dist/docker.cjs>`);
  const env = { PATH: `${join(root, "path")}:/usr/bin:/bin` };
  expect(spawnSync("sh", ["docker", "x"], { cwd: join(root, "bin"), env, encoding: "utf8" }).stdout).toContain(
    "<./../dist/docker.cjs><x>",
  );
});

test("bin/docker says what to do when the bundle is not there", () => {
  const root = install("bare", false);
  const { status, stderr } = spawnSync(join(root, "bin/docker"), ["ps"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `docker: ${root}/bin/../dist/docker.cjs is missing: 'npm run build' makes it\n`,
  });
});
