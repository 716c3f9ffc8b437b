/** Jobs of a daemon that has nothing: what the API says depends on the server alone. */

import type { Handler } from "../../../../src/engine/job.ts";
import { BadRequestError, NoSuchError, NotFoundError, SystemError } from "../../../../src/errdefs/errdefs.ts";
import { unmarshal } from "../../../../src/utils/go-json-decode.ts";

const noContainer: Handler = (job) => {
  throw new NoSuchError("container", job.args[0] ?? "");
};
const noImage: Handler = (job) => {
  throw new NoSuchError("image", job.args[0] ?? "");
};
const noId: Handler = (job) => {
  throw new NoSuchError("id", job.args[0] ?? "");
};
const emptyList: Handler = async (job) => {
  const filters = job.getenv("filters");
  if (filters !== "") unmarshal(filters);
  for (const key of ["since", "before"]) {
    const name = job.getenv(key);
    if (name !== "") throw new NotFoundError(`Could not find container with name or id ${name}`);
  }
  await job.printf("[]");
};
const notANumber = (text: string) => new SystemError(`strconv.Atoi: parsing "${text}": invalid syntax`);

const VERSION =
  '{"ApiVersion":"1.14","Arch":"amd64","GitCommit":"fa7b24f","GoVersion":"go1.3","KernelVersion":"6.1.0","Os":"linux","Version":"1.2.0"}\n';
const INFO =
  '{"Containers":0,"Debug":1,"Driver":"vfs","DriverStatus":null,"ExecutionDriver":"native-0.2","IPv4Forwarding":1,"Images":0,"IndexServerAddress":"https://index.docker.io/v1/","InitPath":"/x","InitSha1":"","KernelVersion":"6.1.0","MemoryLimit":1,"NEventsListener":0,"NFd":12,"NGoroutines":9,"OperatingSystem":"Debian","SwapLimit":1}\n';

/** All jobs behind the routes. */
export const emptyDaemon: Record<string, Handler> = {
  version: (job) => job.printf(VERSION),
  info: (job) => job.printf(INFO),
  events: (job) => job.printf(""),
  images: emptyList,
  viz: (job) => job.printf("digraph docker {\n base [style=invisible]\n}\n"),
  search: (job) => {
    throw new SystemError(`Invalid repository name (${job.args[0]}), only [a-z0-9-_.] are allowed`);
  },
  image_export: noId,
  history: noId,
  image_inspect: noImage,
  containers: emptyList,
  export: noContainer,
  container_changes: noContainer,
  container_inspect: noContainer,
  top: noContainer,
  logs: noContainer,
  auth: () => {
    throw new SystemError("Server Error: no network");
  },
  commit: noContainer,
  build: () => undefined,
  pull: (job) => {
    const [name = ""] = job.args;
    if (!/^[a-z0-9-_./]+$/.test(name)) {
      throw new SystemError(`Invalid repository name (${name}), only [a-z0-9-_.] are allowed`);
    }
    throw new SystemError("Invalid namespace name (a), only [a-z0-9_] are allowed, size between 4 and 30");
  },
  import: async (job) => {
    await job.printf('{"status":"Downloading from http:"}\r\n');
    throw new SystemError('Get "http:": http: no Host in request URL');
  },
  load: () => undefined,
  push: async (job) => {
    await job.printf(`{"status":"The push refers to a repository [${job.args[0]}] (len: 0)"}\r\n`);
    throw new NoSuchError("id", job.args[0] ?? "");
  },
  tag: noId,
  create: (job) => {
    const image = job.getenv("Image");
    if (image === "") throw new SystemError("prefix can't be empty");
    const tag = image.split(":")[1] ?? "latest";
    throw new NotFoundError(`No such image: ${image} (tag: ${tag})`);
  },
  kill: (job) => {
    if (job.args[1] === "BOGUS") throw new SystemError("Invalid signal: BOGUS");
    return noContainer(job);
  },
  pause: noContainer,
  unpause: noContainer,
  restart: noContainer,
  start: noContainer,
  stop: noContainer,
  wait: (job) => {
    throw new NotFoundError(`wait: no such container: ${job.args[0]}`);
  },
  resize: (job) => {
    const bad = job.args.slice(1).find((text) => !/^\d+$/.test(text));
    if (bad !== undefined) throw notANumber(bad);
    return noContainer(job);
  },
  attach: noContainer,
  container_copy: noContainer,
  delete: (job) => {
    if (job.getenvBool("removeLink")) throw new NoSuchError("link", job.args[0] ?? "");
    return noContainer(job);
  },
  image_delete: noImage,
  bad: () => {
    throw new BadRequestError("bad");
  },
};
