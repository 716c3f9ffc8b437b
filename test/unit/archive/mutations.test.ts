/**
 * Archives with something wrong in them, through all that reads archives: each is taken or refused in words, in good time,
 * and nothing outside changes.
 *
 * `FUZZ_RUNS=5000 FUZZ_SEED=7` sends more, and others.
 */

import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type UnpackTools, unpackLayer } from "../../../src/archive/unpack-layer.ts";
import { linuxExec } from "../../../src/host/linux/exec.ts";
import { sha256, syncFs } from "../../../src/host/linux/worker-port.ts";
import type { UnpackJob } from "../../../src/host/pool.ts";
import { layer } from "../../support/layers.ts";
import { Dice, mutated } from "../../support/mutate.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1_200);
const isRoot = process.getuid?.() === 0;
/** What only a programming mistake of ours says. */
const OURS =
  /TypeError|RangeError|ReferenceError|is not a function|Cannot read prop|call stack|Invalid array length|ERR_[A-Z]/;

const HONEST = layer(
  { name: "d/", mode: 0o1777 },
  { name: "d/f", content: "content\n".repeat(300), uid: 3, xattrs: { "user.note": Buffer.from([0, 255]) } },
  { name: "l", type: "2", link: "../../victims" },
  { name: "d/h", type: "1", link: "d/f" },
  { name: `long${"/name".repeat(60)}`, content: "long" },
  { name: ".wh.gone" },
  { name: "d/.wh..wh..opq" },
  { name: "fifo", type: "6" },
  { name: "l/in", content: "through a link" },
);

/** What GNU tar makes of a file with holes, in three of its forms. */
function sparse(dir: string): Buffer[] {
  execFileSync(
    "sh",
    ["-c", "for i in 1 3 5 7 9 11; do printf data$i | dd of=holes bs=64k seek=$i conv=notrunc status=none; done"],
    { cwd: dir },
  );
  return ["gnu", "pax --sparse-version=0.1", "pax --sparse-version=1.0"].map((format) =>
    execFileSync("tar", ["-c", "-S", ...`--format=${format}`.split(" "), "holes"], { cwd: dir }),
  );
}

test(`${RUNS} wrong archives (seed ${SEED}) are unpacked or refused, and change nothing outside`, async () => {
  const base = temporaryDirectory("mutations-");
  const root = join(base, "layers/x");
  mkdirSync(join(base, "victims"));
  writeFileSync(join(base, "victims/file"), "untouched", { mode: 0o640 });
  writeFileSync(join(base, "victim"), "untouched");
  const outside = () =>
    execFileSync("find", [base, "-path", root, "-prune", "-o", "-printf", "%P %y %m %U %n %s %C@\n"]).toString();
  const dice = new Dice(SEED);
  const origins = [HONEST, HONEST, ...sparse(temporaryDirectory("holes-"))];
  mkdirSync(root, { recursive: true });
  const before = outside();
  const outcomes = { taken: 0, refused: 0 };
  for (let run = 0; run < RUNS; run++) {
    const bytes = mutated(dice, dice.of(origins));
    const whiteouts = dice.of(["apply", "keep", "aufs", ...(isRoot ? ["overlay"] : [])] as UnpackJob["whiteouts"][]);
    const size = 1 + dice.below(3000);
    let at = 0;
    const tools: UnpackTools = {
      fs: syncFs,
      exec: linuxExec({}),
      sha256,
      next: async () => (at < bytes.length ? bytes.subarray(at, (at += size)) : undefined),
      enter: ({ root: inside }) => ({ root: inside, leave: () => undefined }),
    };
    const record = run % 2 === 0 ? join(root, "../record") : undefined;
    const job: UnpackJob = { root, whiteouts, chown: isRoot, compression: "auto", record, tarsum: run % 3 === 0 };
    const started = process.hrtime.bigint();
    try {
      await unpackLayer(job, tools);
      outcomes.taken++;
    } catch (cause) {
      outcomes.refused++;
      expect(`${run}: ${cause}`).not.toMatch(OURS);
    }
    expect(Number(process.hrtime.bigint() - started) / 1e9, `seconds of run ${run}`).toBeLessThan(20);
    expect(lstatSync(root).isDirectory()).toBe(true);
    rmSync(join(root, "../record"), { force: true });
    for (const name of syncFs.readdirSync(root)) rmSync(join(root, name), { recursive: true, force: true });
    if (run % 20 === 19 || run === RUNS - 1)
      expect(outside().replace(/^layers .*\n/m, ""), `before run ${run}`).toBe(before.replace(/^layers .*\n/m, ""));
  }
  expect(outcomes.taken).toBeGreaterThan(RUNS / 20);
  expect(outcomes.refused).toBeGreaterThan(RUNS / 5);
}, 600_000);
