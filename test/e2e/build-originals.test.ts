/**
 * What the original's own tests expect of builds, as they appear to a user: every test of its suite has a row here, in
 * words of our own, and is carried out by our client against our daemon.
 */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Build, BuildLab } from "../support/build-rows.ts";
import { contextOf } from "../support/builds.ts";
import { run } from "../support/daemon.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: builds need root");

let lab: BuildLab;
beforeAll(async () => {
  if (isRoot) lab = await BuildLab.start();
});
afterAll(async () => {
  if (isRoot) expect(await lab?.stop()).toEqual([]);
});

/** Builds one after the other, or what else has to be done. */
type Row = readonly Build[] | ((name: string) => Promise<void>);

/** An image with a user `mate`, to whom `/there` and what is in it belongs. */
const THERE =
  "FROM busybox\nRUN echo mate:x:1001:1001::/bin:/bin/false >> /etc/passwd; echo mate:x:1001: >> /etc/group; " +
  "mkdir /there; touch /there/old; chown -R mate:mate /there\n";
const owners = (...paths: string[]) => `stat -c '%n %U:%G %A' ${paths.join(" ")}`;
const MATES = "/there mate:mate drwxr-xr-x\n/there/old mate:mate -rw-r--r--\n";

/** What ADD and COPY have in common. */
function copies(word: "ADD" | "COPY"): Record<string, Row> {
  const name = word === "ADD" ? "Add" : "Copy";
  return {
    [`Test${name}SingleFileToRoot`]: [
      {
        dockerfile: `${THERE}${word} new /\n`,
        files: { new: "" },
        runs: { [owners("/new", "/there", "/there/old")]: `/new root:root -rw-r--r--\n${MATES}` },
      },
    ],
    // The point is the root, whatever the working directory.
    [`Test${name}SingleFileToWorkdir`]: [
      { dockerfile: `FROM busybox\n${word} new .\n`, files: { new: "" }, runs: { "ls -d /new": "/new\n" } },
      { dockerfile: `FROM busybox\nWORKDIR /tmp\n${word} new .\n`, runs: { "ls -d /new": "/new\n" } },
    ],
    [`Test${name}SingleFileToExistDir`]: [
      {
        dockerfile: `${THERE}${word} new /there/\n`,
        files: { new: "" },
        runs: { [owners("/there/new", "/there", "/there/old")]: `/there/new root:root -rw-r--r--\n${MATES}` },
      },
    ],
    [`Test${name}SingleFileToNonExistDir`]: [
      {
        dockerfile: `${THERE}${word} new /made/\n`,
        files: { new: "" },
        runs: {
          [owners("/made", "/made/new", "/there", "/there/old")]:
            `/made root:root drwxr-xr-x\n/made/new root:root -rw-r--r--\n${MATES}`,
        },
      },
    ],
    [`Test${name}DirContentToRoot`]: [
      {
        dockerfile: `${THERE}${word} d /\n`,
        files: { "d/new": "" },
        runs: {
          [owners("/new", "/there", "/there/old")]: `/new root:root -rw-r--r--\n${MATES}`,
          "ls -d /d": "ls: /d: No such file or directory\n",
        },
      },
    ],
    [`Test${name}DirContentToExistDir`]: [
      {
        dockerfile: `${THERE}${word} d/ /there/\n`,
        files: { "d/new": "" },
        runs: { [owners("/there/new", "/there", "/there/old")]: `/there/new root:root -rw-r--r--\n${MATES}` },
      },
    ],
    [`Test${name}WholeDirToRoot`]: [
      {
        dockerfile: `${THERE}${word} d /d\n`,
        files: { "d/new": "" },
        runs: {
          [owners("/d", "/d/new", "/there", "/there/old")]:
            `/d root:root drwxr-xr-x\n/d/new root:root -rw-r--r--\n${MATES}`,
        },
      },
    ],
    [`Test${name}EtcToRoot`]: [
      { dockerfile: `FROM scratch\n${word} . /\n`, files: { "etc/passwd": "root:x:0:0:::\n" } },
      { dockerfile: `FROM busybox\n${word} . /\n`, runs: { "cat /etc/passwd": "root:x:0:0:::\n", whoami: "root\n" } },
    ],
  };
}

