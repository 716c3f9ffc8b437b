/**
 * The console that `runc --console-socket` sends over a unix socket.
 *
 * @module
 */

import { closeSync, readSync } from "node:fs";
import type { Socket } from "node:net";
import { isErrno } from "../../errdefs/errdefs.ts";
import { deferred } from "../../sync/deferred.ts";
import type { Console, Kernel } from "../kernel.ts";
import { builtin } from "./lazy.ts";
import { call, ERRNO, lastErrno, loadKoffi, SystemCallError, tryCall } from "./libc.ts";
import { toReader, toWriter } from "./streams.ts";

const TIOCSWINSZ = 0x5414;
const FIOCLEX = 0x5451;
/** A terminal gives no more than this at once. */
const TTY_BYTES = 4096;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** How often the socket is asked for the descriptor once runc has connected: it sends it at once. */
const POLL_MS = 1;

/**
 * Receives what a message brought, without waiting.
 *
 * @returns its descriptors, closed on exec; `undefined` when there is no message yet
 */
export function receiveFds(socket: number): number[] | undefined {
  const koffi = loadKoffi();
  const data = Buffer.alloc(4096);
  const control = Buffer.alloc(256);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(koffi.address(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
  const header = Buffer.alloc(56);
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  if (tryCall("recvmsg", socket, header, MSG_CMSG_CLOEXEC) < 0) {
    const errno = lastErrno();
    if (errno === ERRNO.EAGAIN) return undefined;
    throw new SystemCallError("recvmsg", errno);
  }
  const fds: number[] = [];
  const end = Number(header.readBigUInt64LE(40));
  for (let at = 0; at + 16 <= end; ) {
    // struct cmsghdr: length with the header, level, type
    const length = Number(control.readBigUInt64LE(at));
    if (length < 16) break;
    if (control.readInt32LE(at + 8) === SOL_SOCKET && control.readInt32LE(at + 12) === SCM_RIGHTS) {
      for (let fd = at + 16; fd + 4 <= Math.min(at + length, end); fd += 4) fds.push(control.readInt32LE(fd));
    }
    at += (length + 7) & ~7;
  }
  return fds;
}

/** A second descriptor for the same open file, closed on exec. */
function duplicate(fd: number): number {
  const copy = call("dup", undefined, fd);
  call("ioctl", "FIOCLEX", copy, FIOCLEX, null);
  return copy;
}

/**
 * What a terminal still holds after its other side hung up.
 *
 * libuv takes a hang-up for the end as soon as a read gives less than it asked for, and a terminal always does: up to
 * 64 KB of a program's last words would be lost.
 */
function* leftIn(fd: number): Generator<Buffer> {
  for (;;) {
    const part = Buffer.alloc(TTY_BYTES);
    try {
      const size = readSync(fd, part);
      if (size === 0) return;
      yield part.subarray(0, size);
    } catch (cause) {
      if (isErrno(cause, "EIO", "EAGAIN")) return;
      throw cause;
    }
  }
}

/** Makes a {@link Console} of the master's descriptor, which it then owns. */
export function openConsole(fd: number): Console {
  const { ReadStream } = builtin("tty");
  let rest: number | undefined = duplicate(fd);
  // Despite its name it writes too. The other side's hang-up is reported as EIO.
  const terminal = new ReadStream(fd);
  const writer = toWriter(terminal, "EIO", "EPIPE", "ECANCELED");
  const source = toReader(terminal, "EIO");
  const release = () => {
    if (rest !== undefined) closeSync(rest);
    rest = undefined;
  };
  return {
    write: (chunk) => writer.write(chunk),
    output: {
      async *[Symbol.asyncIterator]() {
        try {
          yield* source;
          if (rest !== undefined) yield* leftIn(rest);
        } finally {
          release();
        }
      },
    },
    resize(height, width) {
      if (terminal.destroyed) return;
      const size = Buffer.alloc(8);
      size.writeUInt16LE(height & 0xffff, 0);
      size.writeUInt16LE(width & 0xffff, 2);
      call("ioctl", "TIOCSWINSZ", fd, TIOCSWINSZ, size);
    },
    close() {
      terminal.destroy();
      release();
    },
  };
}

/** See {@link Kernel.receiveConsole}. */
export const receiveConsole: Kernel["receiveConsole"] = async (socketPath) => {
  const received = deferred<Console>();
  received.promise.catch(() => {}); // a caller may give up before it asks
  // Paused: otherwise libuv reads the message and drops the descriptor that comes with it.
  const server = builtin("net").createServer({ pauseOnConnect: true }, (socket) => {
    server.close();
    poll(socket);
  });
  let timer: NodeJS.Timeout | undefined;
  let open: Socket | undefined;

  function poll(socket: Socket): void {
    open = socket;
    try {
      const handle = (socket as unknown as { _handle: { fd: number } | null })._handle;
      const fds = handle === null ? [] : receiveFds(handle.fd);
      if (fds === undefined) {
        timer = setTimeout(poll, POLL_MS, socket);
        return;
      }
      socket.destroy();
      const [console, ...others] = fds;
      for (const fd of others) closeSync(fd);
      if (console === undefined)
        throw new Error("Cannot receive the console: the socket was closed without sending one");
      received.resolve(openConsole(console));
    } catch (cause) {
      socket.destroy();
      received.reject(cause);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  return {
    console: received.promise,
    close() {
      clearTimeout(timer);
      server.close();
      open?.destroy();
      received.reject(new Error("Cannot receive the console: the socket was closed"));
    },
  };
};
