/**
 * The rules that users of builds were told, form by form: instructions, destinations, archives, the cache, contexts from
 * the web, and builds that somebody interrupts.
 */

import { spawn, spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Build, BuildLab, type RowFile } from "../support/build-rows.ts";
import { builtId, contextOf } from "../support/builds.ts";
import { run } from "../support/daemon.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: builds need root");
const vm = test.runIf(isRoot);

let lab: BuildLab;
beforeAll(async () => {
  if (isRoot) lab = await BuildLab.start();
});
afterAll(async () => {
  if (isRoot) expect(await lab?.stop()).toEqual([]);
});

/** Lines below `FROM scratch`, and what they make of the configuration. */
const CONFIGURED: [lines: string, config: Record<string, unknown>][] = [
  ["expose 80 53/udp 443/tcp", { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "443/tcp": {} } }],
  // Of a mapping only the port of the container counts.
  ["EXPOSE 8080:80\nEXPOSE 127.0.0.1:1:2", { ExposedPorts: { "80/tcp": {}, "2/tcp": {} } }],
  // Variables are for ENV, ADD and COPY only.
  ["ENV X /x\nWORKDIR $X\nVOLUME $X\nUSER $X", { WorkingDir: "/$X", Volumes: { $X: {} }, User: "$X" }],
  ["ENV A 1\nENV B ${A}2\nENV C $AB-$B-\\$A", { Env: expect.arrayContaining(["A=1", "B=12", "C=$AB-12-\\$A"]) }],
  ["ENV A one\nENV A $A two", { Env: expect.arrayContaining(["A=one two"]) }],
  ["ENV A=b c", { Env: expect.arrayContaining(["A=b=c"]) }],
  ["VOLUME /a /b", { Volumes: { "/a /b": {} } }],
  ['VOLUME ["/a", "/b"]\nVOLUME /c', { Volumes: { "/a": {}, "/b": {}, "/c": {} } }],
  ["WORKDIR /a\nWORKDIR b/../c\nWORKDIR ./d", { WorkingDir: "/a/c/d" }],
  ["CMD echo $X", { Cmd: ["/bin/sh", "-c", "echo $X"], Entrypoint: null }],
  ["CMD ['single', 'quotes']", { Cmd: ["/bin/sh", "-c", "['single', 'quotes']"] }],
  ["CMD [1]", { Cmd: ["/bin/sh", "-c", "[1]"] }],
  ['CMD ["a"]\nENTRYPOINT ["b"]', { Cmd: ["a"], Entrypoint: ["b"] }],
  ['ENTRYPOINT ["b"]\nCMD ["a"]\nENTRYPOINT c', { Cmd: ["a"], Entrypoint: ["/bin/sh", "-c", "c"] }],
  ["CMD a\nCMD b", { Cmd: ["/bin/sh", "-c", "b"] }],
  ["USER 1:2", { User: "1:2" }],
  ["ONBUILD ADD . /app\nONBUILD RUN make \\\n  all", { OnBuild: ["ADD . /app", "RUN make   all"] }],
  ["MAINTAINER a \\\n# between\n  b", { Cmd: null }],
];

vm("every instruction, in every form, makes the configuration that was promised", { retry: 0 }, async () => {
  const names: string[] = [];
  for (const [n, [lines]] of CONFIGURED.entries()) {
    names.push(`form:${n}`);
    await lab.follow([{ dockerfile: `FROM scratch\n${lines}\n` }], `form:${n}`);
  }
  const images = JSON.parse((await lab.docker("inspect", ...names)).stdout) as { Config: unknown }[];
  const found = images.map(({ Config }, n) => [CONFIGURED[n]?.[0], Config]);
  expect(found).toMatchObject(CONFIGURED);
});

