import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { functions } from "../../../../src/api/client/commands/inspect.ts";
import { Template, TemplateExecError, TemplateSyntaxError, type Value } from "../../../../src/pkg/template/template.ts";

const data: Value = {
  Name: "/web",
  Empty: "",
  Nil: null,
  State: { Running: true, Pid: 4242, ExitCode: 0 },
  Config: { Cmd: ["sh", "-c", "true"], Env: null, Labels: { b: "2", a: "1" } },
  NetworkSettings: { Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8086" }], "90/tcp": null } },
  Size: 536870912,
  Ratio: 0.5,
};

function render(text: string, value: Value = data): string {
  return new Template(text).execute(value);
}

function failure(text: string, value: Value = data): string {
  try {
    return `printed ${render(text, value)}`;
  } catch (cause) {
    return (cause as Error).message;
  }
}

test.each([
  ["plain", "plain"],
  ["{{.Name}}", "/web"],
  ["a{{.State.Pid}}b", "a4242b"],
  ["{{.State.Running}}", "true"],
  ["{{.Config.Cmd}}", "[sh -c true]"],
  ["{{.Config.Labels}}", "map[a:1 b:2]"],
  ["{{.NetworkSettings.Ports}}", "map[80/tcp:[map[HostIp:0.0.0.0 HostPort:8086]] 90/tcp:<nil>]"],
  ["{{.Nope}}", "<no value>"],
  ["{{.Nil}}", "<no value>"],
  ["{{.Nope.Deeper}}", "<no value>"],
  ["{{.Size}}", "5.36870912e+08"],
  ["{{.Ratio}}", "0.5"],
  ['{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "8086"],
  ["{{index .Config.Cmd 1}}", "-c"],
  ["{{len .Config.Cmd}} {{len .Name}}", "3 4"],
  ["{{range .Config.Cmd}}[{{.}}]{{end}}", "[sh][-c][true]"],
  ["{{range $i, $v := .Config.Cmd}}{{$i}}={{$v}};{{end}}", "0=sh;1=-c;2=true;"],
  ["{{range $k, $v := .Config.Labels}}{{$k}}{{$v}}{{end}}", "a1b2"],
  ["{{range .Config.Env}}x{{else}}none{{end}}", "none"],
  ["{{if .State.Running}}up{{else}}down{{end}}", "up"],
  ["{{if .Empty}}a{{else if .Nil}}b{{else if .Name}}c{{else}}d{{end}}", "c"],
  ["{{with .State}}{{.Pid}}{{end}}{{with .Nil}}x{{else}}y{{end}}", "4242y"],
  ["{{with $x := .Name}}{{$x}}{{$.State.Pid}}{{end}}", "/web4242"],
  ["{{$a := 1}}{{$a = 2}}{{$a}}", "2"],
  ['{{.Name | printf "%s!" | printf "%q"}}', '"/web!"'],
  ['{{printf "%05d %-4s| %x %v %t" 42 "ab" 255 .Config.Cmd true}}', "00042 ab  | ff [sh -c true] true"],
  ['{{printf "%d %s" "x" 1}}', "%!d(string=x) %!s(int=1)"],
  ['{{printf "%d"}} {{printf "a" 1}} {{printf "%"}}', "%!d(MISSING) a%!(EXTRA int=1) %!(NOVERB)"],
  ['{{printf "%.2f %6.1f %e %g" 1.5 2.25 1500.0 0.00001}}', "1.50    2.2 1.500000e+03 1e-05"],
  ['{{printf "%5s|%-4v|%03d" .Config.Cmd .Config.Labels -5}}', "[   sh    -c  true]|map[a   :1    b   :2   ]|-05"],
  [
    '{{printf "%s %5d" .NetworkSettings.Ports "x"}}',
    "map[80/tcp:[map[HostIp:0.0.0.0 HostPort:8086]] 90/tcp:<nil>] %!d(string=    x)",
  ],
  ['{{printf "%.0f %.0f %.1f %6.3v|" 0.5 1.5 0.25 "words"}}', "0 2 0.2    wor|"],
  ['{{print 1 2 "a" "b" 3}}|{{println "x" 1}}', "1 2ab3|x 1\n"],
  ['{{eq .State.ExitCode 0}} {{ne .Name "/web"}} {{lt 1 2}} {{ge 2.5 2}}', "true false true true"],
  ['{{eq .Name "a" "/web"}}', "true"],
  ["{{and .State.Running .Empty}}|{{or .Empty .Name}}|{{not .Empty}}", "|/web|true"],
  ["a {{- .Name -}} b", "a/webb"],
  ["a {{/* gone */}} b{{- /* trims */ -}} c", "a  bc"],
  ["{{`raw \\n`}}{{\"\\t\\u00e9\"}}{{'a'}}", "raw \\n\té97"],
  ["{{0x10}} {{1e3}} {{-7}} {{010}} {{1.5}}", "16 1000 -7 8 1.5"],
  ['{{define "row"}}<{{.}}>{{end}}{{range .Config.Cmd}}{{template "row" .}}{{end}}', "<sh><-c><true>"],
  ["{{range $i, $v := .Config.Cmd}}{{if $i}}{{break}}{{end}}{{$v}}{{end}}", "sh"],
  ['{{range .Config.Cmd}}{{if eq . "-c"}}{{continue}}{{end}}{{.}},{{end}}', "sh,true,"],
  ['{{block "b" .Name}}<{{.}}>{{end}}', "</web>"],
  ["{{slice .Name 1}} {{slice .Config.Cmd 1 2}}", "web [-c]"],
  ["{{or .Name .Name.X}}{{and .Empty .Name.X}}", "/web"],
  ["{{0b101}} {{0o17}} {{1_000}} {{0x1p-2}}", "5 15 1000 0.25"],
  ["{{eq .Nil .Nope}} {{eq .Nil 1}}", "true false"],
  ['{{html "<a&b>"}} {{js "it\'s"}} {{urlquery "a b/c"}}', "&lt;a&amp;b&gt; it\\'s a+b%2Fc"],
])("Template.execute() renders %s", (text, expected) => {
  expect(render(text)).toBe(expected);
});

// The texts are those of the original's template package.
test.each([
  ["{{", "template: :1: unclosed action"],
  ["a\n{{.X", "template: :2: unclosed action"],
  ["{{nofunc .}}", 'template: :1: function "nofunc" not defined'],
  ["{{end}}", "template: :1: unexpected {{end}}"],
  ["{{if .X}}", "template: :1: unexpected EOF"],
  ["{{}}", "template: :1: missing value for command"],
  ["{{if}}x{{end}}", "template: :1: missing value for if"],
  ["{{$x}}", 'template: :1: undefined variable "$x"'],
  ['{{"a}}', "template: :1: unterminated quoted string"],
  ["{{`a}}", "template: :1: unterminated raw quoted string"],
  ["{{(.X}}", "template: :1: unclosed left paren"],
  ["{{.X)}}", 'template: :1: unexpected ")" in command'],
  ["{{.X!}}", "template: :1: bad character U+0021 '!'"],
  ["{{!}}", 'template: :1: unexpected "!" in command'],
  ["{{\x01}}", "template: :1: unrecognized character in action: U+0001"],
  ["{{break}}", "template: :1: {{break}} outside {{range}}"],
  ['{{.X}}{{define "a"}}x{{end}}{{define "a"}}y{{end}}', 'template: :1: template: multiple definition of template "a"'],
  ["{{1x}}", 'template: :1: bad number syntax: "1x"'],
  ["{{/* a}}", "template: :1: unclosed comment"],
  ["{{.X | 3}}", "template: :1: non executable command in pipeline stage 2"],
  ["{{else}}", "template: :1: unexpected {{else}}"],
  ["{{if .X}}{{else}}{{else}}{{end}}", "template: :1: expected end; found {{else}}"],
])("Template refuses %s", (text, message) => {
  expect(() => new Template(text)).toThrow(expect.objectContaining({ name: "TemplateSyntaxError", message }));
});

test.each([
  ["{{.State.Pid.X}}", 'template: :1:8: executing "" at <.State.Pid.X>: can\'t evaluate field X in type interface {}'],
  ["{{range .Nil.Cmd}}{{end}}", 'template: :1:12: executing "" at <.Nil.Cmd>: nil pointer evaluating interface {}.Cmd'],
  [
    "{{index .Config.Cmd 9}}",
    'template: :1:2: executing "" at <index .Config.Cmd 9>: error calling index: index out of range: 9',
  ],
  ["{{with .Name}}{{.X}}{{end}}", 'template: :1:16: executing "" at <.X>: can\'t evaluate field X in type string'],
  ["{{range .Name}}{{end}}", 'template: :1:8: executing "" at <.Name>: range can\'t iterate over /web'],
  [
    "{{len .State.Running}}",
    'template: :1:2: executing "" at <len .State.Running>: error calling len: len of type bool',
  ],
  ["{{lt 1}}", 'template: :1:2: executing "" at <lt>: wrong number of args for lt: want 2 got 1'],
  ['{{lt 1 "a"}}', 'template: :1:2: executing "" at <lt 1 "a">: error calling lt: incompatible types for comparison'],
  ['{{template "x"}}', 'template: :1:11: executing "" at <{{template "x"}}>: template "x" not defined'],
  ["{{.Name 1}}", 'template: :1:2: executing "" at <.Name>: Name is not a method but has arguments'],
])("Template.execute() fails on %s as the original does", (text, message) => {
  expect(failure(text)).toBe(message);
});

test("Template.execute() says what was printed before it failed", () => {
  const template = new Template("a{{.Name}}{{.Name.X}}b");
  expect(() => template.execute(data)).toThrow(TemplateExecError);
  try {
    template.execute(data);
  } catch (cause) {
    expect((cause as TemplateExecError).printed).toBe("a/web");
  }
});

test("Template.execute() ends a template that calls itself for ever", () => {
  expect(failure('{{define "x"}}{{template "x"}}{{end}}{{template "x"}}')).toContain("exceeded maximum template depth");
});

test("Template knows no names of JavaScript", () => {
  expect(render("{{.constructor}} {{.__proto__}}")).toBe("<no value> <no value>");
  expect(() => new Template("{{constructor .}}")).toThrow('function "constructor" not defined');
});

/** Templates made at random, and what Go 1.19's own package makes of them. */
interface Recorded {
  readonly data: Value;
  readonly templates: readonly { t: string; out: string; parse?: string; err?: string }[];
}

test("Template does with templates made at random what Go's own package does", () => {
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "recorded.json"), "utf8")) as Recorded;
  expect(recorded.templates.length).toBeGreaterThan(400);
  const done = recorded.templates.map(({ t }) => {
    let template: Template;
    try {
      template = new Template(t, functions);
    } catch (cause) {
      return { t, out: "", parse: (cause as Error).message };
    }
    try {
      return { t, out: template.execute(recorded.data) };
    } catch (cause) {
      return { t, out: (cause as TemplateExecError).printed, err: (cause as Error).message };
    }
  });
  expect(done).toEqual(recorded.templates);
});

