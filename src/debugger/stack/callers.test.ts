import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byFramePointer } from './callers.ts';
import { interruptFrameAt } from './interrupt-frame.ts';
import { returnAddresses } from './return-addresses.ts';

/** A memory of 64-bit words; each address that has none reads as nothing. */
const words = (content: Readonly<Record<number, bigint>>) => {
  const bytes = new Map<bigint, number>();
  for (const [address, word] of Object.entries(content)) {
    for (let at = 0; at < 8; at++) bytes.set(BigInt(address) + BigInt(at), Number((word >> BigInt(at * 8)) & 0xffn));
  }
  return (address: bigint, length: number): Uint8Array | undefined => {
    const read = Array.from({ length }, (_, at) => bytes.get(address + BigInt(at)));
    return read.includes(undefined) ? undefined : Uint8Array.from(read.map((byte) => byte ?? 0));
  };
};
/** Seven bytes that end with `call rel32`. */
const CALL = 0x00_0000_00e8_9090n;
const isCode = (address: bigint): boolean => address >= 0x1000n && address < 0x2000n;
const scan = (content: Readonly<Record<number, bigint>>, stackPointer = 0x8000n) => ({
  stackPointer,
  word: 8 as const,
  codeBase: 0n,
  readMemory: words({ 0x1100: CALL, ...content }),
  isCode,
});
/** Behind the call at 1100h. */
const RETURN = 0x1107n;

describe('unwinding by frame pointer', () => {
  const frame = (rbp: bigint) => ({
    machine: 'x86-64' as const,
    registers: new Map([
      [6, rbp],
      [7, 0x8000n],
    ]),
  });
  it('takes the word at rbp and the return address above it', () => {
    const found = byFramePointer(scan({ 0x8020: 0x9020n, 0x8028: RETURN }), frame(0x8020n));
    assert.deepEqual(found, {
      pc: RETURN,
      stackPointer: 0x8030n,
      registers: new Map([
        [6, 0x9020n],
        [7, 0x8030n],
        [16, RETURN],
      ]),
    });
  });
  for (const [what, rbp, content] of [
    ['the end of the chain', 0n, {}],
    ['a frame pointer below the stack pointer', 0x7000n, { 0x7000: 0x9000n, 0x7008: RETURN }],
    ['memory that cannot be read', 0x20_0000n, {}],
    ['a chain that goes down', 0x8020n, { 0x8020: 0x8000n, 0x8028: RETURN }],
    ['a word that is behind no call', 0x8020n, { 0x8020: 0x9020n, 0x8028: 0x1200n, 0x11f8: 0n, 0x1200: 0n }],
    ['a word outside of code', 0x8020n, { 0x8020: 0x9020n, 0x8028: 0x5000n }],
  ] as const) {
    it(`stops at ${what}`, () => assert.equal(byFramePointer(scan(content), frame(rbp)), undefined));
  }
});

describe('return addresses on a stack', () => {
  it('are the words behind calls, in order', () => {
    const content = { 0x8000: 1n, 0x8008: RETURN, 0x8010: 0x1200n, 0x8018: RETURN, 0x11f8: 0n };
    assert.deepEqual(
      [...returnAddresses(scan(content))],
      [
        { pc: RETURN, stackPointer: 0x8010n },
        { pc: RETURN, stackPointer: 0x8020n },
      ],
    );
  });
});

describe("an interrupt's frame", () => {
  const good = { 0x8018: 0x1234n, 0x8020: 0x8n, 0x8028: 0x10202n, 0x8030: 0x8048n, 0x8038: 0x10n };
  it('is recognised by its selectors, flags and stack pointer', () => {
    assert.deepEqual(interruptFrameAt(0x8018n, scan(good)), { pc: 0x1234n, stackPointer: 0x8048n });
  });
  for (const [what, change] of [
    ['a null code selector', { 0x8020: 0n }],
    ['a code selector of 64 bits', { 0x8020: 0x1_0000_0008n }],
    ['flags without bit 1', { 0x8028: 0x10200n }],
    ['flags with a reserved bit', { 0x8028: 0x8202n }],
    ['a stack pointer that is not canonical', { 0x8030: 0x8000_0000_0000_0000n }],
    ['a stack pointer on the same stack that does not fit', { 0x8030: 0x8060n }],
    ['selectors of two rings', { 0x8038: 0x13n }],
    ['an address that is no code', { 0x8018: 0x5000n }],
  ] as const) {
    it(`is not seen in ${what}`, () =>
      assert.equal(interruptFrameAt(0x8018n, scan({ ...good, ...change })), undefined));
  }
  it('is not seen where the processor would not have put it', () => {
    const moved = { 0x8010: 0x1234n, 0x8018: 8n, 0x8020: 0x10202n, 0x8028: 0x8040n, 0x8030: 0x10n };
    assert.equal(interruptFrameAt(0x8010n, scan(moved)), undefined);
  });
});
