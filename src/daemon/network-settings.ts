/**
 * Where a container is in the network.
 *
 * @origin daemon/network_settings.go
 * @module
 */

import type { PortMap } from "../runconfig/host-config.ts";

/** Disk and wire shape, keys in 1.2.0's order. @origin daemon/network_settings.go NetworkSettings */
export interface NetworkSettings {
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  Bridge: string;
  /** Long dead in 1.2.0 already. */
  PortMapping: null;
  Ports: PortMap | null;
  /** @since Docker 1.3 (API 1.15) */
  MacAddress?: string;
}

/** A container that is not connected. */
export function noNetwork(): NetworkSettings {
  return { IPAddress: "", IPPrefixLen: 0, Gateway: "", Bridge: "", PortMapping: null, Ports: null };
}

/** A row of `Ports` in the list of containers. */
export interface PortRow {
  PrivatePort: number;
  Type: string;
  PublicPort?: number;
  IP?: string;
}

/** @origin daemon/network_settings.go PortMappingAPI */
export function portMappingApi(settings: NetworkSettings): PortRow[] {
  const rows: PortRow[] = [];
  for (const [port, bindings] of Object.entries(settings.Ports ?? {})) {
    const [number = "", protocol = "tcp"] = port.split("/");
    const row = { PrivatePort: Number(number) || 0, Type: protocol };
    if (bindings === null || bindings.length === 0) rows.push(row);
    for (const b of bindings ?? []) rows.push({ ...row, PublicPort: Number(b.HostPort) || 0, IP: b.HostIp });
  }
  return rows;
}
