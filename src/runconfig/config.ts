/**
 * What a container runs: the half of its configuration that an image can carry too.
 *
 * @origin runconfig/config.go
 * @module
 */

/**
 * Wire and disk shape, keys in 1.2.0's order; `null` is Go's nil slice or map and differs from empty.
 *
 * @origin runconfig/config.go Config
 */
export interface Config {
  Hostname: string;
  Domainname: string;
  User: string;
  /** Bytes; 0 is no limit. */
  Memory: number;
  /** Memory and swap, bytes; −1 disables the limit. */
  MemorySwap: number;
  CpuShares: number;
  Cpuset: string;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  /** Deprecated port list of API < 1.4. */
  PortSpecs: string[] | null;
  ExposedPorts: Record<string, Record<string, never>> | null;
  Tty: boolean;
  OpenStdin: boolean;
  /** Closes standard input after the first attached client leaves. */
  StdinOnce: boolean;
  Env: string[] | null;
  Cmd: string[] | null;
  Image: string;
  Volumes: Record<string, Record<string, never>> | null;
  WorkingDir: string;
  Entrypoint: string[] | null;
  NetworkDisabled: boolean;
  OnBuild: string[] | null;
  /** @since Docker 1.6 (API 1.18); absent from answers below that version */
  Labels?: Record<string, string> | null;
  /** @since Docker 1.9 (API 1.21) */
  StopSignal?: string;
}
