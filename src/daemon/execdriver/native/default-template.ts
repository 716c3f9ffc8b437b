/**
 * What every container gets unless its configuration says otherwise: capabilities, devices, mounts, hidden paths.
 *
 * @origin daemon/execdriver/native/template/default_template.go
 * @module
 */

/** A mount of an OCI bundle. */
export interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

/** A rule of the devices cgroup; without `major` or `minor`: any. */
export interface OciDeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access: string;
}

/** The fourteen capabilities of an ordinary container, without `CAP_`. @origin daemon/execdriver/native/template/default_template.go New */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
];

/** @origin vendor/src/github.com/docker/libcontainer/mount/init.go */
export function defaultMounts(sysReadOnly: boolean): OciMount[] {
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755"] },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=620", "gid=5"],
    },
    {
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: ["nosuid", "noexec", "nodev", ...(sysReadOnly ? ["ro"] : [])],
    },
  ];
}

/**
 * The device rules of an ordinary container: any node may be made, few may be opened.
 *
 * @origin vendor/src/github.com/docker/libcontainer/devices/defaults.go DefaultAllowedDevices
 */
export const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  { allow: true, type: "c", major: 5, minor: 1, access: "rwm" }, // console
  { allow: true, type: "c", major: 4, minor: 0, access: "rwm" }, // tty0
  { allow: true, type: "c", major: 4, minor: 1, access: "rwm" }, // tty1
  { allow: true, type: "c", major: 136, access: "rwm" }, // pts
  { allow: true, type: "c", major: 5, minor: 2, access: "rwm" }, // ptmx
  { allow: true, type: "c", major: 10, minor: 200, access: "rwm" }, // tun
  { allow: true, type: "c", major: 1, minor: 3, access: "rwm" }, // null
  { allow: true, type: "c", major: 1, minor: 5, access: "rwm" }, // zero
  { allow: true, type: "c", major: 1, minor: 7, access: "rwm" }, // full
  { allow: true, type: "c", major: 5, minor: 0, access: "rwm" }, // tty
  { allow: true, type: "c", major: 1, minor: 9, access: "rwm" }, // urandom
  { allow: true, type: "c", major: 1, minor: 8, access: "rwm" }, // random
];

/** Made but not allowed: some programs only look whether it is there. */
export const FUSE_DEVICE = { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0, uid: 0, gid: 0 };

/**
 * Paths an ordinary container sees nothing of.
 *
 * @deviation 1.2.0 hides /proc/kcore only; the rest was found to leak the host since (CVE-2017-16539, CVE-2018-10892 and others).
 */
export const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** Paths an ordinary container cannot change. @origin vendor/src/github.com/docker/libcontainer/security/restrict/restrict.go */
export const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];