const pieces = [
  "{{",
  "}}",
  "{{- ",
  " -}}",
  "if",
  "range",
  "end",
  "else",
  "with",
  "define",
  "template",
  "block",
  "$x",
  ":=",
  "=",
  "|",
  "(",
  ")",
  ".",
  ".a",
  '"s"',
  "`",
  "'",
  "1",
  "-",
  " ",
  "\n",
  "json",
  "index",
  "len",
  "eq",
  "and",
  "printf",
  "/*",
  "*/",
  ",",
  "é",
  "\u0000",
  "nil",
  "break",
];

test("Template meets any text with a result or with an error of its own, and soon", () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((words) => words.join("")),
  );
  fc.assert(
    fc.property(text, fc.jsonValue(), (source, value) => {
      try {
        new Template(source, functions).execute(value as Value);
      } catch (cause) {
        expect([TemplateSyntaxError, TemplateExecError]).toContain((cause as Error).constructor);
      }
    }),
    { numRuns: 2000 },
  );
});

test("Template leaves text alone, and shows any value as JSON that reads as the same value", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !`${text}{`.includes("{{")),
      fc.jsonValue({ noUnicodeString: false }),
      (text, value) => {
        const plain = JSON.parse(JSON.stringify(value)) as Value;
        const shown = new Template(`${text}{{json .}}`, functions).execute(plain);
        expect(shown.startsWith(text)).toBe(true);
        expect(JSON.parse(shown.slice(text.length))).toEqual(plain);
      },
    ),
  );
});

test("Template visits every element of a list once, in order, and every key of a map, sorted", () => {
  const word = fc.stringMatching(/^[a-z]{1,5}$/);
  fc.assert(
    fc.property(fc.array(word), fc.dictionary(word, word), (list, map) => {
      const run = (source: string) => new Template(source, functions).execute({ list, map });
      expect(run("{{range .list}}{{.}},{{end}}")).toBe(list.map((item) => `${item},`).join(""));
      expect(run('{{join .list ","}} {{len .list}}')).toBe(`${list.join(",")} ${list.length}`);
      const pairs = Object.keys(map)
        .sort()
        .map((key) => `${key}=${map[key]};`);
      expect(run("{{range $k, $v := .map}}{{$k}}={{$v}};{{end}}")).toBe(pairs.join(""));
      expect(run("{{range $i, $v := .list}}{{if eq $v (index $.list $i)}}+{{end}}{{end}}")).toBe(
        "+".repeat(list.length),
      );
    }),
  );
});
