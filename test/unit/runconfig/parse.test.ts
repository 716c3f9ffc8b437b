import { memfs } from "memfs";
import { expect, test } from "vitest";
import { BadRequestError } from "../../../src/errdefs/errdefs.ts";
import type { FileSystem } from "../../../src/host/host.ts";
import { FlagError } from "../../../src/pkg/mflag/mflag.ts";
import { type Limits, parse } from "../../../src/runconfig/parse.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

function run(args: string[], files: Record<string, string> = {}, sysInfo?: Limits) {
  const stderr = new BufferWriter();
  const exit = (): never => expect.unreachable();
  const fs = memfs(files).fs.promises as unknown as FileSystem;
  const host = { stderr, exit, env: { HOME: "/root" }, fs, ...(sysInfo === undefined ? {} : { sysInfo }) };
  return { stderr, done: parse(args, host) };
}

const parsed = (...args: string[]) => run(args).done;

test("parse() makes the bodies of the reference", async () => {
  const args = ["-d", "-p", "80:80", "-e", "A=b", "-v", "/vol", "-v", "/h:/c", "busybox", "true"];
  const { config, hostConfig } = await parsed(...args);
  expect(JSON.stringify(config)).toBe(
    '{"Hostname":"","Domainname":"","User":"","Memory":0,"MemorySwap":0,"CpuShares":0,"Cpuset":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"PortSpecs":null,"ExposedPorts":{"80/tcp":{}},"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":["A=b"],"Cmd":["true"],"Image":"busybox","Volumes":{"/vol":{}},"WorkingDir":"","Entrypoint":null,"NetworkDisabled":false,"OnBuild":null}',
  );
  expect(JSON.stringify(hostConfig)).toBe(
    '{"Binds":["/h:/c"],"ContainerIDFile":"","LxcConf":[],"Privileged":false,"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"80"}]},"Links":null,"PublishAllPorts":false,"Dns":null,"DnsSearch":null,"VolumesFrom":null,"Devices":[],"NetworkMode":"bridge","CapAdd":null,"CapDrop":null,"RestartPolicy":{"Name":"","MaximumRetryCount":0}}',
  );
});