/** The same Dockerfile twice, with the cache and without. */
function cached(subject: string, build: Build): Record<string, Row> {
  return {
    [`Test${subject}WithCache`]: [build, { image: "same", says: [" ---> Using cache\n"] }],
    [`Test${subject}WithoutCache`]: [
      build,
      { args: ["--no-cache"], image: "other", never: ["Using cache"] },
      { args: ["--no-cache=false"] },
    ],
  };
}

/** What a configuration becomes. */
const configured = (lines: string, inspect: Record<string, unknown>): Row => [
  { dockerfile: `FROM scratch\n${lines}\n`, inspect },
];

/** `USER` in both forms, and who runs then: user, group, all groups. */
const WHO: Record<string, string> = {
  root: "0:0 root:root 0 10 root wheel",
  mate: "1001:1001 mate:mate 1001 1002 mate more",
  "1001": "1001:1001 mate:mate 1001 1002 mate more",
  "mate:mate": "1001:1001 mate:mate 1001 mate",
  "1001:mate": "1001:1001 mate:mate 1001 mate",
  "mate:1001": "1001:1001 mate:mate 1001 mate",
  "1001:1001": "1001:1001 mate:mate 1001 mate",
  "mate:more": "1001:1002 mate:more 1002 more",
  "mate:1002": "1001:1002 mate:more 1002 more",
  "1001:more": "1001:1002 mate:more 1002 more",
  "1001:1002": "1001:1002 mate:more 1002 more",
};
const AM = `echo "$(id -u):$(id -g) $(id -un):$(id -gn) $(id -G) $(id -Gn)"`;

/** A tar archive with an owner and a file in a directory that has no entry. */
const archived = () => contextOf({ "deep/inside": "Hi" }).then((bytes) => ({ content: bytes }));

