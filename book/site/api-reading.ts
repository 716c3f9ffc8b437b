/**
 * What TypeDoc knows about the engine: its exported names, with their docstrings and where their links lead.
 *
 * @module
 */

import { relative } from "node:path";
import {
  Application,
  type Comment,
  type DeclarationReflection,
  LogLevel,
  OptionDefaults,
  type Reflection,
  ReflectionKind,
} from "typedoc";
import type ts from "typescript";

/** One exported name. */
export interface Entry {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  readonly comment: Comment | undefined;
  readonly node: ts.Node | undefined;
  /** Its place on the page of the package. */
  id: string;
}

/** The engine, read. */
export interface Reading {
  readonly entries: readonly Entry[];
  readonly faults: string[];
  /** What a link in a docstring points to. */
  readonly target: ReadonlyMap<Reflection, Entry>;
  /** Docstrings of files. */
  readonly modules: ReadonlyMap<string, Comment>;
}

const KINDS: readonly [ReflectionKind, string][] = [
  [ReflectionKind.Class, "class"],
  [ReflectionKind.Interface, "interface"],
  [ReflectionKind.Function, "function"],
  [ReflectionKind.TypeAlias, "type"],
  [ReflectionKind.Variable, "const"],
  [ReflectionKind.Enum, "enum"],
  [ReflectionKind.Namespace, "namespace"],
];

/** Reads the sources; a warning of TypeDoc is a fault. */
export async function readSources(root: string, files: readonly string[]): Promise<Reading> {
  const faults: string[] = [];
  const app = await Application.bootstrap(
    {
      entryPoints: files.map((file) => `${root}/${file}`),
      tsconfig: `${root}/tsconfig.json`,
      basePath: root,
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      skipErrorChecking: true,
      disableGit: true,
      sourceLinkTemplate: "{path}",
      validation: { invalidLink: true, invalidPath: true, notExported: false, rewrittenLink: true },
      // TypeDoc knows @module as a tag with a name; tsdoc.json declares it without one.
      blockTags: [...OptionDefaults.blockTags, "@origin", "@article", "@deviation", "@since"],
      modifierTags: [...OptionDefaults.modifierTags],
      logLevel: "Warn",
    },
    [],
  );
  app.logger.log = (message, level) => void (level >= LogLevel.Warn && faults.push(`TypeDoc: ${message}`));
  const project = await app.convert();
  if (project === undefined) return { entries: [], faults, target: new Map(), modules: new Map() };
  app.validate(project);

  const entries = new Map<string, Entry>();
  const target = new Map<Reflection, Entry>();
  const modules = new Map<string, Comment>();
  for (const reflection of Object.values(project.reflections)) {
    if (reflection.kindOf(ReflectionKind.Module)) {
      const [source] = (reflection as DeclarationReflection).sources ?? [];
      if (source !== undefined && reflection.comment !== undefined)
        modules.set(fileOf(root, source.fullFileName), reflection.comment);
      continue;
    }
    const kind = KINDS.find(([kind]) => reflection.kindOf(kind))?.[1];
    if (kind === undefined || !reflection.parent?.kindOf(ReflectionKind.Module)) continue;
    const declaration = reflection as DeclarationReflection;
    const source = declaration.sources?.[0] ?? declaration.signatures?.[0]?.sources?.[0];
    if (source === undefined) continue;
    const file = fileOf(root, source.fullFileName);
    const key = `${file}#${declaration.name}`;
    const known = entries.get(key);
    const entry: Entry = known ?? {
      name: declaration.name,
      file,
      line: source.line,
      kind,
      comment: declaration.comment ?? declaration.signatures?.[0]?.comment,
      node: undefined,
      id: declaration.name,
    };
    entries.set(key, entry);
    target.set(reflection, entry);
  }
  return { entries: [...entries.values()], faults, target, modules };
}

const fileOf = (root: string, full: string) => relative(root, full).replaceAll("\\", "/");
