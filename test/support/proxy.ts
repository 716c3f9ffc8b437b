/**
 * A proxy that opens tunnels, as a process of its own: it can stand in another network.
 */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { deferred } from "../../src/sync/deferred.ts";

const PROGRAM = `
  const { createServer } = require("node:http");
  const { connect } = require("node:net");
  const server = createServer((_, answer) => answer.writeHead(405).end());
  server.on("connect", ({ url, headers }, socket) => {
    console.log("CONNECT " + url + " " + (headers["proxy-authorization"] ?? "-"));
    const [host, port] = url.split(":");
    const there = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\\r\\n\\r\\n");
      socket.pipe(there).pipe(socket);
    });
    for (const end of [there, socket]) end.on("error", () => { there.destroy(); socket.destroy(); });
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

/** One that runs. */
export interface TestProxy {
  /** `127.0.0.1:3128` in its network. */
  readonly address: string;
  /** `CONNECT host:port <authorization>` for each tunnel. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** Starts one. @param prefix - command before it, to put it into a network namespace */
export async function startProxy(prefix: string[]): Promise<TestProxy> {
  const [command = "", ...args] = [...prefix, process.execPath, "-e", PROGRAM];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const asked: string[] = [];
  const port = deferred<string>();
  createInterface(child.stdout).on("line", (line) => {
    if (line.startsWith("CONNECT ")) asked.push(line);
    else port.resolve(line);
  });
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { address: `127.0.0.1:${await port.promise}`, asked, stop };
}