const ROWS: Record<string, Row> = {
  TestBuildCacheADD: async (name) => {
    lab.write(lab.webRoot, { "one.txt": "1", "two.txt": "2" });
    await lab.follow(
      [
        { dockerfile: "FROM scratch\nADD WEB/one.txt /\n" },
        { dockerfile: "FROM scratch\nADD WEB/two.txt /\n", image: "other", never: ["Using cache"] },
      ],
      name,
    );
  },
  TestBuildSixtySteps: [
    { dockerfile: `FROM scratch\n${"ADD f /\n".repeat(59)}`, files: { f: "1" }, says: ["Step 59 : ADD f /\n"] },
    { image: "same", says: ["Using cache"], never: ["Removing"] },
  ],
  ...copies("ADD"),
  ...copies("COPY"),
  TestCopyDisallowRemote: [
    { dockerfile: "FROM busybox\nCOPY https://example.com/x /\n", fails: "Source can't be an URL for COPY" },
    {
      dockerfile: "FROM busybox\nCOPY https://example.com/x /\n",
      files: { x: "" },
      fails: "Source can't be an URL for COPY",
    },
  ],
  TestBuildWithInaccessibleFilesInContext: async () => {
    const dir = lab.directory();
    const asNobody = (context: string, ...args: string[]) =>
      run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...lab.client, "build", ...args, context]);
    for (const path of [lab.daemon.dir, join(dir, ".."), dir]) chmodSync(path, 0o755);
    chmodSync(lab.daemon.socket, 0o666);
    const files = { Dockerfile: "FROM busybox\nADD . /c/\n", "closed/f": { content: "", mode: 0o700 } };
    lab.write(dir, { "file/Dockerfile": files.Dockerfile, "file/f": { content: "", mode: 0o700 } });
    const file = await asNobody(join(dir, "file"));
    expect(file.code).not.toBe(0);
    expect(file.stderr).toContain("Error checking context is accessible");
    expect(file.stderr).toContain("no permission to read from ");
    for (const kind of ["closed", "ignored"]) {
      lab.write(join(dir, kind), files);
      chmodSync(join(dir, kind, "closed"), 0o444);
    }
    const closed = await asNobody(join(dir, "closed"));
    expect(closed.code).not.toBe(0);
    expect(closed.stderr).toContain("Error checking context is accessible");
    expect(closed.stderr).toContain("can't stat");
    // What is left out need not be readable, and where a link leads does not matter.
    lab.write(join(dir, "ignored"), { ".dockerignore": "closed" });
    const ignored = await asNobody(join(dir, "ignored"), "--force-rm");
    expect(ignored, ignored.stderr).toMatchObject({ code: 0 });
    lab.write(dir, { "links/Dockerfile": files.Dockerfile });
    symlinkSync("../closed", join(dir, "links/l"));
    symlinkSync("/nowhere", join(dir, "links/dangling"));
    const links = await asNobody(join(dir, "links"), "--force-rm");
    expect(links, links.stderr).toMatchObject({ code: 0 });
  },
  TestBuildForceRm: async (name) => {
    const before = await lab.containers();
    const failing: Build = { dockerfile: "FROM busybox\nRUN true\nRUN nosuchprogram\n", fails: "non-zero code: 127" };
    await lab.follow([{ ...failing, args: ["--force-rm"] }], name);
    expect(await lab.containers()).toEqual(before);
    // Without it the container of the step that failed is there to be looked at.
    await lab.follow([failing], name);
    const [kept = "", ...others] = await lab.containers();
    expect(others).toEqual(before);
    expect((await lab.docker("rm", kept)).code).toBe(0);
  },
  TestBuildRm: async (name) => {
    const before = await lab.containers();
    const build: Build = { dockerfile: "FROM busybox\nADD f /\nRUN true\nADD f /\n", files: { f: "1" } };
    await lab.follow([{ ...build, args: ["--rm"] }, { args: ["--no-cache"] }], name);
    expect(await lab.containers()).toEqual(before);
    await lab.follow([{ ...build, args: ["--rm=false", "--no-cache"], never: ["Removing"] }], name);
    const kept = (await lab.containers()).slice(0, 3);
    expect(await lab.containers()).toEqual([...kept, ...before]);
    expect((await lab.docker("rm", ...kept)).code).toBe(0);
  },
  TestBuildWithVolumes: configured('VOLUME /one\nVOLUME /two\nVOLUME ["/three", "/four"]', {
    "Config.Volumes": { "/one": {}, "/two": {}, "/three": {}, "/four": {} },
  }),
  TestBuildMaintainer: configured("MAINTAINER somebody", { Author: "somebody" }),
  TestBuildUser: [
    {
      dockerfile: `${THERE}USER mate\nRUN [ "$(whoami)" = mate ]\n`,
      inspect: { "Config.User": "mate" },
      runs: { whoami: "mate\n" },
    },
  ],
  TestBuildRelativeWorkdir: [
    {
      dockerfile:
        "FROM busybox\nRUN echo at-$PWD\nWORKDIR a\nRUN echo at-$PWD\nWORKDIR /b\nRUN echo at-$PWD\nWORKDIR c\nRUN echo at-$PWD\n",
      says: ["\nat-/\n", "\nat-/a\n", "\nat-/b\n", "\nat-/b/c\n"],
      inspect: { "Config.WorkingDir": "/b/c" },
      runs: { pwd: "/b/c\n" },
    },
  ],
  TestBuildEnv: [
    {
      dockerfile: "FROM busybox\nENV PORT 2375\nRUN env | grep PORT\n",
      says: ["\nPORT=2375\n"],
      inspect: {
        "Config.Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PORT=2375"],
      },
    },
  ],
  TestBuildCmd: configured('CMD ["/bin/echo", "two words"]', { "Config.Cmd": ["/bin/echo", "two words"] }),
  TestBuildExpose: configured("EXPOSE 2375", { "Config.ExposedPorts": { "2375/tcp": {} } }),
  TestBuildEntrypoint: configured('ENTRYPOINT ["/bin/echo"]', {
    "Config.Entrypoint": ["/bin/echo"],
    "Config.Cmd": null,
  }),
  TestBuildOnBuildLimitedInheritence: async (name) => {
    const told = "\nas a trigger\n";
    await lab.follow([{ dockerfile: "FROM busybox\nONBUILD RUN echo as a trigger\n", never: [told] }], `${name}-1`);
    await lab.follow(
      [{ dockerfile: `FROM ${name}-1\n`, says: ["Step onbuild-0 : RUN echo as a trigger\n", told] }],
      `${name}-2`,
    );
    await lab.follow([{ dockerfile: `FROM ${name}-2\n`, never: [told, "Step onbuild"] }], `${name}-3`);
  },
  ...cached("Build", { dockerfile: 'FROM scratch\nMAINTAINER somebody\nEXPOSE 5432\nENTRYPOINT ["/bin/echo"]\n' }),
  ...cached("BuildADDLocalFile", {
    dockerfile: 'FROM busybox\nMAINTAINER somebody\nADD f /usr/lib/some/g\nRUN [ "$(cat /usr/lib/some/g)" = 1 ]\n',
    files: { f: "1" },
  }),
  TestBuildADDCurrentDirWithCache: [
    { dockerfile: "FROM scratch\nMAINTAINER somebody\nADD . /usr/lib/some\n", files: { f: "1" } },
    { files: { more: "2" }, image: "other" },
    { files: { f: "3" }, image: "other" },
    // The same content at another time is something else, unless it is less than a second.
    { files: { f: { content: "3", mtime: 1_400_000_001 } }, image: "other" },
    { files: { f: { content: "3", mtime: 1_400_000_001.5 } }, image: "same" },
    { image: "same" },
  ],
  TestBuildADDCurrentDirWithoutCache: [
    { dockerfile: "FROM scratch\nMAINTAINER somebody\nADD . /usr/lib/some\n", files: { f: "1" } },
    { args: ["--no-cache"], image: "other" },
  ],
  ...cached("BuildADDRemoteFile", { dockerfile: "FROM scratch\nMAINTAINER somebody\nADD WEB/w /usr/lib/w/v\n" }),
  ...cached("BuildADDLocalAndRemoteFiles", {
    dockerfile: "FROM scratch\nMAINTAINER somebody\nADD f /usr/lib/some/g\nADD WEB/w /usr/lib/w/v\n",
    files: { f: "1" },
  }),
  TestContextTarGzip: [
    {
      dockerfile: 'FROM busybox\nADD f /f\nCMD ["cat", "/f"]\n',
      files: { f: "sent\n" },
      as: "gzip",
      runs: { "cat /f": "sent\n" },
    },
    { as: "bzip2", image: "same" },
    { as: "xz", image: "same" },
  ],
  TestContextTarNoCompression: [
    { dockerfile: 'FROM busybox\nADD f /f\nCMD ["cat", "/f"]\n', files: { f: "sent\n" }, as: "tar" },
  ],
  TestNoContext: async (name) => {
    await lab.follow([{ dockerfile: "FROM busybox\nCMD echo fine\n" }], name);
    expect(await lab.docker("run", "--rm", name)).toMatchObject({ code: 0, stdout: "fine\n" });
  },
  TestBuildWithVolumeOwnership: [
    {
      dockerfile: "FROM busybox\nRUN mkdir /v && chown daemon:daemon /v && chmod 0600 /v\nVOLUME /v\n",
      runs: { [owners("/v")]: "/v daemon:daemon drw-------\n" },
    },
  ],
  TestBuildEntrypointRunCleanup: [
    { dockerfile: "FROM busybox\nRUN echo some\n" },
    {
      dockerfile: 'FROM busybox\nRUN echo some\nADD f /f\nENTRYPOINT ["/bin/echo"]\n',
      files: { f: "1" },
      says: ["Using cache"],
      inspect: { "Config.Cmd": null },
    },
  ],
  TestBuildForbiddenContextPath: [
    {
      dockerfile: "FROM scratch\nADD ../../ some/\n",
      files: { f: "1" },
      fails: "Forbidden path outside the build context: ../../ ",
    },
  ],
  TestBuildADDFileNotFound: [
    { dockerfile: "FROM scratch\nADD f /g\n", files: { other: "1" }, fails: "f: no such file or directory" },
  ],
  TestBuildInheritance: async (name) => {
    await lab.follow([{ dockerfile: "FROM scratch\nEXPOSE 2375\n" }], `${name}-1`);
    const inspect = { "Config.Entrypoint": ["/bin/echo"], "Config.ExposedPorts": { "2375/tcp": {} } };
    await lab.follow([{ dockerfile: `FROM ${name}-1\nENTRYPOINT ["/bin/echo"]\n`, inspect }], name);
  },
  TestBuildFails: async () => {
    const { code, stderr } = await run([...lab.client, "build", "--force-rm", "-"], {
      input: 'FROM busybox\nRUN sh -c "exit 23"\n',
    });
    expect(stderr).toContain('The command [/bin/sh -c sh -c "exit 23"] returned a non-zero code: 23');
    // Clients of today get the code of the command: see the other builds.
    expect(code).toBe(1);
  },
  TestBuildFailsDockerfileEmpty: [
    { dockerfile: "", fails: "Dockerfile cannot be empty" },
    { dockerfile: "", files: { f: "1" }, fails: "Dockerfile cannot be empty" },
  ],
  TestBuildOnBuild: async (name) => {
    await lab.follow([{ dockerfile: "FROM busybox\nONBUILD RUN touch made\n" }], `${name}-1`);
    await lab.follow([{ dockerfile: `FROM ${name}-1\nRUN [ -f made ]\n` }], name);
  },
  TestBuildOnBuildForbiddenChained: [
    {
      dockerfile: "FROM busybox\nONBUILD ONBUILD RUN touch made\n",
      fails: "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
    },
  ],
  TestBuildOnBuildForbiddenFrom: [
    { dockerfile: "FROM busybox\nONBUILD FROM scratch\n", fails: "FROM isn't allowed as an ONBUILD trigger" },
  ],
  TestBuildOnBuildForbiddenMaintainer: [
    { dockerfile: "FROM busybox\nONBUILD MAINTAINER x\n", fails: "MAINTAINER isn't allowed as an ONBUILD trigger" },
  ],
  TestBuildAddToSymlinkDest: [
    {
      dockerfile: "FROM busybox\nRUN mkdir /real && ln -s /real /link\nADD f /link/\n",
      files: { f: "1" },
      runs: { "ls -d /link/f /real/f; readlink /link": "/link/f\n/real/f\n/real\n" },
    },
  ],
  TestBuildEscapeWhitespace: [
    // A name in quotes is read as JSON on its way to the client.
    {
      dockerfile: '\n  FROM scratch\n  MAINTAINER "Studio \\\nOne <one@\\\nexample.com>"\n  ',
      inspect: { Author: "Studio One <one@example.com>" },
    },
  ],
  TestDockerignore: [
    {
      dockerfile: "FROM busybox\nADD . /c\n",
      files: {
        Makefile: "all:\n",
        ".git/HEAD": "ref: x\n",
        "src/x.c": "",
        "src/_other/v.c": "",
        ".gitignore": "",
        "README.md": "",
        "src/inner.md": "",
        ".dockerignore": ".git\nabsent\n.gitignore\nsrc/_other\n*.md",
      },
      runs: {
        "cd /c; find . -type f | sort": "./.dockerignore\n./Dockerfile\n./Makefile\n./src/inner.md\n./src/x.c\n",
      },
    },
  ],
  TestDockerignoringDockerfile: [
    {
      dockerfile: "FROM scratch\n",
      files: { ".dockerignore": "Dockerfile\n" },
      fails: "Dockerfile was excluded by .dockerignore pattern 'Dockerfile'",
    },
  ],
  TestDockerignoringWholeDir: [
    {
      dockerfile: "FROM busybox\nCOPY . /\n",
      files: { Makefile: "all:\n", ".gitignore": "", ".dockerignore": ".*\n" },
      runs: { "ls -d /Makefile /.gitignore": "ls: /.gitignore: No such file or directory\n/Makefile\n" },
    },
  ],
  TestBuildLineBreak: [
    {
      dockerfile: "FROM  busybox\nRUN    sh -c 'echo a:b \\\n\t> /tmp/f'\nRUN\tmkdir -p /var/run/d\n",
      runs: { "cat /tmp/f; ls -d /var/run/d": "a:b\n/var/run/d\n" },
    },
  ],
  TestBuildEOLInLine: [
    {
      dockerfile: 'FROM   busybox\nRUN    echo "x \\n y"; echo z\nRUN    echo done > /f\n',
      says: ["\nz\n"],
      runs: { "cat /f": "done\n" },
    },
  ],
  TestBuildCommentsShebangs: [
    {
      dockerfile:
        "FROM busybox\n# About this.\nRUN { echo '#!/bin/sh'; echo 'echo hello'; } > /f\nRUN [ ! -x /f ]\n" +
        "# This comment does not go on \\\nRUN chmod +x /f\n",
      runs: { "cat /f; /f": "#!/bin/sh\necho hello\nhello\n" },
    },
  ],
  TestBuildUsersAndGroups: [
    {
      dockerfile: `${THERE}RUN echo more:x:1002:mate >> /etc/group\nRUN ${AM}\n${Object.keys(WHO)
        .map((user) => `USER ${user}\nRUN ${AM}\n`)
        .join("")}USER 1042:1043\nRUN echo $(id -u):$(id -g) $(id -G)\n`,
      says: [...Object.values(WHO).map((line) => `\n${line}\n`), "\n1042:1043 1043\n"],
    },
  ],
  TestBuildEnvUsage: [
    {
      dockerfile:
        "FROM busybox\nENV    ONE /one/two\nENV    TWO /two\nENV    THREE $TWO\nENV    LONG $PATH:$ONE\n" +
        "ENV\t   SRC some/where/f\nENV    DEST /else/where/g\nADD    $SRC ${DEST}\n",
      files: { "some/where/f": "found" },
      runs: { 'cat $DEST; [ "$THREE" = "$TWO" ] && [ "$LONG" = "$PATH:/one/two" ] && echo .': "found.\n" },
    },
  ],
  TestBuildAddScript: [
    {
      dockerfile: 'FROM busybox\nADD f /f\nRUN ["chmod","+x","/f"]\nRUN ["/f"]\n',
      files: { f: "#!/bin/sh\necho made > /g" },
      runs: { "cat /g": "made\n" },
    },
  ],
  TestBuildAddTar: async (name) => {
    const places = ["/", "/f.tar", "/made", "/made-too/", "/there", "/there-too/"];
    const adds = places.map((place) => `ADD f.tar ${place}\n`).join("");
    const found = places.map((place) => join(place, "deep/inside"));
    await lab.follow(
      [
        {
          dockerfile: `FROM busybox\nRUN mkdir /there /there-too\n${adds}`,
          files: { "f.tar": await archived() },
          runs: { [`ls ${found.join(" ")}`]: `${found.sort().join("\n")}\n` },
        },
      ],
      name,
    );
  },
  TestBuildFromGIT: async (name) => {
    const repository = join(lab.directory(), "repository");
    mkdirSync(repository);
    lab.write(repository, { Dockerfile: "FROM busybox\n\t ADD f /f\n\t RUN [ -f /f ]\n MAINTAINER git\n", f: "1" });
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    const git = (...args: string[]) => {
      const { status, stderr } = spawnSync("git", ["-C", repository, ...identity, ...args], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
    };
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "first");
    // Served as plain files, which git understands, too.
    git("update-server-info");
    renameSync(join(repository, ".git"), join(lab.webRoot, "repository.git"));
    const inspect = { Author: "git" };
    await lab.follow([{ from: "WEB/repository.git", inspect, runs: { "cat /f": "1" } }], name);
    expect(await run([...lab.client, "build", `${lab.web}/nowhere.git`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Error trying to use git: exit status 128 (Cloning into "),
    });
  },
  TestBuildCleanupCmdOnEntrypoint: async (name) => {
    await lab.follow([{ dockerfile: 'FROM scratch\nCMD ["x"]\nENTRYPOINT ["echo"]\n' }], `${name}-1`);
    const inspect = { "Config.Cmd": null, "Config.Entrypoint": ["cat"] };
    await lab.follow([{ dockerfile: `FROM ${name}-1\nENTRYPOINT ["cat"]\n`, inspect }], name);
  },
};

/** Tests of other files in the same suite that look at what a build has made. */
const ELSEWHERE: Record<string, Row> = {
  "docker_cli_history_test.go TestBuildHistory": async (name) => {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const lines = [...letters].map((letter) => `ENV LETTER ${letter}\n`).join("");
    await lab.follow([{ dockerfile: `FROM busybox\n${lines}` }], name);
    const { stdout } = await lab.docker("history", "--no-trunc", name);
    const shown = [...stdout.matchAll(/ENV LETTER=(\w)/g)].map(([, letter]) => letter);
    expect(shown.reverse().join("")).toBe(letters);
  },
  "docker_cli_images_test.go TestImagesOrderedByCreationDate": async (name) => {
    const made: string[] = [];
    for (const tag of ["a", "c", "b"]) {
      await lab.follow([{ dockerfile: `FROM scratch\nMAINTAINER ${tag}\n` }], `${name}:${tag}`);
      made.push((await lab.docker("inspect", "-f", "{{.Id}}", `${name}:${tag}`)).stdout.trim());
      // The list knows seconds only.
      await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)));
    }
    const { stdout } = await lab.docker("images", "-q", "--no-trunc");
    expect(stdout.split("\n").filter((id) => made.includes(id))).toEqual(made.reverse());
  },
  "docker_cli_events_test.go TestCLIGetEventsImageUntagDelete": async (name) => {
    await lab.follow([{ dockerfile: "FROM scratch\nMAINTAINER untagged\n" }], name);
    expect((await lab.docker("rmi", name)).code).toBe(0);
    const { stdout } = await lab.docker("events", "--since=0", `--until=${Math.floor(Date.now() / 1000)}`);
    const events = stdout.trim().split("\n").slice(-2);
    expect(events.map((line) => line.split(" ").at(-1))).toEqual(["untag", "delete"]);
  },
  "docker_cli_rm_test.go TestContainerOrphaning": async (name) => {
    await lab.follow([{ dockerfile: 'FROM busybox\nENTRYPOINT ["/bin/true"]\n' }], name);
    const first = (await lab.docker("inspect", "-f", "{{.Id}}", name)).stdout.trim();
    expect((await lab.docker("run", "--name", name, name)).code).toBe(0);
    await lab.follow([{ dockerfile: 'FROM busybox\nENTRYPOINT ["/bin/true"]\nMAINTAINER x\n' }], name);
    expect((await lab.docker("rmi", name)).code).not.toBe(0);
    // No name leads to it any more, but it is there.
    expect((await lab.docker("inspect", "-f", "{{.Id}}", first)).stdout.trim()).toBe(first);
    expect((await lab.docker("rm", name)).code).toBe(0);
  },
  "docker_cli_run_test.go TestCreateVolumeWithSymlink": async (name) => {
    await lab.follow([{ dockerfile: "FROM busybox\nRUN mkdir /real && ln -s /real /link\n" }], name);
    const mounted = ["grep", "-c", " /real/v ", "/proc/self/mountinfo"];
    expect(await lab.docker("run", "-v", "/link/v", "--name", name, name, ...mounted)).toMatchObject({ stdout: "1\n" });
    const path = (await lab.docker("inspect", "-f", "{{range .Volumes}}{{.}}{{end}}", name)).stdout.trim();
    expect((await lab.docker("rm", "-v", name)).code).toBe(0);
    expect(() => readFileSync(path)).toThrow("ENOENT");
  },
  "docker_cli_run_test.go TestVolumesFromSymlinkPath": async (name) => {
    const dockerfile = 'FROM busybox\nRUN mkdir /real && ln -s /real /link\nVOLUME ["/link/v"]\n';
    await lab.follow([{ dockerfile }], name);
    expect(await lab.docker("run", "--name", name, name, "true")).toMatchObject({ code: 0 });
    const seen = await lab.docker("run", "--rm", "--volumes-from", name, "busybox", "ls", "/link");
    expect(seen).toMatchObject({ stdout: "v\n" });
    expect((await lab.docker("rm", "-v", name)).code).toBe(0);
  },
  "docker_cli_run_test.go TestCopyVolumeUidGid": async (name) => {
    await lab.follow([{ dockerfile: THERE }], name);
    const { stdout } = await lab.docker("run", "--rm", "-v", "/there", name, "stat", "-c", "%U:%G", "/there");
    expect(stdout).toBe("mate:mate\n");
  },
  "docker_cli_run_test.go TestCopyVolumeContent": async (name) => {
    await lab.follow([{ dockerfile: "FROM busybox\nRUN mkdir -p /v/w && echo kept > /v/w/f\n" }], name);
    expect(await lab.docker("run", "--rm", "-v", "/v", name, "cat", "/v/w/f")).toMatchObject({ stdout: "kept\n" });
  },
  "docker_cli_run_test.go TestRunCleanupCmdOnEntrypoint": async (name) => {
    await lab.follow([{ dockerfile: 'FROM busybox\nENTRYPOINT ["echo"]\nCMD ["x"]\n' }], name);
    expect(await lab.docker("run", "--rm", "--entrypoint", "whoami", name)).toMatchObject({ stdout: "root\n" });
  },
};

