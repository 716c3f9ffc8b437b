/**
 * `docker pull`
 *
 * @article 003/s8
 * @module
 */

import { parseRepositoryTag } from "../../../pkg/parsers/parsers.ts";
import { resolveRepositoryPath } from "../../../registry/names.ts";
import type { Writer } from "../../../sync/io.ts";
import type { DockerCli } from "../cli.ts";
import { registryAuth } from "../config-file.ts";
import { withLogin } from "../login-retry.ts";
import { query } from "../query.ts";
import { stream } from "../utils.ts";

/**
 * Lets the daemon fetch an image: one tag, or all of a repository when none is named.
 *
 * @origin api/client/commands.go (*DockerCli).CmdPull
 * @deviation Names may have any number of parts, short ones too, as registries allow them since 2015; and
 *   `NAME@sha256:…` names an image by its manifest, as since Docker 1.6.
 * @article 003/s8
 */
export async function cmdPull(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("pull", "NAME[:TAG]", "Pull an image or a repository from the registry");
  // Named in an old version and never sent since: given, it even keeps the empty `tag` away.
  const tag = cmd.string(["#t", "#-tag"], "", "Download tagged image in a repository");
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  const [repository] = parseRepositoryTag(cmd.arg(0));
  await create(cli, repository, { fromImage: cmd.arg(0), tag: tag.value === "" ? "" : undefined }, cli.out, true);
}

/**
 * Fetches what `docker run` did not find: the one tag, `latest` if none is named. Progress goes to standard error.
 *
 * @origin api/client/commands.go (*DockerCli).pullImage
 */
export async function pullImage(cli: DockerCli, image: string): Promise<void> {
  const at = image.indexOf("@");
  const [repository, tag] = at < 0 ? parseRepositoryTag(image) : [image.slice(0, at), image.slice(at + 1)];
  await create(cli, repository, { fromImage: repository, tag: tag || "latest" }, cli.err, false);
}

/** @param asking - whether a refused pull asks for name and password */
async function create(
  cli: DockerCli,
  repository: string,
  values: Readonly<Record<string, string | undefined>>,
  out: Writer,
  asking: boolean,
): Promise<void> {
  const { hostname } = resolveRepositoryPath(repository.replace(/@.*$/s, ""));
  const send = (auth: string) =>
    stream(cli, "POST", `/images/create${query(values)}`, { out, headers: [["X-Registry-Auth", auth]] });
  await (asking ? withLogin(cli, hostname, "pull", send) : send(await registryAuth(cli, hostname)));
}
