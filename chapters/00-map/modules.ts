/**
 * The modules of the map: what they are, where they are in Docker's tree and in ours, and which chapter opens them.
 *
 * @module
 */

import type { Text } from "../lib/live.ts";

/** Names of the modules, as the traces have them. */
export type ModuleName =
  | "client"
  | "server"
  | "engine"
  | "builtins"
  | "events"
  | "networkdriver"
  | "daemon"
  | "graph"
  | "execdriver"
  | "graphdriver"
  | "registry"
  | "names"
  | "container"
  | "outside";

/** A module. */
export interface Module {
  readonly name: Text;
  readonly about: Text;
  /** Folder at v1.2.0; empty for what is no code. */
  readonly go: string;
  /** Folder here, and the files to begin with. */
  readonly here: string;
  readonly files: readonly string[];
  /** Chapters that treat it; the first is the one to read. */
  readonly chapters: readonly string[];
  /** Where it is on the map: column 0–2, row 0–5. */
  readonly at: readonly [column: number, row: number];
}

/** All of them. */
export const modules: Readonly<Record<ModuleName, Module>> = {
  client: {
    name: { en: "Client", zh: "Client" },
    about: {
      en: "Turns a command line into HTTP requests and answers into text. The same program as the daemon, without -d.",
      zh: "把命令行变成 HTTP 请求，把应答变成文字。与 Daemon 是同一个程序，只是没有 -d。",
    },
    go: "api/client",
    here: "src/api/client",
    files: ["cli.ts", "commands.ts", "utils.ts"],
    chapters: ["07", "01"],
    at: [1, 0],
  },
  server: {
    name: { en: "Server", zh: "Server" },
    about: {
      en: "Listens, finds the route of a request, makes a job of it, and writes the job's output as the answer.",
      zh: "监听，为请求找到路由，据此创建 job，再把 job 的输出写成应答。",
    },
    go: "api/server",
    here: "src/api/server",
    files: ["server.ts", "routes.ts", "router.ts"],
    chapters: ["06", "05"],
    at: [1, 1],
  },
  engine: {
    name: { en: "Engine", zh: "Engine" },
    about: {
      en: "A table of names and handlers. Whoever wants something done runs a job under a name and need not know who does it.",
      zh: "一张名字到 Handler 的表。谁想让别人做事，就按名字运行一个 job，不必知道做事的是谁。",
    },
    go: "engine",
    here: "src/engine",
    files: ["engine.ts", "job.ts", "env.ts"],
    chapters: ["02"],
    at: [1, 2],
  },
  builtins: {
    name: { en: "builtins", zh: "builtins" },
    about: {
      en: "The handlers that an engine has before there is a daemon: version, the server's own two, the network's first.",
      zh: "有 daemon 之前 engine 就有的 Handler：version、server 自己的两个、网络的第一个。",
    },
    go: "builtins",
    here: "src/builtins",
    files: ["builtins.ts"],
    chapters: ["04"],
    at: [2, 1],
  },
  events: {
    name: { en: "events", zh: "events" },
    about: {
      en: "Remembers the last 64 things that happened to containers and images, and tells who listens.",
      zh: "记住容器和镜像最近发生的 64 件事，并告诉正在听的人。",
    },
    go: "events",
    here: "src/events",
    files: ["events.ts"],
    chapters: ["04"],
    at: [0, 2],
  },
  networkdriver: {
    name: { en: "networkdriver", zh: "networkdriver" },
    about: {
      en: "Makes the bridge docker0, gives out addresses, publishes ports.",
      zh: "创建网桥 docker0，分配地址，公布端口。",
    },
    go: "daemon/networkdriver",
    here: "src/daemon/networkdriver",
    files: ["bridge/driver.ts", "ipallocator/allocator.ts", "portmapper/mapper.ts"],
    chapters: ["04"],
    at: [0, 3],
  },
  daemon: {
    name: { en: "Daemon", zh: "Daemon" },
    about: {
      en: "Knows the containers: creates, starts, watches and removes them, and uses the drivers for it.",
      zh: "掌管容器：创建、启动、看护、删除，为此使用各种驱动。",
    },
    go: "daemon",
    here: "src/daemon",
    files: ["daemon.ts", "create.ts", "start.ts", "new-daemon.ts"],
    chapters: ["05"],
    at: [1, 3],
  },
  graph: {
    name: { en: "Graph", zh: "Graph" },
    about: {
      en: "Knows the images: which there are, which stands on which, and what they are called (the TagStore).",
      zh: "掌管镜像：有哪些，谁建立在谁之上，叫什么名字（TagStore）。",
    },
    go: "graph",
    here: "src/graph",
    files: ["graph.ts", "tags.ts", "pull.ts"],
    chapters: ["08"],
    at: [2, 3],
  },
  execdriver: {
    name: { en: "execdriver", zh: "execdriver" },
    about: {
      en: "Runs a process in namespaces. In 1.2.0 libcontainer or LXC, here runc, and in this chapter one that only writes down what it would run.",
      zh: "在 namespace 里运行进程。1.2.0 用 libcontainer 或 LXC，本项目用 runc，本章用的只把要运行什么写下来。",
    },
    go: "daemon/execdriver",
    here: "src/daemon/execdriver",
    files: ["driver.ts", "native/driver.ts", "dry/driver.ts"],
    chapters: ["05"],
    at: [0, 4],
  },
  graphdriver: {
    name: { en: "graphdriver", zh: "graphdriver" },
    about: {
      en: "Stores layers and shows a stack of them as one file tree: aufs, vfs and others.",
      zh: "存放镜像层，并把一摞层显示成一棵文件树：aufs、vfs 等。",
    },
    go: "daemon/graphdriver",
    here: "src/daemon/graphdriver",
    files: ["driver.ts", "aufs/aufs.ts", "vfs/driver.ts"],
    chapters: ["09"],
    at: [1, 4],
  },
  registry: {
    name: { en: "registry", zh: "registry" },
    about: {
      en: "Speaks with registries: asks for lists, descriptions and layers. It stores nothing.",
      zh: "与 registry 对话：索取列表、描述和镜像层。它自己什么也不存。",
    },
    go: "registry",
    here: "src/registry",
    files: ["session.ts", "registry.ts", "endpoint.ts"],
    chapters: ["08"],
    at: [2, 4],
  },
  names: {
    name: { en: "graphdb", zh: "graphdb" },
    about: {
      en: "A small database with the names of the containers and the links between them. In spite of its name it has nothing to do with images.",
      zh: "一个小数据库，存放容器的名字和容器之间的 link。名字里虽有 graph，却与镜像无关。",
    },
    go: "pkg/graphdb",
    here: "src/pkg/graphdb",
    files: ["graphdb.ts", "conn-sqlite3.ts"],
    chapters: ["05"],
    at: [2, 2],
  },
  container: {
    name: { en: "a container", zh: "容器" },
    about: {
      en: "No module: a process that sees its own files, its own network and its own process ids.",
      zh: "不是模块：一个进程，只看得见自己的文件、自己的网络、自己的进程号。",
    },
    go: "",
    here: "",
    files: [],
    chapters: [],
    at: [0, 5],
  },
  outside: {
    name: { en: "a registry", zh: "注册中心" },
    about: {
      en: "No module either: another machine. In 2014 it was index.docker.io; here it is one in memory that behaves the same.",
      zh: "也不是模块：另一台机器。2014 年是 index.docker.io，这里是内存中行为相同的一个。",
    },
    go: "",
    here: "",
    files: [],
    chapters: ["08"],
    at: [2, 5],
  },
};

/** Which module registers the handler of a job; all that are not named here are the daemon's. */
const owners: Partial<Record<ModuleName, string>> = {
  engine: "commands",
  builtins: "version serveapi acceptconnections init_networkdriver",
  events: "events log subscribers_count",
  registry: "auth search",
  networkdriver: "allocate_interface release_interface allocate_port link",
  graph:
    "image_set image_tag tag image_get image_inspect image_tarlayer image_export history images viz load import pull push",
};

/** The module that does a job's work. */
export function ownerOf(job: string): ModuleName {
  for (const [name, jobs] of Object.entries(owners)) if (jobs.split(" ").includes(job)) return name as ModuleName;
  return "daemon";
}