/** The tests of `integration-cli/docker_cli_build_test.go`, in its order, without the `Test` before each. */
const ORIGINALS = `
  BuildCacheADD BuildSixtySteps AddSingleFileToRoot AddSingleFileToWorkdir AddSingleFileToExistDir
  AddSingleFileToNonExistDir AddDirContentToRoot AddDirContentToExistDir AddWholeDirToRoot AddEtcToRoot
  CopySingleFileToRoot CopySingleFileToWorkdir CopySingleFileToExistDir CopySingleFileToNonExistDir
  CopyDirContentToRoot CopyDirContentToExistDir CopyWholeDirToRoot CopyEtcToRoot CopyDisallowRemote
  BuildWithInaccessibleFilesInContext BuildForceRm BuildRm BuildWithVolumes BuildMaintainer BuildUser
  BuildRelativeWorkdir BuildEnv BuildCmd BuildExpose BuildEntrypoint BuildOnBuildLimitedInheritence
  BuildWithCache BuildWithoutCache BuildADDLocalFileWithCache BuildADDLocalFileWithoutCache
  BuildADDCurrentDirWithCache BuildADDCurrentDirWithoutCache BuildADDRemoteFileWithCache
  BuildADDRemoteFileWithoutCache BuildADDLocalAndRemoteFilesWithCache ContextTarGzip ContextTarNoCompression
  NoContext BuildADDLocalAndRemoteFilesWithoutCache BuildWithVolumeOwnership BuildEntrypointRunCleanup
  BuildForbiddenContextPath BuildADDFileNotFound BuildInheritance BuildFails BuildFailsDockerfileEmpty
  BuildOnBuild BuildOnBuildForbiddenChained BuildOnBuildForbiddenFrom BuildOnBuildForbiddenMaintainer
  BuildAddToSymlinkDest BuildEscapeWhitespace Dockerignore DockerignoringDockerfile DockerignoringWholeDir
  BuildLineBreak BuildEOLInLine BuildCommentsShebangs BuildUsersAndGroups BuildEnvUsage BuildAddScript
  BuildAddTar BuildFromGIT BuildCleanupCmdOnEntrypoint
`
  .trim()
  .split(/\s+/);

test("every test of the original has its row", () => {
  expect(ORIGINALS).toHaveLength(69);
  expect(Object.keys(ROWS).sort()).toEqual(ORIGINALS.map((name) => `Test${name}`).sort());
});

test.runIf(isRoot).each(Object.entries({ ...ROWS, ...ELSEWHERE }))("%s", { retry: 0 }, async (origin, row) => {
  const name = (origin.split(" ").at(-1) ?? "").toLowerCase();
  lab.write(lab.webRoot, { w: "from the web" });
  if (typeof row === "function") await row(name);
  else await lab.follow(row, name);
});