/** Dockerfiles that fail, and what is said of them. */
const FAILING: [dockerfile: string, error: string][] = [
  ["\n\n# nothing\n", "No image was generated."],
  ["FROM busybox\nENV A\n", "Invalid ENV format"],
  ["FROM busybox\nEXPOSE 99999\n", "Invalid containerPort: 99999"],
  ["FROM busybox\nEXPOSE $P\n", "Invalid containerPort: $P"],
  ["FROM busybox\nEXPOSE 80/sctp\n", "Invalid proto: sctp"],
  ["FROM busybox\nUSER somebody\nRUN id\n", "Unable to find user somebody"],
  ['FROM busybox\nRUN ["nosuchprogram"]\n', 'exec: "nosuchprogram": executable file not found in $PATH'],
  ["FROM busybox\nRUN\n", "Invalid Dockerfile format"],
  ["FROM Upper\n", "Invalid repository name (Upper), only [a-z0-9-_.] are allowed"],
  ["FROM busybox\nADD WEB/nowhere /x\n", "Got HTTP status code >= 400: 404 Not Found"],
  ["FROM busybox\nADD f /f\n", "f: no such file or directory"],
  // What came later is said to be that.
  ["FROM busybox\nADD Dockerfile nowhere /x/\n", "several sources came with Docker 1.3"],
  ['FROM busybox\nADD ["Dockerfile", "/x/"]\n', "the JSON form came with Docker 1.5"],
  ["FROM busybox\nCOPY --chown=1 Dockerfile /x/\n", "options came with Docker 17.05"],
];

vm.each(FAILING)("%j fails, and leaves nothing", { retry: 0 }, async (dockerfile, fails) => {
  await lab.follow([{ dockerfile, fails, args: ["--force-rm"] }], "failing");
  expect(await lab.containers()).toEqual([]);
});

/** `ADD <source> <destination>`, and what is there then; `@` stands for the word. */
const PLACES: [line: string, files: string[]][] = [
  ["@ f /n1", ["/n1"]],
  ["@ f /n2/", ["/n2/f"]],
  ["@ f /n3/deep/er/", ["/n3/deep/er/f"]],
  ["@ f /n4/deep/g", ["/n4/deep/g"]],
  ["@ f /have", ["/have/f"]],
  ["@ f /link/g", ["/have/g"]],
  ["@ f /old", ["/old"]],
  ["@ d /n5", ["/n5/one", "/n5/sub/two"]],
  ["@ d/ /n6/", ["/n6/one", "/n6/sub/two"]],
  ["@ ./d/. /link/in", ["/have/in/one", "/have/in/sub/two"]],
  ["@ /d/sub /n7", ["/n7/two"]],
  ["@ d/../f /n8", ["/n8"]],
  ["@ l /n9", ["/n9"]],
  ["@ l /n10/", ["/n10/l"]],
  ["@ ld /n11", ["/n11/one", "/n11/sub/two"]],
  ["@ f rel", ["/rel"]],
  ["@ f //n12//x/../y//", ["/n12/y/f"]],
  ["@ f ../../n13", ["/n13"]],
  ["@ f /n14 with blanks/", ["/n14 with blanks/f"]],
];

vm.each(["ADD", "COPY"])("%s puts files where it should, and gives them to root", { retry: 0 }, async (word) => {
  const dir = lab.directory();
  const lines = PLACES.map(([line]) => `${line.replace("@", word)}\n`).join("");
  const prepared = "RUN mkdir /have; ln -s /have /link; echo old > /old; chown 5:6 /have /old; chmod 700 /have\n";
  lab.write(dir, {
    Dockerfile: `FROM busybox\n${prepared}WORKDIR /elsewhere\n${lines}`,
    f: { content: "1", mode: 0o640 },
    "d/one": { content: "2", mode: 0o755 },
    "d/sub/two": { content: "3" },
  });
  symlinkSync("f", join(dir, "l"));
  symlinkSync("d", join(dir, "ld"));
  builtId(await run([...lab.client, "build", "-t", "places", dir]));
  const kinds: Record<string, string> = { one: "755 2", two: "644 3" };
  const wanted = PLACES.flatMap(([, paths]) => paths).map(
    (path) => `${path} ${kinds[path.split("/").at(-1) ?? ""] ?? "640 1"} 0:0 1400000000`,
  );
  const script =
    "find /n* /have /old /rel -type f | sort | while read -r f; do " +
    'echo "$f $(stat -c %a "$f") $(cat "$f") $(stat -c "%u:%g %Y" "$f")"; done; stat -c "%n %a %u:%g" /have';
  const { stdout } = await lab.docker("run", "--rm", "places", "sh", "-c", script);
  expect(stdout.trim().split("\n")).toEqual([...wanted.sort(), "/have 700 5:6"]);
});

