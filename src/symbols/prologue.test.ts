import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipPrologue } from './prologue.ts';

const ranges = [{ start: 0x100n, end: 0x200n }];
const skip = (code: number[], locationsValidAtEntry = false, secondRowEndsPrologue = false): bigint =>
  skipPrologue(0x100n, ranges, {
    readCode: () => Uint8Array.from(code),
    rowAt: (address) => (address < 0x110n ? { start: 0x100n, end: 0x110n } : { start: 0x110n, end: 0x120n }),
    locationsValidAtEntry,
    secondRowEndsPrologue,
  });
const pushMove = [0x55, 0x48, 0x89, 0xe5];

describe('prologues', () => {
  it('with a frame pointer end with their line', () => {
    assert.equal(skip(pushMove), 0x110n);
    assert.equal(skip([0xf3, 0x0f, 0x1e, 0xfa, ...pushMove]), 0x110n);
  });

  it('without a frame pointer are not skipped', () => {
    assert.equal(skip([0x48, 0x83, 0xec, 0x08]), 0x100n);
    assert.equal(skip([0x55, 0x53]), 0x100n);
    assert.equal(skip([]), 0x100n);
  });

  it('are not skipped where the compiler describes locations from the entry on', () => {
    assert.equal(skip(pushMove, true), 0x100n);
  });

  it('of clang end at the second row', () => {
    assert.equal(skip([0x50], false, true), 0x110n);
  });
});
