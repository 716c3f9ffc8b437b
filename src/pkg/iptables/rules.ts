/**
 * Rules as texts, made comparable.
 *
 * The same rule looks different on a command line and in the list of `iptables-save`: addresses are masked, long names
 * become short ones, `-m tcp` appears, the order changes. {@link canonical} maps both to one text.
 *
 * @module
 */

/** Long names of options → the short ones `iptables-save` prints. */
const SHORT: Readonly<Record<string, string>> = {
  "--src": "-s",
  "--source": "-s",
  "--dst": "-d",
  "--destination": "-d",
  "--in-interface": "-i",
  "--out-interface": "-o",
  "--protocol": "-p",
  "--proto": "-p",
  "--jump": "-j",
  "--match": "-m",
  "--destination-port": "--dport",
  "--source-port": "--sport",
};

/** Splits a line of `iptables-save`: blanks separate, double quotes hold together, a backslash escapes in quotes. */
export function splitLine(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((match) =>
    match[1] === undefined ? match[2]! : match[1].replace(/\\(.)/g, "$1"),
  );
}

/** An address or network as it is kept: masked, with its prefix; "" is every address. */
export function canonicalNetwork(text: string): string {
  const [address = "", mask = "32"] = text.split("/");
  const bytes = address.split(".").map(Number);
  while (bytes.length < 4) bytes.push(0);
  const prefix = Number(mask);
  if (bytes.some((byte) => !(byte >= 0 && byte < 256)) || !(prefix >= 0 && prefix <= 32)) return text;
  if (prefix === 0) return "";
  const masked = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * index))));
  return `${masked.map((byte) => byte & 0xff).join(".")}/${prefix}`;
}

/** One text for everything that means the same rule. The order of its options does not count. */
export function canonical(args: readonly string[]): string {
  const options: string[] = [];
  for (let at = 0; at < args.length; ) {
    const negated = args[at] === "!";
    if (negated) at++;
    const name = SHORT[args[at] ?? ""] ?? args[at] ?? "";
    at++;
    const values: string[] = [];
    while (at < args.length && args[at] !== "!" && !args[at]!.startsWith("-")) values.push(args[at++]!);
    if (name === "-m") continue; // its options say it again
    const value = name === "-s" || name === "-d" ? values.map(canonicalNetwork).join(" ") : values.join(" ");
    if ((name === "-s" || name === "-d") && value === "") continue;
    options.push(`${negated ? "! " : ""}${name} ${value}`);
  }
  return options.sort().join("\n");
}

/** What `iptables-save` lists: table → chain → rules, each as its arguments. */
export type RuleSet = Map<string, Map<string, string[][]>>;

/** Chains every table has, also when nothing has been put there yet and the list therefore leaves it out. */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
};

/** Reads the output of `iptables-save`. What it does not know it leaves out. */
export function parseSave(text: string): RuleSet {
  const tables: RuleSet = new Map();
  for (const [table, chains] of Object.entries(BUILT_IN)) {
    tables.set(table, new Map(chains.map((chain) => [chain, []])));
  }
  let table = new Map<string, string[][]>();
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      const name = line.slice(1).trim();
      table = tables.get(name) ?? new Map();
      tables.set(name, table);
    } else if (line.startsWith(":")) {
      const chain = line.slice(1).split(" ", 1)[0]!;
      if (!table.has(chain)) table.set(chain, []);
    } else if (line.startsWith("-A ")) {
      const [, chain = "", ...rule] = splitLine(line);
      table.get(chain)?.push(rule);
    }
  }
  return tables;
}

/** A command line taken apart. */
export interface RuleCommand {
  readonly table: string;
  /** `-A`, `-I`, `-D`, `-C`, `-N`, `-F` or `-X`. */
  readonly action: string;
  readonly chain: string;
  readonly rule: readonly string[];
}

/** Takes `-t nat -A DOCKER …` or `-I POSTROUTING -t nat …` apart. */
export function parseCommand(args: readonly string[]): RuleCommand {
  const rest = [...args];
  const at = rest.indexOf("-t");
  const table = at < 0 ? "filter" : (rest.splice(at, 2)[1] ?? "");
  const [action = "", chain = "", ...rule] = rest;
  return { table, action, chain, rule };
}
