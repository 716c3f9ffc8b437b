import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Reader } from "../../../../src/sync/io.ts";
import { docker, start, until, type World } from "../../../support/docker.ts";
import {
  type CapturedRequest,
  FakeDaemon,
  frame,
  type Handler,
  HIJACKED,
  type Routes,
} from "../../../support/fake-daemon.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const directory = temporaryDirectory("client-streams-");

/** An attach that sends these bytes, and ends when the request's sender has nothing more to say or at once. */
function attach(...pieces: (Buffer | string)[]): Handler {
  return ({ socket }) => {
    socket.write(HIJACKED);
    for (const piece of pieces) socket.write(piece);
    socket.end();
    return undefined;
  };
}

/** An attach that gives back what it is sent, and ends with it. */
function echo(tty: boolean): Handler {
  return ({ socket }) => {
    socket.write(HIJACKED);
    socket.on("data", (data) => socket.write(tty ? data : frame(1, data.toString())));
    socket.on("end", () => socket.end());
    socket.resume();
    return undefined;
  };
}

function runRoutes(more: Routes = {}): Routes {
  return {
    "POST /containers/create": { status: 201, body: { Id: "c1", Warnings: null } },
    "POST /containers/c1/attach": attach(frame(1, "out\n"), frame(2, "err\n")),
    "POST /containers/c1/start": { status: 204 },
    "POST /containers/c1/wait": { body: { StatusCode: 0 } },
    "GET /containers/c1/json": { body: { State: { Running: false, ExitCode: 0 }, Config: { Tty: false } } },
    "DELETE /containers/c1": { status: 204 },
    ...more,
  };
}

async function against(routes: Routes, args: string[], world: World = {}) {
  await using daemon = await FakeDaemon.start(routes);
  const outcome = await docker(["-H", `unix://${daemon.path}`, ...args], world);
  return { ...outcome, lines: daemon.lines, requests: daemon.requests };
}

test("run creates, attaches, starts and waits, in this order", async () => {
  const { code, stdout, stderr, lines, requests } = await against(runRoutes(), [
    "run",
    "-e",
    "A=b",
    "-v",
    "/h:/c",
    "busybox",
    "true",
  ]);
  expect(lines).toEqual([
    "POST /v1.14/containers/create",
    "POST /v1.14/containers/c1/attach?stderr=1&stdout=1&stream=1",
    "POST /v1.14/containers/c1/start",
    "POST /v1.14/containers/c1/wait",
  ]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "out\n", stderr: "err\n" });
  expect(requests[0]?.headers).toContainEqual(["Content-Type", "application/json"]);
  // Recorded from 1.2.0 with these flags.
  expect(requests[0]?.body).toBe(
    '{"Hostname":"","Domainname":"","User":"","Memory":0,"MemorySwap":0,"CpuShares":0,"Cpuset":"","AttachStdin":false,' +
      '"AttachStdout":true,"AttachStderr":true,"PortSpecs":null,"ExposedPorts":{},"Tty":false,"OpenStdin":false,' +
      '"StdinOnce":false,"Env":["A=b"],"Cmd":["true"],"Image":"busybox","Volumes":{},"WorkingDir":"","Entrypoint":null,' +
      '"NetworkDisabled":false,"OnBuild":null}',
  );
  expect(requests[2]?.body).toBe(
    '{"Binds":["/h:/c"],"ContainerIDFile":"","LxcConf":[],"Privileged":false,"PortBindings":{},"Links":null,' +
      '"PublishAllPorts":false,"Dns":null,"DnsSearch":null,"VolumesFrom":null,"Devices":[],"NetworkMode":"bridge",' +
      '"CapAdd":null,"CapDrop":null,"RestartPolicy":{"Name":"","MaximumRetryCount":0}}',
  );
});

test("run ends with the exit code of the container", async () => {
  const routes = runRoutes({ "POST /containers/c1/wait": { body: { StatusCode: 7 } } });
  expect((await against(routes, ["run", "busybox", "false"])).code).toBe(7);
});

test("run -d prints the id and does not attach", async () => {
  const { stdout, lines } = await against(runRoutes(), ["run", "-d", "--name", "x y", "busybox"]);
  expect(stdout).toBe("c1\n");
  expect(lines).toEqual(["POST /v1.14/containers/create?name=x+y", "POST /v1.14/containers/c1/start"]);
});

