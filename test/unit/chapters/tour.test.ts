import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { JOB_FILES, startedJob } from "../../../chapters/lib/tour/jobs.ts";
import { Narrator } from "../../../chapters/lib/tour/narrator.ts";

test("JOB_FILES names files that exist", () => {
  expect(Object.entries(JOB_FILES).filter(([, file]) => !existsSync(file))).toEqual([]);
  expect(readFileSync(JOB_FILES["pull"] ?? "", "utf8")).toContain("cmdPull");
});

test("startedJob() reads the engine's own lines", () => {
  expect(startedJob("[0123abcd] +job pull(busybox, latest)")).toEqual({ name: "pull", args: "busybox, latest" });
  expect(startedJob("[0123abcd] -job pull(busybox, latest) = OK (0)")).toBeUndefined();
  expect(startedJob("[info] POST /images/create")).toBeUndefined();
});

test("Narrator shows a job with its file, and gathers jobs while it is quiet", async () => {
  let text = "";
  const tour = new Narrator((more) => {
    text += more;
  }, false);
  tour.before(/serveapi/, () => tour.say("first"));
  const seen = tour.seen(/\+job pull/);
  void tour.log.write("[0123abcd] +job serveapi(unix:///s)\n[0123");
  tour.quiet();
  void tour.log.write("abcd] +job pull(a)\n[0123abcd] +job log(create)\n[0123abcd] +job log(start)\n");
  await seen;
  expect(tour.loud()).toEqual(["pull", "log"]);
  expect(text).toMatch(/^first\n {4}│ \[0123abcd\] \+job serveapi\(unix:\/\/\/s\) +src\/api\/server\/server\.ts\n$/);
});

test("Narrator breaks lines between words, commands with a backslash, and cuts tables", () => {
  let text = "";
  const tour = new Narrator(
    (more) => {
      text += more;
    },
    false,
    () => 30,
  );
  tour.say("    one two three four five six seven");
  tour.command("$ docker run --name hello image echo hello");
  tour.table(["CONTAINER ID        IMAGE     COMMAND", "f19575b15c94        busybox   true"]);
  tour.table(["CONTAINER ID        IMAGE     SIZE, MB", "f19575b15c94        busybox   2"]);
  tour.table(["CONTAINER ID        IMAGE     VIRTUAL SIZE", "f19575b15c94        busybox   2"]);
  void tour.log.write("[0123abcd] +job pull(a)\n");
  expect(text.split("\n")).toEqual([
    "    one two three four five",
    "    six seven",
    "$ docker run --name hello \\",
    "    image echo hello",
    "CONTAINER ID  IMAGE    COMMAND",
    "f19575b15c94  busybox  true",
    "CONTAINER ID IMAGE   SIZE, MB",
    "f19575b15c94 busybox 2",
    "CONTAINER ID IMAGE   VIRTUAL …",
    "f19575b15c94 busybox 2",
    "    │ [0123abcd] +job pull(a)",
    "    │   src/graph/pull.ts",
    "",
  ]);
});
