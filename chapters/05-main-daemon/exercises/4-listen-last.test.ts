import { expect, test } from "vitest";
import { register } from "../../../src/builtins/builtins.ts";
import { type DaemonParts, mainDaemon } from "../../../src/docker/daemon.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { configure } from "../../01-config-flags/main.ts";
import { subject } from "../../lib/exercise.ts";

const { listenLast } = await subject<typeof import("./4-listen-last.solution.ts")>(import.meta.url);

/** What clients hear that come at these times, from a daemon whose boot takes a second. */
async function heard(times: readonly number[], run: typeof listenLast): Promise<string[]> {
  const host = memoryHost({ env: { HOME: "/root" }, files: { "/var/run": null } });
  const { flags } = configure(["-d"], host);
  const parts: DaemonParts = {
    register,
    async newDaemon() {
      await host.clock.sleep(1000);
      return { install: (eng) => eng.register("info", () => undefined) };
    },
  };
  let failure: unknown;
  run(flags, host, new Logger(host), parts).catch((cause: unknown) => {
    failure = cause;
  });
  const answers = times.map(async (at) => {
    await host.clock.sleep(at);
    try {
      const connection = await host.net.dial("unix", "/var/run/docker.sock");
      connection.write("GET /info HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
      let answer = "";
      for await (const chunk of connection) answer += String(chunk);
      return `${answer.split("\r\n")[0]}, after ${host.clock.monotonicMs() - at} ms`;
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause);
    }
  });
  await host.clock.advance(3000);
  if (failure !== undefined) throw failure;
  return Promise.all(answers);
}

test("exercise 4: whoever comes too early is refused; 1.2.0 lets them wait", async () => {
  const late = await heard([100, 2000], listenLast);
  expect(late).toEqual(["connect ENOENT /var/run/docker.sock", "HTTP/1.1 200 OK, after 0 ms"]);
  const set = { nArg: () => 0, usage: () => undefined };
  const original = await heard([100, 2000], (flags, host, log, parts) => mainDaemon(flags, host, log, set, parts));
  expect(original).toEqual(["HTTP/1.1 200 OK, after 900 ms", "HTTP/1.1 200 OK, after 0 ms"]);
});