vm("ADD unpacks archives of every compression, COPY none, and the web's stay whole", { retry: 0 }, async () => {
  const tar = await contextOf({ "in/f": "Hi", l: { type: "symlink", link: "in/f" } });
  const packed: Record<string, RowFile> = { "a.tar": { content: tar } };
  for (const program of ["gzip", "bzip2", "xz", "zstd"]) {
    packed[`a.${program}`] = { content: spawnSync(program, ["-c"], { input: tar }).stdout };
  }
  const text = { content: spawnSync("gzip", ["-c"], { input: "no archive" }).stdout };
  const names = Object.keys(packed);
  lab.write(lab.webRoot, packed);
  const adds = names.map((name) => `ADD ${name} /add/${name}\nCOPY ${name} /copy/\nADD WEB/${name} /web/\n`).join("");
  const files: Record<string, RowFile> = { ...packed, "text.gz": text };
  await lab.follow(
    [
      {
        dockerfile: `FROM busybox\n${adds}ADD text.gz /text.gz\n`,
        files,
        runs: {
          "cat /add/*/l": "Hi".repeat(names.length),
          "ls /copy /web": `/copy:\n${names.sort().join("\n")}\n\n/web:\n${names.join("\n")}\n`,
          "stat -c '%a %u:%g %Y' /web/a.tar; stat -c %s /text.gz": `600 0:0 0\n${text.content.length}\n`,
        },
      },
      {
        dockerfile: "FROM busybox\nADD cut.tar /x\n",
        files: { "cut.tar": { content: tar.subarray(0, 513) } },
        fails: "Cannot unpack cut.tar: unexpected EOF",
      },
    ],
    "archives",
  );
  expect(await lab.docker("rm", ...(await lab.containers()))).toMatchObject({ stdout: "" });
});

vm("the cache knows a step by the image below, the words and the content", { retry: 0 }, async () => {
  const build: Build = {
    dockerfile: "FROM busybox\nENV A 1\nADD f /f\nRUN echo $RANDOM > /r\n",
    files: { f: "1", other: "1" },
  };
  const rest = { never: ["Running in"], image: "same" } as const;
  await lab.follow(
    [
      build,
      rest,
      // Neither comments, nor case and blanks around the words, nor files that are not added.
      { ...rest, dockerfile: "# why\nfrom busybox\n\n  ENV   A 1\n\tADD f /f\n# why\n RUN echo $RANDOM \\\n> /r\n" },
      { files: { other: "2" }, ...rest },
      { ...build, files: { f: "2" }, image: "other", says: ["Using cache", "Running in"] },
      { files: { f: { content: "2", mode: 0o600 } }, image: "other" },
      {
        ...build,
        ...rest,
        dockerfile: "FROM busybox\nENV A 1\nADD f /f\nRUN echo  $RANDOM > /r\n",
        image: "other",
        never: [],
      },
    ],
    "cache",
  );
});

vm("a context from the web: a Dockerfile, an archive, and what is neither", { retry: 0 }, async () => {
  const tar = await contextOf({ Dockerfile: "FROM busybox\nCOPY f /f\n", f: "packed" });
  lab.write(lab.webRoot, {
    alone: "FROM busybox\nRUN echo alone > /f\n",
    "all.tar": { content: tar },
    "all.tgz": { content: spawnSync("gzip", ["-c"], { input: tar }).stdout },
    "big.txt": "#".repeat(5 << 20),
    "cut.tgz": { content: spawnSync("gzip", ["-c"], { input: tar }).stdout.subarray(0, 60) },
    empty: "",
  });
  await lab.follow(
    [
      { from: "WEB/alone", runs: { "cat /f": "alone\n" } },
      { from: "WEB/all.tar", runs: { "cat /f": "packed" } },
      { from: "WEB/all.tgz", image: "same" },
      { from: "WEB/nowhere", fails: "Got HTTP status code >= 400: 404 Not Found" },
      { from: "WEB/empty", fails: "Dockerfile cannot be empty" },
      { from: "WEB/cut.tgz", fails: "unexpected EOF" },
      { from: "WEB/big.txt", fails: "is longer than 4194304 bytes" },
      { from: "http://127.0.0.1:9/x", fails: "connection refused" },
    ],
    "web",
  );
});