test("run --rm waits, reads the exit code and removes container and volumes", async () => {
  const routes = runRoutes({
    "GET /containers/c1/json": { body: { State: { Running: false, ExitCode: 3 }, Config: {} } },
  });
  const { code, lines } = await against(routes, ["run", "--rm", "busybox", "x"]);
  expect(code).toBe(3);
  expect(lines.slice(3)).toEqual([
    "POST /v1.14/containers/c1/wait",
    "GET /v1.14/containers/c1/json",
    "DELETE /v1.14/containers/c1?v=1",
  ]);
});

test("run -i sends standard input and then closes that half only", async () => {
  const routes = runRoutes({ "POST /containers/c1/attach": echo(false) });
  const { stdout, lines, requests } = await against(routes, ["run", "-i", "busybox", "cat"], { stdin: "typed\n" });
  expect(stdout).toBe("typed\n");
  expect(lines[1]).toBe("POST /v1.14/containers/c1/attach?stderr=1&stdin=1&stdout=1&stream=1");
  expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ OpenStdin: true, AttachStdin: true, StdinOnce: true });
});

test("run ends with the output, though standard input stays open", async () => {
  const endless: Reader = (async function* () {
    yield Buffer.from("x");
    await new Promise(() => {});
  })();
  const { code, stdout } = await against(runRoutes(), ["run", "-i", "busybox", "true"], { stdin: endless });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "out\n" });
});

test("run -a stdin sends its input before it ends", async () => {
  let got = "";
  const routes = runRoutes({
    "POST /containers/c1/attach": ({ socket }) => {
      socket.write(HIJACKED);
      socket.on("data", (data) => {
        got += data;
      });
      socket.resume();
      return undefined;
    },
  });
  const { stdout } = await against(routes, ["run", "-a", "stdin", "-i", "busybox", "cat"], { stdin: "x\n" });
  await until(() => got === "x\n");
  expect(stdout).toBe("c1\n");
});

test("run pulls an image that is not there, its progress on standard error, and creates again", async () => {
  let created = 0;
  const routes = runRoutes({
    "POST /containers/create": () =>
      created++ === 0
        ? { status: 404, body: "No such image: my/app (tag: latest)\n" }
        : { status: 201, body: { Id: "c1", Warnings: ["slow"] } },
    "POST /images/create": {
      headers: { "Content-Type": "application/json" },
      chunks: [
        '{"status":"Pulling repository my',
        '/app"}\r\n',
        '{"status":"Pulling fs layer","progressDetail":{},"id":"a"}',
        '{"status":"done"}\r\n',
      ],
    },
  });
  const { stderr, stdout, lines, requests } = await against(routes, ["run", "-d", "host.tld/name"]);
  expect(lines).toEqual([
    "POST /v1.14/containers/create",
    "POST /images/create?fromImage=host.tld%2Fname&tag=latest",
    "POST /v1.14/containers/create",
    "POST /v1.14/containers/c1/start",
  ]);
  expect(stdout).toBe("c1\n");
  expect(stderr).toBe(
    "Unable to find image 'host.tld/name' locally\nPulling repository my/app\n\ndone\nWARNING: slow\n",
  );
  expect(requests[1]?.headers).toEqual([
    ["Host", "v1.14"],
    ["User-Agent", "Docker-Client/1.2.0"],
    ["Content-Type", "plain/text"],
    ["X-Registry-Auth", "eyJhdXRoIjoiIiwiZW1haWwiOiIifQ=="],
    ["Content-Length", "0"],
  ]);
});

test("run shows why a container does not start, and keeps it", async () => {
  const routes = runRoutes({
    "POST /containers/c1/attach": attach(frame(2, "exec: nope")),
    "POST /containers/c1/start": { status: 500, body: "Cannot start container c1: exec: nope\n" },
  });
  const { code, stderr, lines } = await against(routes, ["run", "--rm", "busybox", "nope"]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "exec: nope2014/08/20 20:20:14 Error response from daemon: Cannot start container c1: exec: nope\n",
  });
  expect(lines.at(-1)).toBe("POST /v1.14/containers/c1/start");
});

test("run --cidfile stores the id, refuses a file that is there, and leaves no empty one", async () => {
  const path = join(directory, "cid");
  await against(runRoutes(), ["run", "-d", "--cidfile", path, "busybox"]);
  expect(readFileSync(path, "utf8")).toBe("c1");
  const again = await against(runRoutes(), ["run", "-d", "--cidfile", path, "busybox"]);
  expect(again.lines).toEqual([]);
  expect(again.stderr).toBe(
    `2014/08/20 20:20:14 Container ID file found, make sure the other container isn't running or delete ${path}\n`,
  );
  rmSync(path);
  await against({ "POST /containers/create": { status: 500, body: "no" } }, ["run", "--cidfile", path, "busybox"]);
  expect(existsSync(path)).toBe(false);
});

