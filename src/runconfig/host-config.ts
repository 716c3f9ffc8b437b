/**
 * How a container meets the host: the half of its configuration that no image may carry.
 *
 * @origin runconfig/hostconfig.go
 * @module
 */

import type { PortBinding, PortMap } from "../nat/nat.ts";
import type { Confinement } from "./confinement.ts";

export type { PortBinding, PortMap };

/** @origin runconfig/hostconfig.go RestartPolicy */
export interface RestartPolicy {
  Name: string;
  MaximumRetryCount: number;
}

/** @origin runconfig/hostconfig.go DeviceMapping */
export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
}

/**
 * Wire and disk shape, keys in 1.2.0's order.
 *
 * @origin runconfig/hostconfig.go HostConfig
 */
export interface HostConfig extends Confinement {
  Binds: string[] | null;
  ContainerIDFile: string;
  LxcConf: { Key: string; Value: string }[] | null;
  Privileged: boolean;
  PortBindings: PortMap | null;
  Links: string[] | null;
  PublishAllPorts: boolean;
  Dns: string[] | null;
  DnsSearch: string[] | null;
  VolumesFrom: string[] | null;
  Devices: DeviceMapping[] | null;
  NetworkMode: string;
  CapAdd: string[] | null;
  CapDrop: string[] | null;
  RestartPolicy: RestartPolicy;
  /** Remove the container when it ends. @since Docker 1.13 (API 1.25); absent from answers below that version */
  AutoRemove?: boolean;
}
