import { expect, test } from "vitest";
import type { Handler } from "../../../../src/engine/job.ts";
import { NoSuchError } from "../../../../src/errdefs/errdefs.ts";
import { emptyDaemon } from "./empty-daemon.ts";
import { TestServer } from "./support.ts";

const ID = "a".repeat(64);
const IMAGE = "b".repeat(64);
const PARENT = "c".repeat(64);
const VOLUME = "d".repeat(64);

const container = {
  Args: ["1000"],
  Config: {
    AttachStderr: false,
    AttachStdin: false,
    AttachStdout: false,
    Cmd: ["sleep", "1000"],
    CpuShares: 512,
    Cpuset: "0",
    Domainname: "",
    Entrypoint: null,
    Env: null,
    ExposedPorts: { "80/tcp": {} },
    Hostname: "h",
    Image: "busybox",
    Memory: 67108864,
    MemorySwap: 0,
    NetworkDisabled: false,
    OnBuild: null,
    OpenStdin: false,
    PortSpecs: null,
    StdinOnce: false,
    Tty: false,
    User: "",
    Volumes: null,
    WorkingDir: "",
  },
  Created: "2014-08-20T20:20:14.123456789Z",
  Driver: "overlay",
  ExecDriver: "native-0.2",
  HostConfig: {
    Binds: ["/src:/dst:ro"],
    CapAdd: null,
    CapDrop: null,
    ContainerIDFile: "",
    Devices: null,
    Dns: null,
    DnsSearch: null,
    Links: null,
    LxcConf: null,
    NetworkMode: "",
    PortBindings: null,
    Privileged: false,
    PublishAllPorts: false,
    RestartPolicy: { MaximumRetryCount: 0, Name: "" },
    VolumesFrom: null,
  },
  HostnamePath: "/r/hostname",
  HostsPath: "/r/hosts",
  Id: ID,
  Image: IMAGE,
  MountLabel: "",
  Name: "/web",
  NetworkSettings: {
    Bridge: "docker0",
    Gateway: "172.17.42.1",
    IPAddress: "172.17.0.2",
    IPPrefixLen: 16,
    PortMapping: null,
    Ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "18999" }] },
  },
  Path: "sleep",
  ProcessLabel: "",
  ResolvConfPath: "/r/resolv.conf",
  State: {
    ExitCode: 0,
    FinishedAt: "0001-01-01T00:00:00Z",
    Paused: false,
    Pid: 42,
    Restarting: false,
    Running: true,
    StartedAt: "2014-08-20T20:20:15Z",
  },
  Volumes: { "/dst": "/src", "/data": `/var/lib/docker/vfs/dir/${VOLUME}` },
  VolumesRW: { "/dst": false, "/data": true },
};
const row = {
  Command: '"sleep 1000"',
  Created: 1408565614,
  Id: ID,
  Image: "busybox:latest",
  Names: ["/web"],
  Ports: [{ IP: "127.0.0.1", PrivatePort: 80, PublicPort: 18999, Type: "tcp" }],
  Status: "Up 3 seconds",
};
const imageRow = {
  Created: 1408565614,
  Id: IMAGE,
  ParentId: PARENT,
  RepoTags: ["busybox:latest", "localhost:5000/b/box:1"],
  Size: 10,
  VirtualSize: 1990000,
};

const json =
  (value: unknown): Handler =>
  (job) =>
    job.printf(JSON.stringify(value));

function daemon(): TestServer {
  return new TestServer().jobs({
    ...emptyDaemon,
    containers: json([row]),
    container_inspect: (job) =>
      [ID, "web"].includes(job.args[0] ?? "") ? json(container)(job) : emptyDaemon["container_inspect"]?.(job),
    images: json([imageRow]),
    image_inspect: (job) => {
      if (!["busybox", IMAGE].includes(job.args[0] ?? "")) throw new NoSuchError("image", job.args[0] ?? "");
      return json({ Id: IMAGE, Parent: PARENT, Size: 10, Os: "linux", Architecture: "amd64", Config: { Cmd: ["sh"] } })(
        job,
      );
    },
    history: json([
      { Created: 1, CreatedBy: "sh", Id: IMAGE, Size: 10, Tags: ["busybox:latest"] },
      { Created: 1, CreatedBy: "x", Id: "<missing>", Size: 0, Tags: null },
    ]),
    image_delete: json([{ Untagged: "busybox:latest" }, { Deleted: IMAGE }]),
  });
}

