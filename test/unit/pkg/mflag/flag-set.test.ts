import fc from "fast-check";
import { expect, test } from "vitest";
import { FlagError, FlagPanic, FlagSet, HelpRequested } from "../../../../src/pkg/mflag/mflag.ts";
import { BufferWriter } from "../../../../src/sync/io.ts";

class Exit extends Error {}

function newSet(name = "t", mode: "continue" | "exit" | "panic" = "continue") {
  const stderr = new BufferWriter();
  const codes: number[] = [];
  const exit = (code: number): never => {
    codes.push(code);
    throw new Exit();
  };
  return { fs: new FlagSet(name, mode, { stderr, exit }), stderr, codes };
}

/** The set of the reference's vectors. */
function vectors(mode: "continue" | "exit" | "panic" = "continue") {
  const made = newSet("t", mode);
  const { fs } = made;
  return {
    ...made,
    b: fs.bool(["b", "-bool"], false, "bool"),
    s: fs.string(["s", "#old", "-str"], "def", "str\nline2"),
    n: fs.int(["n"], -1, "num"),
    z: fs.bool(["#z", "#-zed"], true, "zed"),
    i: fs.bool(["i"], false, "i"),
  };
}

const usage = [
  "Usage of t:",
  "  -b, --bool=false    bool",
  "  -i=false            i",
  "  -n=-1               num",
  '  -s, --str="def"     str',
  "                        line2",
  "",
].join("\n");

test("printDefaults() aligns names and help, and hides deprecated flags", () => {
  const { fs, stderr } = vectors();
  fs.usage();
  expect(stderr.toString()).toBe(usage);
});

test("parse() never lets a bool take the next argument", () => {
  const { fs, b, s } = vectors();
  fs.parse(["-b", "x", "-s", "y"]);
  expect([b.value, s.value, fs.args()]).toEqual([true, "def", ["x", "-s", "y"]]);
});

test.each(["-bs", "-sb"])("parse() reads %s as two flags", (arg) => {
  const { fs, b, s } = vectors();
  fs.parse([arg, "val"]);
  expect([b.value, s.value, fs.nArg()]).toEqual([true, "val", 0]);
});

test("parse() drops the value of grouped letters", () => {
  const { fs, b, i } = vectors();
  fs.parse(["-bi=false"]);
  expect([b.value, i.value]).toEqual([true, true]);
});

test("parse() warns of a deprecated name with its replacement", () => {
  const { fs, s, stderr } = vectors();
  fs.parse(["-old", "v"]);
  expect(s.value).toBe("v");
  expect(stderr.toString()).toBe("Warning: '-old' is deprecated, it will be replaced by '--str' soon. See usage.\n");
});

test("parse() warns of a name that goes away, once for each use", () => {
  const { fs, z, stderr } = vectors();
  fs.parse(["--zed", "-z=false"]);
  expect(z.value).toBe(false);
  expect(stderr.toString()).toBe(
    "Warning: '--zed' is deprecated, it will be removed soon. See usage.\n" +
      "Warning: '-z' is deprecated, it will be removed soon. See usage.\n",
  );
});

test.each([
  ["0x10", 16],
  ["-5", -5],
  ["010", 8],
])("parse() reads the number %s", (text, value) => {
  const { fs, n } = vectors();
  fs.parse(["-n", text]);
  expect(n.value).toBe(value);
});

test("parse() reports the whole name after a failed group, and both messages", () => {
  const { fs, stderr } = vectors();
  expect(() => fs.parse(["-str=a"])).toThrow(new FlagError("flag provided but not defined: -str"));
  expect(stderr.toString()).toBe(`flag needs an argument: -s\n${usage}flag provided but not defined: -str\n${usage}`);
});

test("parse() shows the usage for -h inside a group and still fails", () => {
  const { fs, stderr } = vectors();
  expect(() => fs.parse(["-bh"])).toThrow("flag provided but not defined: -bh");
  expect(stderr.toString()).toBe(`${usage}flag provided but not defined: -bh\n${usage}`);
});