vm("triggers see the files of the build that runs them; the last FROM makes the image", { retry: 0 }, async () => {
  const triggers = "ONBUILD ADD f /f\nONBUILD ENV F /f\nONBUILD RUN cat $F > /g\nONBUILD NOSUCH x\n";
  await lab.follow(
    [{ dockerfile: `FROM busybox\n${triggers}`, runs: { "ls /f": "ls: /f: No such file or directory\n" } }],
    "base",
  );
  await lab.follow(
    [
      {
        dockerfile: "FROM base\nRUN cat /g\n",
        files: { f: "mine" },
        says: [
          "# Executing 4 build triggers\n",
          "Step onbuild-2 : RUN cat $F > /g\n",
          "# Skipping unknown instruction NOSUCH",
        ],
        inspect: { "Config.OnBuild": [] },
        runs: { "cat /g": "mine" },
      },
      { dockerfile: "FROM base\nFROM busybox\nENV A 1\n", says: ["Step onbuild-0", "Step 1 : FROM busybox\n"] },
      { runs: { 'ls /f; echo "$A$F"': "ls: /f: No such file or directory\n1\n" } },
    ],
    "child",
  );
  await lab.follow([{ dockerfile: "FROM busybox\nONBUILD RUN exit 3\n" }], "base");
  await lab.follow([{ dockerfile: "FROM base\n", args: ["--force-rm"], fails: "non-zero code: 3" }], "child");
});

vm("a command has no input and no terminal, and every byte of its output is shown", { retry: 0 }, async () => {
  const dockerfile =
    "FROM busybox\nRUN cat; tty; true\nRUN printf 'no line end'\nRUN printf '\\303'; sleep 0.1; printf '\\251\\n'\nRUN seq 60000\n";
  const lines = Array.from({ length: 60_000 }, (_, i) => i + 1).join("\n");
  const says = ["\nnot a tty\n", "\nno line end ---> ", "\n\u00e9\n", `\n${lines}\n`];
  await lab.follow([{ dockerfile, says }], "output");
  await lab.follow([{ dockerfile, args: ["-q", "--no-cache"], never: ["\nnot a tty", "\nno line end"] }], "output");
});

vm("two builds of one context at once do not disturb each other", { retry: 0 }, async () => {
  const dir = lab.directory();
  lab.write(dir, { Dockerfile: `FROM busybox\n${"ADD f /\nRUN cat /f >> /g\nENV A b\n".repeat(4)}`, f: "1" });
  const builds = ["one", "two", "three"].map((tag) => run([...lab.client, "build", "-t", `twins:${tag}`, dir]));
  for (const result of await Promise.all(builds)) {
    const { stdout } = await lab.docker("run", "--rm", builtId(result), "cat", "/g");
    expect(stdout).toBe("1111");
  }
  expect((await lab.docker("images", "twins")).stdout.match(/^twins /gm)).toHaveLength(3);
  expect(await lab.containers()).toEqual([]);
});

vm("who interrupts a build in the middle of a command has it stopped, and nothing stays", { retry: 0 }, async () => {
  const input = join(lab.directory(), "Dockerfile");
  lab.write(join(input, ".."), { Dockerfile: "FROM busybox\nRUN echo begun; sleep 300\n" });
  // In a terminal of its own, whose driver makes the signal of a key.
  const words = [...lab.client, "build", "--no-cache", "-"].map((word) => `'${word}'`).join(" ");
  const terminal = spawn("script", ["-qec", `${words} < ${input}`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const shown = await new Promise<string>((resolve) => {
    let text = "";
    terminal.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\nbegun")) resolve(text);
    });
  });
  expect(shown).toContain("Step 1 : RUN echo begun; sleep 300\r\n ---> Running in ");
  terminal.stdin.write("\x03");
  expect(await new Promise((resolve) => terminal.once("exit", resolve))).toBe(130);
  const deadline = Date.now() + 20_000;
  while ((await lab.containers()).length > 0 && Date.now() < deadline);
  expect(await lab.containers()).toEqual([]);
});