const read = async (server: TestServer, path: string) => JSON.parse((await server.ask(path)).body);

test("HEAD and GET /_ping tell clients of today what to speak", async () => {
  await using server = await daemon().start();
  for (const method of ["HEAD", "GET"]) {
    const reply = await server.ask("/_ping", { method });
    expect(reply).toMatchObject({
      status: 200,
      body: method === "HEAD" ? "" : "OK",
      headers: {
        "api-version": "1.30",
        "docker-experimental": "false",
        ostype: "linux",
        server: "Docker/1.2.0 (linux)",
        "content-type": "text/plain; charset=utf-8",
      },
    });
  }
});

test("GET /version has a component with details for docker version", async () => {
  await using server = await daemon().start();
  const version = await read(server, "/v1.30/version");
  const details = {
    ApiVersion: "1.30",
    MinAPIVersion: "1.0",
    Arch: "amd64",
    Os: "linux",
    GitCommit: "fa7b24f",
    GoVersion: "go1.3",
    KernelVersion: "6.1.0",
    BuildTime: "",
  };
  expect(version).toEqual({
    Platform: { Name: "" },
    Components: [{ Name: "Engine", Version: "1.2.0", Details: { ...details, Experimental: "false" } }],
    Version: "1.2.0",
    ...details,
  });
  expect((await read(server, "/v1.14/version")).ApiVersion).toBe("1.14");
});

test("GET /info has what docker info prints, switches as booleans", async () => {
  await using server = await daemon().start();
  const info = await read(server, "/v1.30/info");
  expect(info).toMatchObject({
    ID: expect.stringMatching(/^[0-9a-f]{64}$/),
    Containers: 0,
    ContainersRunning: 1,
    ContainersPaused: 0,
    ContainersStopped: 0,
    Driver: "vfs",
    DriverStatus: [],
    Debug: true,
    MemoryLimit: true,
    SwapLimit: true,
    IPv4Forwarding: true,
    LoggingDriver: "json-file",
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Log: ["json-file"] },
    Runtimes: { runc: { path: "runc" } },
    DefaultRuntime: "runc",
    Swarm: { LocalNodeState: "inactive" },
    SecurityOptions: [],
    RegistryConfig: { InsecureRegistryCIDRs: [] },
    CgroupDriver: "cgroupfs",
    NCPU: 2,
    Name: "box",
    ServerVersion: "1.2.0",
    Architecture: "x86_64",
    OSType: "linux",
    OperatingSystem: "Debian",
  });
  expect((await read(server, "/v1.14/info")).Debug).toBe(1);
});

test("GET /containers/json has state, image id, network and mounts for docker ps", async () => {
  await using server = await daemon().start();
  expect(await read(server, "/v1.30/containers/json")).toEqual([
    {
      ...row,
      Image: "busybox",
      ImageID: `sha256:${IMAGE}`,
      State: "running",
      Labels: {},
      HostConfig: { NetworkMode: "default" },
      NetworkSettings: { Networks: { bridge: expect.objectContaining({ IPAddress: "172.17.0.2" }) } },
      Mounts: [
        {
          Type: "volume",
          Name: VOLUME,
          Source: `/var/lib/docker/vfs/dir/${VOLUME}`,
          Destination: "/data",
          Driver: "local",
          Mode: "",
          RW: true,
          Propagation: "",
        },
        { Type: "bind", Source: "/src", Destination: "/dst", Mode: "ro", RW: false, Propagation: "rprivate" },
      ],
    },
  ]);
  expect(await read(server, "/v1.14/containers/json")).toEqual([row]);
  expect(await read(server, "/v1.4/containers/json")).toEqual([]);
});

test.each([
  ['{"name":{"we":true}}', 1],
  ['{"name":{"^/web$":true}}', 1],
  ['{"name":{"db":true}}', 0],
  ['{"status":["running"]}', 1],
  ['{"status":{"exited":true}}', 0],
  ['{"id":{"aaa":true}}', 1],
  ['{"label":{"x":true}}', 0],
  ['{"ancestor":{"busybox":true}}', 1],
  ['{"ancestor":{"nosuch":true}}', 0],
  ['{"network":{"bridge":true}}', 1],
  ['{"volume":{"/data":true}}', 1],
])("GET /containers/json filters by %s", async (filters, count) => {
  await using server = await daemon().start();
  expect(await read(server, `/v1.30/containers/json?filters=${encodeURIComponent(filters)}`)).toHaveLength(count);
});

