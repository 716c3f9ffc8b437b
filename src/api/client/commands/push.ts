/**
 * `docker push`
 *
 * @module
 */

import { parseRepositoryTag } from "../../../pkg/parsers/parsers.ts";
import { resolveAuthConfig } from "../../../registry/config-file.ts";
import { indexServerAddress, resolveRepositoryPath } from "../../../registry/names.ts";
import type { DockerCli } from "../cli.ts";
import { loadConfigFile } from "../config-file.ts";
import { withLogin } from "../login-retry.ts";
import { query } from "../query.ts";
import { stream } from "../utils.ts";

/**
 * Has the daemon push an image: one tag, or all of a repository when none is named.
 *
 * @origin api/client/commands.go (*DockerCli).CmdPush
 * @deviation Names may have any number of parts, short ones too, as registries allow them since 2015.
 */
export async function cmdPush(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("push", "NAME[:TAG]", "Push an image or a repository to the registry");
  cmd.parse(args);
  const name = cmd.arg(0);
  if (name === "") cmd.usage();
  const [repository, tag] = parseRepositoryTag(name);
  const { hostname } = resolveRepositoryPath(repository);
  if (!name.includes("/")) {
    const user = resolveAuthConfig(await loadConfigFile(cli), indexServerAddress()).username || "<user>";
    throw new Error(
      `You cannot push a "root" repository. Please rename your repository in <user>/<repo> (ex: ${user}/${name})`,
    );
  }
  await withLogin(cli, hostname, "push", (auth) =>
    stream(cli, "POST", `/images/${repository}/push${query({ tag })}`, {
      out: cli.out,
      headers: [["X-Registry-Auth", auth]],
    }),
  );
}
