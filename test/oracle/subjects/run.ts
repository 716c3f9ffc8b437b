/** The command line of `docker run`, and what becomes of configurations. */

import { normalize } from "node:path/posix";
import fc from "fast-check";
import { fromText } from "../../../src/archive/byte-string.ts";
import { detectCompression } from "../../../src/archive/compression.ts";
import { replaceOrAppendEnvValues } from "../../../src/daemon/environment.ts";
import { parseEnvFile } from "../../../src/opts/env-file.ts";
import {
  validateAttach,
  validateDnsSearch,
  validateIPAddress,
  validateLink,
  validatePath,
} from "../../../src/opts/opts.ts";
import { humanDuration } from "../../../src/pkg/units/duration.ts";
import { fromHumanSize, humanSize, ramInBytes } from "../../../src/pkg/units/size.ts";
import { compare } from "../../../src/runconfig/compare.ts";
import type { Config } from "../../../src/runconfig/config.ts";
import { configFromJson } from "../../../src/runconfig/from-json.ts";
import { merge } from "../../../src/runconfig/merge.ts";
import { parse } from "../../../src/runconfig/parse.ts";
import { matches } from "../../../src/utils/context.ts";
import { subject } from "../original.ts";
import { base } from "./dockerfiles.ts";
import { joined, mostly, oneOf } from "./texts.ts";

const path = mostly(["/", "a", "..", ".", "//", ":", "rw", "ro", "b"], 7);
const link = mostly([":", "a", "db", "/"], 5);
const domain = mostly(["a", ".", "-", "b-c", "1", " ", ":", "example.com", "..", "A", "_", "\n"], 6);
const address = mostly(
  ["1", ".", ":", "::", "ffff", "255", "256", "0", "127.0.0.1", " ", "/", "01", "%eth0", "1.2.3.4"],
  7,
);
const size = mostly(["1", "0", "32", "k", "K", "m", "g", "t", "p", "b", "B", "kb", " ", "-", ".", "999999"], 4);
const restart = oneOf(
  "no",
  "always",
  "on-failure",
  "on-failure:3",
  "on-failure:x",
  "always:1",
  "on-failure:1:2",
  "sometimes",
  "no:1",
  "",
);
const net = oneOf("bridge", "none", "host", "container:a", "container:", "container", "x", "bridge:x", "");
const port = oneOf(
  "80",
  "80:80",
  "127.0.0.1::80",
  "1:2:3:4",
  "a",
  "80/udp",
  ":80",
  "8080:80/tcp",
  "65536",
  "1.2.3:4:5",
);
const number = oneOf(
  "0",
  "1",
  "512",
  "-1",
  "x",
  "0x10",
  "010",
  "9223372036854775807",
  "9223372036854775808",
  "1e3",
  "",
);

const flag = fc.oneof(
  oneOf(
    "-d",
    "-i",
    "-t",
    "-P",
    "-n=false",
    "--rm",
    "--privileged",
    "-it",
    "-itd",
    "--tty=true",
    "--tty=x",
    "-d=0",
    "--sig-proxy=false",
  ),
  oneOf(
    "--",
    "-",
    "---",
    "-x",
    "--nope",
    "--=",
    "-=",
    "-itx",
    "-rm",
    "-name=x",
    "--rm=t",
    "--detach=TRUE",
    "-h",
    "--",
    "-privileged",
  ),
  fc.tuple(oneOf("-v", "--volume", "-v="), path).map((words) => words.join(" ")),
  fc.tuple(oneOf("--link", "-link"), link).map((words) => words.join(" ")),
  fc.tuple(oneOf("-p", "--publish", "--expose", "-expose"), port).map((words) => words.join(" ")),
  fc.tuple(oneOf("-m", "--memory"), size).map((words) => words.join(" ")),
  fc.tuple(oneOf("--restart"), restart).map((words) => words.join(" ")),
  fc.tuple(oneOf("--net"), net).map((words) => words.join(" ")),
  fc.tuple(oneOf("-c", "--cpu-shares"), number).map((words) => words.join(" ")),
  fc.tuple(oneOf("--dns"), address).map((words) => words.join(" ")),
  fc.tuple(oneOf("--dns-search"), domain).map((words) => words.join(" ")),
  fc.tuple(oneOf("-a", "--attach"), oneOf("stdin", "STDOUT", "x", "stderr", "")).map((words) => words.join(" ")),
  fc.tuple(oneOf("-h", "--hostname"), oneOf("a", "a.b.c", ".", "a.", "")).map((words) => words.join(" ")),
  fc.tuple(oneOf("-w", "--workdir"), oneOf("/a", "a", "", "/")).map((words) => words.join(" ")),
  fc
    .tuple(oneOf("-e", "--env"), oneOf("A=b", "=b", "A=", "A=b=c", "é=ü", "ORACLE_NOWHERE"))
    .map((words) => words.join(" ")),
  fc
    .tuple(oneOf("--device"), oneOf("/dev/a", "/dev/a:/dev/b:r", "/a:/b", "a", "/a:b", "/a:/b:/c", "/a:/b:c:d"))
    .map((words) => words.join(" ")),
  fc.tuple(oneOf("--lxc-conf", "-lxc-conf"), oneOf("a=b", "a", "a = b ", "=")).map((words) => words.join(" ")),
  fc
    .tuple(
      oneOf("--cap-add", "--cap-drop", "--volumes-from", "--cpuset", "-u", "--entrypoint", "--name", "--cidfile"),
      oneOf("a", "ALL", "", "-x", '"q"', "'q'", '"'),
    )
    .map((words) => words.join(" ")),
);
/** Each flag's value may come as a word of its own, or behind an equals sign. */
const flagWords = fc.tuple(flag, fc.boolean()).map(([text, glue]) => {
  const at = text.indexOf(" ");
  if (at < 0) return [text];
  return glue ? [`${text.slice(0, at)}=${text.slice(at + 1)}`] : [text.slice(0, at), text.slice(at + 1)];
});
const command = oneOf("img", "img sh", "img -x --y z", "", "img -- a", "-- img", "img:tag true");
const line = fc
  .tuple(fc.array(flagWords, { maxLength: 4 }), command)
  .map(([flags, last]) => [...flags.flat(), ...last.split(" ").filter((word) => word !== "")]);

