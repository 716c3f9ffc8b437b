/**
 * What the daemon says of itself.
 *
 * @origin daemon/info.go
 * @module
 */

import { INITSHA1 } from "../dockerversion/dockerversion.ts";
import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { isErrno, messageOf } from "../errdefs/errdefs.ts";
import { getKernelVersion, kernelVersionText } from "../pkg/parsers/kernel/kernel.ts";
import { getOperatingSystem, isContainerized } from "../pkg/parsers/operatingsystem/operatingsystem.ts";
import { indexServerAddress } from "../registry/names.ts";
import type { Daemon } from "./daemon.ts";

/** Job `info`. @origin daemon/info.go CmdInfo */
export async function cmdInfo(daemon: Daemon, job: Job): Promise<void> {
  const { host, sysInfo } = daemon;
  const listeners = daemon.eng.job("subscribers_count");
  const count = listeners.stdout.addEnv();
  const [, driverStatus, system, descriptors] = await Promise.all([
    listeners.run(),
    daemon.driver.status(),
    operatingSystem(daemon),
    openDescriptors(daemon),
  ]);
  const out = new Env();
  out.setInt("Containers", daemon.containers.size);
  out.setInt("Images", daemon.graph.ids().length);
  out.set("Driver", daemon.driver.name);
  out.setJson("DriverStatus", driverStatus ?? null);
  out.setBool("MemoryLimit", sysInfo.memoryLimit);
  out.setBool("SwapLimit", sysInfo.swapLimit);
  out.setBool("IPv4Forwarding", !sysInfo.ipv4ForwardingDisabled);
  out.setBool("Debug", Boolean(host.env["DEBUG"]));
  out.setInt("NFd", descriptors);
  // There are no goroutines here: what comes closest is work in progress.
  out.setInt("NGoroutines", daemon.tasks.size);
  out.set("ExecutionDriver", daemon.execDriver.name);
  out.setInt("NEventsListener", count.getInt("count"));
  out.set("KernelVersion", kernelVersion(daemon));
  out.set("OperatingSystem", system);
  out.set("IndexServerAddress", indexServerAddress());
  out.set("InitSha1", INITSHA1);
  out.set("InitPath", host.machine.execPath);
  await out.writeTo(job.stdout);
}

function kernelVersion({ host }: Daemon): string {
  try {
    return kernelVersionText(getKernelVersion(host));
  } catch {
    return "<unknown>";
  }
}

async function operatingSystem({ host, log }: Daemon): Promise<string> {
  const name = await getOperatingSystem(host).catch(() => "<unknown>");
  try {
    return (await isContainerized(host)) ? `${name} (containerized)` : name;
  } catch (cause) {
    log.error("info.go:35", `Could not determine if daemon is containerized: ${messageOf(cause)}`);
    return `${name} (error determining if containerized)`;
  }
}

/** @origin utils/utils.go GetTotalUsedFds */
async function openDescriptors({ host, log }: Daemon): Promise<number> {
  try {
    return (await host.fs.readdir("/proc/self/fd")).length;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) log.error("utils.go:240", `Error opening /proc/self/fd: ${messageOf(cause)}`);
    return -1;
  }
}
