/**
 * What `npm run bench` measures of images: the pull against plain tools, `load`, and `build`.
 */
import { execFile, spawn } from "node:child_process";
import { createReadStream, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A download, a digest and an unpacking for each layer, two layers at a time: the least that has to be done. */
const PIPELINE =
  'xargs -P2 -I{} bash -c \'mkdir -p "$1/{}" && curl -s "$0/blobs/{}" | tee >(sha256sum >"$1/{}.sum") | tar xz -C "$1/{}"\' "$0" "$1"';

/** Milliseconds of plain tools over the layers of the image. */
export async function plainTools(bench, dir) {
  const repository = "http://127.0.0.1:5055/v2/bench";
  const inside = ["nsenter", `--net=/run/netns/${bench.ns}`];
  const accept = "accept: application/vnd.docker.distribution.manifest.v2+json";
  const { stdout } = await run(inside[0], [inside[1], "curl", "-sH", accept, `${repository}/manifests/latest`]);
  const layers = JSON.parse(stdout).layers.map(({ digest }) => digest);
  mkdirSync(dir);
  const before = performance.now();
  const child = spawn(inside[0], [inside[1], "bash", "-c", PIPELINE, repository, dir], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.stdin.end(`${layers.join("\n")}\n`);
  const status = await new Promise((resolve) => child.on("exit", resolve));
  const ms = performance.now() - before;
  for (const digest of layers)
    if (!readFileSync(join(dir, `${digest}.sum`), "utf8").startsWith(digest.slice(7))) throw new Error("wrong digest");
  if (status !== 0) throw new Error(`the pipeline ended with ${status}`);
  rmSync(dir, { recursive: true });
  return ms;
}

function send(socketPath, path, type, body, length) {
  return new Promise((resolve, reject) => {
    const headers = { host: "docker", "content-type": type, "content-length": length };
    const req = http.request({ socketPath, method: "POST", path, headers }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (data) => {
        text += data;
      });
      res.on("end", () =>
        res.statusCode === 200 && !text.includes('"error"')
          ? resolve(text)
          : reject(new Error(`${path}: ${res.statusCode} ${text.slice(-500)}`)),
      );
    });
    req.on("error", reject);
    if (typeof body === "string") createReadStream(body).pipe(req);
    else req.end(body);
  });
}

/** `docker load` of an archive that dockerd wrote. */
export async function benchLoad(bench, archive) {
  const peak = { drydock: [], dockerd: [] };
  const [ours, theirs] = await bench.inTurn(bench.quick ? 1 : 5, async (who) => {
    const daemon = await bench.boot(who);
    let high = 0;
    const sampler = setInterval(() => {
      high = Math.max(high, bench.residentMb(daemon.child.pid));
    }, 50);
    const before = performance.now();
    await send(daemon.socket, "/v1.24/images/load", "application/x-tar", archive, statSync(archive).size);
    const ms = performance.now() - before;
    clearInterval(sampler);
    peak[who].push(high);
    await bench.stop(daemon);
    return ms;
  });
  bench.report("load of the same image", "ms", ours, theirs, { aim: "0.50" });
  bench.report("peak memory in the load", "MB", bench.median(peak.drydock), bench.median(peak.dockerd), {
    aim: "<200 MB",
  });
}

/** Twenty steps: nine commands, ten that only say something or bring a file. */
function dockerfile(tiny, round) {
  const steps = [`FROM ${tiny}`, `ENV ROUND ${round}`];
  for (let i = 0; i < 9; i++)
    steps.push(`RUN echo ${i} > /step${i}`, i % 2 === 0 ? `COPY file${i} /` : `ENV STEP${i} done`);
  return steps;
}

function tarOf(files) {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const data = Buffer.from(text);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0", 100);
    header.write("0000000\0".repeat(2), 108);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("12345670000\0", 136);
    header.write("        0", 148);
    header.write("ustar\x0000", 257);
    let sum = 0;
    for (const byte of header) sum += byte;
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** A build of twenty steps, and the same again. */
export async function benchBuild(bench, daemons) {
  let round = 0;
  const cached = { drydock: [], dockerd: [] };
  const build = async (who, context) => {
    const before = performance.now();
    const text = await send(
      daemons[who].socket,
      "/v1.24/build?t=built&rm=1",
      "application/x-tar",
      context,
      context.length,
    );
    if (!text.includes("Successfully built")) throw new Error(`build: ${text.slice(-500)}`);
    return performance.now() - before;
  };
  const [ours, theirs] = await bench.inTurn(bench.quick ? 1 : 5, async (who) => {
    const files = Object.fromEntries([0, 2, 4, 6, 8].map((i) => [`file${i}`, `content ${i} ${round}\n`]));
    const context = tarOf({ Dockerfile: dockerfile(bench.tiny, round++).join("\n"), ...files });
    const first = await build(who, context);
    cached[who].push(await build(who, context));
    return first;
  });
  bench.report("build of 20 steps", "ms", ours, theirs, { aim: "0.50" });
  bench.report("the same build again", "ms", bench.median(cached.drydock), bench.median(cached.dockerd));
}