const fs = { readFile: async () => "" };
const silent = { write: () => undefined };
const exit = (): never => {
  throw new Error("exit");
};

async function run(args: string[]): Promise<unknown> {
  const { config, hostConfig } = await parse(args, { stderr: silent, exit, env: {}, fs: fs as never });
  return { config, hostConfig };
}

const configs = fc.record({ A: base, B: base }).filter(({ A, B }) => A !== null && B !== null);
const entry = oneOf("A=1", "A=2", "B=", "B", "=x", "", "AB=1", "A", "é=1", "A=1=2");
const entries = fc.array(entry, { maxLength: 5 });
const pattern = mostly(
  ["*", "?", "[a-c]", "[^a]", "a", "b", "/", "\\", "[", "]", "-", "é", ".", "*.go", "[]a]", "\\*"],
  6,
);
const envFile = joined(["A=1", "B", " ", "\t", "\n", "\r\n", "#", "=", "C=x y", "\n\n", "é"], 12);

/** A number that 64 bits cannot hold. */
function overflows(text: string): string | undefined {
  const [, digits = "0", letter = ""] = /^(\d+)([kmgtp]?)b?$/i.exec(text) ?? [];
  const power = letter === "" ? 0 : "kmgtp".indexOf(letter.toLowerCase()) + 1;
  return Number(digits) * 1000 ** power >= 2 ** 62 ? "1.2.0 wraps around" : undefined;
}

export const runs = [
  subject<string[]>({
    name: "run",
    inputs: line,
    records: 250,
    differs: (args) => args.map((arg) => overflows(arg.replace(/^.*=/, ""))).find((reason) => reason !== undefined),
    ours: run,
  }),
  subject<{ A: Config; B: Config }>({
    name: "merge",
    inputs: configs as never,
    records: 120,
    ours: ({ A, B }) => {
      const user = configFromJson(A);
      merge(user, configFromJson(B));
      return user;
    },
  }),
  subject<{ A: Config; B: Config }>({
    name: "compare",
    inputs: configs as never,
    records: 100,
    ours: ({ A, B }) => compare(configFromJson(A), configFromJson(B)),
  }),
  subject<string>({
    name: "attach",
    inputs: oneOf("stdin", "STDOUT", "StdErr", "", "x", "stdin "),
    records: 7,
    ours: validateAttach,
  }),
  subject<string>({ name: "link", inputs: link, records: 40, ours: validateLink }),
  subject<string>({ name: "path", inputs: path, records: 150, ours: validatePath }),
  subject<string>({ name: "ip", inputs: address, records: 150, ours: validateIPAddress }),
  subject<string>({ name: "dnsSearch", inputs: domain, records: 150, ours: validateDnsSearch }),
  subject<number>({
    name: "humanSize",
    inputs: fc.oneof(fc.nat(), fc.nat(2000), fc.maxSafeNat()),
    records: 100,
    ours: humanSize,
  }),
  subject<string>({ name: "fromHuman", inputs: size, records: 80, ours: fromHumanSize, differs: overflows }),
  subject<string>({ name: "ramInBytes", inputs: size, records: 80, ours: ramInBytes, differs: overflows }),
  subject<number>({
    name: "humanTime",
    inputs: fc.oneof(fc.nat(10_000), fc.nat(), fc.nat(400_000_000_000)),
    records: 120,
    ours: humanDuration,
  }),
  subject<[string[], string[]]>({
    name: "replaceEnv",
    inputs: fc.tuple(entries, entries),
    records: 100,
    ours: ([defaults, overrides]) => replaceOrAppendEnvValues(defaults, overrides),
  }),
  subject<{ Path: string; Patterns: string[] }>({
    name: "matches",
    inputs: fc.record({
      Path: mostly(["a", "b", "/", ".", "é", "c", "-", "x.go"], 5),
      Patterns: fc.array(pattern, { maxLength: 3 }),
    }),
    records: 250,
    differs: ({ Path }, original) => {
      if (normalize(Path) !== Path) return "the original walks a directory: no such path comes of it";
      return "err" in original
        ? "Go 1.3, with which Docker was built, reads a pattern no farther than it fits"
        : undefined;
    },
    ours: ({ Path, Patterns }) => matches(fromText(Path), Patterns.map(fromText)),
  }),
  subject<string>({
    name: "envFile",
    inputs: envFile,
    records: 150,
    ours: (text) => parseEnvFile("file", { fs: { readFile: async () => text } as never, env: {} }),
  }),
  subject<string>({
    name: "compression",
    inputs: fc
      .array(fc.constantFrom(0x42, 0x5a, 0x68, 0x1f, 0x8b, 0x08, 0xfd, 0x37, 0x7a, 0x58, 0), { maxLength: 12 })
      .chain((bytes) =>
        fc
          .constantFrom([], [0x1f, 0x8b, 8], [0x42, 0x5a, 0x68], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])
          .map((magic) => Buffer.from([...magic, ...bytes]).toString("base64")),
      ),
    records: 50,
    ours: (text) => ["none", "bzip2", "gzip", "xz"].indexOf(detectCompression(Buffer.from(text, "base64"))),
  }),
];
