import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import goLines from "../../../book/data/go-lines.json" with { type: "json" };
import { subject } from "../../lib/exercise.ts";

const { here } = await subject<typeof import("./1-where.solution.ts")>(import.meta.url);

test("exercise 1: a Go file is found where you say", () => {
  expect(here("daemon/monitor.go")).toBe("src/daemon/monitor.ts");
  const files = [
    ...["docker/daemon.go", "engine/job.go", "api/server/server.go", "api/client/cli.go", "builtins/builtins.go"],
    ...["daemon/graphdriver/aufs/mount.go", "daemon/image_delete.go", "daemon/network_settings.go"],
    ...["pkg/graphdb/conn_sqlite3.go", "pkg/signal/trap.go", "registry/session.go"],
  ];
  for (const go of files) {
    expect(Object.keys(goLines.files)).toContain(go);
    expect([go, existsSync(here(go))]).toEqual([go, true]);
  }
});
