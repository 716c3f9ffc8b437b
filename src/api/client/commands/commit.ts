/**
 * `docker commit`
 *
 * @module
 */

import { parseRepositoryTag } from "../../../pkg/parsers/parsers.ts";
import { resolveRepositoryPath } from "../../../registry/names.ts";
import { configFromJson } from "../../../runconfig/from-json.ts";
import { unmarshal } from "../../../utils/go-json-decode.ts";
import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { call, readEnv } from "../utils.ts";

/**
 * Makes an image of what a container has changed, and prints its id.
 *
 * @origin api/client/commands.go (*DockerCli).CmdCommit
 */
export async function cmdCommit(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Create a new image from a container's changes";
  const cmd = cli.subcmd("commit", "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]", description);
  const pause = cmd.bool(["p", "-pause"], true, "Pause container during commit");
  const comment = cmd.string(["m", "-message"], "", "Commit message");
  const authorHelp = 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")';
  const author = cmd.string(["a", "#author", "-author"], "", authorHelp);
  const runHelp =
    "This option is deprecated and will be removed in a future version in favor of inline Dockerfile-compatible commands";
  const run = cmd.string(["#run", "#-run"], "", runHelp);
  cmd.parse(args);
  const [container, [repository, tag]] = [cmd.arg(0), parseRepositoryTag(cmd.arg(1))];
  if (container === "" || cmd.nArg() > 2) cmd.usage();
  if (repository !== "") resolveRepositoryPath(repository);
  const values = query({
    container,
    repo: repository,
    tag,
    comment: comment.value,
    author: author.value,
    pause: pause.value ? undefined : "0",
  });
  const config = run.value === "" ? null : configFromJson(unmarshal(run.value));
  const answer = await readEnv(call(cli, "POST", `/commit${values}`, config));
  await cli.out.write(`${answer.get("Id")}\n`);
}
