/**
 * The wire format of rtnetlink: headers, attributes, and the few structures we send and read.
 *
 * ```text
 * message    length u32 | type u16 | flags u16 | sequence u32 | port u32 | body (padded to 4)
 * attribute  length u16 | type u16 | value (padded to 4)
 * ```
 *
 * Numbers are in the machine's order (little-endian on every platform of Node), addresses in the network's.
 *
 * @see rtnetlink(7), netlink(7)
 * @module
 */

/** Types of messages. */
export const TYPE = {
  ERROR: 2,
  DONE: 3,
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
} as const;

/** Flags of requests. `DUMP` is ROOT and MATCH. */
export const FLAG = {
  REQUEST: 1,
  MULTI: 2,
  ACK: 4,
  DUMP_INTERRUPTED: 0x10,
  EXCL: 0x200,
  DUMP: 0x300,
  CREATE: 0x400,
} as const;

/** Attributes of links. */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  MASTER: 10,
  LINKINFO: 18,
  IFALIAS: 20,
  GROUP: 27,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  INFO_KIND: 1,
  INFO_DATA: 2,
  VETH_INFO_PEER: 1,
} as const;

/** Attributes of addresses. */
export const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;

/** Attributes of routes. */
export const RTA = { DST: 1, OIF: 4, GATEWAY: 5, TABLE: 15 } as const;

/** IPv4. */
export const AF_INET = 2;

/** A received message. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

const HEADER = 16;

/** Next multiple of four. */
const align = (size: number): number => (size + 3) & ~3;

/** Joins a header and a body. */
export function encodeMessage(type: number, flags: number, sequence: number, ...body: readonly Uint8Array[]): Buffer {
  const payload = Buffer.concat(body);
  const message = Buffer.alloc(HEADER + payload.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(payload, HEADER);
  return message;
}

/** Splits what one recv(2) returned. @throws RangeError when a length does not fit */
export function decodeMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER || at + length > bytes.length)
      throw new RangeError("Cannot read the kernel's answer: a message is cut short");
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      body: bytes.subarray(at + HEADER, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** An attribute; several values are joined (nested attributes). */
export function attribute(type: number, ...values: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(values);
  const bytes = Buffer.alloc(align(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** Attributes by type; of a repeated one the last counts. The flag bits of the type are dropped. */
export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length)
      throw new RangeError("Cannot read the kernel's answer: an attribute is cut short");
    attributes.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

/** Text with the NUL the kernel expects. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** A number of 32 bits. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0, 0);
  return bytes;
}

/** Text up to its NUL. */
export function decodeText(bytes: Buffer | undefined): string {
  const end = bytes?.indexOf(0) ?? -1;
  return bytes?.toString("utf8", 0, end < 0 ? bytes.length : end) ?? "";
}

/** `172.17.42.1` as four bytes. @throws RangeError when it is not an IPv4 address */
export function encodeIPv4(address: string): Buffer {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  const bytes = match?.slice(1).map(Number) ?? [];
  if (match === null || bytes.some((byte) => byte > 255))
    throw new RangeError(`Cannot use ${JSON.stringify(address)}: not an IPv4 address`);
  return Buffer.from(bytes);
}

/** Four bytes as `172.17.42.1`. */
export const decodeIPv4 = (bytes: Uint8Array): string => [...bytes].join(".");

/** `02:42:…` as six bytes. @throws RangeError when it is not a MAC address */
export function encodeMac(address: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(address))
    throw new RangeError(`Cannot use ${JSON.stringify(address)}: not a MAC address`);
  return Buffer.from(address.replaceAll(":", ""), "hex");
}

/** Six bytes as `02:42:…`. */
export const decodeMac = (bytes: Buffer): string => bytes.toString("hex").replace(/(..)(?=.)/g, "$1:");

/** `struct ifinfomsg`. */
export function linkHeader(options: { index?: number; flags?: number; change?: number } = {}): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(options.index ?? 0, 4);
  bytes.writeUInt32LE(options.flags ?? 0, 8);
  bytes.writeUInt32LE(options.change ?? 0, 12);
  return bytes;
}

/** `struct ifaddrmsg` for an IPv4 address that is valid everywhere. */
export function addressHeader(index: number, prefix: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(AF_INET, 0);
  bytes.writeUInt8(prefix, 1);
  bytes.writeUInt32LE(index, 4);
  return bytes;
}

/** `struct rtmsg` for an IPv4 route of the main table, made by hand (protocol "boot"), to a unicast destination. */
export function routeHeader(prefix: number): Buffer {
  return Buffer.from([AF_INET, prefix, 0, 0, MAIN_TABLE, 3, 0, UNICAST, 0, 0, 0, 0]);
}

/** Number of the routing table everybody means. */
export const MAIN_TABLE = 254;

/** Kind of a route that leads to one host or network. */
export const UNICAST = 1;
