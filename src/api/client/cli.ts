/**
 * The client: a command word, a method, requests to the daemon.
 *
 * @origin api/client/cli.go
 * @article 003/s6
 * @module
 */

import type { Host } from "../../host/host.ts";
import type { TlsIdentity } from "../../host/net.ts";
import { Logger } from "../../pkg/log/log.ts";
import { FlagSet } from "../../pkg/mflag/mflag.ts";
import { printable } from "../../pkg/term/printable.ts";
import type { Reader, Writer } from "../../sync/io.ts";
import { StatusError } from "../../utils/status-error.ts";
import { type CommandEntry, commands } from "./commands.ts";

/** What the client touches of the world. */
export type ClientHost = Pick<
  Host,
  | "fs"
  | "clock"
  | "env"
  | "net"
  | "stdin"
  | "stdout"
  | "stderr"
  | "terminal"
  | "signals"
  | "machine"
  | "pool"
  | "exec"
  | "kernel"
>;

/** A command: its arguments are those after the command word. */
export type Method = (...args: string[]) => Promise<void>;

/** @origin api/client/cli.go DockerCli */
export class DockerCli {
  /** `unix` or `tcp`; anything else fails when it is dialled. */
  readonly proto: string;
  /** Path of a socket, or host and port. */
  readonly addr: string;
  readonly tls: (TlsIdentity & { verify: boolean }) | undefined;
  /** `http`, or `https` when the connection is under TLS. */
  readonly scheme: "http" | "https";
  readonly host: ClientHost;
  readonly in: Reader;
  readonly out: Writer;
  readonly err: Writer;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  readonly log: Logger;
  /** What can be run, in the order of the help screen. */
  readonly commands: ReadonlyMap<string, CommandEntry> = commands;

  /**
   * @param tls - certificates, and whether the daemon's own is checked; `undefined`: no TLS
   * @origin api/client/cli.go NewDockerCli
   * @article 003/s5
   */
  constructor(host: ClientHost, proto: string, addr: string, tls?: TlsIdentity & { verify: boolean }) {
    this.proto = proto;
    this.addr = addr;
    this.tls = tls;
    this.scheme = tls ? "https" : "http";
    this.host = host;
    this.in = host.stdin;
    this.out = host.stdout;
    this.err = host.stderr;
    this.isTerminal = host.stdout.isTerminal;
    this.log = new Logger(host);
  }

  /**
   * Finds the method of a command word, in whatever case it was typed: `pull`, `PULL` and `pULL` are `cmdPull`.
   *
   * @origin api/client/cli.go (*DockerCli).getMethod
   * @article 003/s7
   */
  getMethod(name: string): Method | undefined {
    const command = this.commands.get(`Cmd${name.slice(0, 1).toUpperCase()}${name.slice(1).toLowerCase()}`);
    return command && (async (...args) => (await command.load())(this, args));
  }

  /**
   * Runs a command line without its global flags.
   *
   * @throws {StatusError} when the exit code is not simply 1
   * @origin api/client/cli.go (*DockerCli).Cmd
   * @article 003/s6
   */
  async cmd(...args: string[]): Promise<void> {
    const [name, ...rest] = args;
    if (name === undefined) return this.cmdHelp();
    const method = this.getMethod(name);
    if (method) return method(...rest);
    await this.out.write(`Error: Command not found: ${name}\n`);
    return this.cmdHelp(...rest);
  }

  /** Shows a command's usage, or the list of commands. @origin api/client/commands.go (*DockerCli).CmdHelp */
  async cmdHelp(...args: string[]): Promise<void> {
    const { cmdHelp } = await import("./commands/help.ts");
    return cmdHelp(this, args);
  }

  /**
   * Declares a command: its usage screen goes to standard error and ends the program with exit code 2.
   *
   * @origin api/client/cli.go (*DockerCli).Subcmd
   */
  subcmd(name: string, signature: string, description: string): Subcommand {
    return new Subcommand(this, name, signature, description);
  }

  /** Text from the daemon or a registry as it may be printed: on a terminal, without control characters. */
  show(text: string): string {
    return this.isTerminal ? printable(text) : text;
  }
}

/** The flags of one command. */
export class Subcommand extends FlagSet {
  /** Shows the usage screen and ends the program. */
  override usage: () => never;

  /** @param signature - what follows the command in its usage line */
  constructor(cli: DockerCli, name: string, signature: string, description: string) {
    super(name, "continue", { stderr: cli.err, exit: (code) => cli.host.signals.exit(code) });
    this.usage = () => {
      void cli.err.write(`\nUsage: docker ${name} ${signature}\n\n${description}\n\n`);
      this.printDefaults();
      throw new StatusError(2);
    };
  }
}
