/**
 * `docker login`
 *
 * @module
 */

import { messageOf } from "../../../errdefs/errdefs.ts";
import { disableEcho } from "../../../pkg/term/term.ts";
import type { AuthConfig } from "../../../registry/auth.ts";
import { saveConfig } from "../../../registry/config-file.ts";
import { indexServerAddress } from "../../../registry/names.ts";
import { StatusError } from "../../../utils/status-error.ts";
import type { DockerCli } from "../cli.ts";
import { loadConfigFile } from "../config-file.ts";
import { DaemonError } from "../errors.ts";
import { LineReader } from "../line-reader.ts";
import { call, readEnv } from "../utils.ts";

/**
 * Has the daemon try a name and a password, and keeps them in `~/.dockercfg`.
 *
 * What is known already is not asked again: the password of the name that is stored, whatever `-p` says.
 *
 * @origin api/client/commands.go (*DockerCli).CmdLogin
 * @deviation Answers may come through a pipe, a line each; 1.2.0 loses all but the first.
 */
export async function cmdLogin(cli: DockerCli, args: string[]): Promise<void> {
  const index = indexServerAddress();
  const description = `Register or log in to a Docker registry server, if no server is specified "${index}" is the default.`;
  const cmd = cli.subcmd("login", "[OPTIONS] [SERVER]", description);
  const username = cmd.string(["u", "-username"], "", "Username");
  const password = cmd.string(["p", "-password"], "", "Password");
  const email = cmd.string(["e", "-email"], "", "Email");
  cmd.parse(args);
  const server = cmd.nArg() > 0 ? cmd.arg(0) : index;

  const config = await loadConfigFile(cli);
  const given = { username: username.value, password: password.value, email: email.value };
  const account = { ...(await complete(cli, config.configs.get(server) ?? {}, given)), serveraddress: server };
  config.configs.set(server, account);
  let status: string;
  try {
    status = (await readEnv(call(cli, "POST", "/auth", bodyOf(account)))).get("Status");
  } catch (cause) {
    if (cause instanceof DaemonError && cause.statusCode === 401) {
      config.configs.delete(server);
      await saveConfig(cli.host, config);
    }
    throw cause;
  }
  // The daemon has said yes: that is worth telling, also where it cannot be kept.
  const failure = await saveConfig(cli.host, config).catch((error: unknown) => error);
  if (failure !== undefined) await cli.err.write(`WARNING: ${messageOf(failure)}\n`);
  if (status !== "") await cli.out.write(`${cli.show(status)}\n`);
}

/** An account as it is asked about. */
type Account = Required<Pick<AuthConfig, "username" | "password" | "email">>;

/** Asks for what is neither given nor stored. */
async function complete(cli: DockerCli, stored: AuthConfig, given: Account): Promise<Account> {
  const input = new LineReader(cli.in);
  const ask = async (prompt: string, known = ""): Promise<string> => {
    await cli.out.write(known === "" ? `${prompt}: ` : `${prompt} (${known}): `);
    const line = await input.next();
    if (line === undefined) {
      await cli.out.write("EOF\n");
      throw new StatusError(1);
    }
    return line || known;
  };
  try {
    const username = given.username || (await ask("Username", stored.username));
    if (username === stored.username) {
      return { username, password: stored.password ?? "", email: stored.email ?? "" };
    }
    const password = given.password || (await quietly(cli, () => ask("Password")));
    if (password === "") throw new Error("Error : Password Required");
    return { username, password, email: given.email || (await ask("Email", stored.email)) };
  } finally {
    await input.close();
  }
}

/** Nobody looks over a shoulder. */
async function quietly(cli: DockerCli, ask: () => Promise<string>): Promise<string> {
  const state = cli.host.stdin.isTerminal ? await disableEcho(cli.host) : undefined;
  try {
    return await ask();
  } finally {
    await cli.out.write("\n");
    state?.restore();
  }
}

/** In the order of Go's struct. */
function bodyOf({ username, password, email, serveraddress }: Account & { serveraddress: string }): object {
  return {
    username: username || undefined,
    password: password || undefined,
    auth: "",
    email,
    serveraddress: serveraddress || undefined,
  };
}
