/**
 * `docker tag`
 *
 * @module
 */

import { parseRepositoryTag } from "../../../pkg/parsers/parsers.ts";
import { resolveRepositoryName } from "../../../registry/names.ts";
import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { call, readBody } from "../utils.ts";

/**
 * Gives an image another name.
 *
 * @origin api/client/commands.go (*DockerCli).CmdTag
 */
export async function cmdTag(cli: DockerCli, args: string[]): Promise<void> {
  const signature = "[OPTIONS] IMAGE[:TAG] [REGISTRYHOST/][USERNAME/]NAME[:TAG]";
  const cmd = cli.subcmd("tag", signature, "Tag an image into a repository");
  const force = cmd.bool(["f", "#force", "-force"], false, "Force");
  cmd.parse(args);
  if (cmd.nArg() !== 2) cmd.usage();
  const [repo, tag] = parseRepositoryTag(cmd.arg(1));
  resolveRepositoryName(repo);
  const values = query({ repo, tag, force: force.value ? "1" : undefined });
  await readBody(call(cli, "POST", `/images/${cmd.arg(0)}/tag${values}`));
}
