/**
 * One build: its state between the steps, and what every step does at its end.
 *
 * @origin daemon/build.go
 * @module
 */

import { messageOf, SystemError } from "../../errdefs/errdefs.ts";
import type { Config } from "../../runconfig/config.ts";
import { newConfig, newHostConfig } from "../../runconfig/from-json.ts";
import type { Reader, Writer } from "../../sync/io.ts";
import { goJson } from "../../utils/go-json.ts";
import { generateRandomID, truncateID } from "../../utils/utils.ts";
import type { Container } from "../container.ts";
import { createContainer, mergeAndVerifyConfig } from "../create.ts";
import type { Daemon } from "../daemon.ts";
import { destroy } from "../delete.ts";
import { BUILT, imageGetCached } from "./cache.ts";
import type { BuildContext } from "./context.ts";
import { instructions } from "./dispatch.ts";
import { dockerfileLines, parseInstruction } from "./dockerfile.ts";
import { keep, markBuilding } from "./leftovers.ts";
import type { BuildSettings } from "./settings.ts";

/** Where a build's messages go. */
export interface BuildStreams {
  readonly out: Writer;
  /** In red. */
  readonly err: Writer;
  /** As they are: a pull formats its own. */
  readonly raw: Writer;
}

/** What a step leaves behind. */
export interface Made {
  /** Id of the container, which need not be there. */
  readonly id: string;
  readonly layer?: Reader;
  /** Fills the layer of the new image in place. */
  readonly fill?: (imageId: string) => Promise<void>;
}

/** @origin daemon/build.go buildFile */
export class BuildFile {
  readonly daemon: Daemon;
  readonly context: BuildContext;
  readonly settings: BuildSettings;
  readonly streams: BuildStreams;
  /** Aborted when nobody waits for the build any more. */
  readonly signal: AbortSignal;
  /** What the next step stands on; `""` before `FROM`, and on top of nothing. */
  image = "";
  /** Whether nothing is what the build begins with. */
  fromScratch = false;
  maintainer = "";
  config: Config = newConfig();
  /** Whether this Dockerfile has said CMD. */
  cmdSet = false;
  /** Containers that are to be removed; `undefined` for those that only have an id. */
  readonly #tmpContainers = new Map<string, Container | undefined>();

  constructor(
    daemon: Daemon,
    context: BuildContext,
    settings: BuildSettings,
    streams: BuildStreams,
    signal: AbortSignal,
  ) {
    this.daemon = daemon;
    this.context = context;
    this.settings = settings;
    this.streams = streams;
    this.signal = signal;
  }

  /**
   * Goes through a Dockerfile.
   *
   * @returns the id of the image
   * @throws what a step throws; containers of the steps before it are gone then, its own with `forcerm` only
   * @origin daemon/build.go (*buildFile).Build
   * @deviation When the client goes away the build ends and removes its containers in any case; 1.2.0 builds on.
   */
  async build(dockerfile: string): Promise<string> {
    const lines = dockerfileLines(dockerfile);
    try {
      for (const [step, line] of lines.entries()) {
        this.signal.throwIfAborted();
        await this.buildStep(String(step), line);
        if (this.settings.rm) await this.#clearTmp();
      }
      if (this.image !== "" || this.fromScratch) await this.#label(lines.length);
      if (this.image === "") {
        throw new SystemError(
          "No image was generated. This may be because the Dockerfile does not, like, do anything.",
        );
      }
      if (this.settings.aux) await this.streams.raw.write(`${goJson({ aux: { ID: `sha256:${this.image}` } })}\r\n`);
      await this.streams.out.write(`Successfully built ${truncateID(this.image)}\n`);
      return this.image;
    } catch (cause) {
      // A message that cannot be sent any more is noticed a moment before the end of the connection.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.settings.forceRm || this.signal.aborted) await this.#clearTmp();
      else await this.#keepTmp();
      throw cause;
    } finally {
      if (this.image !== "") this.daemon.graph.release(this.image);
    }
  }

  /**
   * Does one step.
   *
   * @param name - its number, or `onbuild-<n>`
   * @throws what the instruction throws
   * @origin daemon/build.go (*buildFile).BuildStep
   */
  async buildStep(name: string, line: string): Promise<void> {
    const { out, err } = this.streams;
    await out.write(`Step ${name} : ${line}\n`);
    const instruction = parseInstruction(line);
    if (instruction === undefined) throw new SystemError("Invalid Dockerfile format");
    const run = instructions.get(instruction.name);
    if (run === undefined) {
      await err.write(`# Skipping unknown instruction ${instruction.name.toUpperCase()}\n`);
      return;
    }
    await run(this, instruction.args);
    await out.write(` ---> ${truncateID(this.image)}\n`);
  }

