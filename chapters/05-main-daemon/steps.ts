/**
 * What the steps of a boot are called, and where 1.2.0 has them.
 *
 * @module
 */

import type { Text } from "../lib/live.ts";

/** Words for a step. */
export interface StepText {
  readonly name: Text;
  /** File and lines at v1.2.0. */
  readonly go: string;
}

/** By the names in the trace, in the order of the two halves. */
export const stepTexts: Readonly<Record<string, StepText>> = {
  engine: { name: { en: "engine", zh: "创建 engine" }, go: "docker/daemon.go:33" },
  trap: { name: { en: "trap", zh: "信号捕获" }, go: "docker/daemon.go:34" },
  builtins: { name: { en: "builtins", zh: "加载 builtins" }, go: "docker/daemon.go:35-38" },
  banner: { name: { en: "banner", zh: "打印版本信息" }, go: "docker/daemon.go:57-63" },
  serveapi: { name: { en: "serveapi", zh: "serveapi" }, go: "docker/daemon.go:65-80" },
  pidfile: { name: { en: "settings, pid file", zh: "配置、pid 文件" }, go: "daemon/daemon.go:674-699" },
  root: { name: { en: "machine, root", zh: "系统检查、根目录" }, go: "daemon/daemon.go:701-741" },
  graphdriver: { name: { en: "storage driver", zh: "graphdriver" }, go: "daemon/daemon.go:743-756" },
  images: { name: { en: "images graph", zh: "镜像 graph" }, go: "daemon/daemon.go:758-773" },
  volumes: { name: { en: "volumes", zh: "volumes graph" }, go: "daemon/daemon.go:775-785" },
  tags: { name: { en: "repository list", zh: "TagStore" }, go: "daemon/daemon.go:786-790" },
  network: { name: { en: "network, a job", zh: "网络（job）" }, go: "daemon/daemon.go:792-805" },
  names: { name: { en: "names", zh: "容器名 graphdb" }, go: "daemon/daemon.go:807-811" },
  execdriver: { name: { en: "exec driver", zh: "execdriver" }, go: "daemon/daemon.go:813-837" },
  dns: { name: { en: "name servers", zh: "DNS 检查" }, go: "daemon/daemon.go:854-856" },
  containers: { name: { en: "old containers", zh: "恢复已有容器" }, go: "daemon/daemon.go:857-878" },
  install: { name: { en: "Install", zh: "Install" }, go: "daemon/daemon.go:100-139" },
  acceptconnections: {
    name: { en: "acceptconnections", zh: "acceptconnections" },
    go: "api/server/server.go:1370-1380",
  },
};
