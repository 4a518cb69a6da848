// The parts that the Linux guest is made with: archives that the system's own cpio reads, and the order of modules.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { writeCpio, type CpioEntry } from '../../scripts/linux-guest/cpio.ts';
import { dependenciesOf } from '../../scripts/linux-guest/kernel-modules.ts';
import { findOnPath } from '../../scripts/process.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const entries: readonly CpioEntry[] = [
  { kind: 'folder', name: 'dev' },
  { kind: 'characterDevice', name: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', name: 'init', bytes: encode('#!/bin/sh\n'), mode: 0o755 },
  { kind: 'file', name: 'empty', bytes: new Uint8Array() },
  { kind: 'link', name: 'sh', target: 'busybox' },
];

/** Names, modes, sizes and contents, read back as the kernel's buffer-format.rst describes them. */
function read(archive: Uint8Array) {
  const text = Buffer.from(archive).toString('latin1');
  const found: { name: string; mode: number; device: string; contents: string }[] = [];
  for (let at = 0; ;) {
    assert.equal(text.slice(at, at + 6), '070701');
    const field = (index: number): number => Number.parseInt(text.slice(at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [size, nameSize] = [field(6), field(11)];
    const name = text.slice(at + 110, at + 110 + nameSize - 1);
    assert.equal(text[at + 110 + nameSize - 1], '\0');
    const start = (at + 110 + nameSize + 3) & ~3;
    if (name === 'TRAILER!!!') return { found, end: start };
    found.push({ name, mode: field(1), device: `${field(9)}:${field(10)}`, contents: text.slice(start, start + size) });
    at = (start + size + 3) & ~3;
  }
}

test('an archive holds what it was given, and the same bytes each time', () => {
  const archive = writeCpio(entries);
  assert.deepEqual(writeCpio(entries), archive);
  const { found, end } = read(archive);
  assert.equal(end, archive.length);
  assert.deepEqual(found, [
    { name: 'dev', mode: 0o040755, device: '0:0', contents: '' },
    { name: 'dev/console', mode: 0o020600, device: '5:1', contents: '' },
    { name: 'init', mode: 0o100755, device: '0:0', contents: '#!/bin/sh\n' },
    { name: 'empty', mode: 0o100644, device: '0:0', contents: '' },
    { name: 'sh', mode: 0o120777, device: '0:0', contents: 'busybox' },
  ]);
});

test("the system's cpio lists it", { skip: findOnPath('cpio') === undefined && 'cpio is not installed' }, () => {
  const done = spawnSync('cpio', ['-t'], { input: writeCpio(entries), encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual(done.stdout.trim().split('\n'), ['dev', 'dev/console', 'init', 'empty', 'sh']);
});

test('what is no module is said to be none', () => {
  const elf = new Uint8Array(128); // a header without sections
  assert.throws(() => dependenciesOf({ name: 'x', bytes: elf }), /x is no kernel module/);
});
