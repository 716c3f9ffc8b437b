/**
 * Builds written as data: what goes in, and what a user then sees.
 */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { builtId, contextOf } from "./builds.ts";
import { DRYDOCK, type Result, run, startDaemon, type TestDaemon } from "./daemon.ts";

/** A file of a context: its content, or more of it; times are seconds. */
export type RowFile = string | { readonly content: string | Buffer; readonly mode?: number; readonly mtime?: number };

/** One build with our client. */
export interface Build {
  /** `WEB` in it stands for the address of the test's web server. */
  readonly dockerfile?: string;
  /** Files that come into the context, beside those of the builds before; with none at all the Dockerfile goes alone. */
  readonly files?: Readonly<Record<string, RowFile>>;
  /** How the context goes; default: `directory` when there are files, else `stdin`. */
  readonly as?: "directory" | "stdin" | "tar" | "gzip" | "bzip2" | "xz";
  /** An address in the place of a context. */
  readonly from?: string;
  readonly args?: readonly string[];
  /** What the error says; without it the build has to succeed. */
  readonly fails?: string;
  /** Lines or parts of lines that are shown, … */
  readonly says?: readonly string[];
  /** … and that are not. */
  readonly never?: readonly string[];
  /** Whether it is the image of the build before. */
  readonly image?: "same" | "other";
  /** Expressions for `inspect`, and what they give as JSON. */
  readonly inspect?: Readonly<Record<string, unknown>>;
  /** Shell commands in a container of the image, and what they print. */
  readonly runs?: Readonly<Record<string, string>>;
}

/** The moment of every file that says no other. */
const MTIME = 1_400_000_000;

const APPLETS =
  "[ [[ awk cat chmod chown cp cut env echo false find grep head id ln ls mkdir mount mv printf pwd readlink rm sed seq sh sleep sort " +
  "stat tail test touch tr true tty wc whoami";

/** A daemon with an image `busybox`, a client and a web server beside it. */
export class BuildLab {
  readonly daemon: TestDaemon;
  readonly #web: Server;
  readonly #dir: string;

  private constructor(daemon: TestDaemon, web: Server) {
    this.daemon = daemon;
    this.#web = web;
    this.#dir = mkdtempSync(join(daemon.dir, "lab-"));
    mkdirSync(this.webRoot);
  }

  /** Starts a daemon without a bridge: the web server is on its loopback. */
  static async start(): Promise<BuildLab> {
    const daemon = await startDaemon({ netns: "none" });
    const web = createServer((request, response) => {
      const path = join(lab.webRoot, new URL(request.url ?? "/", "http://x").pathname);
      if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end();
      response.writeHead(200, { "Last-Modified": statSync(path).mtime.toUTCString() });
      createReadStream(path).pipe(response);
    });
    const lab = new BuildLab(daemon, web);
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", () => resolve()));
    const links = Object.fromEntries(
      APPLETS.split(" ").map((name) => [`bin/${name}`, { type: "symlink", link: "busybox" }]),
    );
    const archive = await contextOf({
      "bin/busybox": { content: readFileSync("/usr/bin/busybox").toString("latin1"), mode: 0o755 },
      ...links,
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n",
      "etc/group": "root:x:0:\ndaemon:x:1:\nwheel:x:10:root\n",
      "root/": { type: "dir", mode: 0o700 },
      "tmp/": { type: "dir", mode: 0o1777 },
    });
    const imported = await run([...lab.client, "import", "-", "busybox"], { input: archive });
    expect(imported, imported.stderr).toMatchObject({ code: 0 });
    return lab;
  }

  /** The words that call our client. */
  get client(): readonly string[] {
    return [DRYDOCK, "-H", `unix://${this.daemon.socket}`];
  }

