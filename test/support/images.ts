/**
 * Test images, made here from the system's static busybox, and a real registry to put them into.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const run = promisify(execFile);

/** What a layer adds: paths to text, to `{ link }`, or to `"busybox"` for the program itself. */
export type LayerSpec = Record<string, string | { link: string } | { busybox: true }>;

const APPLETS = [
  "sh",
  "echo",
  "cat",
  "true",
  "false",
  "sleep",
  "ls",
  "id",
  "hostname",
  "wget",
  "httpd",
  "nc",
  "stty",
  "head",
  "yes",
  "env",
  "pwd",
  "kill",
  "dd",
  "mkdir",
  "touch",
  "rm",
  "ip",
  "ping",
  "tty",
  "ps",
  "trap",
  "seq",
  "test",
  "od",
  "wc",
  "grep",
  "mount",
  "readlink",
  "stat",
];

/** A root file system with busybox in it. */
export const BUSYBOX: LayerSpec = {
  "bin/busybox": { busybox: true },
  ...Object.fromEntries(APPLETS.map((name) => [`bin/${name}`, { link: "busybox" }])),
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\noperator:x:37:37:Operator:/var:/bin/false\n",
  "etc/group": "root:x:0:\noperator:x:37:\n",
  "root/.keep": "",
  "tmp/.keep": "",
  "www/index.html": "hello from inside\n",
};

async function layerTar(spec: LayerSpec): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), "layer-"));
  await chmod(dir, 0o755); // it is the root of the image, for users in it too
  try {
    for (const [path, what] of Object.entries(spec)) {
      const target = join(dir, path);
      await mkdir(dirname(target), { recursive: true });
      if (typeof what === "string") await writeFile(target, what);
      else if ("link" in what) await symlink(what.link, target);
      else await copyFile("/usr/bin/busybox", target);
    }
    const { stdout } = await run(
      "tar",
      ["-C", dir, "--sort=name", "--mtime=@1400000000", "--owner=0", "--group=0", "-cf", "-", "."],
      {
        encoding: "buffer",
        maxBuffer: 64 << 20,
      },
    );
    return stdout;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** What to write of an image beside its layers. */
export interface ImageSpec {
  /** Keys of its configuration, beside `Env` and `Cmd`. */
  readonly config?: Record<string, unknown>;
  /** Keys of the document around it; `undefined` leaves one out: `{ config: undefined }`. */
  readonly document?: Record<string, unknown>;
}

/** Writes an OCI image layout that `skopeo` can copy. */
export async function writeLayout(dir: string, layers: LayerSpec[], spec: ImageSpec = {}): Promise<void> {
  const blobs = join(dir, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const put = async (data: Uint8Array, mediaType: string) => {
    const hex = sha256(data);
    await writeFile(join(blobs, hex), data);
    return { mediaType, digest: `sha256:${hex}`, size: data.length };
  };
  const tars = await Promise.all(layers.map(layerTar));
  const descriptors = [];
  for (const tar of tars) descriptors.push(await put(gzipSync(tar), "application/vnd.oci.image.layer.v1.tar+gzip"));
  const document = {
    created: "2014-08-20T20:20:14Z",
    architecture: "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: ["/bin/sh"], ...spec.config },
    rootfs: { type: "layers", diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
    history: layers.map((_, i) => ({ created: "2014-08-20T20:20:14Z", created_by: `/bin/sh -c #(nop) layer ${i}` })),
    ...spec.document,
  };
  const configBlob = await put(Buffer.from(JSON.stringify(document)), "application/vnd.oci.image.config.v1+json");
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: configBlob,
    layers: descriptors,
  };
  const entry = await put(Buffer.from(JSON.stringify(manifest)), manifest.mediaType);
  await writeFile(
    join(dir, "index.json"),
    JSON.stringify({
      schemaVersion: 2,
      manifests: [{ ...entry, annotations: { "org.opencontainers.image.ref.name": "latest" } }],
    }),
  );
  await writeFile(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

/** A port that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A running `docker-registry`. */
export interface TestRegistry {
  readonly address: string;
  readonly port: number;
  /** Copies an image into it with skopeo. `format` is what the registry then serves. */
  push(name: string, layers: LayerSpec[], options?: ImageSpec & { format?: "oci" | "v2s2" }): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts Debian's registry.
 *
 * @param prefix - command before it, to put it into a network namespace: `["nsenter", "--net=…"]`
 * @param options - where it listens; with paths of PEM files it speaks https, and
 *   with `clientCa` only to those who show a certificate of it; `htpasswd`: a line `user:<bcrypt>`; `token`: who gives the
 *   tokens it wants, and a file with the certificate they are signed with; `mirrorOf`: what it does not have it fetches there
 */
export async function startRegistry(
  prefix: string[] = [],
  options: {
    host?: string;
    tls?: { cert: string; key: string; clientCa?: string };
    htpasswd?: string;
    token?: { realm: string; service: string; bundle: string };
    mirrorOf?: string;
  } = {},
): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "registry-"));
  const port = await freePort();
  const address = `${options.host ?? "127.0.0.1"}:${port}`;
  const config = join(dir, "config.yml");
  const tls = options.tls ? `  tls:\n    certificate: ${options.tls.cert}\n    key: ${options.tls.key}\n` : "";
  const { clientCa } = options.tls ?? {};
  const clients = clientCa ? `    clientcas:\n      - ${clientCa}\n` : "";
  const auth = options.htpasswd ? `auth:\n  htpasswd:\n    realm: test\n    path: ${dir}/htpasswd\n` : "";
  const { realm, service, bundle } = options.token ?? {};
  const token = realm
    ? `auth:\n  token:\n    realm: ${realm}\n    service: ${service}\n    issuer: test\n    rootcertbundle: ${bundle}\n`
    : "";
  const proxy = options.mirrorOf ? `proxy:\n  remoteurl: http://${options.mirrorOf}\n` : "";
  if (options.htpasswd) await writeFile(join(dir, "htpasswd"), `${options.htpasswd}\n`);
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${dir}/data\nhttp:\n  addr: ${address}\n${tls}${clients}${auth}${token}${proxy}`,
  );
  const [command = "", ...args] = [...prefix, "docker-registry", "serve", config];
  const child: ChildProcess = spawn(command, args, { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `${options.tls ? "https" : "http"}://${address}/v2/`;
  const shown = options.tls && clientCa ? ["--cert", options.tls.cert, "--key", options.tls.key] : [];
  const probe = async () => {
    const [first = "", ...rest] = [...prefix, "curl", "-s", "-k", "-o", "/dev/null", ...shown, url];
    return run(first, rest).then(
      () => true,
      () => false,
    );
  };
  while (!(await probe())) if (child.exitCode !== null) throw new Error("docker-registry did not start");
  return {
    address,
    port,
    push: async (name, layers, { format = "v2s2", ...spec } = {}) => {
      const layout = join(dir, `layout-${name.replaceAll("/", "_")}`);
      await writeLayout(layout, layers, spec);
      const [first = "", ...rest] = [
        ...prefix,
        "skopeo",
        "copy",
        "-q",
        "--format",
        format,
        "--dest-tls-verify=false",
        `oci:${layout}:latest`,
        `docker://${address}/${name}:latest`,
      ];
      await run(first, rest);
      await rm(layout, { recursive: true });
    },
    stop: async () => {
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The digest of a file, to compare what came out with what went in. */
export async function fileSha256(path: string): Promise<string> {
  return sha256(await readFile(path));
}
