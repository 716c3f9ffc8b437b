import { expect, test } from "vitest";
import { BufferWriter } from "../../../src/sync/io.ts";
import { fixture, imageId } from "./fixture.ts";

test("create prints the id, makes two layers and writes both files", async () => {
  const { create, driver, host, daemon, events } = await fixture();
  const id = await create({ Cmd: ["echo", "hi"] }, "web");
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(driver.layers.get(`${id}-init`)).toBe(imageId);
  expect(driver.layers.get(id)).toBe(`${id}-init`);
  expect(driver.mounted.size).toBe(0);
  const json = JSON.parse(await host.fs.readFile(`/root/containers/${id}/config.json`, "utf8"));
  expect(Object.keys(json)).toEqual([
    ...[
      "ID",
      "Created",
      "Path",
      "Args",
      "Config",
      "State",
      "Image",
      "NetworkSettings",
      "ResolvConfPath",
      "HostnamePath",
    ],
    ...[
      "HostsPath",
      "Name",
      "Driver",
      "ExecDriver",
      "MountLabel",
      "ProcessLabel",
      "RestartCount",
      "Volumes",
      "VolumesRW",
    ],
  ]);
  expect(json).toMatchObject({
    ID: id,
    Path: "echo",
    Args: ["hi"],
    Name: "/web",
    Driver: "vfs",
    ExecDriver: "native-0.2",
  });
  expect(daemon.mustGet("web").config.Hostname).toBe(id.slice(0, 12));
  expect(events).toEqual(["create web"]);
});

test.each([
  [{ Image: "nope" }, "No such image: nope (tag: latest)", 404],
  [{ Image: "nope:x" }, "No such image: nope:x (tag: x)", 404],
  [{ Cmd: [] }, "No command specified", 500],
  [{ Memory: 1000 }, "Minimum memory limit allowed is 512k", 500],
])("create with %j fails as 1.2.0 does and leaves nothing", async (config, message, statusCode) => {
  const { create, driver, daemon } = await fixture();
  await expect(create(config, "web")).rejects.toMatchObject({ message, statusCode });
  expect([driver.layers.size, daemon.containers.size, daemon.containerGraph.exists("/web")]).toEqual([1, 0, false]);
});

test.each(["ü", "a b", "a/b", "//x", "a:b", "../x", "bad!"])("create refuses the name %j", async (name) => {
  const { create } = await fixture();
  await expect(create({}, name)).rejects.toThrow(`Invalid container name (${name}), only [a-zA-Z0-9_.-] are allowed`);
});

test("create says who has the name", async () => {
  const { create } = await fixture();
  const id = await create({}, "/web");
  await expect(create({}, "web")).rejects.toMatchObject({
    message: `Conflict, The name web is already assigned to ${id.slice(0, 12)}. You have to delete (or rename) that container to be able to assign web to a container again.`,
    statusCode: 409,
  });
});

test("create takes a name over whose container is gone", async () => {
  const { create, daemon } = await fixture();
  daemon.containerGraph.set("/web", "f".repeat(64));
  const id = await create({}, "web");
  expect(daemon.containerGraph.get("/web")).toBe(id);
});

test("create makes up names until one is free", async () => {
  const { create, daemon } = await fixture();
  const names = new Set<string>();
  for (let i = 0; i < 20; i++) names.add(daemon.mustGet(await create()).name);
  expect(names.size).toBe(20);
  for (const name of names) expect(name).toMatch(/^\/[a-z]+_[a-z]+\d?$/);
});

test("create takes everything back when the layer cannot be made", async () => {
  const { create, daemon, driver, host } = await fixture();
  driver.create = async () => {
    throw new Error("no space left on device");
  };
  await expect(create({}, "web")).rejects.toThrow("no space left on device");
  expect(daemon.containerGraph.entities()).toEqual([]);
  expect(await host.fs.readdir("/root/containers")).toEqual([]);
});

test("create completes the command with the image's", async () => {
  const { create, daemon } = await fixture({ imageConfig: { Entrypoint: ["/e"], Cmd: ["c"], Env: ["A=1"] } });
  const plain = daemon.mustGet(await create({ Cmd: null }));
  expect([plain.path, plain.args]).toEqual(["/e", ["c"]]);
  const other = daemon.mustGet(await create({ Cmd: ["x"], Env: ["B=2"] }));
  expect([other.path, other.args, other.config.Env]).toEqual(["/e", ["x"], ["B=2", "A=1"]]);
});

