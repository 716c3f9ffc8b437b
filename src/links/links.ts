/**
 * A link: one container told where another one is, and a hole in the firewall between them.
 *
 * @origin links/links.go
 * @module
 */

import posix from "node:path/posix";
import type { Engine } from "../engine/engine.ts";
import { intOf, type Port, portOf, protoOf, sortPorts } from "../nat/nat.ts";

/** Both ends of a link. */
export interface LinkEnds {
  readonly parentIp: string;
  readonly childIp: string;
  /** `/web/db`: parent's name and alias. */
  readonly name: string;
  /** The child's own variables. */
  readonly childEnv: readonly string[];
  /** What the child exposes. */
  readonly ports: readonly Port[];
}

/** @origin links/links.go Link */
export class Link {
  readonly #ends: LinkEnds;
  readonly #ports: Port[];
  readonly #eng: Engine;

  /** @origin links/links.go NewLink */
  constructor(ends: LinkEnds, eng: Engine) {
    this.#ends = ends;
    this.#eng = eng;
    // Lowest port first, TCP before UDP: the first one is the link's own.
    this.#ports = sortPorts(
      [...ends.ports],
      (a, b) => intOf(a) < intOf(b) || (intOf(a) === intOf(b) && protoOf(a) === "tcp" && protoOf(b) !== "tcp"),
    );
  }

  /** @origin links/links.go Alias */
  get alias(): string {
    return posix.basename(this.#ends.name);
  }

  /** Address of the container that is linked to. */
  get childIp(): string {
    return this.#ends.childIp;
  }

  /** The variables the parent gets. @origin links/links.go ToEnv */
  toEnv(): string[] {
    const alias = this.alias.toUpperCase().replaceAll("-", "_");
    const { childIp, name, childEnv } = this.#ends;
    const env: string[] = [];
    const [first] = this.#ports;
    if (first !== undefined) env.push(`${alias}_PORT=${protoOf(first)}://${childIp}:${portOf(first)}`);
    for (const port of this.#ports) {
      const prefix = `${alias}_PORT_${portOf(port)}_${protoOf(port).toUpperCase()}`;
      env.push(`${prefix}=${protoOf(port)}://${childIp}:${portOf(port)}`);
      env.push(`${prefix}_ADDR=${childIp}`, `${prefix}_PORT=${portOf(port)}`, `${prefix}_PROTO=${protoOf(port)}`);
    }
    env.push(`${alias}_NAME=${name}`);
    for (const entry of childEnv) {
      const parts = entry.split("=");
      // A value with an equals sign in it never gets through, as in 1.2.0.
      if (parts.length !== 2 || parts[0] === "HOME" || parts[0] === "PATH") continue;
      env.push(`${alias}_ENV_${parts[0]}=${parts[1]}`);
    }
    return env;
  }

  /** Opens the way. @origin links/links.go Enable */
  enable(): Promise<void> {
    return this.#toggle("-I", false);
  }

  /** Closes it; a rule that is gone is no error. @origin links/links.go Disable */
  async disable(): Promise<void> {
    await this.#toggle("-D", true).catch(() => undefined);
  }

  /** @origin links/links.go toggle */
  #toggle(action: "-I" | "-D", ignoreErrors: boolean): Promise<void> {
    const job = this.#eng.job("link", action);
    job.setenv("ParentIP", this.#ends.parentIp);
    job.setenv("ChildIP", this.#ends.childIp);
    job.setenvBool("IgnoreErrors", ignoreErrors);
    job.setenvList(
      "Ports",
      this.#ports.map((port) => `${portOf(port)}/${protoOf(port)}`),
    );
    return job.run();
  }
}
