/** Names: of repositories, hosts, ports, filters, ids. */

import fc from "fast-check";
import { parsePortSpecs } from "../../../src/nat/nat.ts";
import { fromParam, parseFlag, toParam } from "../../../src/pkg/parsers/filters/parse.ts";
import { parseHost, parseKeyValueOpt, parseRepositoryTag } from "../../../src/pkg/parsers/parsers.ts";
import { TruncIndex } from "../../../src/pkg/truncindex/truncindex.ts";
import { compareTo } from "../../../src/pkg/version/version.ts";
import { resolveRepositoryName } from "../../../src/registry/names.ts";
import { isGit, isUrl } from "../../../src/utils/utils.ts";
import { subject } from "../original.ts";
import { joined, mostly, oneOf } from "./texts.ts";

const host = oneOf(
  "localhost",
  "localhost:5000",
  "quay.io",
  "index.docker.io",
  "xindex.docker.io",
  "1.2.3.4:80",
  "abcd",
  "a",
);
const part = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,6}$/),
  oneOf(
    "library",
    "user",
    "abc",
    "abcd",
    "a".repeat(30),
    "b".repeat(31),
    "A",
    "é",
    "x y",
    "_",
    "-",
    ".",
    "..",
    "",
    "ubuntu",
  ),
  oneOf("http://a", "://", "docker.io", "a-b", "a_b", "a.b", "%2f", "\n"),
);
const tag = oneOf("", "", ":", ":latest", ":1.0", ":5000", ":a:b", "@sha256:ab", ":A_b-c.d", ":x/y");
const repository = fc.oneof(
  fc.tuple(fc.option(host, { nil: "" }), fc.array(part, { maxLength: 3 }), tag).map(([first, parts, last]) => {
    return [...(first === "" ? [] : [first]), ...parts].join("/") + last;
  }),
  mostly(["/", ":", "a", "abcd", ".", "localhost", "index.docker.io", "-", "_", "A", "//"]),
);

const spec = fc.oneof(
  fc
    .tuple(
      oneOf("", "", "1.2.3.4:", "::", ":", "0.0.0.0::", "[::1]:", "1.2.3:", "a:", "01.2.3.4:", "1.2.3.4:5:"),
      oneOf(
        "80",
        "0",
        "65535",
        "65536",
        "00080",
        "",
        "+1",
        "-1",
        "8_0",
        "0x1",
        "a",
        " 80",
        "8e1",
        "80-82",
        "1e9999",
        "99999999999",
      ),
      oneOf("", "/tcp", "/udp", "/", "/TCP", "/tcp/udp", "/sctp", ":80", ":81/udp", ":81:82"),
    )
    .map((parts) => parts.join("")),
  joined([":", "/", "80", "tcp", "udp", "1.2.3.4", "::1"], 6),
);

const bind = fc.oneof(
  fc
    .tuple(
      oneOf("", "tcp://", "unix://", "fd://", "udp://", " ", "TCP://"),
      oneOf("", "0.0.0.0", "localhost", "::1", "[::1]", "/a/b", "*"),
      oneOf("", ":2375", ":0", ":", ":a", ":-1", ":+5", ":99999", ":2375:1", ":0080", " ", ":1_0"),
    )
    .map((parts) => parts.join("")),
  mostly([":", "/", "//", "tcp", "unix", "80", " ", "\t"]),
);

const id = fc.string({ unit: fc.constantFrom("a", "b", "0", " "), maxLength: 5 });
const long = fc.tuple(fc.constantFrom("a", "b", "ab", "ba"), id).map(([half, rest]) => half.repeat(32) + rest);
const known = fc.oneof(
  { weight: 6, arbitrary: id.map((text) => text.replaceAll(" ", "a")) },
  { weight: 1, arbitrary: id },
  { weight: 2, arbitrary: long },
);
const operations = fc.array(
  fc.tuple(oneOf("+", "+", "+", "-", "?", "?"), known).map(([operation, text]) => operation + text),
  { maxLength: 25 },
);