test("GET /containers/json refuses filters it does not know", async () => {
  await using server = await daemon().start();
  expect(await server.ask("/v1.30/containers/json?filters=%7B%22nosuch%22%3A%5B%5D%7D")).toMatchObject({
    status: 400,
    body: `{"message":"Invalid filter 'nosuch'"}\n`,
  });
  expect(await server.ask("/v1.30/containers/json?filters=%7B")).toMatchObject({ status: 400 });
});

test("GET /containers/{name}/json never lacks what clients of today follow without looking", async () => {
  await using server = await daemon().start();
  const shaped = await read(server, "/v1.30/containers/web/json");
  expect(shaped).toMatchObject({
    Id: ID,
    Name: "/web",
    Image: `sha256:${IMAGE}`,
    Created: container.Created,
    RestartCount: 0,
    Driver: "overlay",
    State: { Status: "running", Running: true, Paused: false, Dead: false, OOMKilled: false, Pid: 42, Error: "" },
    Config: { Env: [], Labels: {}, Tty: false, Image: "busybox", Cmd: ["sleep", "1000"] },
    HostConfig: {
      NetworkMode: "default",
      PortBindings: {},
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      Memory: 67108864,
      CpuShares: 512,
      CpusetCpus: "0",
      Dns: [],
      AutoRemove: false,
      LogConfig: { Type: "json-file", Config: {} },
    },
    NetworkSettings: {
      IPAddress: "172.17.0.2",
      Ports: container.NetworkSettings.Ports,
      Networks: { bridge: { Gateway: "172.17.42.1", IPPrefixLen: 16 } },
    },
  });
  expect(shaped.Mounts).toHaveLength(2);
  for (const gone of ["Volumes", "ExecDriver"]) expect(shaped).not.toHaveProperty(gone);
  expect(shaped.Config).not.toHaveProperty("Memory");
  const older = await read(server, "/v1.17/containers/web/json");
  expect(older).toMatchObject({ Image: IMAGE, Volumes: container.Volumes, Config: { Memory: 67108864 } });
  expect(await read(server, "/v1.14/containers/web/json")).toEqual(container);
});

test("images carry sha256: before their ids from 1.22 on, and the jobs are told the version", async () => {
  await using server = await daemon().start();
  expect(await read(server, "/v1.30/images/json")).toEqual([
    { ...imageRow, Id: `sha256:${IMAGE}`, ParentId: `sha256:${PARENT}`, RepoDigests: [], Labels: null },
  ]);
  expect((await read(server, "/v1.21/images/json"))[0]).toMatchObject({ Id: IMAGE });
  expect(await read(server, "/v1.14/images/json")).toEqual([imageRow]);
  expect(await read(server, "/v1.6/images/json")).toEqual([
    { Created: 1408565614, Id: IMAGE, Repository: "busybox", Size: 10, Tag: "latest", VirtualSize: 1990000 },
    { Created: 1408565614, Id: IMAGE, Repository: "localhost:5000/b/box", Size: 10, Tag: "1", VirtualSize: 1990000 },
  ]);
  expect(await read(server, `/v1.30/images/sha256:${IMAGE}/json`)).toMatchObject({
    Id: `sha256:${IMAGE}`,
    Parent: `sha256:${PARENT}`,
    Config: { Cmd: ["sh"], Labels: {} },
  });
  expect(await read(server, "/v1.30/images/busybox/history")).toEqual([
    { Comment: "", Created: 1, CreatedBy: "sh", Id: `sha256:${IMAGE}`, Size: 10, Tags: ["busybox:latest"] },
    { Comment: "", Created: 1, CreatedBy: "x", Id: "<missing>", Size: 0, Tags: null },
  ]);
  const deleted = await server.ask("/v1.30/images/docker.io/library/busybox", { method: "DELETE" });
  expect(JSON.parse(deleted.body)).toEqual([{ Untagged: "busybox:latest" }, { Deleted: `sha256:${IMAGE}` }]);
});

