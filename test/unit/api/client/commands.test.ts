import { expect, test } from "vitest";
import { docker } from "../../../support/docker.ts";
import { type CannedResponse, FakeDaemon, type Routes } from "../../../support/fake-daemon.ts";

const NOW = Date.parse("2014-08-20T20:20:14Z") / 1000;
const ID = "4986bf8c15363d1c5d15512d5266f8777bfba4974ac56e3270e7760f6f0a8125";

/** Runs a command against canned answers. */
async function against(routes: Routes, args: string[], world: Parameters<typeof docker>[1] = {}) {
  await using daemon = await FakeDaemon.start(routes);
  const outcome = await docker(["-H", `unix://${daemon.path}`, ...args], world);
  return { ...outcome, lines: daemon.lines, requests: daemon.requests };
}

const missing: CannedResponse = { status: 404, body: "No such container: nope\n" };

test("version prints the client's half first, then the daemon's", async () => {
  const body = { ApiVersion: "1.14", GitCommit: "fa7b24f", GoVersion: "go1.3.1", Version: "1.2.0", Os: "linux" };
  const { code, stdout, lines, requests } = await against({ "GET /version": { body } }, ["version"]);
  expect(lines).toEqual(["GET /v1.14/version"]);
  expect(requests[0]?.headers).toEqual([
    ["Host", ""],
    ["User-Agent", "Docker-Client/1.2.0"],
  ]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      "Client version: 1.2.0\nClient API version: 1.14\nGo version (client): node20\nGit commit (client): fa7b24f\n" +
      "OS/Arch (client): linux/amd64\nServer version: 1.2.0\nServer API version: 1.14\nGo version (server): go1.3.1\n" +
      "Git commit (server): fa7b24f\n",
  });
});

test("info prints driver pairs, debug lines and warnings", async () => {
  const body = {
    Containers: 2,
    Images: 7,
    Driver: "aufs",
    DriverStatus: [["Root Dir", "/var/lib/docker/aufs"]],
    ExecutionDriver: "native-0.2",
    KernelVersion: "3.13",
    OperatingSystem: "Ubuntu",
    Debug: 1,
    NFd: 12,
    NGoroutines: 9,
    NEventsListener: 0,
    InitPath: "/usr/bin/docker",
    InitSha1: "",
    IndexServerAddress: "https://index.docker.io/v1/",
    MemoryLimit: 1,
    SwapLimit: 0,
    IPv4Forwarding: 1,
  };
  const { stdout, stderr } = await against({ "GET /info": { body } }, ["info"]);
  expect(stdout).toBe(
    "Containers: 2\nImages: 7\nStorage Driver: aufs\n Root Dir: /var/lib/docker/aufs\nExecution Driver: native-0.2\n" +
      "Kernel Version: 3.13\nOperating System: Ubuntu\nDebug mode (server): true\nDebug mode (client): false\nFds: 12\n" +
      "Goroutines: 9\nEventsListeners: 0\nInit Path: /usr/bin/docker\n",
  );
  expect(stderr).toBe("WARNING: No swap limit support\n");
});

const images = [
  {
    Created: NOW - 3600,
    Id: ID,
    ParentId: "",
    RepoTags: ["busybox:latest", "localhost:5000/b/box:1"],
    Size: 0,
    VirtualSize: 2433303,
  },
  {
    Created: NOW - 90,
    Id: `ff${ID.slice(2)}`,
    ParentId: ID,
    RepoTags: ["<none>:<none>"],
    Size: 1,
    VirtualSize: 2433304,
  },
];

test("images prints one row for each name", async () => {
  const { stdout, lines } = await against({ "GET /images/json": { body: images } }, ["images"]);
  expect(lines).toEqual(["GET /v1.14/images/json"]);
  expect(stdout).toBe(
    "REPOSITORY             TAG                 IMAGE ID            CREATED              VIRTUAL SIZE\n" +
      "busybox                latest              4986bf8c1536        About an hour ago    2.433 MB\n" +
      "localhost:5000/b/box   1                   4986bf8c1536        About an hour ago    2.433 MB\n" +
      "<none>                 <none>              ff86bf8c1536        About a minute ago   2.433 MB\n",
  );
});