test("parse() fills every field from its flag", async () => {
  const args =
    "-a stdin -c 512 --cap-add a --cap-drop b --cidfile id --cpuset 0,1 --device /dev/a --device /dev/a:/dev/b:r --dns 8.8.8.8 --dns-search a.b. -e HOME --entrypoint sh --expose 53/udp -h a.b.c -i --link x:y --lxc-conf k=v -m 64m --name n -P -p 127.0.0.1::80 --privileged --restart on-failure:3 --sig-proxy=false -t -u me --volumes-from w -w /work img a b";
  const { config, hostConfig, flags, run } = await parsed(...args.split(" "));
  expect(config).toEqual({
    Hostname: "a",
    Domainname: "b.c",
    User: "me",
    Memory: 64 * 2 ** 20,
    MemorySwap: 0,
    CpuShares: 512,
    Cpuset: "0,1",
    AttachStdin: true,
    AttachStdout: false,
    AttachStderr: false,
    PortSpecs: null,
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    Tty: true,
    OpenStdin: true,
    StdinOnce: true,
    Env: ["HOME=/root"],
    Cmd: ["a", "b"],
    Image: "img",
    Volumes: {},
    WorkingDir: "/work",
    Entrypoint: ["sh"],
    NetworkDisabled: false,
    OnBuild: null,
  });
  expect(hostConfig).toEqual({
    Binds: null,
    ContainerIDFile: "id",
    LxcConf: [{ Key: "k", Value: "v" }],
    Privileged: true,
    PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
    Links: ["x:y"],
    PublishAllPorts: true,
    Dns: ["8.8.8.8"],
    DnsSearch: ["a.b"],
    VolumesFrom: ["w"],
    Devices: [
      { PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rwm" },
      { PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" },
    ],
    NetworkMode: "bridge",
    CapAdd: ["a"],
    CapDrop: ["b"],
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
  });
  expect([run.name.value, run.sigProxy.value, run.autoRemove.value]).toEqual(["n", false, false]);
  expect(flags.lookup("-name")?.value.toString()).toBe("n");
});

test.each([
  [[], [false, true, true, false]],
  [["-i"], [true, true, true, true]],
  [["-d"], [false, false, false, false]],
  [
    ["-d", "-i"],
    [false, false, false, false],
  ],
  [
    ["-a", "stdin"],
    [true, false, false, false],
  ],
  [
    ["-a", "stdin", "-i"],
    [true, false, false, true],
  ],
  [
    ["-a", "STDOUT", "-a", "stderr", "-i"],
    [false, true, true, false],
  ],
])("parse() attaches with %j", async (flags, streams) => {
  const { config } = await parsed(...flags, "img");
  expect([config.AttachStdin, config.AttachStdout, config.AttachStderr, config.StdinOnce]).toEqual(streams);
});

test("parse() parts binds from volumes and keeps the order", async () => {
  const { config, hostConfig } = await parsed("-v", "/b:/1:ro", "-v", "/v/", "-v", "/a:/2", "-v", "/a:/2", "img");
  expect([config.Volumes, hostConfig.Binds]).toEqual([{ "/v": {} }, ["/b:/1:ro", "/a:/2"]]);
});

test("parse() leaves command and entrypoint nil when none is given", async () => {
  const { config, hostConfig } = await parsed("img");
  expect([config.Cmd, config.Entrypoint, config.Env, config.Image, hostConfig.Links]).toEqual([
    null,
    null,
    [],
    "img",
    null,
  ]);
  expect((await parsed()).config.Image).toBe("");
});

test("parse() stops at the image: the rest belongs to the command", async () => {
  const { config } = await parsed("img", "ls", "-d", "--rm");
  expect([config.Cmd, config.AttachStdout]).toEqual([["ls", "-d", "--rm"], true]);
});

test("parse() reads environment files before -e", async () => {
  const { done } = run(["-e", "A=2", "--env-file", "/f", "--env-file", "/g", "img"], {
    "/f": "A=1\nHOME\n",
    "/g": "B=1",
  });
  expect((await done).config.Env).toEqual(["A=1", "HOME=/root", "B=1", "A=2"]);
});

test("parse() disables the network with the hidden -n", async () => {
  const { stderr, done } = run(["-n=false", "img"]);
  expect((await done).config.NetworkDisabled).toBe(true);
  expect(stderr.toString()).toBe("Warning: '-n' is deprecated, it will be removed soon. See usage.\n");
});

test.each([
  ["", { Name: "", MaximumRetryCount: 0 }],
  ["no", { Name: "", MaximumRetryCount: 0 }],
  ["no:3", { Name: "", MaximumRetryCount: 0 }],
  ["always", { Name: "always", MaximumRetryCount: 0 }],
  ["always:1:2", { Name: "always", MaximumRetryCount: 0 }],
  ["on-failure", { Name: "on-failure", MaximumRetryCount: 0 }],
  ["on-failure:5", { Name: "on-failure", MaximumRetryCount: 5 }],
  ["on-failure:-1", { Name: "on-failure", MaximumRetryCount: -1 }],
  ["on-failure:3:4", { Name: "on-failure", MaximumRetryCount: 0 }],
])("parse() reads --restart %j", async (policy, result) => {
  expect((await parsed("--restart", policy, "img")).hostConfig.RestartPolicy).toEqual(result);
});

test.each([["bridge"], ["none"], ["host"], ["container:x"], ["container:x:y"], ["host:x"]])(
  "parse() takes --net %s",
  async (mode) => {
    expect((await parsed("--net", mode, "img")).hostConfig.NetworkMode).toBe(mode);
  },
);

test.each([
  ["-d -a stdout", "Conflicting options: -a and -d"],
  ["-d -a stdout --rm -w x", "Conflicting options: -a and -d"],
  ["-w rel -d --rm", "The working directory is invalid. It needs to be an absolute path."],
  ["-d --rm --net=host -h x", "Conflicting options: --rm and -d"],
  ["--net=host -h x --link a:b", "Conflicting options: -h and the network mode (--net)"],
  ["--net=container:other -h x", "Conflicting options: -h and the network mode (--net)"],
  ["--net=bogus -h x", "Conflicting options: -h and the network mode (--net)"],
  [
    "--net=host --link a:b -m x",
    "Conflicting options: --net=host can't be used with links. This would result in undefined behavior.",
  ],
  ["-m x -v /", "Invalid size: 'x'"],
  ["-v /a:/ --lxc-conf x", "Invalid bind mount: destination can't be '/'"],
  ["-v /a:/:ro", "Invalid bind mount: destination can't be '/'"],
  ["-v / --lxc-conf x", "Invalid volume: path can't be '/'"],
  ["--lxc-conf x -p x", "Unable to parse key/value option: x"],
  ["-p x --expose a:b", "Invalid containerPort: x"],
  ["--expose a:b --env-file /nope", "Invalid port format for --expose: a:b"],
  ["--env-file /nope --net bogus", "open /nope: no such file or directory"],
  ["--net bogus --restart bogus", "--net: invalid net mode: invalid --net: bogus"],
  ["--net container", "--net: invalid net mode: invalid container format container:<name|id>"],
  ["--restart bogus", "invalid restart policy bogus"],
  ["--restart :", "invalid restart policy "],
  ["--restart always:3", 'maximum restart count not valid with restart policy of "always"'],
  ["--restart on-failure:x", 'strconv.ParseInt: parsing "x": invalid syntax'],
  ["--restart on-failure:", 'strconv.ParseInt: parsing "": invalid syntax'],
  ["--restart always --rm", "Conflicting options: --restart and --rm"],
  ["--restart on-failure:1 --rm", "Conflicting options: --restart and --rm"],
])("parse() refuses %s", async (flags, message) => {
  await expect(parsed(...flags.split(" "), "img")).rejects.toEqual(new BadRequestError(message));
});

test("parse() lets --restart no and --rm meet", async () => {
  expect((await parsed("--restart", "no", "--rm", "img")).run.autoRemove.value).toBe(true);
});

test.each([
  ["-a invalid", 'invalid value "invalid" for flag -a: valid streams are STDIN, STDOUT and STDERR.'],
  ["--link a", 'invalid value "a" for flag --link: Invalid format to parse.  a should match template name:alias'],
  ["-v /tmp:ro", 'invalid value "/tmp:ro" for flag -v: ro is not an absolute path'],
  ["--dns x", 'invalid value "x" for flag --dns: x is not an ip address'],
  ["-c x", 'invalid value "x" for flag -c: strconv.ParseInt: parsing "x": invalid syntax'],
  ["--nope", "flag provided but not defined: --nope"],
])("parse() reports the flag in %s", async (flags, message) => {
  const { stderr, done } = run([...flags.split(" "), "img"]);
  await expect(done).rejects.toEqual(new FlagError(message));
  expect(stderr.toString().split("\n").slice(0, 2)).toEqual([message, "Usage of run:"]);
});

test("parse() drops limits the kernel does not have", async () => {
  const noMemory = await run(["-m", "1g", "img"], {}, { memoryLimit: false, swapLimit: false }).done;
  expect([noMemory.config.Memory, noMemory.config.MemorySwap]).toEqual([0, 0]);
  const noSwap = await run(["-m", "1g", "img"], {}, { memoryLimit: true, swapLimit: false }).done;
  expect([noSwap.config.Memory, noSwap.config.MemorySwap]).toEqual([2 ** 30, -1]);
  const both = await run(["-m", "1g", "img"], {}, { memoryLimit: true, swapLimit: true }).done;
  expect(both.config.MemorySwap).toBe(0);
});
