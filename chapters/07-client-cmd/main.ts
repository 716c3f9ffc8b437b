/**
 * Chapter 07: a command line becomes requests, and what the daemon answers becomes text and an exit status.
 *
 * The client is the program's own `main()`. What is added is somebody who watches it: the words it takes, the method it
 * chooses, and every byte that goes over its connections.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { DockerCli, type Method, type Subcommand } from "../../src/api/client/cli.ts";
import { main } from "../../src/docker/docker.ts";
import type { Host } from "../../src/host/host.ts";
import type { Net } from "../../src/host/net.ts";

/** One connection: what the client sent, and what came back. */
export interface Exchange {
  readonly proto: string;
  readonly addr: string;
  /** `undefined`: no TLS. */
  readonly tls: DockerCli["tls"];
  sent: Buffer;
  received: Buffer;
}

/** What was seen of a client, in the order in which it happened. */
export type Sight =
  /** The client was made: host and TLS are decided. */
  | { readonly kind: "client"; readonly cli: DockerCli }
  /** A command word was looked up. */
  | { readonly kind: "method"; readonly word: string; readonly found: boolean }
  /** A command read its own words. */
  | {
      readonly kind: "flags";
      readonly command: Subcommand;
      readonly name: string;
      readonly given: readonly string[];
      readonly left: readonly string[];
    }
  | { readonly kind: "exchange"; readonly exchange: Exchange };

/** A client that says what it does. */
class WatchedCli extends DockerCli {
  readonly #see: (sight: Sight) => void;

  constructor(see: (sight: Sight) => void, ...parts: ConstructorParameters<typeof DockerCli>) {
    super(...parts);
    this.#see = see;
    see({ kind: "client", cli: this });
  }

  override getMethod(word: string): Method | undefined {
    const method = super.getMethod(word);
    this.#see({ kind: "method", word, found: method !== undefined });
    return method;
  }

  override subcmd(name: string, signature: string, description: string): Subcommand {
    const command = super.subcmd(name, signature, description);
    const parse = command.parse.bind(command);
    command.parse = (given) => {
      try {
        parse(given);
      } finally {
        this.#see({ kind: "flags", command, name, given, left: command.args() });
      }
    };
    return command;
  }
}

/** Keeps what passes through a connection. */
function tap(socket: Duplex, exchange: Exchange): Duplex {
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, ...rest) => {
    if (chunk !== null) exchange.received = Buffer.concat([exchange.received, chunk]);
    return push(chunk, ...rest);
  };
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  socket.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    exchange.sent = Buffer.concat([exchange.sent, Buffer.from(chunk as string)]);
    return write(chunk, ...rest);
  };
  return socket;
}

/** The network of a host whose connections are watched. */
function watched(net: Net, see: (sight: Sight) => void): Net {
  const dial: Net["dial"] = async (proto, addr, tls) => {
    const exchange: Exchange = { proto, addr, tls, sent: Buffer.alloc(0), received: Buffer.alloc(0) };
    see({ kind: "exchange", exchange });
    return tap(await net.dial(proto, addr, tls), exchange);
  };
  return { ...net, dial };
}

/**
 * Runs a command line as `main()` does, under observation.
 *
 * @param see - told of everything as it happens
 * @returns the exit status
 */
export function runClient(args: readonly string[], host: Host, see: (sight: Sight) => void): Promise<number> {
  return main(
    args,
    { ...host, net: watched(host.net, see) },
    {
      argv0: "docker",
      mainDaemon: async () => undefined, // chapter 05
      newClient: (...parts) => new WatchedCli(see, ...parts),
    },
  );
}
