import { expect, test } from "vitest";
import { applyChanges } from "../../../../src/daemon/build/changes.ts";
import { configSteps } from "../../../../src/daemon/build/config-steps.ts";
import type { Config } from "../../../../src/runconfig/config.ts";
import { newConfig } from "../../../../src/runconfig/from-json.ts";

/** Carries out one instruction. */
function step(name: string, args: string, given: Partial<Config> = {}, cmdSet = false) {
  const state = { config: newConfig(given), maintainer: "", cmdSet };
  const run = configSteps.get(name);
  if (run === undefined) throw new Error(name);
  const comment = run(state, args);
  return { ...state, comment };
}

test("ENV sets a variable in place of the old one, with the others in it", () => {
  const { config, comment } = step("env", "B  $A-${A} ", { Env: ["B=old", "A=1"] });
  expect([config.Env, comment]).toEqual([["B=1-1", "A=1"], "ENV B=1-1"]);
  expect(step("env", "A=1 B=2").config.Env).toEqual(["A=1=B=2"]);
  expect(() => step("env", "A")).toThrow("Invalid ENV format");
});

test("CMD and ENTRYPOINT take lists and shell commands; ENTRYPOINT drops a command it does not know", () => {
  expect(step("cmd", '["a", "b c"]')).toMatchObject({ config: { Cmd: ["a", "b c"] }, comment: "CMD [a b c]" });
  expect(step("cmd", "a b")).toMatchObject({ config: { Cmd: ["/bin/sh", "-c", "a b"] }, cmdSet: true });
  expect(step("entrypoint", '["e"]', { Cmd: ["old"] })).toMatchObject({ config: { Entrypoint: ["e"], Cmd: null } });
  expect(step("entrypoint", '["e"]', { Cmd: ["new"] }, true).config.Cmd).toEqual(["new"]);
});

test("EXPOSE names ports in order; the host's part counts for nothing", () => {
  const { config, comment } = step("expose", "8080:80 53/udp", { ExposedPorts: { "1/tcp": {} }, PortSpecs: ["2"] });
  expect(config).toMatchObject({
    ExposedPorts: { "1/tcp": {}, "80/tcp": {}, "53/udp": {}, "2/tcp": {} },
    PortSpecs: null,
  });
  expect(comment).toBe("EXPOSE map[2/tcp:{} 53/udp:{} 80/tcp:{}]");
  expect(() => step("expose", "80  81")).toThrow("No port specified: ::<empty>");
  expect(() => step("expose", "abc")).toThrow("Invalid containerPort: abc");
});

test("WORKDIR and VOLUME", () => {
  expect(step("workdir", "b", { WorkingDir: "/a" })).toMatchObject({
    config: { WorkingDir: "/a/b" },
    comment: "WORKDIR b",
  });
  expect(step("workdir", "b").config.WorkingDir).toBe("/b");
  expect(step("workdir", "../..", { WorkingDir: "/a" }).config.WorkingDir).toBe("/");
  expect(step("workdir", "/a/", { WorkingDir: "/x" }).config.WorkingDir).toBe("/a/");
  expect(() => step("workdir", "")).toThrow("Workdir cannot be empty");
  expect(step("volume", "/v /w").config.Volumes).toEqual({ "/v /w": {} });
  expect(Object.keys(step("volume", '["/x y", "__proto__"]').config.Volumes ?? {})).toEqual(["/x y", "__proto__"]);
  expect(() => step("volume", "")).toThrow("Volume cannot be empty");
});

test("ONBUILD keeps a trigger, but for three instructions", () => {
  expect(step("onbuild", "RUN x", { OnBuild: ["ADD a b"] }).config.OnBuild).toEqual(["ADD a b", "RUN x"]);
  expect(() => step("onbuild", "onbuild RUN x")).toThrow("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  expect(() => step("onbuild", "From x")).toThrow("FROM isn't allowed as an ONBUILD trigger");
  expect(() => step("onbuild", "MAINTAINER x")).toThrow("MAINTAINER isn't allowed as an ONBUILD trigger");
});

test("applyChanges() carries out what a commit of today asks for", () => {
  const config = newConfig({ Env: ["PATH=/bin"] });
  applyChanges(config, [
    "ENV PATH=$PATH:/x",
    "env A=\"two words\" B='$A' C=a\\ b",
    "ENV D the rest\nUSER op",
    'LABEL a=1 "b c"=d',
    'CMD ["x"]',
    "STOPSIGNAL SIGINT",
    "",
  ]);
  expect(config).toMatchObject({
    Env: ["PATH=/bin:/x", "A=two words", "B=two words", "C=a b", "D=the rest"],
    User: "op",
    Labels: { a: "1", "b c": "d" },
    Cmd: ["x"],
    StopSignal: "SIGINT",
  });
  expect(() => applyChanges(config, ["RUN x"])).toThrow("run is not a valid change command");
  expect(() => applyChanges(config, ["FROM x"])).toThrow("from is not a valid change command");
  expect(() => applyChanges(config, ["EXPOSE abc"])).toThrow('change "EXPOSE abc": Invalid containerPort: abc');
  expect(() => applyChanges(config, ["LABEL"])).toThrow("Bad parameter");
});
