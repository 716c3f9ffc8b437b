import fc from "fast-check";
import { expect, test } from "vitest";
import { linkName } from "../../../../src/host/linux/netlink/links.ts";
import {
  attribute,
  decodeAttributes,
  decodeIPv4,
  decodeMac,
  decodeMessages,
  encodeIPv4,
  encodeMac,
  encodeMessage,
} from "../../../../src/host/linux/netlink/message.ts";

const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((value) => Buffer.from(value));

test("decodeMessages() reads back what encodeMessage() wrote, several in a row", () => {
  const one = fc.record({ type: fc.nat(0xffff), flags: fc.nat(0xffff), sequence: fc.nat(), body: bytes(40) });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 5 }), (messages) => {
      const padded = messages.map(({ type, flags, sequence, body }) => {
        const message = encodeMessage(type, flags, sequence, body);
        return Buffer.concat([message, Buffer.alloc(-message.length & 3)]);
      });
      expect(decodeMessages(Buffer.concat(padded))).toEqual(messages);
    }),
  );
});

test("decodeAttributes() reads back what attribute() wrote", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.nat(0x3fff), bytes(20)), { selector: ([type]) => type }), (pairs) => {
      const wire = Buffer.concat(pairs.map(([type, value]) => attribute(type, value)));
      expect(wire.length % 4).toBe(0);
      expect(decodeAttributes(wire)).toEqual(new Map(pairs));
    }),
  );
});

test("decodeMessages() and decodeAttributes() refuse lengths that do not fit, and always end", () => {
  fc.assert(
    fc.property(bytes(64), (wire) => {
      for (const decode of [decodeMessages, decodeAttributes]) {
        try {
          decode(wire);
        } catch (cause) {
          expect(cause).toBeInstanceOf(RangeError);
        }
      }
    }),
  );
  const short = encodeMessage(16, 0, 1, Buffer.alloc(8));
  short.writeUInt32LE(999, 0);
  expect(() => decodeMessages(short)).toThrow("cut short");
});

test("attribute() has the layout of rtnetlink(7)", () => {
  expect(attribute(3, Buffer.from("lo\0")).toString("hex")).toBe("070003006c6f0000");
});

test("encodeIPv4() and encodeMac() take addresses and nothing else", () => {
  fc.assert(fc.property(fc.ipV4(), (address) => decodeIPv4(encodeIPv4(address)) === address));
  expect(decodeMac(encodeMac("02:42:0a:FF:00:01"))).toBe("02:42:0a:ff:00:01");
  for (const wrong of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1", "1.2.3.4 "]) {
    expect(() => encodeIPv4(wrong)).toThrow(RangeError);
  }
  for (const wrong of ["", "02:42:0a:ff:00", "02:42:0a:ff:00:0g"]) expect(() => encodeMac(wrong)).toThrow(RangeError);
});

test("linkName() keeps the kernel's rules", () => {
  expect(linkName("veth12ab345").toString()).toBe("veth12ab345\0");
  for (const wrong of ["", ".", "..", "a/b", "a b", "a:b", "a\0b", "sixteen-letters-"]) {
    expect(() => linkName(wrong)).toThrow(RangeError);
  }
});