test.each([
  [["-=x"], "bad flag syntax: -=x"],
  [["-q"], "flag provided but not defined: -q"],
  [["--nope"], "flag provided but not defined: --nope"],
  [["--nope=1"], "flag provided but not defined: --nope"],
  [["---x"], "flag provided but not defined: ---x"],
  [["-s"], "flag needs an argument: -s"],
  [["--str"], "flag needs an argument: --str"],
  [["-b=maybe"], 'invalid boolean value "maybe" for  -b: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [["-b="], 'invalid boolean value "" for  -b: strconv.ParseBool: parsing "": invalid syntax'],
  [["-n", "x"], 'invalid value "x" for flag -n: strconv.ParseInt: parsing "x": invalid syntax'],
  [["-n="], 'invalid value "" for flag -n: strconv.ParseInt: parsing "": invalid syntax'],
])("parse() refuses %j with message and usage", (args, message) => {
  const { fs, stderr } = vectors();
  expect(() => fs.parse(args)).toThrow(new FlagError(message));
  expect(stderr.toString()).toBe(`${message}\n${usage}`);
});

test("parse() leaves zero behind what it cannot read, and the bound behind what is too large", () => {
  const { fs, n } = vectors();
  const duration = fs.duration(["e"], 1000, "");
  const bool = fs.bool(["t"], true, "");
  for (const arg of ["-n=x", "-e=x", "-t=x"]) expect(() => fs.parse([arg])).toThrow(FlagError);
  expect([n.value, duration.value, bool.value]).toEqual([0, 0, false]);
  expect(() => fs.parse(["-n=99999999999999999999"])).toThrow("value out of range");
  expect(n.value).toBe(2 ** 63);
});

test("parse() answers any command line with an unread rest or a FlagError", () => {
  const word = fc.oneof(
    fc.constantFrom("-b", "--bool", "-s", "-n", "-n=5", "-old=x", "--zed", "-bi", "--", "-", "-h", "-b-s"),
    fc.string({ unit: fc.constantFrom(..."-=bsnzi'\"0x#é") }),
  );
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const { fs } = vectors();
      fs.usage = () => undefined;
      try {
        fs.parse(args);
      } catch (cause) {
        expect(cause).toBeInstanceOf(FlagError);
        return;
      }
      expect(args.slice(args.length - fs.nArg())).toEqual(fs.args());
    }),
  );
});

test.each([
  ["-s='q'", "q"],
  ['-s="q"', "q"],
  ["-s='q\"", "'q\""],
  ["-s=''", ""],
  ["-s='", "'"],
  ["-s=a=b", "a=b"],
  ["--str=", ""],
])("parse() reads %s as %j", (arg, value) => {
  const { fs, s } = vectors();
  fs.parse([arg]);
  expect(s.value).toBe(value);
});

test("parse() takes the next argument even if it looks like a flag", () => {
  const { fs, s } = vectors();
  fs.parse(["-s", "-b"]);
  expect(s.value).toBe("-b");
});

test.each([
  [["--", "-b"], ["-b"]],
  [
    ["-", "-b"],
    ["-", "-b"],
  ],
  [
    ["", "-b"],
    ["", "-b"],
  ],
  [[], []],
])("parse() stops in %j", (args, rest) => {
  const { fs, b } = vectors();
  fs.parse(args);
  expect([b.value, fs.args()]).toEqual([false, rest]);
});

test("parse() swallows a dash inside a group", () => {
  const { fs, b } = vectors();
  fs.parse(["-b-", "x"]);
  expect([b.value, fs.args()]).toEqual([true, ["x"]]);
});

test.each([["-h"], ["-help"], ["--help"]])("parse() answers %s with usage and HelpRequested", (arg) => {
  const { fs, stderr } = vectors();
  expect(() => fs.parse([arg])).toThrow(HelpRequested);
  expect(stderr.toString()).toBe(usage);
});

test("parse() prefers a declared -h to help", () => {
  const { fs } = newSet();
  const host = fs.string(["h", "-hostname"], "", "host");
  fs.parse(["-h", "name"]);
  expect(host.value).toBe("name");
});

test("parse() exits with 2 in a set that exits", () => {
  const { fs, codes, stderr } = vectors("exit");
  expect(() => fs.parse(["--nope"])).toThrow(Exit);
  expect(() => fs.parse(["-h"])).toThrow(Exit);
  expect(codes).toEqual([2, 2]);
  expect(stderr.toString()).toBe(`flag provided but not defined: --nope\n${usage}${usage}`);
});

test("parse() throws a FlagPanic in a set that panics", () => {
  expect(() => vectors("panic").fs.parse(["--nope"])).toThrow(FlagPanic);
});