  /** The labels that came with the request: one more step, unless there are none. */
  async #label(step: number): Promise<void> {
    const { labels, rm } = this.settings;
    if (Object.keys(labels).length === 0) return;
    const pairs = Object.entries(labels).map(([key, value]) => `${JSON.stringify(key)}=${JSON.stringify(value)}`);
    const line = `LABEL ${pairs.sort().join(" ")}`;
    await this.streams.out.write(`Step ${step} : ${line}\n`);
    this.config.Labels = { ...this.config.Labels, ...labels };
    await this.commitConfig(line);
    await this.streams.out.write(` ---> ${truncateID(this.image)}\n`);
    if (rm) await this.#clearTmp();
  }

  /** Goes on from another image, which nobody can delete until the build has left it. */
  standOn(image: string): void {
    if (image !== "") this.daemon.graph.hold(image);
    if (this.image !== "") this.daemon.graph.release(this.image);
    this.image = image;
  }

  /** @param verb - what cannot be done without an image: `run`, `commit` @throws {SystemError} when there was no `FROM` */
  wantImage(verb: string): void {
    if (this.image !== "" || (this.fromScratch && verb === "commit")) return;
    throw new SystemError(
      this.fromScratch
        ? "Cannot run a command on scratch: nothing is there, ADD or COPY some files first"
        : `Please provide a source image with \`from\` prior to ${verb}`,
    );
  }

  /**
   * Does work for which the configuration has another command.
   *
   * @param work - is given the command it had before
   */
  async withCommand(command: string[] | null, work: (before: string[] | null) => Promise<void>): Promise<void> {
    const before = this.config.Cmd;
    this.config.Cmd = command;
    try {
      await work(before);
    } finally {
      this.config.Cmd = before;
    }
  }

  /**
   * Ends a step that changed nothing but the configuration.
   *
   * @param comment - how the history shows the step
   * @origin daemon/build.go (*buildFile).commit
   */
  async commitConfig(comment: string): Promise<void> {
    this.wantImage("commit");
    await this.withCommand(["/bin/sh", "-c", `#(nop) ${comment}`], async (command) => {
      if (await this.probeCache()) return;
      const container = this.keepsContainers ? await this.create() : undefined;
      const id = container?.id ?? (await this.createId());
      await this.streams.out.write(` ---> Running in ${truncateID(id)}\n`);
      await this.commitImage({ id }, command);
    });
  }

  /** Whether a step whose container does not run has one all the same: somebody may look at it afterwards. */
  get keepsContainers(): boolean {
    return !this.settings.rm && this.image !== "";
  }

  /**
   * Looks for an image that this step has made before, and goes on from it.
   *
   * @origin daemon/build.go (*buildFile).probeCache
   */
  async probeCache(): Promise<boolean> {
    if (!this.settings.useCache) return false;
    const cached = await imageGetCached(this.daemon.graph, this.image, this.config);
    if (cached === undefined) {
      this.daemon.log.debug("build.go:270", "[BUILDER] Cache miss");
      return false;
    }
    await this.streams.out.write(" ---> Using cache\n");
    this.daemon.log.debug("build.go:266", "[BUILDER] Use cached version");
    this.standOn(cached.id);
    return true;
  }

  /**
   * Makes a container for a step.
   *
   * @param more - what its configuration has and that of the image has not
   * @origin daemon/build.go (*buildFile).create
   */
  async create(more: Partial<Config> = {}): Promise<Container> {
    this.config.Image = this.image;
    const config = { ...structuredClone(this.config), ...more };
    const hostConfig = newHostConfig({ NetworkMode: this.settings.networkMode });
    const mark = this.settings.rm ? (made: Container) => markBuilding(this.daemon, made) : undefined;
    const { container, warnings } = await createContainer(this.daemon, config, hostConfig, "", mark);
    this.#tmpContainers.set(container.id, container);
    const own = Object.fromEntries(Object.keys(more).map((key) => [key, this.config[key as keyof Config]]));
    this.config = { ...structuredClone(container.config), ...own };
    await this.#warn(warnings);
    return container;
  }

  /**
   * Makes the id of a container that nobody will ever see, and completes the configuration as if there were one.
   *
   * @deviation 1.2.0 makes a container for every step, with its layers, and removes it after the step.
   */
  async createId(): Promise<string> {
    const id = generateRandomID(this.daemon.host.random);
    this.config = structuredClone(this.config);
    this.config.Image = this.image;
    if (this.image !== "") {
      const image = await this.daemon.graph.get(this.image);
      await image.checkDepth();
      await this.#warn(mergeAndVerifyConfig(this.config, image));
    }
    if (this.config.Hostname === "") this.config.Hostname = truncateID(id);
    this.#tmpContainers.set(id, undefined);
    return id;
  }

  async #warn(warnings: readonly string[]): Promise<void> {
    for (const warning of warnings) await this.streams.out.write(` ---> [Warning] ${warning}\n`);
  }

  /**
   * Makes an image of what a step did, and goes on from it.
   *
   * @param command - the image's own command, which is not that of the step
   * @origin daemon/build.go (*buildFile).commit; daemon/commit.go (*Daemon).Commit
   */
  async commitImage({ id, layer, fill }: Made, command: string[] | null): Promise<void> {
    const config = structuredClone(this.config);
    const { id: made } = await this.daemon.graph.create({
      layer,
      fill,
      container: { id, image: this.image, config },
      comment: "",
      author: this.maintainer,
      // Who is built on nothing has to say where it was built: see cache.ts.
      extra: this.image === "" ? { [BUILT]: "" } : {},
      config: { ...structuredClone(config), Cmd: command },
    });
    this.standOn(made);
  }

  /** A container whose command failed is for the user to look at. */
  async #keepTmp(): Promise<void> {
    for (const container of this.#tmpContainers.values()) {
      // What failed first is what counts.
      if (container !== undefined) await keep(this.daemon, container).catch(() => undefined);
    }
  }

  /**
   * Removes the containers of the steps so far.
   *
   * @origin daemon/build.go (*buildFile).clearTmp
   * @deviation Their volumes go with them; 1.2.0 leaves them for ever.
   */
  async #clearTmp(): Promise<void> {
    for (const [id, container] of this.#tmpContainers) {
      let text = `Removing intermediate container ${truncateID(id)}\n`;
      try {
        if (container !== undefined) await destroy(this.daemon, container, true, true, true);
        this.#tmpContainers.delete(id);
      } catch (cause) {
        text = `Error removing intermediate container ${truncateID(id)}: ${messageOf(cause)}\n`;
      }
      // A client that has gone hears of nothing: the others go all the same.
      await (async () => this.streams.out.write(text))().catch(() => undefined);
    }
  }
}