test("run passes signals on until the container has ended", async () => {
  let close = () => {};
  await using daemon = await FakeDaemon.start(
    runRoutes({
      "POST /containers/c1/attach": ({ socket }) => {
        socket.write(HIJACKED);
        close = () => socket.end();
        return undefined;
      },
      "POST /containers/c1/kill": { status: 204 },
      "POST /containers/c1/wait": { body: { StatusCode: 130 } },
    }),
  );
  const program = start(["-H", `unix://${daemon.path}`, "run", "busybox", "sleep"]);
  await until(() => daemon.lines.some((line) => line.endsWith("/start")));
  expect(program.trapped).toContain("SIGINT");
  program.signal("SIGINT");
  program.signal("SIGCHLD");
  program.signal("SIGTERM");
  await until(() => daemon.lines.filter((line) => line.includes("/kill")).length === 2);
  close();
  expect((await program.outcome).code).toBe(130);
  expect(daemon.lines.filter((line) => line.includes("/kill"))).toEqual([
    "POST /v1.14/containers/c1/kill?signal=INT",
    "POST /v1.14/containers/c1/kill?signal=TERM",
  ]);
  expect(program.trapped).toEqual([]);
});

test("run --sig-proxy=false and run -t leave signals alone", async () => {
  for (const flag of ["--sig-proxy=false", "-t"]) {
    await using daemon = await FakeDaemon.start(
      runRoutes({ "POST /containers/c1/attach": ({ socket }) => void socket.write(HIJACKED) }),
    );
    const program = start(["-H", `unix://${daemon.path}`, "run", flag, "busybox", "x"]);
    await until(() => daemon.lines.some((line) => line.endsWith("/start")));
    expect(program.trapped).toEqual([]);
  }
});

test("run -it makes the terminal raw, follows its size and puts it back", async () => {
  let container: CapturedRequest["socket"] | undefined;
  await using daemon = await FakeDaemon.start(
    runRoutes({
      "POST /containers/c1/attach": ({ socket }) => {
        socket.write(HIJACKED);
        container = socket;
        return undefined;
      },
      "POST /containers/c1/resize": {},
      "GET /containers/c1/json": { body: { State: { ExitCode: 9 } } },
    }),
  );
  const world = { terminal: { height: 24, width: 80 }, stdin: "ls\r" };
  const program = start(["-H", `unix://${daemon.path}`, "run", "-it", "busybox", "sh"], world);
  await until(() => daemon.lines.some((line) => line.includes("/resize")));
  expect(program.modes).toEqual(["raw"]);
  program.resize({ height: 50, width: 132 });
  await until(() => daemon.lines.filter((line) => line.includes("/resize")).length === 2);
  container?.end("\x1b[1mraw\r\n");
  const { code, stdout } = await program.outcome;
  expect({ code, stdout }).toEqual({ code: 9, stdout: "\x1b[1mraw\r\n" });
  expect(program.modes).toEqual(["raw", "restored raw"]);
  expect(daemon.lines.slice(2)).toEqual([
    "POST /v1.14/containers/c1/start",
    "POST /v1.14/containers/c1/resize?h=24&w=80",
    "POST /v1.14/containers/c1/resize?h=50&w=132",
    "GET /v1.14/containers/c1/json",
  ]);
});

test("NORAW keeps the terminal as it is", async () => {
  await using daemon = await FakeDaemon.start(
    runRoutes({ "POST /containers/c1/attach": attach("x"), "POST /containers/c1/resize": {} }),
  );
  const world = { terminal: { height: 24, width: 80 }, env: { NORAW: "1" } };
  const program = start(["-H", `unix://${daemon.path}`, "run", "-it", "busybox", "sh"], world);
  await program.outcome;
  expect(program.modes).toEqual([]);
});

test("attach refuses a stopped container and ends with the exit code of a running one", async () => {
  const stopped = await against({ "GET /containers/c1/json": { body: { State: { Running: false } } } }, [
    "attach",
    "c1",
  ]);
  expect(stopped.stderr).toBe("2014/08/20 20:20:14 You cannot attach to a stopped container, start it first\n");
  let asked = 0;
  const routes = runRoutes({
    "GET /containers/c1/json": () => ({
      body: { State: { Running: asked++ === 0, ExitCode: 4 }, Config: { Tty: false, OpenStdin: true } },
    }),
  });
  const { code, stdout, stderr, lines } = await against(routes, ["attach", "--no-stdin", "c1"]);
  expect({ code, stdout, stderr }).toEqual({ code: 4, stdout: "out\n", stderr: "err\n" });
  expect(lines[1]).toBe("POST /v1.14/containers/c1/attach?stderr=1&stdout=1&stream=1");
});

