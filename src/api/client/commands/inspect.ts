/**
 * `docker inspect`
 *
 * @module
 */

import { messageOf } from "../../../errdefs/errdefs.ts";
import {
  display,
  type FunctionEntry,
  Template,
  TemplateExecError,
  TemplateSyntaxError,
  type Value,
} from "../../../pkg/template/template.ts";
import { floatText, goMapJson } from "../../../utils/go-json.ts";
import { JsonError, unmarshal } from "../../../utils/go-json-decode.ts";
import { StatusError } from "../../../utils/status-error.ts";
import type { DockerCli } from "../cli.ts";
import { indent } from "../indent.ts";
import { call, readBody } from "../utils.ts";

/** Exit code for a template that cannot be read: EX_USAGE. */
const USAGE = 64;

/**
 * What a template may call besides Go's own functions.
 *
 * @origin api/client/cli.go funcMap
 * @deviation `join` comes from later versions.
 */
export const functions: Readonly<Record<string, FunctionEntry>> = {
  json: { arity: 1, call: (value) => goMapJson(plain(value as Value), floatText) },
  join: {
    arity: 2,
    types: ["[]interface {}", "string"],
    call: (list, separator) => ((list ?? []) as readonly Value[]).map(display).join(separator as string),
  },
};

/** An integer of a template as a number: JSON has one kind only. */
function plain(value: Value): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/**
 * Shows everything the daemon knows about containers and images, as JSON or by a template.
 *
 * @origin api/client/commands.go (*DockerCli).CmdInspect
 */
export async function cmdInspect(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Return low-level information on a container or image";
  const cmd = cli.subcmd("inspect", "CONTAINER|IMAGE [CONTAINER|IMAGE...]", description);
  const format = cmd.string(["f", "#format", "-format"], "", "Format the output using the given go template.");
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const template = format.value === "" ? undefined : await parseTemplate(cli, format.value);

  const objects: string[] = [];
  let missing = false;
  for (const name of cmd.args()) {
    const text = await fetchObject(cli, name);
    if (text === undefined) {
      missing = true;
      continue;
    }
    try {
      if (template) await show(cli, template, unmarshal(text) as Value);
      else objects.push(indent(text));
    } catch (cause) {
      if (cause instanceof TemplateExecError || !(cause instanceof JsonError)) throw cause;
      await cli.err.write(`${cause.message}\n`);
      missing = true;
    }
  }
  if (!template) await cli.out.write(`[${objects.join(",")}]`);
  if (missing) throw new StatusError(1);
}

async function parseTemplate(cli: DockerCli, text: string): Promise<Template> {
  try {
    return new Template(text, functions);
  } catch (cause) {
    if (!(cause instanceof TemplateSyntaxError)) throw cause;
    const status = `Template parsing error: ${cause.message}`;
    await cli.err.write(`${status}\n`);
    throw new StatusError(USAGE, status);
  }
}

/** Prints one object by the template, also the part before a failure. */
async function show(cli: DockerCli, template: Template, object: Value): Promise<void> {
  try {
    await cli.out.write(`${cli.show(template.execute(object))}\n`);
  } catch (cause) {
    if (cause instanceof TemplateExecError) await cli.out.write(cli.show(cause.printed));
    throw cause;
  }
}

/** A container by that name, else an image; `undefined` when there is neither, which has been said then. */
async function fetchObject(cli: DockerCli, name: string): Promise<string | undefined> {
  for (const kind of ["containers", "images"]) {
    try {
      return (await readBody(call(cli, "GET", `/${kind}/${name}/json`))).toString();
    } catch (cause) {
      if (kind === "containers") continue;
      const text = messageOf(cause);
      // The other text has no line end in 1.2.0 either.
      await cli.err.write(text.includes("No such") ? `Error: No such image or container: ${name}\n` : text);
    }
  }
  return undefined;
}
