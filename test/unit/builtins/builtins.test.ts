import { expect, test } from "vitest";
import { register } from "../../../src/builtins/builtins.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

function engine(kernelRelease?: string) {
  const host = memoryHost(kernelRelease === undefined ? {} : { machine: { kernelRelease } });
  const eng = new Engine(host);
  eng.logging = false;
  const order: string[] = [];
  const original = eng.register.bind(eng);
  eng.register = (name, handler) => {
    order.push(name);
    original(name, handler);
  };
  register(eng, host, new Logger(host));
  return { host, eng, order };
}

async function version(eng: Engine): Promise<string> {
  const job = eng.job("version");
  const output = new BufferWriter();
  job.stdout.add(output);
  await job.run();
  return output.toString();
}

test("register() adds network, API, events, version and registry, in this order", () => {
  expect(engine().order).toEqual([
    "init_networkdriver",
    "serveapi",
    "acceptconnections",
    "events",
    "log",
    "subscribers_count",
    "version",
    "auth",
    "search",
  ]);
});

test("register() refuses a second time", () => {
  const { eng, host } = engine();
  expect(() => register(eng, host, new Logger(host))).toThrow("Can't overwrite handler for command init_networkdriver");
});

test("the version job keeps the versions strings and reads the kernel's", async () => {
  expect(await version(engine("3.13.0-32-generic").eng)).toBe(
    '{"ApiVersion":"1.14","Arch":"amd64","GitCommit":"fa7b24f","GoVersion":"memory","KernelVersion":"3.13.0-32-generic",' +
      '"Os":"linux","Version":"1.2.0"}\n',
  );
});

test("the version job leaves out a kernel version it cannot read", async () => {
  expect(await version(engine("unknown").eng)).not.toContain("KernelVersion");
});

test("the acceptconnections job tells the init process", async () => {
  const { eng, host } = engine();
  host.env["NOTIFY_SOCKET"] = "/run/notify";
  await eng.job("acceptconnections").run();
  expect(host.kernel.datagrams).toEqual([{ socketPath: "/run/notify", data: "READY=1" }]);
});

test("the serveapi job wants addresses", async () => {
  const { eng } = engine();
  const usage = "usage: serveapi PROTO://ADDR [PROTO://ADDR ...]";
  await expect(eng.job("serveapi").run()).rejects.toThrow(usage);
  await expect(eng.job("serveapi", "127.0.0.1:2375").run()).rejects.toThrow(usage);
});