test("attach reports a failure of the daemon", async () => {
  const routes: Routes = {
    "GET /containers/c1/json": { body: { State: { Running: true }, Config: { Tty: false } } },
    "POST /containers/c1/attach": { status: 404, body: "No such container: c1\n" },
  };
  expect((await against(routes, ["attach", "c1"])).stderr).toBe(
    "2014/08/20 20:20:14 Error response from daemon: No such container: c1\n",
  );
});

test("start -a attaches first; the container's exit code stays its own", async () => {
  const routes = runRoutes({
    "GET /containers/c1/json": { body: { Config: { Tty: false, OpenStdin: true }, State: { ExitCode: 5 } } },
  });
  const attached = await against(routes, ["start", "-a", "c1"]);
  expect(attached.lines).toEqual([
    "GET /v1.14/containers/c1/json",
    "POST /v1.14/containers/c1/attach?stderr=1&stdout=1&stream=1",
    "POST /v1.14/containers/c1/start",
  ]);
  expect({ code: attached.code, stderr: attached.stderr }).toEqual({ code: 0, stderr: "err\n" });
  expect([...attached.stdout.split("\n")].sort()).toEqual(["", "c1", "out"]);
  const both = await against(
    runRoutes({ ...routes, "POST /containers/c1/attach": echo(false) }),
    ["start", "-ai", "c1"],
    { stdin: "in" },
  );
  expect(both.stdout).toBe("in");
  const many = await against(routes, ["start", "-a", "c1", "c2"]);
  expect(many.stderr).toBe("2014/08/20 20:20:14 You cannot start and attach multiple containers at once.\n");
  const failing = runRoutes({
    ...routes,
    "POST /containers/c1/attach": ({ socket }) => void socket.write(HIJACKED),
    "POST /containers/c1/start": { status: 500, body: "no" },
  });
  expect((await against(failing, ["start", "-a", "c1"])).stderr).toBe(
    "Error response from daemon: no\n2014/08/20 20:20:14 Error: failed to start one or more containers\n",
  );
});

test("logs splits the streams of a container without a terminal", async () => {
  const routes: Routes = {
    "GET /containers/c1/json": { body: { Config: { Tty: false } } },
    "GET /containers/c1/logs": {
      headers: { "Content-Type": "application/octet-stream" },
      chunks: [frame(1, "a\n"), frame(2, "b\n")],
    },
    "GET /containers/t/json": { body: { Config: { Tty: true } } },
    "GET /containers/t/logs": { headers: { "Content-Type": "text/plain; charset=utf-8" }, chunks: ["raw\r\n"] },
  };
  const { stdout, stderr, requests, lines } = await against(routes, ["logs", "-f", "-t", "--tail", "5", "c1"]);
  expect({ stdout, stderr }).toEqual({ stdout: "a\n", stderr: "b\n" });
  expect(lines[1]).toBe("GET /containers/c1/logs?follow=1&stderr=1&stdout=1&tail=5&timestamps=1");
  expect(requests[1]?.headers[0]).toEqual(["Host", "v1.14"]);
  expect((await against(routes, ["logs", "t"])).stdout).toBe("raw\r\n");
});

test("events turns times into seconds and shows messages", async () => {
  const routes: Routes = {
    "GET /events": {
      headers: { "Content-Type": "application/json" },
      chunks: ['{"status":"start","id":"c1","from":"busybox","time":1408565614}'],
    },
  };
  const { stdout, lines } = await against(routes, ["events", "--since", "2014-08-20T20", "--until", "1408565700"]);
  const offset = new Date(1408565614000).getTimezoneOffset() * 60;
  expect(lines).toEqual([`GET /events?since=${1408564800 + offset}&until=1408565700`]);
  expect(stdout).toMatch(/^2014-08-2\dT\d\d:13:34\S* c1: \(from busybox\) start\n$/);
  // 0 is said so that it is not taken for nothing.
  const { lines: all } = await against(routes, ["events", "--since=0", "--until", "1"]);
  expect(all).toEqual(["GET /events?since=1&until=1"]);
});

test("pull and run take a name with a digest", async () => {
  const name = `host.tld/a@sha256:${"0".repeat(64)}`;
  const json = { headers: { "Content-Type": "application/json" }, chunks: ['{"status":"done"}'] };
  const pulled = await against({ "POST /images/create": json }, ["pull", name]);
  expect(pulled.lines).toEqual([`POST /images/create?fromImage=${encodeURIComponent(name)}&tag=`]);
  let created = 0;
  const routes = runRoutes({
    "POST /containers/create": () =>
      created++ === 0 ? { status: 404, body: "No such image\n" } : { status: 201, body: { Id: "c1" } },
    "POST /images/create": json,
  });
  const { lines } = await against(routes, ["run", "-d", name]);
  expect(lines[1]).toBe(`POST /images/create?fromImage=host.tld%2Fa&tag=sha256%3A${"0".repeat(64)}`);
});

