import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SymbolError } from './api.ts';
import { Reader } from './reader.ts';

const reader = (...bytes: number[]): Reader =>
  new Reader(Uint8Array.from(bytes), { file: 'f', section: '.s', fileOffset: 0x100 });

describe('Reader', () => {
  it('reads little-endian integers', () => {
    const input = reader(1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xfe, 0xff);
    assert.equal(input.u64(), 0x0807060504030201n);
    assert.equal(input.i8(), -1);
    assert.equal(input.i16(), -2);
    assert.equal(input.remaining, 0);
  });

  it('reads LEB128 as in DWARF 5, figures C.1 and C.2', () => {
    assert.equal(reader(2).uleb(), 2n);
    assert.equal(reader(127).uleb(), 127n);
    assert.equal(reader(0x80, 1).uleb(), 128n);
    assert.equal(reader(0xb9, 0x64).uleb(), 12_857n);
    assert.equal(reader(0x7e).sleb(), -2n);
    assert.equal(reader(0xff, 0).sleb(), 127n);
    assert.equal(reader(0x81, 0x7f).sleb(), -127n);
    assert.equal(reader(0xff, 0x7e).sleb(), -129n);
  });

  it('cuts LEB128 to 64 bits', () => {
    const ones = reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    assert.equal(ones.uleb(), 0xffff_ffff_ffff_ffffn);
    const least = reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);
    assert.equal(least.sleb(), -(1n << 63n));
    assert.equal(reader(...Array<number>(40).fill(0x80), 0).uleb(), 0n);
  });

  it('refuses LEB128 without an end', () => {
    assert.throws(() => reader(...Array<number>(4000).fill(0x80)).uleb(), { code: 'malformed' });
  });

  it('says where it ended too early', () => {
    const input = reader(1, 2, 3);
    input.u16();
    assert.throws(
      () => input.u32(),
      (error: unknown) =>
        error instanceof SymbolError &&
        error.code === 'truncated' &&
        error.offset === 0x102 &&
        error.message.startsWith('f is truncated: 4 bytes are needed and 1 are there, at file offset 0x102'),
    );
  });

  it('keeps slices apart from what follows', () => {
    const input = reader(1, 2, 3, 4);
    const part = input.slice(2);
    assert.equal(part.u16(), 0x0201);
    assert.throws(() => part.u8(), { code: 'truncated' });
    assert.equal(input.u16(), 0x0403);
    assert.throws(() => reader(1).slice(2), { code: 'truncated' });
    assert.throws(() => reader(1).at(2), { code: 'malformed' });
  });

  it('reads strings', () => {
    const input = reader(0x61, 0x62, 0, 0xc3, 0xa9, 0);
    assert.equal(input.cString(), 'ab');
    assert.equal(input.cString(), 'é');
    assert.throws(() => reader(0x61).cString(), { code: 'truncated' });
  });

  it('refuses numbers beyond 2^53 as offsets', () => {
    assert.throws(() => reader(0, 0, 0, 0, 0, 0, 0, 1).offset(8), { code: 'malformed' });
  });
});
