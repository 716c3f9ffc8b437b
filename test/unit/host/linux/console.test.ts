import { once } from "node:events";
import { closeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import koffi from "koffi";
import { expect, test } from "vitest";
import type { Console } from "../../../../src/host/kernel.ts";
import { linuxExec } from "../../../../src/host/linux/exec.ts";
import { linuxKernel as kernel } from "../../../../src/host/linux/kernel.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const libc = koffi.load(null);
const openpty = libc.func("int openpty(void *master, void *slave, void *name, void *termios, void *size)");
const sendmsg = libc.func("long sendmsg(int fd, void *message, int flags)");
const exec = linuxExec(process.env);

/** Sends descriptors as runc does: one byte of data, the rest as rights. */
function sendFds(socket: number, fds: number[]): void {
  const data = Buffer.from("x");
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(koffi.address(data), 0);
  vector.writeBigUInt64LE(1n, 8);
  const control = Buffer.alloc((16 + 4 * fds.length + 7) & ~7);
  control.writeBigUInt64LE(BigInt(16 + 4 * fds.length), 0);
  control.writeInt32LE(1, 8);
  control.writeInt32LE(1, 12);
  for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, 16 + 4 * index);
  const header = Buffer.alloc(56);
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  expect(sendmsg(socket, header, 0)).toBe(1);
}

/** A pseudo-terminal whose master took the way through the socket. */
async function consoleAndSlave(): Promise<{ console: Console; slave: number }> {
  const path = join(temporaryDirectory("drydock-console-"), "sock");
  const receiver = await kernel.receiveConsole(path);
  const [master, slave] = [Buffer.alloc(4), Buffer.alloc(4)];
  expect(openpty(master, slave, null, null, null)).toBe(0);
  const socket = connect(path);
  await once(socket, "connect");
  sendFds((socket as unknown as { _handle: { fd: number } })._handle.fd, [master.readInt32LE(0)]);
  closeSync(master.readInt32LE(0));
  const console = await receiver.console;
  socket.destroy();
  return { console, slave: slave.readInt32LE(0) };
}

/** Reads until the text is there. */
async function readUntil(source: AsyncIterator<Uint8Array>, text: string): Promise<string> {
  let seen = "";
  while (!seen.includes(text)) {
    const step = await source.next();
    if (step.done === true) throw new Error(`ended after ${JSON.stringify(seen)}`);
    seen += Buffer.from(step.value).toString();
  }
  return seen;
}

test("receiveConsole() gives a terminal to write, read and resize; a hang-up is its end", async () => {
  const { console, slave } = await consoleAndSlave();
  const output = console.output[Symbol.asyncIterator]();
  console.resize(40, 120);
  const run = exec.run("sh", ["-c", 'stty size; read line; echo "<$line>"; tty >/dev/null && echo is a tty'], {
    stdio: [slave, slave, slave],
  });
  closeSync(slave);
  expect(await readUntil(output, "\r\n")).toBe("40 120\r\n");
  await console.write("typed\n");
  expect(await readUntil(output, "is a tty\r\n")).toBe("typed\r\n<typed>\r\nis a tty\r\n");
  expect((await run).code).toBe(0);
  expect((await output.next()).done).toBe(true);
  await console.write("nobody there");
  console.close();
});

test("receiveConsole() carries megabytes", async () => {
  const { console, slave } = await consoleAndSlave();
  const run = exec.run("sh", ["-c", "head -c 3000000 /dev/zero"], { stdio: ["ignore", slave, slave] });
  closeSync(slave);
  let size = 0;
  for await (const part of console.output) size += part.length;
  expect(size).toBe(3_000_000);
  await run;
});

test("receiveConsole() fails when the sender leaves without a word, and when it is closed", async () => {
  const path = join(temporaryDirectory("drydock-console-"), "sock");
  const receiver = await kernel.receiveConsole(path);
  connect(path).destroySoon();
  await expect(receiver.console).rejects.toThrow("the socket was closed without sending one");
  const other = await kernel.receiveConsole(`${path}2`);
  other.close();
  await expect(other.console).rejects.toThrow("Cannot receive the console: the socket was closed");
});
