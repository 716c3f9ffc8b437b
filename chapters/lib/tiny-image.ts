/**
 * An image of three layers, made in memory: the same bytes, and so the same digests, in Node and in a page.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { gzipSync } from "fflate";
import { type TarFile, tar } from "./tar.ts";

/** A layer as it is and as it travels. */
export interface BuiltLayer {
  readonly tar: Buffer;
  readonly blob: Buffer;
  /** Digest of {@link tar}. */
  readonly diffId: string;
  /** Digest of {@link blob}. */
  readonly digest: string;
  readonly createdBy: string;
}

/** An image that a registry can serve. */
export interface BuiltImage {
  readonly layers: readonly BuiltLayer[];
  readonly config: Buffer;
  /** Digest of the configuration: the image's id. */
  readonly configDigest: string;
}

/** `sha256:` and the hexadecimal digits. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${Buffer.from(sha256(bytes)).toString("hex")}`;
}

/** Packs and compresses the files of a layer. */
export function buildLayer(files: readonly TarFile[], createdBy: string): BuiltLayer {
  const archive = tar(files);
  const blob = Buffer.from(gzipSync(archive, { level: 9, mtime: 0 }));
  return { tar: archive, blob, diffId: digestOf(archive), digest: digestOf(blob), createdBy };
}

/** Puts layers together. @param settings - the image's `config` */
export function buildImage(
  layers: readonly BuiltLayer[],
  settings: Record<string, unknown>,
  platform: { os: string; architecture: string; variant?: string } = { os: "linux", architecture: "amd64" },
): BuiltImage {
  const created = "2014-08-20T20:20:14.000000001Z";
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      created,
      config: settings,
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: [
        ...layers.map((layer) => ({ created, created_by: layer.createdBy })),
        { created, created_by: '/bin/sh -c #(nop)  CMD ["/bin/sh"]', empty_layer: true },
      ],
    }),
  );
  return { layers, config, configDigest: digestOf(config) };
}

const APPLETS = [
  "sh",
  "ash",
  "cat",
  "echo",
  "env",
  "false",
  "hostname",
  "id",
  "ls",
  "mount",
  "ps",
  "pwd",
  "sleep",
  "touch",
  "true",
  "uname",
  "wget",
];

/**
 * A base, a layer that adds files, and one that changes and hides some.
 *
 * @param busybox - a static busybox for the machine; without it there is nothing to run
 */
export function tinyImage(busybox?: Uint8Array): BuiltImage {
  const programs: TarFile[] =
    busybox === undefined
      ? []
      : [
          { name: "bin/busybox", mode: 0o755, content: busybox },
          ...APPLETS.map((name): TarFile => ({ name: `bin/${name}`, type: "symlink", link: "busybox" })),
        ];
  const base = buildLayer(
    [
      { name: "bin", type: "dir" },
      ...programs,
      { name: "etc", type: "dir" },
      { name: "etc/group", content: "root:x:0:\n" },
      { name: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\n" },
      { name: "etc/motd", content: "first\n" },
      { name: "root", type: "dir", mode: 0o700 },
      { name: "tmp", type: "dir", mode: 0o1777 },
    ],
    "/bin/sh -c #(nop) ADD file:base in /",
  );
  const second = buildLayer(
    [
      { name: "srv", type: "dir" },
      { name: "srv/hello.txt", content: "hello from a layer\n" },
      { name: "srv/draft.txt", content: "to be hidden\n" },
    ],
    "/bin/sh -c #(nop) COPY dir:srv in /srv",
  );
  const third = buildLayer(
    [
      { name: "etc", type: "dir" },
      { name: "etc/motd", content: "Welcome aboard\n" },
      { name: "srv", type: "dir" },
      { name: "srv/.wh.draft.txt" },
    ],
    "/bin/sh -c rm /srv/draft.txt",
  );
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return buildImage([base, second, third], { Env: [path], Cmd: ["/bin/sh"], WorkingDir: "/" });
}
