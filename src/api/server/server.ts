/**
 * The API server: from HTTP to jobs.
 *
 * @origin api/server/server.go
 * @article 001/5.7
 * @module
 */

import type { Server } from "node:http";
import type { Handler } from "../../engine/job.ts";
import type { Host } from "../../host/host.ts";
import { Activation } from "../../pkg/listenbuffer/buffer.ts";
import type { Logger } from "../../pkg/log/log.ts";
import { sdNotify } from "../../pkg/systemd/sd-notify.ts";
import { listen, type ProtoAddress } from "./listeners.ts";
import { RequestHandler } from "./middleware.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";

/** What the server needs of the host. */
export type ApiHost = Pick<Host, "fs" | "net" | "env" | "machine" | "clock" | "kernel" | "hash">;

/** The handlers of the jobs `serveapi` and `acceptconnections`. */
export class ApiServer {
  readonly #host: ApiHost;
  readonly #log: Logger;
  /** Opened when the daemon is complete: connections wait for it. */
  readonly #activation = new Activation();
  readonly #servers: Server[] = [];
  readonly #handlers: RequestHandler[] = [];
  #closed = false;

  constructor(host: ApiHost, log: Logger) {
    this.#host = host;
    this.#log = log;
  }

  /**
   * Serves the API on the addresses that the arguments name, until one of the listeners fails or all are closed.
   *
   * @origin api/server/server.go ServeApi
   * @article 001/5.7
   */
  readonly serveApi: Handler = async (job) => {
    const usage = `usage: ${job.name} PROTO://ADDR [PROTO://ADDR ...]`;
    if (job.args.length === 0) return job.errorf(usage);
    const addresses: ProtoAddress[] = [];
    for (const arg of job.args) {
      const at = arg.indexOf("://");
      if (at < 0) return job.errorf(usage);
      addresses.push({ proto: arg.slice(0, at), addr: arg.slice(at + 3) });
    }
    const buffered = job.getenvBool("BufferRequests");
    const router = new Router(ROUTES, job.eng);
    // The table has the routes of a complete daemon; which of them are served is known when it is complete.
    void (buffered ? this.#activation.opened : Promise.resolve()).then(() => {
      for (const { method, path } of router.served())
        this.#log.debug("server.go:1151", `Registering ${method}, ${path}`);
    });
    const settings = {
      logging: job.getenvBool("Logging"),
      enableCors: job.getenvBool("EnableCors"),
      version: job.getenv("Version"),
    };
    const api = { engine: job.eng, log: this.#log, host: this.#host };
    await Promise.all(
      addresses.map(async (address) => {
        this.#log.info(`Listening for HTTP on ${address.proto} (${address.addr})`);
        const activation = buffered || address.proto === "fd" ? this.#activation : undefined;
        const handler = new RequestHandler(api, router, settings);
        this.#handlers.push(handler);
        let servers: Server[] = [];
        // Tracked: a shutdown that comes now waits, and then knows the socket it has to remove.
        await job.eng.track(async () => {
          servers = await listen(this.#host, this.#log, address, job, handler, activation);
        });
        this.#servers.push(...servers);
        if (this.#closed) void this.close();
        await Promise.all(servers.map(untilClosed));
      }),
    );
    return undefined;
  };

  /**
   * Says that the daemon is complete: connections that waited are served, and systemd is told.
   *
   * @origin api/server/server.go AcceptConnections
   * @deviation It may run before `serveapi` too; 1.2.0's listeners would then wait for ever.
   */
  readonly acceptConnections: Handler = () => {
    this.#activation.open();
    try {
      sdNotify(this.#host, "READY=1");
    } catch {
      // Nobody has to listen: most machines of 2014 have no systemd.
    }
  };

  /** Whether {@link acceptConnections} ran. */
  get active(): boolean {
    return this.#activation.isOpen;
  }

  /** Closes every listener and every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#activation.drop();
    await Promise.all(
      this.#servers.splice(0).map((server) => {
        const closed = untilClosed(server);
        server.close();
        server.closeAllConnections();
        for (const handler of this.#handlers) handler.close();
        return closed;
      }),
    );
  }
}

/** @throws when the listener fails */
function untilClosed(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("close", resolve);
    server.once("error", reject);
  });
}