test("create warns about ports of the host in the image, and prints warnings on standard error", async () => {
  const { eng } = await fixture();
  const job = eng.job("create");
  job.importEnv({ Image: "busybox", Cmd: ["true"], PortSpecs: ["8080:80"] });
  const warnings = new BufferWriter();
  job.stderr.add(warnings);
  await job.run();
  expect(warnings.toString()).toBe(
    "The mapping to public ports on your host via Dockerfile EXPOSE (host:port:port) has been deprecated. Use -p to publish the ports.\n",
  );
});

test("create makes the sources of binds, as for clients that send them with the creation", async () => {
  const { create, host } = await fixture();
  await create({ HostConfig: { Binds: ["/new/dir:/d", "name:/e"] } });
  expect((await host.fs.stat("/new/dir")).isDirectory()).toBe(true);
  await expect(create({ HostConfig: { Binds: [":/d"] } })).rejects.toThrow(
    "Could not create local directory '' for bind mount: mkdir : no such file or directory!",
  );
});

test("container_inspect has 1.2.0's keys, sorted, and more for clients of today", async () => {
  const { create, run } = await fixture();
  const id = await create({ Labels: { a: "b" }, HostConfig: { AutoRemove: true, Binds: ["/a:/b"] } }, "web");
  const plain = JSON.parse(await run("container_inspect", ["web"]));
  expect(Object.keys(plain)).toEqual([
    ...["Args", "Config", "Created", "Driver", "ExecDriver", "HostConfig", "HostnamePath", "HostsPath", "Id", "Image"],
    ...[
      "MountLabel",
      "Name",
      "NetworkSettings",
      "Path",
      "ProcessLabel",
      "ResolvConfPath",
      "State",
      "Volumes",
      "VolumesRW",
    ],
  ]);
  expect(plain).toMatchObject({ Id: id, Name: "/web", Volumes: null, HostConfig: { Binds: ["/a:/b"], Links: null } });
  expect([plain.Config.Labels, plain.HostConfig.AutoRemove]).toEqual([undefined, undefined]);
  expect(Object.keys(plain.NetworkSettings).sort()).toEqual([
    "Bridge",
    "Gateway",
    "IPAddress",
    "IPPrefixLen",
    "PortMapping",
    "Ports",
  ]);
  const more = JSON.parse(await run("container_inspect", [id.slice(0, 12)], { extended: true }));
  expect([more.Config.Labels, more.HostConfig.AutoRemove, more.RestartCount]).toEqual([{ a: "b" }, true, 0]);
  const raw = JSON.parse(await run("container_inspect", ["web"], { raw: true }));
  expect(Object.keys(raw).slice(0, 2)).toEqual(["ID", "Created"]);
  expect(Object.keys(raw).at(-1)).toBe("HostConfig");
});

test("containers lists newest first, and selects as 1.2.0 does", async () => {
  const { create, start, run, host } = await fixture();
  const ids: string[] = [];
  for (const name of ["x1", "x2", "x3"]) {
    ids.push(await create({ Cmd: ["sh", "-c", "exit 3"] }, name));
    await host.clock.advance(1000);
  }
  const { process } = await start({}, "x4");
  process.exit(3);
  await run("wait", ["x4"]);
  await host.clock.advance(1000);
  await start({}, "x5");
  const names = async (env: Record<string, unknown>) =>
    JSON.parse(await run("containers", [], env)).map((row: { Names: string[] }) => row.Names[0]);
  expect(await names({})).toEqual(["/x5"]);
  expect(await names({ all: true })).toEqual(["/x5", "/x4", "/x3", "/x2", "/x1"]);
  expect(await names({ limit: 2 })).toEqual(["/x5", "/x4"]);
  expect(await names({ before: "x3" })).toEqual(["/x2", "/x1"]);
  expect(await names({ since: "x2" })).toEqual(["/x5", "/x4", "/x3"]);
  expect(await names({ all: true, filters: JSON.stringify({ exited: ["3"] }) })).toEqual(["/x5", "/x4"]);
  await expect(names({ since: "nope" })).rejects.toThrow("Could not find container with name or id nope");
  await expect(names({ filters: "abc" })).rejects.toThrow("invalid character 'a' looking for beginning of value");
  await expect(names({ filters: '{"exited":"0"}' })).rejects.toThrow(
    "json: cannot unmarshal string into Go value of type []string",
  );
  const [row] = JSON.parse(await run("containers", [], { before: "x2", size: true }));
  expect(row).toMatchObject({
    Id: ids[0],
    Command: "sh -c 'exit 3'",
    Image: "busybox:latest",
    Status: "",
    Ports: [],
    SizeRw: 7,
    SizeRootFs: 0,
  });
});

test("container_changes gives rows of kind and path", async () => {
  const { create, run } = await fixture();
  const id = await create();
  expect(JSON.parse(await run("container_changes", [id]))).toEqual([{ Kind: 1, Path: "/x" }]);
});
