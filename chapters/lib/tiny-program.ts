/**
 * The smallest program worth running in a container: `echo`, 225 bytes of ELF for Linux on x86-64, made here.
 *
 * A demonstration that downloads nothing needs something to run, and a container needs a program that needs nothing: no
 * shell, no library, no loader.
 *
 * @module
 */

/** One instruction a line: the bytes, and what they say. */
const CODE = `
4c8b2424        mov    (%rsp),%r12        # argc
4c8d6c2410      lea    0x10(%rsp),%r13    # &argv[1]
49c7c60a000000  mov    $'\\n',%r14
49ffcc          dec    %r12               # next: one word less to write
7e4b            jle    end
498b7500        mov    0x0(%r13),%rsi     # the word
4983c508        add    $0x8,%r13
4889f7          mov    %rsi,%rdi
31c0            xor    %eax,%eax          # its length: look for the zero byte
4883c9ff        or     $-1,%rcx
f2ae            repnz scas %es:(%rdi),%al
48f7d1          not    %rcx
488d51ff        lea    -0x1(%rcx),%rdx
bf01000000      mov    $1,%edi            # standard output
b801000000      mov    $1,%eax            # write
0f05            syscall
b820000000      mov    $' ',%eax
4983fc01        cmp    $0x1,%r12          # the last word ends the line
410f44c6        cmove  %r14d,%eax
50              push   %rax
4889e6          mov    %rsp,%rsi
ba01000000      mov    $1,%edx
bf01000000      mov    $1,%edi
b801000000      mov    $1,%eax
0f05            syscall
58              pop    %rax
ebb0            jmp    next
31ff            xor    %edi,%edi          # end: exit(0)
b83c000000      mov    $60,%eax
0f05            syscall
`;

const BASE = 0x400000n;
const HEADERS = 64 + 56;

/** The program file. Its machine is the one 1.2.0 supports: Linux, amd64. */
export function tinyEcho(): Buffer {
  const code = Buffer.from(
    CODE.trim()
      .split("\n")
      .map((line) => line.split(/\s/, 1)[0])
      .join(""),
    "hex",
  );
  const size = BigInt(HEADERS + code.length);
  const file = Buffer.alloc(HEADERS + code.length);
  // ELF header: 64 bits, little-endian, executable, x86-64.
  file.write("\x7fELF\x02\x01\x01", 0, "latin1");
  file.writeUInt16LE(2, 16); // type: executable
  file.writeUInt16LE(62, 18); // machine: x86-64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BASE + BigInt(HEADERS), 24); // entry point
  file.writeBigUInt64LE(64n, 32); // program headers follow
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56); // one of them
  // Program header: load the whole file, readable and executable.
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(BASE, 80);
  file.writeBigUInt64LE(BASE, 88);
  file.writeBigUInt64LE(size, 96);
  file.writeBigUInt64LE(size, 104);
  file.writeBigUInt64LE(0x1000n, 112);
  code.copy(file, HEADERS);
  return file;
}
