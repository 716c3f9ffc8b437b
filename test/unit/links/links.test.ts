import { expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { Link } from "../../../src/links/links.ts";

function link(given: Partial<ConstructorParameters<typeof Link>[0]> = {}) {
  const eng = new Engine(memoryHost());
  eng.logging = false;
  const jobs: Record<string, string>[] = [];
  eng.register("link", (job) => {
    jobs.push({ action: job.args[0] ?? "", ...Object.fromEntries(job.environ()) });
  });
  const ends = {
    parentIp: "172.17.0.3",
    childIp: "172.17.0.2",
    name: "/web/db-1",
    childEnv: ["PW=x", "HOME=/", "PATH=/", "A=b=c", "E="],
    ports: ["6379/tcp", "53/udp", "53/tcp"],
    ...given,
  };
  return { link: new Link(ends, eng), jobs, eng };
}

// origin: links/links_test.go TestLinkEnv
test("Link.toEnv() tells of the lowest port first, TCP before UDP", () => {
  const port = (p: string, proto: string) => [
    `DB_1_PORT_${p}_${proto.toUpperCase()}=${proto}://172.17.0.2:${p}`,
    `DB_1_PORT_${p}_${proto.toUpperCase()}_ADDR=172.17.0.2`,
    `DB_1_PORT_${p}_${proto.toUpperCase()}_PORT=${p}`,
    `DB_1_PORT_${p}_${proto.toUpperCase()}_PROTO=${proto}`,
  ];
  expect(link().link.toEnv()).toEqual([
    "DB_1_PORT=tcp://172.17.0.2:53",
    ...port("53", "tcp"),
    ...port("53", "udp"),
    ...port("6379", "tcp"),
    "DB_1_NAME=/web/db-1",
    "DB_1_ENV_PW=x",
    "DB_1_ENV_E=",
  ]);
});

test("Link.toEnv() of a container that exposes nothing has only its name and variables", () => {
  expect(link({ ports: [], childEnv: [] }).link.toEnv()).toEqual(["DB_1_NAME=/web/db-1"]);
});

test("Link.enable() and disable() open and close the way by the job link", async () => {
  const { link: made, jobs } = link();
  await made.enable();
  await made.disable();
  const common = { ParentIP: "172.17.0.3", ChildIP: "172.17.0.2", Ports: '["53/tcp","53/udp","6379/tcp"]' };
  expect(jobs).toEqual([
    { action: "-I", IgnoreErrors: "0", ...common },
    { action: "-D", IgnoreErrors: "1", ...common },
  ]);
});

test("Link.disable() does not mind that there is nothing to close", async () => {
  const { link: made, eng } = link();
  eng.register("other", () => undefined);
  await eng.shutdown();
  await expect(made.disable()).resolves.toBeUndefined();
});
