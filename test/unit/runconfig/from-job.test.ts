import fc from "fast-check";
import { expect, test } from "vitest";
import { Env } from "../../../src/engine/env.ts";
import { BadRequestError } from "../../../src/errdefs/errdefs.ts";
import { containerConfigFromJob, containerHostConfigFromJob } from "../../../src/runconfig/from-job.ts";
import { configFromJson, hostConfigFromJson, newConfig, newHostConfig } from "../../../src/runconfig/from-json.ts";

/** A job whose environment is this request body. */
function jobOf(body: unknown) {
  const env = new Env();
  env.decode(typeof body === "string" ? body : JSON.stringify(body));
  return {
    getenv: (key: string) => env.get(key),
    getenvBool: (key: string) => env.getBool(key),
    getenvInt: (key: string) => env.getInt(key),
  };
}

const create = (body: unknown) => containerConfigFromJob(jobOf(body));
const start = (body: unknown) => containerHostConfigFromJob(jobOf(body));

const full = {
  Hostname: "myhost",
  Domainname: "example.com",
  User: "daemon",
  Memory: 67108864,
  MemorySwap: -1,
  CpuShares: 512,
  Cpuset: "0",
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  PortSpecs: ["8080:80"],
  ExposedPorts: { "22/tcp": {}, "53/udp": {} },
  Tty: true,
  OpenStdin: true,
  StdinOnce: true,
  Env: ["A=1", "B=two words"],
  Cmd: ["123", "4.5", "null", '"q"', "<&>"],
  Image: "busybox",
  Volumes: { "/data": {} },
  WorkingDir: "/work",
  Entrypoint: ["/bin/sh"],
  NetworkDisabled: true,
  OnBuild: null,
};

