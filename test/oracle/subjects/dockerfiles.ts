/** Dockerfiles, good and bad, and images to build on. */

import fc from "fast-check";
import { joined, mostly, oneOf } from "./texts.ts";

/** Besides the Dockerfile. */
export const FILES: Readonly<Record<string, string>> = {
  f: "one",
  "d/f": "two",
  "d/g h": "three",
  "d/e/f": "four",
  "dx/f": "five",
  é: "six",
};

const variable = oneOf(
  "$A",
  "${A}",
  "$B",
  "${B}",
  "$AB",
  "${A",
  "$A}",
  "\\$A",
  "\\\\$A",
  "\\\\\\$B",
  "$$A",
  "$PATH",
  "$",
);
const plain = oneOf(
  "a",
  "b",
  "x y",
  "é",
  "😀",
  "=",
  "-",
  ":",
  '"',
  "'",
  "\\",
  "{",
  "}",
  "<&>",
  "#",
  "/",
  "..",
  ",",
  "\f",
);
const blank = oneOf(" ", "  ", "\t", " \t ");
const words = fc.array(fc.oneof(plain, variable, blank), { maxLength: 7 }).map((pieces) => pieces.join(""));

const element = fc.oneof(
  oneOf(
    '"a"',
    '"/bin/sh"',
    '"-c"',
    '"$A"',
    '""',
    '"\\u0041\\n"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"\\x"',
    '"é"',
    '"a b"',
  ),
  oneOf("null", "1", "true", "[]", "{}", "'a'", "a", "", '"\t"', '"'),
);
const list = fc
  .tuple(
    fc.array(element, { maxLength: 4 }),
    oneOf(",", ", ", " ,"),
    oneOf("[]", "[]", "[]", "[] ", "[", "]", "{}", "[]x"),
  )
  .map(([elements, comma, brackets]) => `${brackets.slice(0, 1)}${elements.join(comma)}${brackets.slice(1)}`);
const command = fc.oneof(words, list, oneOf("null", "true", "{}", '"a"'));

const port = fc.oneof(
  oneOf(
    "80",
    "53/udp",
    "0",
    "65535",
    "65536",
    "00080",
    "80/TCP",
    "80/",
    "/tcp",
    "8080:80",
    "1.2.3.4::80",
    "::80",
    "a",
    "-1",
  ),
  oneOf("1.2.3.4:5:6/udp", "1.2.3:5:6", "1:2:3:4", "+80", "8_0", "80-81", "$A", "80/tcp/udp", ":", "[::1]:1:2"),
);
const ports = fc.array(port, { maxLength: 3 }).map((texts) => texts.join(" "));

const path = mostly(["/", "a", "..", ".", "//", "b c", "$A", "${B}", "é", "~"], 5);
const source = fc.oneof(
  oneOf("f", "./f", "/f", "d", "d/", ".", "/", "d/e", "é", "Dockerfile", "missing", "..", "../f", "d/../f", "f/x"),
  oneOf("$A", "${A}/f", "d/$B", "dx", "d//f", "*", "$B"),
);
const target = fc.oneof(oneOf("/", ".", "/x", "x/", "/x/", "$A", "/$B/", ""), joined(["/", "a", "$A", "."], 4));

const instruction = fc.oneof(
  fc.tuple(
    oneOf("ENV"),
    fc.tuple(oneOf("A", "B", "AB", "C", "PATH", "é", "A=1"), blank, words).map((parts) => parts.join("")),
  ),
  fc.tuple(oneOf("RUN", "CMD", "ENTRYPOINT"), command),
  fc.tuple(oneOf("EXPOSE"), ports),
  fc.tuple(oneOf("WORKDIR"), path),
  fc.tuple(oneOf("VOLUME"), fc.oneof(path, list)),
  fc.tuple(oneOf("USER", "MAINTAINER"), words),
  fc.tuple(
    oneOf("ADD", "COPY"),
    fc.tuple(source, blank, target).map((parts) => parts.join("")),
  ),
  fc.tuple(oneOf("FROM"), oneOf("base", "base:latest", "ba5e", "base ")),
  fc.tuple(oneOf("LABEL", "INSERT", "CONTEXT", "X", "É", "COMMIT", "STRING"), words),
);
const cased = fc.tuple(instruction, fc.nat({ max: 9 }), fc.nat({ max: 9 })).map(([[name, args], letters, gap]) => {
  const shown =
    letters === 0 ? name.toLowerCase() : letters === 1 ? name.slice(0, 1) + name.slice(1).toLowerCase() : name;
  return `${shown}${gap === 0 ? "" : gap === 1 ? "\t" : gap === 2 ? "  " : " "}${args}`;
});
const step = fc.oneof(
  { weight: 8, arbitrary: cased },
  { weight: 2, arbitrary: cased.map((inner) => `ONBUILD ${inner}`) },
);
const lineEnd = oneOf(
  "\n",
  "\n",
  "\n",
  "\n",
  "\n",
  "\n",
  "\r\n",
  "\\\n",
  "\\ \t\n",
  "\n\n",
  "\n#c\n",
  "\n # c d\n",
  "\\\n#c\n",
  "\n\t",
);
const begin = oneOf(
  "FROM base\n",
  "FROM base\n",
  "FROM base\n",
  "FROM base\n",
  "# c\n\nfrom base:latest\n",
  "",
  "\n",
  "MAINTAINER m\n",
);

/** A text that is one. */
export const dockerfile = fc
  .tuple(begin, fc.array(fc.tuple(step, lineEnd), { maxLength: 5 }))
  .map(([first, steps]) => first + steps.flat().join(""));

const names = fc.option(fc.array(oneOf("A=1", "B=b c", "AB=", "A=$B", "PATH=/p", "é=ü", "B=$A"), { maxLength: 3 }), {
  nil: null,
});
const commands = fc.option(fc.array(oneOf("a", "b", ""), { maxLength: 2 }), { nil: null });
const keys = (of: fc.Arbitrary<string>) =>
  fc.option(
    fc.array(of, { maxLength: 2 }).map((list) => Object.fromEntries(list.map((key) => [key, {}]))),
    { nil: null },
  );

/** What the image that is built on says of its containers. */
export const base = fc.option(
  fc.record(
    {
      Env: names,
      Cmd: commands,
      Entrypoint: commands,
      ExposedPorts: keys(oneOf("80/tcp", "53/udp")),
      Volumes: keys(oneOf("/v", "/w", "__proto__")),
      PortSpecs: fc.option(fc.array(oneOf("80", "81:82"), { maxLength: 2 }), { nil: null }),
      OnBuild: fc.option(
        fc.array(
          cased.filter((text) => !text.includes("\n")),
          { maxLength: 2 },
        ),
        { nil: null },
      ),
      WorkingDir: oneOf("", "/w", "/w/", "rel"),
      User: oneOf("", "u"),
      Memory: fc.constantFrom(0, 1 << 20),
    },
    { requiredKeys: [] },
  ),
  { nil: null, freq: 3 },
);
