import { expect, test } from "vitest";
import { goldenRecords, Replay } from "../../../support/golden.ts";
import { emptyDaemon } from "./empty-daemon.ts";
import { TestServer } from "./support.ts";

/** Records that say something about other parts of the daemon, or where we differ on purpose. */
const ELSEWHERE: Record<string, string> = {
  "system.021": "HEAD /_ping answers: clients of today begin with it",
  "missing.076": "texts of filters are the daemon's",
  "missing.075": "texts of filters are the daemon's",
  "missing.010": "the websocket is not served",
  "missing.064": "rules of names are the registry's",
};
/** Versions that 1.2.0 refuses and we serve, or refuse in other words. */
const NEWER = /^\/v(?:1\.(?:1[5-9]|[2-9]\d|140)|1\.14\.1|2\.0|10\.0)\//;

test.each(["system", "cors", "missing"])("ApiServer answers the scenario %s as 1.2.0 did", async (scenario) => {
  await using server = new TestServer().jobs(emptyDaemon);
  await server.start(scenario === "cors" ? { EnableCors: "1" } : {});
  const replay = new Replay(server.socket, () => Buffer.alloc(0));
  const differences: string[] = [];
  let compared = 0;
  for (const record of goldenRecords(scenario)) {
    const { path } = record.request;
    const network = /127\.0\.0\.1:9|^\/auth|term=[b1]|fromImage=nope/.test(path);
    if (record.id in ELSEWHERE || record.note || network || NEWER.test(path) || path.startsWith("/debug")) continue;
    const answer = await replay.send(record);
    for (const text of replay.differences(record, answer)) {
      differences.push(`${record.id} ${record.request.method} ${path}: ${text}`);
    }
    compared++;
  }
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(8);
});

test("ApiServer refuses versions above 1.30 with the text of newer daemons", async () => {
  await using server = await new TestServer().jobs(emptyDaemon).start();
  for (const version of ["1.31", "1.99", "2.0", "10.0", "1.140"]) {
    const reply = await server.ask(`/v${version}/_ping`);
    expect(reply).toMatchObject({
      status: 400,
      body: `{"message":"client version ${version} is too new. Maximum supported API version is 1.30"}\n`,
    });
  }
});