test("GET /images/json hands filters of today to the job in the old notation", async () => {
  const seen: string[][] = [];
  const images: Handler = async (job) => {
    seen.push(["apiVersion", "filters", "all"].map((key) => job.getenv(key)));
    await job.printf("[]");
  };
  await using server = await new TestServer().jobs({ images }).start();
  const filters = encodeURIComponent('{"reference":{"docker.io/library/busybox":true},"dangling":["true"]}');
  expect(await read(server, `/v1.30/images/json?all=1&filters=${filters}`)).toEqual([]);
  expect(seen).toEqual([["1.30", '{"reference":["busybox"],"dangling":["true"]}', "1"]]);
});

test("POST /containers/create divides the body of today between job and HostConfig", async () => {
  const seen: Record<string, string>[] = [];
  const create: Handler = async (job) => {
    seen.push(Object.fromEntries(job.environ()));
    await job.stderr.write("careful\n");
    await job.printf(`${ID}\n`);
  };
  await using server = await new TestServer().jobs({ create }).start();
  const body = {
    Image: `sha256:${IMAGE}`,
    Cmd: ["true"],
    Labels: { a: "b" },
    HostConfig: { Binds: ["/a:/b"], Memory: 1048576, CpusetCpus: "0", NetworkMode: "default", AutoRemove: true },
    NetworkingConfig: { EndpointsConfig: {} },
  };
  const reply = await server.post("/v1.30/containers/create?name=x", body);
  expect(reply).toMatchObject({ status: 201, body: `{"Id":"${ID}","Warnings":["careful"]}\n` });
  expect(seen[0]).toMatchObject({ Image: IMAGE, Cmd: '["true"]', Memory: "1048576", Cpuset: "0" });
  expect(seen[0]).not.toHaveProperty("NetworkingConfig");
  expect(JSON.parse(seen[0]?.["HostConfig"] ?? "")).toMatchObject({
    Binds: ["/a:/b"],
    NetworkMode: "bridge",
    AutoRemove: true,
  });
  await server.post("/v1.14/containers/create", { Image: `sha256:${IMAGE}`, Cmd: "true" });
  expect(seen[1]).toEqual({ Image: `sha256:${IMAGE}`, Cmd: "true" });
});

test("errors are text for old clients, JSON and by class for new ones", async () => {
  await using server = await daemon().start();
  expect(await server.ask("/v1.14/containers/nope/json")).toMatchObject({
    status: 404,
    body: "No such container: nope\n",
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
  expect(await server.ask("/v1.24/containers/nope/json")).toMatchObject({
    status: 404,
    body: '{"message":"No such container: nope"}\n',
    headers: { "content-type": "application/json" },
  });
  expect(await server.post("/v1.14/containers/nope/wait")).toMatchObject({ status: 500 });
  expect(await server.post("/v1.30/containers/nope/wait")).toMatchObject({ status: 404 });
});

test("stop and start that change nothing answer 304; t is 0 of old and the default of today when absent", async () => {
  const seen: (string | undefined)[] = [];
  const stop: Handler = (job) => {
    seen.push(job.envExists("t") ? job.getenv("t") : undefined);
    return job.errorf("Container already stopped");
  };
  await using server = await new TestServer()
    .jobs({ stop, start: (job) => job.errorf("Container already started") })
    .start();
  for (const path of ["/v1.14/containers/x/stop", "/v1.30/containers/x/stop", "/v1.30/containers/x/stop?t=1"]) {
    expect(await server.post(path)).toMatchObject({ status: 304, body: "" });
  }
  expect(seen).toEqual(["", undefined, "1"]);
  expect((await server.post("/v1.30/containers/x/start")).status).toBe(304);
  expect(await server.post("/v1.30/containers/x/start", { Binds: [] })).toMatchObject({ status: 400 });
});

test("names of the official registry are shortened for the jobs", async () => {
  const seen: string[][] = [];
  const note: Handler = (job) => void seen.push(job.args);
  await using server = await new TestServer().jobs({ tag: note, pull: note }).start();
  await server.post("/v1.30/images/busybox/tag?repo=docker.io/library/multi&tag=1");
  await server.post("/v1.30/images/create?fromImage=docker.io/rig/x&tag=latest");
  await server.post(`/v1.30/images/create?fromImage=localhost:5000/x@sha256:${ID}`);
  await server.post("/v1.14/images/create?fromImage=localhost:5000/x:y");
  expect(seen).toEqual([
    ["busybox", "multi", "1"],
    ["rig/x", "latest"],
    ["localhost:5000/x", `sha256:${ID}`],
    ["localhost:5000/x", "y"],
  ]);
});