test("images sends filters, name and all, and prints whole ids when asked", async () => {
  const args = ["images", "-a", "-q", "--no-trunc", "-f", "dangling=true", "busy*"];
  const { stdout, lines } = await against({ "GET /images/json": { body: images } }, args);
  expect(lines).toEqual([
    "GET /v1.14/images/json?all=1&filter=busy%2A&filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D",
  ]);
  expect(stdout).toBe(`${ID}\n${ID}\nff${ID.slice(2)}\n`);
});

test("images --tree and --viz draw parents and children", async () => {
  const tree = await against({ "GET /images/json": { body: images } }, ["images", "--tree"]);
  expect(tree.lines).toEqual(["GET /v1.14/images/json?all=1"]);
  expect(tree.stdout).toBe(
    "└─4986bf8c1536 Virtual Size: 2.433 MB Tags: busybox:latest, localhost:5000/b/box:1\n" +
      "  └─ff86bf8c1536 Virtual Size: 2.433 MB\n",
  );
  expect(tree.stderr).toBe("Warning: '--tree' is deprecated, it will be removed soon. See usage.\n");
  const viz = await against({ "GET /images/json": { body: images } }, ["images", "-viz"]);
  expect(viz.stdout).toBe(
    'digraph docker {\n base -> "4986bf8c1536" [style=invis]\n "4986bf8c1536" [label="4986bf8c1536\\nbusybox:latest\\n' +
      'localhost:5000/b/box:1",shape=box,fillcolor="paleturquoise",style="filled,rounded"];\n' +
      ' "4986bf8c1536" -> "ff86bf8c1536"\n base [style=invisible]\n}\n',
  );
});

const containers = [
  {
    Id: ID,
    Names: ["/one", "/three/first"],
    Image: "busybox:latest",
    Command: '"sh -c \'trap "exit 3" TERM\'"',
    Created: NOW - 5,
    Status: "Up 4 seconds",
    Ports: [
      { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 49153, Type: "tcp" },
      { PrivatePort: 22, Type: "tcp" },
    ],
    SizeRw: 12288,
    SizeRootFs: 2433303,
  },
];

test("ps prints the table, its last cell padded", async () => {
  const { stdout, lines } = await against({ "GET /containers/json": { body: containers } }, ["ps", "ignored"]);
  expect(lines).toEqual(["GET /v1.14/containers/json"]);
  expect(stdout).toBe(
    "CONTAINER ID        IMAGE               COMMAND                CREATED             STATUS              PORTS                           NAMES\n" +
      '4986bf8c1536        busybox:latest      "\\"sh -c \'trap \\"exi   5 seconds ago       Up 4 seconds        22/tcp, 0.0.0.0:49153->80/tcp   one,three/first     \n',
  );
});

test("ps sends what its flags say", async () => {
  const body = { "GET /containers/json": { body: containers } };
  const all = await against(body, [
    "ps",
    "-a",
    "-s",
    "--since",
    "x",
    "--before=y z",
    "-f",
    "exited=1",
    "-f",
    "exited=2",
  ]);
  expect(all.lines).toEqual([
    "GET /v1.14/containers/json?all=1&before=y+z&filters=%7B%22exited%22%3A%5B%221%22%2C%222%22%5D%7D&since=x&size=1",
  ]);
  expect(all.stdout).toContain("SIZE\n");
  expect(all.stdout).toContain("12.29 kB (virtual 2.433 MB)\n");
  expect((await against(body, ["ps", "-l", "-q"])).lines).toEqual(["GET /v1.14/containers/json?limit=1"]);
  expect((await against(body, ["ps", "-l", "-n", "3"])).lines).toEqual(["GET /v1.14/containers/json?limit=3"]);
});