  /** Where the files of the web server are. */
  get webRoot(): string {
    return join(this.#dir, "web");
  }

  /** Its address. */
  get web(): string {
    return `http://127.0.0.1:${(this.#web.address() as AddressInfo).port}`;
  }

  /** An empty directory. */
  directory(): string {
    return mkdtempSync(join(this.#dir, "context-"));
  }

  /** Writes files into a directory, and gives everything on the way the same time. */
  write(dir: string, files: Readonly<Record<string, RowFile>>): void {
    for (const [name, what] of Object.entries(files)) {
      const { content, mode = 0o644, mtime = MTIME } = typeof what === "object" ? what : { content: what };
      const path = join(dir, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      chmodSync(path, mode);
      utimesSync(path, mtime, mtime);
      for (let above = dirname(path); above.length >= dir.length; above = dirname(above)) {
        utimesSync(above, MTIME, MTIME);
      }
    }
  }

  /** Carries out builds one after the other in one directory, and checks each. */
  async follow(builds: readonly Build[], name: string): Promise<void> {
    const dir = this.directory();
    let before = "";
    let dockerfile = "";
    let files = false;
    for (const [n, build] of builds.entries()) {
      const what = `${name}, build ${n}`;
      dockerfile = (build.dockerfile ?? dockerfile).replaceAll("WEB", this.web);
      files ||= build.files !== undefined;
      this.write(dir, { Dockerfile: dockerfile, ...build.files });
      const as = build.as ?? (files ? "directory" : "stdin");
      const result = await this.#build(build, as, dir, dockerfile, name);
      if (build.fails !== undefined) {
        expect(result.code, `${what}: ${result.stdout}`).not.toBe(0);
        expect(result.stderr, what).toContain(build.fails);
        continue;
      }
      const id = builtId(result);
      for (const text of build.says ?? []) expect(result.stdout, what).toContain(text);
      for (const text of build.never ?? []) expect(result.stdout, what).not.toContain(text);
      if (build.image !== undefined) expect(id === before ? "same" : "other", what).toBe(build.image);
      before = id;
      await this.#look(build, what, name);
    }
  }

  async #build(
    build: Build,
    as: NonNullable<Build["as"]>,
    dir: string,
    dockerfile: string,
    name: string,
  ): Promise<Result> {
    const words = [...this.client, "build", "-t", name, ...(build.args ?? [])];
    if (build.from !== undefined) return run([...words, build.from.replaceAll("WEB", this.web)]);
    if (as === "directory") return run([...words, dir]);
    if (as === "stdin") return run([...words, "-"], { input: dockerfile });
    const tar = spawnSync("tar", ["-C", dir, "-c", "."]).stdout;
    return run([...words, "-"], { input: as === "tar" ? tar : spawnSync(as, ["-c"], { input: tar }).stdout });
  }

  async #look({ inspect = {}, runs = {} }: Build, what: string, name: string): Promise<void> {
    for (const [expression, value] of Object.entries(inspect)) {
      const { stdout, stderr } = await this.docker("inspect", "-f", `{{json .${expression}}}`, name);
      expect(stderr).toBe("");
      expect(JSON.parse(stdout), `${what}: ${expression}`).toEqual(value);
    }
    for (const [command, output] of Object.entries(runs)) {
      const { stdout, stderr } = await this.docker("run", "--rm", name, "sh", "-c", command);
      expect(`${stderr}${stdout}`, `${what}: ${command}`).toBe(output);
    }
  }

  /** Runs our client. */
  docker(...args: string[]): Promise<Result> {
    return run([...this.client, ...args]);
  }

  /** Ids of all containers. */
  async containers(): Promise<string[]> {
    return (await this.docker("ps", "-aq", "--no-trunc")).stdout.split("\n").filter(Boolean);
  }

  /** Ends everything. @returns what was left behind */
  async stop(): Promise<string[]> {
    this.#web.close();
    this.#web.closeAllConnections();
    rmSync(this.#dir, { recursive: true, force: true });
    return this.daemon.remove();
  }
}