/** As main.go.txt tells its outcomes. */
function lookUp(steps: readonly string[]): string[] {
  const index = new TruncIndex();
  return steps.map((step) => {
    const text = step.slice(1);
    try {
      if (step.startsWith("?")) return index.get(text);
      if (step.startsWith("+")) index.add(text);
      else index.delete(text);
      return "";
    } catch (cause) {
      return `! ${(cause as Error).message}`;
    }
  });
}

const filter = fc.oneof(
  fc
    .tuple(
      oneOf("a", "b", "", "dangling", "é", "<", "__proto__"),
      oneOf("=", "=", "=", "", "=="),
      oneOf("", "true", "1", "x=y", "<&>", "\u2028", '"', "😀"),
    )
    .map((parts) => parts.join("")),
  mostly(["=", "a", "b", '"', "\\", "&"]),
);
const value = fc.oneof(
  oneOf('"a"', "null", "1", "true", '"\\ud800"', "{}", "[]", '"<"', '"b"', "[null]"),
  oneOf("", "x", '"'),
);
const param = fc.oneof(
  fc
    .uniqueArray(
      fc.tuple(
        oneOf('"a"', '"b"', '"__proto__"', "a", '"é"'),
        oneOf(":", ": ", "="),
        fc.array(value, { maxLength: 3 }),
        oneOf("[]", "[]", "[]", "[ ]", "{}", "["),
      ),
      { maxLength: 3, selector: ([name]) => name },
    )
    .map(
      (pairs) =>
        `{${pairs.map(([name, colon, list, open]) => `${name}${colon}${open[0]}${list.join(",")}${open.slice(1)}`).join(",")}}`,
    ),
  value,
);

const version = mostly(["1", "2", "0", "10", ".", "-", "+", "a", "01", "14"], 6);
const url = fc
  .tuple(
    oneOf("http://", "https://", "git://", "git@", "github.com/", "HTTP://", "", "git@github.com:", "/"),
    oneOf("a", "a.git", "a.git/", "git", ".git", "github.com/a"),
  )
  .map((parts) => parts.join(""));

export const names = [
  subject<string>({ name: "repositoryTag", inputs: repository, records: 60, ours: parseRepositoryTag }),
  subject<string>({
    name: "resolveName",
    inputs: repository,
    records: 150,
    ours: (name) => Object.values(resolveRepositoryName(name)),
  }),
  subject<string[]>({
    name: "portSpecs",
    inputs: fc.array(spec, { maxLength: 3 }),
    records: 150,
    ours: (specs) => {
      const { exposedPorts: ports, bindings } = parsePortSpecs(specs);
      return { ports, bindings };
    },
  }),
  subject<string>({
    name: "host",
    inputs: bind,
    records: 100,
    ours: (text) => parseHost("127.0.0.1", "/var/run/docker.sock", text),
  }),
  subject<string>({
    name: "keyValue",
    inputs: mostly(["=", "a", " ", "\t", "b", "\n"]),
    records: 50,
    ours: parseKeyValueOpt,
  }),
  subject<string[]>({ name: "truncindex", inputs: operations, records: 200, ours: lookUp }),
  subject<string[]>({
    name: "filter",
    inputs: fc.array(filter, { maxLength: 4 }),
    records: 100,
    ours: (texts) => {
      const args = texts.reduce((all, text) => parseFlag(text, all), new Map<string, string[]>());
      return [Object.fromEntries(args), toParam(args)];
    },
  }),
  subject<string>({
    name: "fromParam",
    inputs: param,
    records: 150,
    comparable: (value) => value ?? {},
    differs: (_text, original) => {
      const object =
        "err" in original && original.err.includes("cannot unmarshal object into Go value of type []string");
      return object ? "an object of values came with API 1.22" : undefined;
    },
    ours: (text) => Object.fromEntries(fromParam(text)),
  }),
  subject<[string, string]>({
    name: "versions",
    inputs: fc.tuple(version, version),
    records: 80,
    ours: ([a, b]) => [compareTo(a, b) < 0, compareTo(a, b) === 0, compareTo(a, b) > 0],
  }),
  subject<string>({ name: "isURL", inputs: url, records: 30, ours: isUrl }),
  subject<string>({ name: "isGIT", inputs: url, records: 40, ours: isGit }),
];