test("history prints layers", async () => {
  const body = [
    { Created: NOW - 200, CreatedBy: `/bin/sh -c ${"x".repeat(60)}`, Id: ID, Size: 8, Tags: null },
    { Created: NOW - 86400 * 800, CreatedBy: "", Id: ID, Size: 2433303, Tags: ["a:b"] },
  ];
  const { stdout } = await against({ "GET /images/app/history": { body } }, ["history", "app"]);
  expect(stdout).toBe(
    "IMAGE               CREATED              CREATED BY                                      SIZE\n" +
      `4986bf8c1536        3 minutes ago        /bin/sh -c ${"x".repeat(34)}   8 B\n` +
      "4986bf8c1536        2.191781 years ago                                                   2.433 MB\n",
  );
});

test("rmi prints what went, and goes on after a failure", async () => {
  const { code, stdout, stderr, lines } = await against(
    {
      "DELETE /images/nope": { status: 404, body: "No such image: nope\n" },
      "DELETE /images/app:v2": { body: [{ Untagged: "app:v2" }, { Deleted: ID }] },
    },
    ["rmi", "-f", "--no-prune", "nope", "app:v2"],
  );
  expect(lines).toEqual([
    "DELETE /v1.14/images/nope?force=1&noprune=1",
    "DELETE /v1.14/images/app:v2?force=1&noprune=1",
  ]);
  expect(code).toBe(1);
  expect(stdout).toBe(`Untagged: app:v2\nDeleted: ${ID}\n`);
  expect(stderr).toBe(
    "Error response from daemon: No such image: nope\n2014/08/20 20:20:14 Error: failed to remove one or more images\n",
  );
});

test.each([
  ["stop", ["stop", "-t", "3", "a", "nope"], "POST /v1.14/containers/a/stop?t=3", "stop"],
  ["kill", ["kill", "-s", "USR1", "a", "nope"], "POST /v1.14/containers/a/kill?signal=USR1", "kill"],
  ["rm", ["rm", "-f", "-l", "-v", "a", "nope"], "DELETE /v1.14/containers/a?force=1&link=1&v=1", "remove"],
  ["start", ["start", "a", "nope"], "POST /v1.14/containers/a/start", "start"],
])("%s names what it did and fails at the end", async (_, args, line, verb) => {
  const done = { status: 204 };
  const routes = Object.fromEntries(
    ["stop", "kill", "start"].flatMap((word): [string, CannedResponse][] => [
      [`POST /containers/a/${word}`, done],
      [`POST /containers/nope/${word}`, missing],
    ]),
  );
  const all = { ...routes, "DELETE /containers/a": done, "DELETE /containers/nope": missing };
  const { code, stdout, stderr, lines } = await against(all, args);
  expect(lines[0]).toBe(line);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "a\n" });
  expect(stderr).toBe(
    `Error response from daemon: No such container: nope\n2014/08/20 20:20:14 Error: failed to ${verb} one or more containers\n`,
  );
});

test("stop takes 304 for success", async () => {
  const { code, stdout } = await against({ "POST /containers/a/stop": { status: 304 } }, ["stop", "a"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "a\n" });
});

test("wait prints exit codes in order", async () => {
  const { stdout, requests } = await against(
    { "POST /containers/a/wait": { body: { StatusCode: 3 } }, "POST /containers/b/wait": { body: { StatusCode: 0 } } },
    ["wait", "a", "b"],
  );
  expect(stdout).toBe("3\n0\n");
  expect(requests[0]?.headers).toContainEqual(["Content-Type", "plain/text"]);
  expect(requests[0]?.headers).toContainEqual(["Content-Length", "0"]);
});

