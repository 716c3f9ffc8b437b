/** An API server on a unix socket of its own, with jobs that the test makes up. */

import { promises as fs, mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiHost, ApiServer } from "../../../../src/api/server/server.ts";
import { Engine } from "../../../../src/engine/engine.ts";
import type { Handler } from "../../../../src/engine/job.ts";
import type { Net } from "../../../../src/host/net.ts";
import { Logger } from "../../../../src/pkg/log/log.ts";
import { BufferWriter } from "../../../../src/sync/io.ts";

const clock = {
  now: () => 1_400_000_000_000,
  nowNs: () => 1_400_000_000_000_000_000n,
  monotonicMs: () => 0,
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

const hostNet: Pick<Net, "createHttpServer" | "listen"> = {
  createHttpServer: () => http.createServer({ requireHostHeader: false }),
  listen: (server, address) =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      const where = address.kind === "unix" ? { path: address.path } : address;
      server.listen(where, () => resolve());
    }),
};

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A running server. */
export class TestServer implements AsyncDisposable {
  readonly engine: Engine;
  readonly api: ApiServer;
  readonly socket: string;
  readonly log = new BufferWriter();
  readonly #directory: string;
  #running: Promise<void> = Promise.resolve();

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), "api-"));
    this.socket = join(this.#directory, "docker.sock");
    const stream = { write: (chunk: Uint8Array | string) => this.log.write(chunk), isTerminal: false };
    const random = { bytes: (size: number) => Buffer.alloc(size, 7) };
    const stdin = { isTerminal: false, async *[Symbol.asyncIterator]() {} };
    const host = { random, clock, stdin, stdout: stream, stderr: stream };
    this.engine = new Engine(host);
    this.engine.logging = false;
    const machine = {
      os: "linux",
      arch: "amd64",
      kernelRelease: "6.1.0",
      hostname: "box",
      cpus: 2,
      pid: 1,
      uid: 0,
      gid: 0,
      runtime: "node20",
      execPath: "/docker",
    };
    const env = { DEBUG: "1" };
    const kernel = { sendDatagram: () => undefined };
    const apiHost = { fs, net: hostNet, env, machine, clock, kernel } as unknown as ApiHost;
    this.api = new ApiServer(apiHost, new Logger({ stdout: stream, stderr: stream, env, clock }));
    this.engine.register("serveapi", this.api.serveApi);
    this.engine.register("acceptconnections", this.api.acceptConnections);
  }

  /** Adds jobs. */
  jobs(jobs: Record<string, Handler>): this {
    for (const [name, handler] of Object.entries(jobs)) this.engine.register(name, handler);
    return this;
  }

  /** Listens and accepts. */
  async start(settings: Record<string, string> = {}, address = `unix://${this.socket}`, accept = true): Promise<this> {
    const job = this.engine.job("serveapi", address);
    for (const [key, value] of Object.entries({ Version: "1.2.0", BufferRequests: "1", ...settings })) {
      job.setenv(key, value);
    }
    this.#running = job.run();
    this.#running.catch(() => undefined);
    if (accept) await this.engine.job("acceptconnections").run();
    if (address.startsWith("unix")) await this.connect().then((socket) => socket.destroy());
    return this;
  }

  /** A bare connection, when the server listens. */
  async connect(): Promise<net.Socket> {
    for (let tries = 0; ; tries++) {
      try {
        return await new Promise<net.Socket>((resolve, reject) => {
          const socket = net.connect({ path: this.socket, allowHalfOpen: true });
          socket.once("connect", () => resolve(socket)).once("error", reject);
        });
      } catch (cause) {
        if (tries > 200) throw cause;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** One request and its whole answer. */
  ask(path: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const length = body === undefined && method !== "POST" ? {} : { "Content-Length": Buffer.byteLength(body ?? "") };
      const options = { socketPath: this.socket, path, method, headers: { ...length, ...headers }, agent: false };
      const req = http.request(options, (res) => {
        const parts: Buffer[] = [];
        res.on("data", (chunk) => parts.push(chunk));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts).toString() }),
        );
        res.on("error", reject);
      });
      req.on("error", reject);
      req.end(body);
    });
  }

  /** Sends a JSON body. */
  post(path: string, value?: unknown): Promise<Reply> {
    if (value === undefined) return this.ask(path, { method: "POST" });
    return this.ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(value),
    });
  }

  /** Sends raw bytes; gives everything that comes back until the server closes. */
  async raw(bytes: string | Buffer, onData?: (soFar: string, socket: net.Socket) => void): Promise<string> {
    const socket = await this.connect();
    return new Promise((resolve, reject) => {
      let all = "";
      socket.on("data", (chunk) => {
        all += chunk.toString("latin1");
        onData?.(all, socket);
      });
      socket.on("end", () => {
        socket.end();
        resolve(all);
      });
      socket.on("error", reject);
      socket.write(bytes);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close();
    await this.#running.catch(() => undefined);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
