/**
 * The 50 names of 1.2.0: who registers each, in which line, and what runs behind it.
 *
 * This is a list of facts about the original, and nothing in the engine reads it. The demonstration compares it with what
 * our own parts register.
 *
 * @module
 */

/** Who registers, in the order of a start. The five in the middle are the parts of `builtins.Register`. */
export type Part =
  | "engine"
  | "daemon"
  | "remote"
  | "events"
  | "version"
  | "registry"
  | "bridge"
  | "install"
  | "tagstore";

/** A handler of the original. */
export interface Entry {
  readonly name: string;
  readonly part: Part;
  /** Where: file and line at v1.2.0. */
  readonly registered: string;
  /** The function behind the name. */
  readonly handler: string;
  /** Where that is. */
  readonly defined: string;
}

/** The calls that register, as 1.2.0 writes them. */
export const CALLS: Readonly<Record<Part, string>> = {
  engine: "engine.New()",
  daemon: "daemon(eng)",
  remote: "remote(eng)",
  events: "events.New().Install(eng)",
  version: 'eng.Register("version", …)',
  registry: "registry.NewService().Install(eng)",
  bridge: "the job init_networkdriver",
  install: "Daemon.Install(eng)",
  tagstore: "TagStore.Install(eng)",
};

/** name, part, where it is registered, what runs, where that is */
const TEXT = `
commands engine engine/engine.go:85 closure engine/engine.go:85
init_networkdriver daemon builtins/builtins.go:56 bridge.InitDriver daemon/networkdriver/bridge/driver.go:79
serveapi remote builtins/builtins.go:34 apiserver.ServeApi api/server/server.go:1339
acceptconnections remote builtins/builtins.go:37 apiserver.AcceptConnections api/server/server.go:1370
events events events/events.go:32 Events.Get events/events.go:44
log events events/events.go:33 Events.Log events/events.go:84
subscribers_count events events/events.go:34 Events.SubscribersCount events/events.go:93
version version builtins/builtins.go:26 dockerVersion builtins/builtins.go:60
auth registry registry/service.go:26 Service.Auth registry/service.go:34
search registry registry/service.go:27 Service.Search registry/service.go:73
allocate_interface bridge daemon/networkdriver/bridge/driver.go:165 bridge.Allocate daemon/networkdriver/bridge/driver.go:318
release_interface bridge daemon/networkdriver/bridge/driver.go:166 bridge.Release daemon/networkdriver/bridge/driver.go:354
allocate_port bridge daemon/networkdriver/bridge/driver.go:167 bridge.AllocatePort daemon/networkdriver/bridge/driver.go:377
link bridge daemon/networkdriver/bridge/driver.go:168 bridge.LinkContainers daemon/networkdriver/bridge/driver.go:457
attach install daemon/daemon.go:105 Daemon.ContainerAttach daemon/attach.go:16
build install daemon/daemon.go:106 Daemon.CmdBuild daemon/build.go:36
commit install daemon/daemon.go:107 Daemon.ContainerCommit daemon/commit.go:9
container_changes install daemon/daemon.go:108 Daemon.ContainerChanges daemon/changes.go:7
container_copy install daemon/daemon.go:109 Daemon.ContainerCopy daemon/copy.go:9
container_inspect install daemon/daemon.go:110 Daemon.ContainerInspect daemon/inspect.go:11
containers install daemon/daemon.go:111 Daemon.Containers daemon/list.go:20
create install daemon/daemon.go:112 Daemon.ContainerCreate daemon/create.go:10
delete install daemon/daemon.go:113 Daemon.ContainerDestroy daemon/delete.go:15
export install daemon/daemon.go:114 Daemon.ContainerExport daemon/export.go:9
info install daemon/daemon.go:115 Daemon.CmdInfo daemon/info.go:16
kill install daemon/daemon.go:116 Daemon.ContainerKill daemon/kill.go:16
logs install daemon/daemon.go:117 Daemon.ContainerLogs daemon/logs.go:19
pause install daemon/daemon.go:118 Daemon.ContainerPause daemon/pause.go:7
resize install daemon/daemon.go:119 Daemon.ContainerResize daemon/resize.go:9
restart install daemon/daemon.go:120 Daemon.ContainerRestart daemon/restart.go:7
start install daemon/daemon.go:121 Daemon.ContainerStart daemon/start.go:12
stop install daemon/daemon.go:122 Daemon.ContainerStop daemon/stop.go:7
top install daemon/daemon.go:123 Daemon.ContainerTop daemon/top.go:11
unpause install daemon/daemon.go:124 Daemon.ContainerUnpause daemon/pause.go:23
wait install daemon/daemon.go:125 Daemon.ContainerWait daemon/wait.go:9
image_delete install daemon/daemon.go:126 Daemon.ImageDelete daemon/image_delete.go:14
image_set tagstore graph/service.go:14 TagStore.CmdSet graph/service.go:59
image_tag tagstore graph/service.go:15 TagStore.CmdTag graph/tag.go:14
tag tagstore graph/service.go:16 TagStore.CmdTagLegacy graph/tag.go:32
image_get tagstore graph/service.go:17 TagStore.CmdGet graph/service.go:86
image_inspect tagstore graph/service.go:18 TagStore.CmdLookup graph/service.go:124
image_tarlayer tagstore graph/service.go:19 TagStore.CmdTarLayer graph/service.go:161
image_export tagstore graph/service.go:20 TagStore.CmdImageExport graph/export.go:21
history tagstore graph/service.go:21 TagStore.CmdHistory graph/history.go:10
images tagstore graph/service.go:22 TagStore.CmdImages graph/list.go:14
viz tagstore graph/service.go:23 TagStore.CmdViz graph/viz.go:10
load tagstore graph/service.go:24 TagStore.CmdLoad graph/load.go:18
import tagstore graph/service.go:25 TagStore.CmdImport graph/import.go:12
pull tagstore graph/service.go:26 TagStore.CmdPull graph/pull.go:18
push tagstore graph/service.go:27 TagStore.CmdPush graph/push.go:192
`;

/** In the order of a start; a map of Go has none, so within one part the order is that of the source. */
export const CATALOGUE: readonly Entry[] = TEXT.trim()
  .split("\n")
  .map((line) => {
    const [name = "", part = "", registered = "", handler = "", defined = ""] = line.split(" ");
    return { name, part: part as Part, registered, handler, defined };
  });

/** The names of some parts. */
export function namesOf(...parts: readonly Part[]): string[] {
  return CATALOGUE.filter(({ part }) => parts.includes(part)).map(({ name }) => name);
}