test("pull shows progress, and the stream's error as its own", async () => {
  const routes: Routes = {
    "POST /images/create": {
      headers: { "Content-Type": "application/json" },
      chunks: ['{"status":"Pulling repository a"}', '{"errorDetail":{"message":"gone"},"error":"gone"}'],
    },
  };
  const { code, stdout, stderr, lines } = await against(routes, ["pull", "a:b"]);
  expect(lines).toEqual(["POST /images/create?fromImage=a%3Ab&tag="]);
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: "Pulling repository a\n",
    stderr: "2014/08/20 20:20:14 gone\n",
  });
  const refused = await against({ "POST /images/create": { status: 500, body: "no such\n" } }, ["pull", "a"]);
  expect(refused.stderr).toBe("2014/08/20 20:20:14 Error: no such\n");
  expect((await against({ "POST /images/create": { status: 500 } }, ["pull", "a"])).stderr).toBe(
    "2014/08/20 20:20:14 Error :Internal Server Error\n",
  );
});

test("pull lets no registry write to the terminal what it likes", async () => {
  const routes: Routes = {
    "POST /images/create": {
      headers: { "Content-Type": "application/json" },
      chunks: ['{"status":"a\\u001b]0;b\\u0007c","id":"d\\u009b2Je"}', '{"errorDetail":{"message":"f\\u001b[31mg"}}'],
    },
  };
  const { stdout, stderr } = await against(routes, ["pull", "x"], { terminal: { height: 24, width: 80 } });
  expect(stdout).toBe("d2Je: a]0;bc\n\x1b[0B");
  expect(stderr).toBe("2014/08/20 20:20:14 f[31mg\n");
});

test("pull sends the credentials stored for the registry", async () => {
  const routes: Routes = { "POST /images/create": { headers: { "Content-Type": "application/json" }, body: "" } };
  writeFileSync(join(directory, ".dockercfg"), '{"https://my.reg:5000/v1/":{"auth":"bWU6cHc=","email":"e@x"}}');
  const { requests, stderr } = await against(routes, ["pull", "my.reg:5000/app"], { env: { HOME: directory } });
  const header = requests[0]?.headers.find(([name]) => name === "X-Registry-Auth")?.[1] ?? "";
  expect(Buffer.from(header, "base64").toString()).toBe('{"username":"me","password":"pw","auth":"","email":"e@x"}');
  expect(stderr).toBe("");
  writeFileSync(join(directory, ".dockercfg"), "{bad");
  expect((await against(routes, ["pull", "app"], { env: { HOME: directory } })).stderr).toBe(
    "WARNING: The Auth config file is empty\n",
  );
});

test("output is written at the reader's pace", async () => {
  let written = 0;
  let waiting: (() => void) | undefined;
  let sent = 0;
  const chunk = Buffer.alloc(1 << 20);
  const routes: Routes = {
    "GET /containers/t/json": { body: { Config: { Tty: true } } },
    "GET /containers/t/logs": {
      headers: { "Content-Type": "text/plain" },
      chunks: (function* () {
        for (; sent < 32; sent++) yield chunk;
      })(),
    },
  };
  await using daemon = await FakeDaemon.start(routes);
  const slow = {
    isTerminal: false,
    write: (data: Uint8Array | string) =>
      new Promise<void>((resolve) => {
        written += data.length;
        if (written < 1 << 20) resolve();
        else waiting = resolve;
      }),
  };
  const program = start(["-H", `unix://${daemon.path}`, "logs", "t"], { host: { stdout: slow } });
  await until(() => waiting !== undefined);
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
  // Nobody reads on: only what fits into the socket's buffers has left the daemon.
  expect(sent).toBeLessThan(8);
  const drain = setInterval(() => waiting?.(), 0);
  await program.outcome;
  clearInterval(drain);
  expect(written).toBe(32 << 20);
});

test("a reader that went away ends the program quietly", async () => {
  const routes: Routes = {
    "GET /containers/t/json": { body: { Config: { Tty: true } } },
    "GET /containers/t/logs": { headers: { "Content-Type": "text/plain" }, body: "x" },
  };
  const gone = {
    isTerminal: false,
    write: () => {
      throw Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    },
  };
  const { code, stderr } = await against(routes, ["logs", "t"], { host: { stdout: gone } });
  expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
});
