/**
 * Whole Dockerfiles: their parser, the expansion of variables, every instruction, triggers, and what each step looks for in
 * the cache.
 */

import fc from "fast-check";
import { fromText } from "../../../src/archive/byte-string.ts";
import { encodeHeader, paddingOf, TRAILER } from "../../../src/archive/tar/writer.ts";
import { BuildFile } from "../../../src/daemon/build/build-file.ts";
import type { BuildSettings } from "../../../src/daemon/build/settings.ts";
import type { Daemon } from "../../../src/daemon/daemon.ts";
import { failure } from "../../../src/host/memory/errno.ts";
import { pureHash } from "../../../src/host/memory/hash.ts";
import { TarSum } from "../../../src/pkg/tarsum/tarsum.ts";
import type { Config } from "../../../src/runconfig/config.ts";
import { configFromJson, newConfig } from "../../../src/runconfig/from-json.ts";
import type { Reader } from "../../../src/sync/io.ts";
import { type Answer, subject } from "../original.ts";
import { base, dockerfile, FILES } from "./dockerfiles.ts";

interface Input {
  readonly Dockerfile: string;
  readonly Files: Readonly<Record<string, string>>;
  readonly Base: object | null;
}

const BASE = "ba5e".repeat(16);
const ROOT = "/context";
const hash = pureHash as unknown as Daemon["host"]["hash"];

/** The context as an archive, with the headers of shim.go.txt. */
function archiveOf(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, text]) => {
    const content = Buffer.from(text);
    const header = {
      name: fromText(name),
      type: "0",
      mode: 0o100644,
      uid: 0,
      gid: 0,
      size: content.length,
      mtime: 1400000000,
    } as const;
    return [encodeHeader(header, 1), content, Buffer.alloc(paddingOf(content.length))];
  });
  return Buffer.concat([...parts, TRAILER]);
}

async function sumsOf(archive: Buffer): Promise<Map<string, string>> {
  const source: Reader = {
    async *[Symbol.asyncIterator]() {
      yield archive;
    },
  };
  const sum = new TarSum({ hash }, source, { disableCompression: true });
  for await (const _ of sum);
  return new Map(sum.getSums());
}

/** What is where in the context. */
async function lstat(files: Readonly<Record<string, string>>, path: string) {
  const name = path.slice(ROOT.length + 1);
  const inside = Object.keys(files).some((file) => name === "" || file.startsWith(`${name}/`));
  if (!inside && !Object.hasOwn(files, name)) throw failure("ENOENT", "lstat", path);
  return { isDirectory: () => inside, isSymbolicLink: () => false, isFile: () => !inside };
}

/** Finds every step in the cache, and notes what it looked for. */
class FoundInCache extends BuildFile {
  readonly probes: Config[] = [];

  override async probeCache(): Promise<boolean> {
    this.probes.push(structuredClone(this.config));
    return true;
  }
}

const settings: BuildSettings = {
  ...{ names: [], json: false, aux: false, dockerignore: false, idOnly: false, verbose: true, useCache: true },
  ...{ rm: true, forceRm: false, pull: false, dockerfile: "Dockerfile", limits: {}, proxies: [], networkMode: "" },
  ...{ labels: {}, auth: { username: "", password: "", auth: "", email: "", serveraddress: "" }, configs: new Map() },
};

async function build({ Dockerfile, Files, Base }: Input): Promise<unknown> {
  const files = { ...Files, Dockerfile };
  const config = Base === null ? undefined : configFromJson(Base);
  const graph = { hold: () => undefined, release: () => undefined, isNotExist: () => false };
  const repositories = { lookupImage: async () => ({ id: BASE, config }) };
  const fs = { lstat: (path: string) => lstat(files, path) };
  const daemon = { graph, repositories, host: { fs, hash }, log: { debug: () => undefined } } as unknown as Daemon;
  let output = "";
  const out = { write: (chunk: string | Uint8Array) => void (output += String(chunk)) };
  const context = { root: ROOT, sums: await sumsOf(archiveOf(files)), remove: async () => undefined };
  const { signal } = new AbortController();
  const made = new FoundInCache(daemon, context, settings, { out, err: out, raw: out }, signal);
  const error = await made.build(Dockerfile).then(
    () => "",
    (cause: Error) => {
      if (cause instanceof TypeError) throw cause;
      return cause.message;
    },
  );
  return { Output: output, Error: error, Probes: made.probes, Config: made.config, Author: made.maintainer };
}

/**
 * The parent is not compared by the cache: each side may note it when it likes. What a failed step has begun to change does
 * not count any more. Of each configuration remains what is not as in the one before.
 */
function comparable(value: unknown): unknown {
  const { Error: error, Probes, Config: last, ...built } = value as { Probes: Config[]; Config: Config; Error: string };
  let before: object = newConfig();
  const changes = (error === "" ? [...Probes, last] : Probes).map(({ Image: _, ...config }) => {
    const old = new Map(Object.entries(before).map(([key, what]) => [key, JSON.stringify(what)]));
    before = config;
    return Object.fromEntries(Object.entries(config).filter(([key, what]) => old.get(key) !== JSON.stringify(what)));
  });
  return { ...built, Error: error.replace(/\(\/.*\)$/, "").trimEnd(), Configs: changes };
}

/** Where the original would do something else if not every step was in the cache, or its temporary directory is in a message. */
function differs(_input: Input, original: Answer): string | undefined {
  const { Probes, Error: error, Output } = (original as { ok: { Probes: Config[]; Error: string; Output: string } }).ok;
  if (/^Step .* : (?:add|copy) +\S+ +\S+ +\S/im.test(Output)) return "several sources are refused before anything else";
  if (Probes.some(({ Image }) => Image === "")) return "copies on top of nothing: only what is in the cache can";
  if (error.endsWith("not a directory")) return "the text of a call of the kernel, with the daemon's own path";
  return undefined;
}

export const builds = [
  subject<Input>({
    name: "build",
    inputs: fc.record({
      Dockerfile: dockerfile.filter((text) => text !== ""),
      Files: fc.constantFrom(FILES, {}),
      Base: base,
    }),
    records: 250,
    ours: build,
    differs,
    comparable,
  }),
];