test("tag checks the name before it asks", async () => {
  const good = await against({ "POST /images/app/tag": { status: 201 } }, [
    "tag",
    "-f",
    "app",
    "host.tld:5000/name:v2",
  ]);
  expect(good.lines).toEqual(["POST /v1.14/images/app/tag?force=1&repo=host.tld%3A5000%2Fname&tag=v2"]);
  expect(good.stdout).toBe("");
  const bad = await against({}, ["tag", "app", "reg.example.com:5000/x/y"]);
  expect(bad.lines).toEqual([]);
  expect(bad.stderr).toBe(
    "2014/08/20 20:20:14 Invalid namespace name (x), only [a-z0-9_] are allowed, size between 4 and 30\n",
  );
});

test("inspect prints objects as the daemon sent them, indented, without a last newline", async () => {
  const routes: Routes = {
    "GET /containers/c/json": { body: '{"A":"x\\u003cy","E":{},"L":[1.0,[]],"N":null}\n' },
    "GET /containers/i/json": { status: 404, body: "No such container: i" },
    "GET /images/i/json": { body: { Id: 1 } },
    "GET /containers/nope/json": missing,
    "GET /images/nope/json": { status: 404, body: "No such image: nope" },
  };
  const both = await against(routes, ["inspect", "c", "i"]);
  expect({ code: both.code, stdout: both.stdout }).toEqual({
    code: 0,
    stdout:
      '[{\n    "A": "x\\u003cy",\n    "E": {},\n    "L": [\n        1.0,\n        []\n    ],\n    "N": null\n}\n,{\n    "Id": 1\n}]',
  });
  const none = await against(routes, ["inspect", "nope"]);
  expect({ ...none, lines: none.lines.length, requests: 0 }).toEqual({
    code: 1,
    stdout: "[]",
    stderr: "Error: No such image or container: nope\n",
    lines: 2,
    requests: 0,
  });
});

test("inspect applies a template to each object", async () => {
  const routes: Routes = {
    "GET /containers/a/json": { body: { Name: "/a", Config: { Cmd: ["x", "y"] } } },
    "GET /containers/b/json": { body: { Name: "/b", Config: { Cmd: null } } },
  };
  const format = '{{.Name}} {{json .Config.Cmd}} {{join .Config.Cmd ","}}';
  expect((await against(routes, ["inspect", "-f", format, "a", "b"])).stdout).toBe('/a ["x","y"] x,y\n/b null \n');
  const bad = await against(routes, ["inspect", "-f", "{{nofunc .}}", "a"]);
  expect(bad.lines).toEqual([]);
  expect(bad.code).toBe(64);
  expect(bad.stderr).toBe(
    'Template parsing error: template: :1: function "nofunc" not defined\n' +
      '2014/08/20 20:20:14 Template parsing error: template: :1: function "nofunc" not defined\n',
  );
  const failing = await against(routes, ["inspect", "-f", "{{.Name}}{{.Name.X}}", "a"]);
  expect(failing.code).toBe(1);
  expect(failing.stdout).toBe("/a");
  expect(failing.stderr).toContain("can't evaluate field X in type interface {}");
});

test("a terminal gets no control characters from names", async () => {
  const evil = [{ ...images[0], RepoTags: ["bo\u001b]0;gone\u0007x:la\u202etest"] }];
  const shown = await against({ "GET /images/json": { body: evil } }, ["images"], {
    terminal: { height: 24, width: 80 },
  });
  expect(shown.stdout).not.toMatch(/[\u001b\u0007\u202e]/);
  const piped = await against({ "GET /images/json": { body: evil } }, ["images"]);
  expect(piped.stdout).toContain("\u001b]0;gone\u0007");
});

test("an error of the daemon is shown trimmed; one without a text names the route", async () => {
  const text = await against({ "GET /info": { status: 500, body: "  it broke \n" } }, ["info"]);
  expect(text.stderr).toBe("2014/08/20 20:20:14 Error response from daemon: it broke\n");
  const silent = await against({ "GET /info": { status: 500 } }, ["info"]);
  expect(silent.stderr).toMatch(
    /Error: request returned Internal Server Error for API route and version http:\/\/\/.*docker\.sock\/v1\.14\/info, check if the server supports the requested API version\n$/,
  );
});
