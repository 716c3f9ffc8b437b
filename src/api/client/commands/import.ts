/**
 * `docker import`
 *
 * @module
 */

import { resolveRepositoryPath } from "../../../registry/names.ts";
import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { stream } from "../utils.ts";

/**
 * Makes an image of the files in an archive: of standard input, or of an address that the daemon fetches.
 *
 * @origin api/client/commands.go (*DockerCli).CmdImport
 */
export async function cmdImport(cli: DockerCli, args: string[]): Promise<void> {
  const description =
    "Create an empty filesystem image and import the contents of the tarball (.tar, .tar.gz, .tgz, .bzip, .tar.xz, .txz) into it, then optionally tag it.";
  const cmd = cli.subcmd("import", "URL|- [REPOSITORY[:TAG]]", description);
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const [source, repository] = [cmd.arg(0), cmd.arg(1)];
  const withTag = cmd.nArg() === 3;
  if (withTag) {
    await cli.err.write(
      "[DEPRECATED] The format 'URL|- [REPOSITORY [TAG]]' as been deprecated. Please use URL|- [REPOSITORY[:TAG]]\n",
    );
  }
  if (repository !== "") resolveRepositoryPath(repository);
  const values = query({ fromSrc: source, repo: repository, tag: withTag ? cmd.arg(2) : undefined });
  const input = source === "-" ? cli.in : undefined;
  await stream(cli, "POST", `/images/create${values}`, { in: input, out: cli.out });
}