test("parse() calls a replaced usage instead of the default one", () => {
  const { fs, stderr, codes } = vectors();
  fs.usage = () => {
    void fs.output.write("mine\n");
    codes.push(2);
    throw new Exit();
  };
  expect(() => fs.parse(["-bq"])).toThrow(Exit);
  expect([stderr.toString(), codes]).toEqual(["flag provided but not defined: -bq\nmine\n", [2]]);
});

test("isSet() knows what the command line named, by all names", () => {
  const { fs, b, s } = vectors();
  fs.parse(["--bool", "x"]);
  expect([b.isSet, s.isSet, fs.isSet("b"), fs.isSet("-bool"), fs.isSet("s"), fs.isSet("nope")]).toEqual([
    true,
    false,
    true,
    true,
    false,
    false,
  ]);
  expect([fs.nFlag(), fs.arg(0), fs.arg(1)]).toEqual([1, "x", ""]);
});

test("set() works by name and refuses unknown ones", () => {
  const { fs, n } = vectors();
  fs.set("n", "7");
  expect([n.value, fs.lookup("n")?.value.toString(), fs.isSet("n")]).toEqual([7, "7", true]);
  expect(() => fs.set("nope", "1")).toThrow("no such flag -nope");
});

test("var() refuses a name that is taken", () => {
  const { fs, stderr } = vectors();
  expect(() => fs.bool(["#-str"], false, "")).toThrow(FlagPanic);
  expect(stderr.toString()).toBe("t flag redefined: -str\n");
  const unnamed = newSet("");
  unnamed.fs.bool(["a"], false, "");
  expect(() => unnamed.fs.bool(["a"], false, "")).toThrow("flag redefined: a");
});

test("visitAll() sorts by first name, upper case before lower", () => {
  const { fs } = newSet();
  for (const names of [["d", "-daemon"], ["-dns"], ["D", "-debug"], ["#rm", "-rm"], ["-restart"], ["b"]]) {
    fs.bool(names, false, "");
  }
  const seen: string[] = [];
  fs.visitAll((flag) => seen.push(flag.names[0] ?? ""));
  expect(seen).toEqual(["b", "D", "d", "-dns", "-restart", "#rm"]);
});

test("visit() sees only flags that were set", () => {
  const { fs } = vectors();
  fs.parse(["-s=1", "-b"]);
  const seen: string[] = [];
  fs.visit((flag) => seen.push(flag.names[0] ?? ""));
  expect(seen).toEqual(["b", "s"]);
});

test("every kind of value shows its default and parses", () => {
  const { fs, stderr } = newSet("kinds");
  const int64 = fs.int64(["a"], 5, "int64");
  const uint = fs.uint(["b"], 5, "uint");
  const uint64 = fs.uint64(["c"], 5, "uint64");
  const float = fs.float64(["d"], 2.5, "float");
  const duration = fs.duration(["e"], 61_500, "duration");
  const string = fs.string(["f"], 'q"\n', "string");
  fs.usage();
  expect(stderr.toString()).toBe(
    [
      "Usage of kinds:",
      "  -a=5               int64",
      "  -b=5               uint",
      "  -c=5               uint64",
      "  -d=2.5             float",
      "  -e=1m1.5s          duration",
      '  -f="q\\"\\n"         string',
      "",
    ].join("\n"),
  );
  fs.parse(["-a=-1", "-b=1", "-c", "0xff", "-d", "1e3", "-e", "1h0.5s", "-f", ""]);
  expect([int64, uint, uint64, float, duration, string].map((flag) => flag.value)).toEqual([
    -1,
    1,
    255,
    1000,
    3_600_500,
    "",
  ]);
});

test("a user's own kind of value gets every text in order", () => {
  const { fs } = newSet();
  const value = { seen: [] as string[], set: (text: string) => void value.seen.push(text), toString: () => "[]" };
  const list = fs.var(value, ["v"], "list");
  fs.parse(["-v", "1", "-v=2", "-v=3"]);
  expect(list.value.seen).toEqual(["1", "2", "3"]);
});

test("a user's own bool value needs no argument", () => {
  const { fs } = newSet();
  const value = { count: 0, isBoolFlag: true, set: () => void value.count++, toString: () => "0" };
  fs.var(value, ["b"], "count");
  fs.parse(["-b", "-b", "-b"]);
  expect(value.count).toBe(3);
});
