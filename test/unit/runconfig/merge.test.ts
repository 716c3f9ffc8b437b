import { expect, test } from "vitest";
import { newConfig } from "../../../src/runconfig/from-json.ts";
import { merge } from "../../../src/runconfig/merge.ts";

test("merge() unites ports, environment and volumes", () => {
  const image = newConfig({
    PortSpecs: ["1111:1111", "2222:2222"],
    Env: ["VAR1=1", "VAR2=2", "VAR1=again"],
    Volumes: { "/test1": {}, "/test2": {} },
  });
  const user = newConfig({
    PortSpecs: ["3333:2222", "3333:3333"],
    Env: ["VAR2=3", "VAR3=3"],
    Volumes: { "/test3": {} },
  });
  const lines: string[] = [];
  merge(user, image, { debug: (site, text) => void lines.push(`${site} ${text}`) });
  expect(user).toEqual(
    newConfig({
      ExposedPorts: { "1111/tcp": {}, "2222/tcp": {}, "3333/tcp": {} },
      Env: ["VAR2=3", "VAR3=3", "VAR1=1"],
      Volumes: { "/test1": {}, "/test2": {}, "/test3": {} },
    }),
  );
  expect(lines).toEqual(["merge.go:51 Migrating image port specs to containter: 1111:1111, 2222:2222"]);
  merge(user, newConfig({ ExposedPorts: { "0000/tcp": {} } }));
  expect(Object.keys(user.ExposedPorts ?? {})).toHaveLength(4);
});

test("merge() fills what is zero and keeps what is not", () => {
  const image = newConfig({ User: "i", Memory: 1, MemorySwap: 2, CpuShares: 3, WorkingDir: "/i" });
  const user = newConfig();
  merge(user, image);
  expect(user).toEqual(image);
  const own = newConfig({ User: "u", Memory: 4, MemorySwap: -1, CpuShares: 6, WorkingDir: "/u" });
  const before = structuredClone(own);
  merge(own, image);
  expect(own).toEqual(before);
});

test("merge() leaves alone what belongs to one container", () => {
  const user = newConfig();
  merge(
    user,
    newConfig({
      Hostname: "h",
      Domainname: "d",
      Cpuset: "0",
      Tty: true,
      OpenStdin: true,
      AttachStdin: true,
      NetworkDisabled: true,
      OnBuild: ["RUN x"],
      Image: "i",
    }),
  );
  expect(user).toEqual(newConfig());
});

test.each([
  [null, null, ["e"], ["c"]],
  [null, ["x"], ["e"], ["x"]],
  [["y"], null, ["y"], null],
  [["y"], ["x"], ["y"], ["x"]],
  [[], [], ["e"], ["c"]],
])("merge() of entrypoint %j and command %j", (Entrypoint, Cmd, entrypoint, command) => {
  const user = newConfig({ Entrypoint, Cmd });
  merge(user, newConfig({ Entrypoint: ["e"], Cmd: ["c"] }));
  expect([user.Entrypoint, user.Cmd]).toEqual([entrypoint, command]);
});

test("merge() never shares or changes the image's configuration", () => {
  const image = newConfig({ Env: ["A=1"], Cmd: ["c"], ExposedPorts: { "1/tcp": {} }, PortSpecs: ["2"], Volumes: {} });
  const before = structuredClone(image);
  const user = newConfig();
  merge(user, image);
  user.Env?.push("B=2");
  user.Cmd?.push("x");
  expect(Object.keys(user.ExposedPorts ?? {})).toEqual(["1/tcp", "2/tcp"]);
  expect(image).toEqual(before);
});

test("merge() keeps nil and empty apart", () => {
  const user = newConfig({ Volumes: {}, ExposedPorts: {}, Env: [] });
  merge(user, newConfig());
  expect([user.Volumes, user.ExposedPorts, user.Env]).toEqual([null, null, null]);
});

test("merge() refuses port specifications it cannot read", () => {
  expect(() => merge(newConfig({ PortSpecs: ["bad:spec:x:y"] }), newConfig())).toThrow("Invalid format to parse.");
  expect(() => merge(newConfig(), newConfig({ PortSpecs: ["x"] }))).toThrow("Invalid containerPort: x");
});

test("merge() treats __proto__ as a name like any other", () => {
  const hostile = JSON.parse('{"__proto__":{}}');
  const user = newConfig({ Volumes: { "/a": {} } });
  merge(user, newConfig({ Volumes: hostile }));
  expect(Object.keys(user.Volumes ?? {})).toEqual(["/a", "__proto__"]);
});
