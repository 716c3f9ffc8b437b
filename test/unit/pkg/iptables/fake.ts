import type { ExecResult, Host } from "../../../../src/host/host.ts";
import { canonical, parseCommand } from "../../../../src/pkg/iptables/rules.ts";
import { BufferWriter } from "../../../../src/sync/io.ts";

/** An `iptables` that keeps its rules in memory, with `-save` and `-restore`; counts the processes. */
export function fakeIptables(version = "iptables v1.8.9 (nf_tables)") {
  const chains = new Map<string, string[][]>();
  for (const chain of ["filter FORWARD", "nat PREROUTING", "nat OUTPUT", "nat POSTROUTING"]) chains.set(chain, []);
  const stderr = Object.assign(new BufferWriter(), { isTerminal: false });
  const end = (code: number, text = ""): ExecResult => ({
    code,
    signal: undefined,
    stdout: Buffer.from(text),
    stderr: Buffer.alloc(0),
  });

  function change(state: Map<string, string[][]>, args: readonly string[]): ExecResult {
    if (fake.refuse?.test(`${args.join(" ")} `)) return end(4, "refused");
    const { table, action, chain, rule } = parseCommand(args);
    const key = `${table} ${chain}`;
    const rules = state.get(key);
    if (action === "-N") {
      if (rules !== undefined) return end(1, "iptables: Chain already exists.\n");
      state.set(key, []);
      return end(0);
    }
    if (rules === undefined) return end(1, "iptables: No chain/target/match by that name.\n");
    const at = rules.findIndex((one) => canonical(one) === canonical(rule));
    if ((action === "-C" || action === "-D") && at < 0) return end(1, "iptables: Bad rule.\n");
    if (action === "-A") rules.push([...rule]);
    if (action === "-I") rules.unshift([...rule]);
    if (action === "-D") rules.splice(at, 1);
    if (action === "-F") rules.length = 0;
    if (action === "-X") state.delete(key);
    return end(0);
  }

  function restore(input: string): ExecResult {
    const state = new Map([...chains].map(([key, rules]) => [key, rules.map((rule) => [...rule])]));
    let table = "";
    for (const line of input.split("\n")) {
      if (line.startsWith("*")) table = line.slice(1);
      else if (line.startsWith("-") && change(state, ["-t", table, ...line.split(" ")]).code !== 0) return end(1);
    }
    chains.clear();
    for (const [key, rules] of state) chains.set(key, rules);
    return end(0);
  }

  function save(): string {
    const tables = new Map<string, string[]>();
    for (const key of chains.keys()) {
      const [table = "", chain = ""] = key.split(" ");
      tables.set(table, [...(tables.get(table) ?? []), chain]);
    }
    return [...tables]
      .map(([table, names]) => {
        const rules = names.flatMap((name) =>
          chains.get(`${table} ${name}`)!.map((rule) => `-A ${name} ${rule.join(" ")}`),
        );
        return [`*${table}`, ...names.map((name) => `:${name} - [0:0]`), ...rules, "COMMIT", ""].join("\n");
      })
      .join("");
  }

  const fake = {
    processes: [] as string[],
    refuse: undefined as RegExp | undefined,
    installed: true,
    stderr,
    host: {
      env: {} as Record<string, string | undefined>,
      stderr,
      exec: {
        lookPath: async (name: string) => (fake.installed ? `/usr/sbin/${name}` : undefined),
        async run(command: string, args: readonly string[], options?: { input?: unknown }) {
          fake.processes.push([command, ...args].join(" "));
          if (!fake.installed) throw Object.assign(new Error("not found"), { code: "ENOENT" });
          if (command === "iptables-save") return end(0, save());
          if (command === "iptables-restore") return restore(String(options?.input));
          if (args[0] === "--version") return end(0, version);
          return change(chains, args[0] === "--wait" ? args.slice(1) : args);
        },
      },
    } as unknown as Pick<Host, "exec" | "env" | "stderr">,
    rules: () => [...chains].flatMap(([key, rules]) => rules.map((rule) => `${key} ${rule.join(" ")}`)),
  };
  return fake;
}
