/**
 * Images on one daemon, through the client of 2014 and today's: import, commit, tag, lists and their filters, history,
 * and what removing says and refuses.
 */

import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ok as written } from "../support/commands.ts";
import {
  clientWords,
  hasRoot,
  makeNetns,
  type Result,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { layer } from "../support/layers.ts";
import { ask, traces } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");

describe.runIf(isRoot)("images", () => {
  let netns: TestNetns;
  let daemon: TestDaemon;
  let registry: TestRegistry;
  const tar = (name: string) => layer({ name: "bin/" }, { name, content: name });

  beforeAll(async () => {
    netns = makeNetns();
    registry = await startRegistry(netns.prefix);
    await registry.push("busybox", [BUSYBOX, { layer: "two" }], { config: { Labels: { of: "test" } } });
    daemon = await startDaemon({ netns });
  });
  afterAll(async () => {
    await registry?.stop();
    if (daemon) expect(await daemon.remove()).toEqual([]);
    netns?.remove();
  });
  beforeEach(async () => {
    for (const { Id } of await rows("/containers/json?all=1")) await ask(daemon, "DELETE", `/containers/${Id}?force=1`);
    for (let left = 9; left > 0 && (await rows("/images/json?all=1")).length > 0; left--) {
      for (const { Id } of await rows("/images/json?all=1")) await ask(daemon, "DELETE", `/v1.24/images/${Id}?force=1`);
    }
    expect(await traces(daemon, daemon.root, [])).toEqual([]);
  });

  const ok = async (result: Promise<Result>) => (await written(result)).trim();
  const refusal = async (result: Promise<Result>) => {
    const { code, stderr } = await result;
    return `${code} ${stderr.replaceAll(/^\d{4}\/\d\d\/\d\d [\d:]+ /gm, "").trim()}`;
  };
  const rows = async (path: string) =>
    JSON.parse((await ask(daemon, "GET", path)).body) as { Id: string; RepoTags: string[]; RepoDigests: string[] }[];
  const words = () => clientWords(daemon);
  const imported = (input: Buffer, ...name: string[]) =>
    ok(run([...words(), "import", "-", ...name], { input }).then((done) => ({ ...done, stderr: "" })));
  /** Names of what a list shows. */
  const listed = async (...args: string[]) =>
    (await ok(daemon.today("images", "--format", "{{.Repository}}:{{.Tag}}", ...args)))
      .split("\n")
      .filter(Boolean)
      .sort();
  const listedOf2014 = async (...args: string[]) =>
    (await ok(daemon.docker("images", ...args)))
      .split("\n")
      .slice(1)
      .map((line) => line.split(/ {2,}/).slice(0, 2).join(":"))
      .sort();
  /** A chain of three: each a commit of the one before. */
  async function chain(): Promise<string[]> {
    const ids = [await imported(tar("base"), "base")];
    for (const name of ["middle", "top"]) {
      await ask(daemon, "POST", `/containers/create?name=${name}`, { Image: ids.at(-1), Cmd: ["x"] });
      ids.push(await ok(daemon.docker("commit", "-m", `made ${name}`, name, ...(name === "top" ? [name] : []))));
      await ok(daemon.docker("rm", name));
    }
    return ids;
  }

  test("import takes every compression, from standard input, a file and an address", async () => {
    const plain = tar("file");
    for (const program of ["cat", "gzip", "bzip2", "xz", "zstd"]) {
      const packed = spawnSync(program, { input: plain });
      if (packed.status === null) {
        console.log(`skipped: ${program} is not installed`);
        continue;
      }
      const id = await imported(packed.stdout, program);
      const shown = JSON.parse(await ok(daemon.docker("inspect", id)))[0];
      expect(shown).toMatchObject({
        Id: id,
        Parent: "",
        Comment: "Imported from -",
        Architecture: "amd64",
        Os: "linux",
        Size: 4,
      });
    }
    expect(await listed()).toEqual(["bzip2:latest", "cat:latest", "gzip:latest", "xz:latest", "zstd:latest"]);
    expect(await imported(plain)).toMatch(/^[0-9a-f]{64}$/);
    expect(await imported(plain, "named", "v1")).toMatch(/^[0-9a-f]{64}$/);
    const file = `${daemon.dir}/file.tar`;
    spawnSync("sh", ["-c", `cat > ${file}`], { input: plain });
    const today = await ok(daemon.today("import", "-m", "why", file, "from:file"));
    expect(today).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(JSON.parse(await ok(daemon.today("image", "inspect", "from:file")))[0].Comment).toBe("why");

    const server: Server = createServer((request, response) => {
      if (request.url === "/there.tar") response.writeHead(200, { "Content-Length": plain.length }).end(plain);
      else response.writeHead(404).end("no");
    });
    const own = await startDaemon({ netns: "none" });
    try {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const out = await ok(own.docker("import", `http://127.0.0.1:${port}/there.tar`, "fetched"));
      expect(out.split("\n")[0]).toContain(`Downloading from http://127.0.0.1:${port}/there.tar`);
      expect(out).toMatch(/[0-9a-f]{64}$/);
      expect(await refusal(own.docker("import", `http://127.0.0.1:${port}/not.tar`, "x"))).toContain(
        "Got HTTP status code >= 400: 404 Not Found",
      );
      expect(await refusal(own.docker("import", "ftp://127.0.0.1/x", "x"))).toContain(
        'unsupported protocol scheme "ftp"',
      );
      expect((await own.docker("images", "-q")).stdout.trim().split("\n")).toHaveLength(1);
    } finally {
      server.close();
      expect(await own.remove()).toEqual([]);
    }
    for (const [bad, text] of [
      [Buffer.alloc(0), "Error: EOF"],
      [Buffer.from("garbage".repeat(100)), "invalid tar header"],
      [plain.subarray(0, 700), "unexpected EOF"],
      [layer({ name: "../../x", content: "x" }), "lies outside"],
    ] as const) {
      expect(await refusal(run([...words(), "import", "-", "bad"], { input: Buffer.from(bad) }))).toContain(text);
    }
    expect(await listed("bad")).toEqual([]);
  });

  test("commit keeps what a container changed, and who said what about it", async () => {
    await ok(daemon.docker("pull", `${registry.address}/busybox`));
    const image = `${registry.address}/busybox`;
    const script =
      "echo new > /new; rm /layer; ln -s new /link; mkdir -m 700 /d; chmod 4711 /bin/busybox; mkfifo /f 2>/dev/null; true";
    await daemon.docker("run", "--name", "maker", "--net=none", "-e", "A=b", image, "sh", "-c", script);
    const id = await ok(
      daemon
        .docker("commit", "-a", "Ann <a@b>", "-m", "why", "--run", '{"Cmd":["cat","/new"]}', "maker", "made:v1")
        .then((r) => ({ ...r, stderr: "" })),
    );
    const shown = JSON.parse(await ok(daemon.docker("inspect", id)))[0];
    expect(shown).toMatchObject({
      Author: "Ann <a@b>",
      Comment: "why",
      Container: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(shown.ContainerConfig.Cmd).toEqual(["sh", "-c", script]);
    expect(
      await ok(
        daemon
          .docker(
            "run",
            "--rm",
            "--net=none",
            "made:v1",
            "sh",
            "-c",
            "cat /link; ls /layer; echo $A; stat -c %a /d /bin/busybox",
          )
          .then((r) => ({ ...r, code: 0, stderr: "" })),
      ),
    ).toBe("new\nb\n700\n4711");
    const again = await ok(daemon.today("commit", "-a", "Bob", "-c", "ENV C=d", "maker", "made:v2"));
    expect(again).toMatch(/^sha256:/);
    expect(JSON.parse(await ok(daemon.today("image", "inspect", "made:v2")))[0]).toMatchObject({
      Author: "Bob",
      Config: { Env: expect.arrayContaining(["C=d", "A=b"]) },
    });
    expect(await refusal(daemon.docker("commit", "nobody", "x"))).toContain("No such container: nobody");
    expect(await ok(daemon.docker("commit", "maker"))).toMatch(/^[0-9a-f]{64}$/);
    expect(await listed()).toEqual(["<none>:<none>", `${image}:latest`, "made:v1", "made:v2"].sort());
    const history = await ok(
      daemon.today("history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}", "made:v1"),
    );
    expect(history.split("\n")[0]).toBe(`sh -c ${script}|why`);
    expect((await ok(daemon.docker("history", "-q", "--no-trunc", "made:v1"))).split("\n")).toHaveLength(3);
  });

  test("tag gives names, moves them, and refuses what is none", async () => {
    const [one, two] = [await imported(tar("one"), "one"), await imported(tar("two"), "two")];
    await ok(daemon.docker("tag", one.slice(0, 12), "host:5000/team/app:v1"));
    await ok(daemon.today("tag", "host:5000/team/app:v1", "app"));
    await ok(daemon.docker("tag", "-f", "two", "app"));
    expect(await ok(daemon.docker("images", "-q", "--no-trunc", "app"))).toBe(two);
    expect(await listed()).toEqual(["app:latest", "host:5000/team/app:v1", "one:latest", "two:latest"]);
    expect(await refusal(daemon.docker("tag", "nope", "x"))).toContain("No such id: nope");
    expect((await ask(daemon, "POST", "/images/one/tag?repo=x&tag=a/b")).body).toBe("Illegal tag name: a/b\n");
    expect((await ask(daemon, "POST", "/images/one/tag?repo=")).body).toBe("Repository name can't be empty\n");
    expect(await listed()).toHaveLength(4);
  });

  test("images shows heads, all, the nameless, and what filters choose", async () => {
    const [, middle = "", top = ""] = await chain();
    const nameless = await imported(tar("nameless"));
    const pulled = `${registry.address}/busybox`;
    await ok(daemon.docker("pull", pulled));
    expect(await listedOf2014()).toEqual(["<none>:<none>", `${pulled}:latest`, "base:latest", "top:latest"].sort());
    expect((await ok(daemon.docker("images", "-aq", "--no-trunc"))).split("\n")).toEqual(
      expect.arrayContaining([middle, nameless, top]),
    );
    expect(await listedOf2014("-f", "dangling=true")).toEqual(["<none>:<none>"]);
    expect(await listedOf2014("t*")).toEqual(["top:latest"]);
    expect(await listedOf2014("nope")).toEqual([]);
    expect(await refusal(daemon.docker("images", "-f", "nope"))).toContain(
      "bad format of filter (expected name=value)",
    );
    expect(await listed("-f", "dangling=true")).toEqual(["<none>:<none>"]);
    expect(await listed("-f", "dangling=false")).toEqual([`${pulled}:latest`, "base:latest", "top:latest"].sort());
    expect(await listed("-f", "before=top")).toEqual(expect.arrayContaining(["base:latest"]));
    expect(await listed("-f", "since=base")).toEqual(expect.arrayContaining(["top:latest"]));
    expect(await listed("-f", "since=top")).not.toContain("base:latest");
    expect(await listed("-f", "label=of=test")).toEqual([`${pulled}:latest`]);
    expect(await listed("-f", "label=nope")).toEqual([]);
    expect(await listed("-f", "reference=*:latest")).toEqual(["base:latest", "top:latest"]);
    expect(await listed("base")).toEqual(["base:latest"]);
    expect(await refusal(daemon.today("images", "-f", "nope=1"))).toContain("Invalid filter 'nope'");
    expect(await refusal(daemon.today("images", "-f", "before=nope"))).toContain("No such");
    const digests = await ok(daemon.today("images", "--digests", "--format", "{{.Digest}}", pulled));
    expect(digests).toMatch(/^sha256:[0-9a-f]{64}$/);
    const tree = await ok(daemon.docker("images", "--tree"));
    expect(tree).toContain("└─");
    expect(await ok(daemon.docker("images", "--viz"))).toMatch(
      /^digraph docker \{\n[\s\S]* base \[style=invisible\]\n\}$/,
    );
  });

  test("history tells each step, for both clients", async () => {
    const ids = await chain();
    expect((await ok(daemon.docker("history", "-q", "--no-trunc", "top"))).split("\n")).toEqual([...ids].reverse());
    const today = (
      await ok(daemon.today("history", "--no-trunc", "--format", "{{.ID}} {{.Size}} {{.Comment}}", "top"))
    ).split("\n");
    expect(today.map((line) => line.split(" ")[0])).toEqual([...ids].reverse().map((id) => `sha256:${id}`));
    expect(today[0]).toContain("made top");
    expect(await refusal(daemon.docker("history", "nope"))).toContain("No such id: nope");
  });

  test("rmi removes an image and the nameless below it, or leaves them", async () => {
    const [base = "", middle = "", top = ""] = await chain();
    expect(await ok(daemon.docker("rmi", "top"))).toBe(`Untagged: top:latest\nDeleted: ${top}\nDeleted: ${middle}`);
    expect(await rows("/images/json?all=1")).toHaveLength(1);
    await ok(daemon.docker("rmi", "base"));
    const [, low = "", high = ""] = await chain();
    expect(await ok(daemon.docker("rmi", "--no-prune", "top"))).toBe(`Untagged: top:latest\nDeleted: ${high}`);
    expect(await refusal(daemon.docker("rmi", "base"))).toContain("0 ");
    expect((await rows("/images/json?all=1")).map(({ Id }) => Id)).toContain(low);
    expect(await ok(daemon.today("rmi", low.slice(0, 12)))).toMatch(
      new RegExp(`^Deleted: sha256:${low}\\nDeleted: sha256:[0-9a-f]{64}$`),
    );
    expect(base).not.toBe("");
  });

  test("rmi by name only takes the name while others are there; by id it asks", async () => {
    const id = await imported(tar("x"), "x");
    for (const name of ["x:second", "other/y"]) await ok(daemon.docker("tag", "x", name));
    expect(await ok(daemon.docker("rmi", "x:second"))).toBe("Untagged: x:second");
    const short = id.slice(0, 12);
    const multiple = `cannot delete image ${short} because it is tagged in multiple repositories, use -f to force`;
    expect(await refusal(daemon.docker("rmi", short))).toBe(
      `1 Error response from daemon: Conflict, ${multiple}\nError: failed to remove one or more images`,
    );
    expect(await refusal(daemon.today("rmi", short))).toContain(multiple);
    expect((await ok(daemon.today("rmi", "-f", short))).split("\n").sort()).toEqual([
      `Deleted: sha256:${id}`,
      "Untagged: other/y:latest",
      "Untagged: x:latest",
    ]);
    expect(await refusal(daemon.docker("rmi", "nope"))).toContain("No such image: nope");
    await imported(tar("x"), "x");
    expect(await refusal(daemon.docker("rmi", "x:nope"))).toContain("No such image: x:nope");
    expect(await refusal(daemon.docker("rmi", "nope", "x"))).toMatch(/^1 .*No such image: nope/);
    expect(await rows("/images/json?all=1")).toHaveLength(0);
  });

  test("rmi by digest forgets how an image came, and then the image", async () => {
    const name = `${registry.address}/busybox`;
    await ok(daemon.docker("pull", name));
    const [row] = await rows("/v1.24/images/json");
    const digest = row?.RepoDigests[0] as string;
    expect(digest).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}$`));
    expect(await ok(daemon.today("rmi", digest))).toBe(`Untagged: ${digest}`);
    expect(await ok(daemon.today("rmi", name))).toMatch(
      /^Untagged: .*busybox:latest\nDeleted: sha256:[0-9a-f]{64}\nDeleted: /,
    );
    await ok(daemon.today("pull", digest));
    expect(await listed()).toEqual([`${name}:<none>`]);
    await ok(daemon.docker("tag", digest, "other:name"));
    expect(await ok(daemon.today("rmi", "other:name"))).toBe("Untagged: other:name");
    const removed = await ok(daemon.today("rmi", digest));
    expect(removed).toMatch(new RegExp(`^Untagged: ${digest}\\nDeleted: sha256:`));
    expect(await rows("/images/json?all=1")).toHaveLength(0);
    // Our client, too, although 1.2.0's takes the name for a wrong one.
    await ok(daemon.docker("pull", digest));
    await ok(daemon.docker("rmi", digest));
    expect(await ok(daemon.docker("run", "--rm", "--net=none", digest, "echo", "by digest"))).toBe("by digest");
    await ok(daemon.docker("rmi", digest));
  });

  test("rmi refuses what containers need, running or not, and says which", async () => {
    const name = `${registry.address}/busybox`;
    await ok(daemon.docker("pull", name));
    const running = await ok(daemon.docker("run", "-d", "--net=none", name, "sleep", "1000"));
    const id = (await rows("/images/json"))[0]?.Id as string;
    const [image, container] = [id.slice(0, 12), running.slice(0, 12)];
    expect(await refusal(daemon.docker("rmi", name))).toContain(
      `Conflict, cannot delete ${image} because the running container ${container} is using it (docker untagged the image), stop it and use -f to force`,
    );
    await ok(daemon.docker("tag", id, name));
    expect(await refusal(daemon.docker("rmi", "-f", name))).toContain(
      `Conflict, cannot force delete ${image} because the running container ${container} is using it (docker untagged the image), stop it and retry`,
    );
    await ok(daemon.docker("stop", "-t", "0", running));
    expect(await refusal(daemon.docker("rmi", image))).toContain(
      `Conflict, cannot delete ${image} because the container ${container} is using it, use -f to force`,
    );
    expect(await ok(daemon.docker("rmi", "-f", image))).toMatch(/^Deleted: /);
    expect(await rows("/images/json?all=1")).toHaveLength(0);
    expect(await ok(daemon.docker("ps", "-aq", "--no-trunc"))).toBe(running);
    await ok(daemon.docker("rm", running));
  });
});