const hostFull = {
  Binds: ["/a:/b"],
  ContainerIDFile: "id",
  LxcConf: [{ Key: "k", Value: "v" }],
  Privileged: true,
  PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "80" }], "81/tcp": null },
  Links: ["a:b"],
  PublishAllPorts: true,
  Dns: ["8.8.8.8"],
  DnsSearch: ["."],
  VolumesFrom: ["x"],
  Devices: [{ PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" }],
  NetworkMode: "host",
  CapAdd: ["a"],
  CapDrop: ["b"],
  RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
};

test("the two readers of jobs take every key", () => {
  expect(create(full)).toEqual(full);
  expect(start(hostFull)).toEqual(hostFull);
});

test("nothing in a job is the zero configuration", () => {
  expect(create({})).toEqual(newConfig());
  expect(create("null")).toEqual(newConfig());
  expect(start({})).toEqual(newHostConfig());
});

test("containerConfigFromJob() ignores triggers and keys it does not know", () => {
  expect(create({ OnBuild: ["RUN evil"], Unknown: 1, name: "x", cmd: ["no"] })).toEqual(newConfig());
});

test.each([
  [{ Cmd: "echo hi" }, ["echo hi"]],
  [{ Cmd: '["echo","hi"]' }, ["echo", "hi"]],
  [{ Cmd: 123 }, ["123"]],
  [{ Cmd: true }, ["true"]],
  [{ Cmd: { a: 1 } }, ['{"a":1}']],
  [{ Cmd: null }, null],
  [{ Cmd: [] }, []],
  [{ Cmd: [""] }, [""]],
  [{ Cmd: ["a", null] }, ["a", ""]],
  [{}, null],
])("containerConfigFromJob() reads the list of %j", (body, list) => {
  expect(create(body).Cmd).toEqual(list);
});

test.each([
  [{ Cmd: ["a", 1] }, "Cmd: json: cannot unmarshal number into Go value of type string"],
  [{ Env: [true] }, "Env: json: cannot unmarshal bool into Go value of type string"],
  [{ Entrypoint: [["a"]] }, "Entrypoint: json: cannot unmarshal array into Go value of type string"],
  [{ PortSpecs: [{}] }, "PortSpecs: json: cannot unmarshal object into Go value of type string"],
])("containerConfigFromJob() refuses %j", (body, message) => {
  expect(() => create(body)).toThrow(new BadRequestError(message));
});

test("containerConfigFromJob() reads numbers and bools as 1.2.0's environment does", () => {
  const { Memory, Tty, OpenStdin, AttachStdin, StdinOnce, NetworkDisabled } = create({
    Memory: 67108864.9,
    Tty: "yes",
    OpenStdin: 1,
    AttachStdin: "no",
    StdinOnce: "false",
    NetworkDisabled: null,
  });
  expect([Memory, Tty, OpenStdin, AttachStdin, StdinOnce, NetworkDisabled]).toEqual([
    67108864,
    true,
    true,
    false,
    false,
    true,
  ]);
  expect(create({ Memory: "abc" }).Memory).toBe(0);
});

test.each([
  [{ ExposedPorts: ["80/tcp"] }, "json: cannot unmarshal array into Go value of type map[nat.Port]struct {}"],
  [{ Volumes: ["/x"] }, "json: cannot unmarshal array into Go value of type map[string]struct {}"],
  [{ Volumes: 5 }, "json: cannot unmarshal number into Go value of type map[string]struct {}"],
])("containerConfigFromJob() takes %j for absent unless it is strict", (body, message) => {
  expect(create(body)).toEqual(newConfig());
  expect(() => containerConfigFromJob(jobOf(body), { strict: true })).toThrow(new BadRequestError(message));
});

test.each([
  [{ PortBindings: { "80/tcp": [{ HostPort: 80 }] } }, "number into Go value of type string"],
  [{ PortBindings: { "80/tcp": "80" } }, "string into Go value of type []nat.PortBinding"],
  [{ PortBindings: [] }, "array into Go value of type nat.PortMap"],
  [{ LxcConf: { k: "v" } }, "object into Go value of type []utils.KeyValuePair"],
  [{ Devices: ["/dev/a"] }, "string into Go value of type runconfig.DeviceMapping"],
  [{ RestartPolicy: "always" }, "string into Go value of type object"],
  [{ RestartPolicy: { MaximumRetryCount: 1.5 } }, "number 1.5 into Go value of type int64"],
])("containerHostConfigFromJob() is told what is wrong in %j", (body, message) => {
  expect(() => containerHostConfigFromJob(jobOf(body), { strict: true })).toThrow(`json: cannot unmarshal ${message}`);
  expect(() => start(body)).not.toThrow();
});

test("keys of inner objects match in any case, the exact one first", () => {
  const { PortBindings } = start({ PortBindings: { "80/tcp": [{ hostip: "1.1.1.1", HOSTPORT: "1", HostPort: "2" }] } });
  expect(PortBindings).toEqual({ "80/tcp": [{ HostIp: "1.1.1.1", HostPort: "2" }] });
});

test("newer keys are read when they are there", () => {
  expect(create({ Labels: { a: "b" }, StopSignal: "SIGINT" })).toEqual(
    newConfig({ Labels: { a: "b" }, StopSignal: "SIGINT" }),
  );
  expect(start({ AutoRemove: true })).toEqual(newHostConfig({ AutoRemove: true }));
});

test("__proto__ is a key like any other", () => {
  const body = '{"Volumes":{"__proto__":{"polluted":1}},"__proto__":{"Image":"evil"},"ExposedPorts":{"__proto__":{}}}';
  const config = create(body);
  expect(Object.keys(config.Volumes ?? {})).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(config.Volumes)).toBe(Object.prototype);
  expect([config.Image, ({} as Record<string, unknown>)["polluted"]]).toEqual(["", undefined]);
  const direct = configFromJson(JSON.parse(body));
  expect([direct.Image, Object.keys(direct.Volumes ?? {})]).toEqual(["", ["__proto__"]]);
});

test("configFromJson() and hostConfigFromJson() read what they wrote", () => {
  expect(configFromJson(JSON.parse(JSON.stringify(full)))).toEqual(full);
  expect(JSON.stringify(hostConfigFromJson(hostFull))).toBe(JSON.stringify(hostFull));
  expect(configFromJson(null)).toEqual(newConfig());
});

test("configFromJson() fails with Go's text for the first wrong type", () => {
  expect(() => configFromJson([])).toThrow("json: cannot unmarshal array into Go value of type runconfig.Config");
  expect(() => configFromJson({ User: 5, Memory: "x" })).toThrow(
    new BadRequestError("json: cannot unmarshal number into Go value of type string"),
  );
  expect(() => configFromJson({ Memory: 1e300 })).toThrow("json: cannot unmarshal number");
  expect(() => hostConfigFromJson({ Binds: "/a:/b" })).toThrow("string into Go value of type []string");
});

test("configFromJson() answers any JSON with a whole configuration or a BadRequestError", () => {
  const keys = [...Object.keys(full), "Labels", "StopSignal", "__proto__", "constructor"];
  const body = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(body, (value) => {
      try {
        expect(Object.keys(configFromJson(value))).toEqual(expect.arrayContaining(Object.keys(full)));
      } catch (cause) {
        expect(cause).toBeInstanceOf(BadRequestError);
      }
      const lenient = jobOf(value);
      try {
        expect(Object.keys(containerConfigFromJob(lenient))).toEqual(expect.arrayContaining(Object.keys(full)));
      } catch (cause) {
        expect(cause).toBeInstanceOf(BadRequestError);
      }
    }),
  );
});
