/**
 * `POST /build`, and what of today's builds cannot be done here.
 *
 * @origin api/server/server.go
 * @module
 */

import type { Job } from "../../engine/job.ts";
import { BadRequestError, SystemError } from "../../errdefs/errdefs.ts";
import { decodeObject } from "../../utils/go-json-decode.ts";
import { decodedHeader, streamProgress } from "./images.ts";
import { imageName } from "./names.ts";
import type { Query } from "./query.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import type { ApiServices, JsonObject } from "./services.ts";

/** Variables of a command that every builder since Docker 1.9 knows without being told. */
const PROXIES = /^(?:https?|ftp|no|all)_proxy$/i;

/** What a build cannot be asked for here, and which values ask for nothing. */
const REFUSED: readonly (readonly [name: string, nothing: RegExp, why: string])[] = [
  ["version", /^1?$/, "BuildKit is not there; set DOCKER_BUILDKIT=0"],
  ["target", /^$/, "build stages came with Docker 17.05"],
  ["extrahosts", /^$/, "RUN sees the hosts that every container sees; write to /etc/hosts in the command"],
  ["ulimits", /^(?:null|\[\])?$/, "limits per process came with Docker 1.6"],
  ["shmsize", /^0?$/, "the size of /dev/shm is fixed"],
  ["securityopt", /^(?:null|\[\])?$/, "security options came with Docker 1.3"],
  ["cgroupparent", /^$/, "cgroups of one's own came with Docker 1.6"],
  ["cpuperiod", /^0?$/, "use cpushares"],
  ["cpuquota", /^0?$/, "use cpushares"],
  ["cpusetmems", /^$/, "use cpusetcpus"],
  ["squash", /^(?:0|false|no)?$/i, "each step is a layer of its own"],
  ["outputs", /^(?:null|\[\])?$/, "the result is an image; use docker save"],
  ["isolation", /^(?:default)?$/, "there is only one kind of isolation"],
];

/** @throws {BadRequestError} naming what cannot be done */
function checkQuery(query: Query, arch: string): void {
  for (const [name, nothing, why] of REFUSED) {
    if (query.all(name).every((value) => nothing.test(value))) continue;
    throw new BadRequestError(`Bad parameter: ${name}=${JSON.stringify(query.get(name))}: ${why}`);
  }
  const platform = query.get("platform").toLowerCase();
  if (platform === "" || platform === "linux" || platform === `linux/${arch}`) return;
  throw new BadRequestError(
    `Bad parameter: platform=${JSON.stringify(platform)}: this machine builds for linux/${arch}`,
  );
}

/** An object in a query, empty when there is none. */
function objectOf(query: Query, name: string): JsonObject {
  const text = query.get(name);
  try {
    return text === "" || text === "null" ? {} : decodeObject(text);
  } catch (cause) {
    throw new BadRequestError(`Bad parameter: ${name} is no JSON object: ${text.slice(0, 200)}`, { cause });
  }
}

function textsOf(query: Query, name: string): Record<string, string> {
  const entries = Object.entries(objectOf(query, name)).map(([key, value]) => [key, String(value ?? "")] as const);
  return Object.fromEntries(entries);
}

/**
 * Build arguments that need no ARG: the addresses of proxies.
 *
 * @throws {BadRequestError} for all others
 */
function proxiesOf(query: Query): string[] {
  const args = Object.entries(objectOf(query, "buildargs"));
  const other = args.find(([name]) => !PROXIES.test(name));
  if (other !== undefined) {
    throw new BadRequestError(
      `Bad parameter: buildargs has ${JSON.stringify(other[0])}: ARG came with Docker 1.9; use ENV in the Dockerfile`,
    );
  }
  return args.flatMap(([name, value]) => (typeof value === "string" ? [`${name}=${value}`] : []));
}

/** What clients of today can say besides. */
function addToday(job: Job, request: ApiRequest, query: Query, arch: string): void {
  const { version } = request;
  checkQuery(query, arch);
  for (const key of ["dockerfile", "pull"]) job.setenv(key, query.get(key));
  job.setenv("t", "");
  job.setenvList(
    "tags",
    query.all("t").map((name) => imageName(name, version)),
  );
  job.setenvJson("labels", textsOf(query, "labels"));
  job.setenvList("proxies", proxiesOf(query));
  const network = query.get("networkmode");
  job.setenv("networkMode", network === "default" ? "" : network);
  const limits = { memory: "Memory", memswap: "MemorySwap", cpushares: "CpuShares", cpusetcpus: "Cpuset" };
  for (const [theirs, ours] of Object.entries(limits)) job.setenv(ours, query.get(theirs));
  job.setenvBool("aux", version.atLeast("1.29"));
  job.setenvBool("idOnly", version.atLeast("1.22") && query.bool("q"));
  job.setenvBool("dockerignore", version.atLeast("1.20"));
}

/**
 * Builds an image from the archive in the body, or from what `remote` leads to.
 *
 * @origin api/server/server.go postBuild
 * @deviation What clients of today ask for and 1.2.0 does not know is refused, unless it can be left out.
 */
export async function postBuild(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  if (version.before("1.3")) {
    throw new SystemError("Multipart upload for build is no longer supported. Please upgrade your docker client.");
  }
  const query = request.query();
  const job = api.engine.job("build");
  const always = version.atLeast("1.12") && (query.get("forcerm") === "1" || query.get("rm") === "");
  job.setenv("rm", always ? "1" : query.get("rm"));
  job.stdin.add(request.body);
  for (const key of ["remote", "t", "q", "nocache", "forcerm"]) job.setenv(key, query.get(key));
  if (version.modern) addToday(job, request, query, api.host.machine.arch);
  job.setenvJson("authConfig", version.before("1.9") ? decodedHeader(request, "X-Registry-Auth") : {});
  const file = decodedHeader(request, "X-Registry-Config");
  // Newer clients send the accounts alone, 1.2.0's puts them under `configs`.
  job.setenvJson("configFile", version.modern && !("configs" in file) ? { configs: file } : file);
  await streamProgress(request, response, job, version.atLeast("1.8"));
}
