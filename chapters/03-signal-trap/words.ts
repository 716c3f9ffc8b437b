/**
 * What the run says, in both languages.
 *
 * @module
 */

import type { Text } from "../lib/live.ts";
import type { STEPS } from "./main.ts";
import type { Effect } from "./run.ts";

/** A step of a shutdown handler. */
export type Step = "pid file" | (typeof STEPS)[number];

/** What is said when a step has come to its end. */
export const DONE: Record<Step, Text> = {
  "pid file": { en: "is removed", zh: "已删除" },
  containers: { en: "have stopped", zh: "已停止" },
  ports: { en: "are released", zh: "已释放" },
  storage: { en: "is unmounted", zh: "已卸载" },
  database: { en: "is closed", zh: "已关闭" },
};

/** What a signal did, in words. */
export const EFFECTS: Record<Effect, Text> = {
  begins: { en: "begins the shutdown", zh: "开始关闭" },
  counted: { en: "is counted, no more", zh: "只计数" },
  forces: { en: "ends the process at once", zh: "立即终止进程" },
  dropped: { en: "is dropped", zh: "被丢弃" },
  unhandled: { en: "nobody handles it", zh: "无人处理" },
};

/** What things are called in Chinese; the names of jobs stay. */
export const NAMES: Readonly<Record<string, string>> = {
  "pid file": "pid 文件",
  containers: "容器",
  ports: "端口",
  storage: "存储",
  database: "数据库",
  process: "进程",
  client: "Client",
  log: "日志",
};

/** Names in a row. */
export const list = (names: readonly string[]): Text => ({
  en: names.join(", "),
  zh: names.map((name) => NAMES[name] ?? name).join("、"),
});

/** The engine has waited long enough. */
export const gaveUp = (names: readonly string[]): Text => ({
  en: `waits no longer for ${list(names).en}`,
  zh: `不再等待：${list(names).zh}`,
});

/** A text that nobody translates. */
export const same = (text: string): Text => ({ en: text, zh: text });
