import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootProtocolOf } from '../machine/boot/load-kernel.ts';
import { HEAD_LENGTH, kernelKind, kernelKindOf, type KernelKind } from './kernel-header.ts';

const head = (file: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../guests/smp/${file}`, import.meta.url)).subarray(0, HEAD_LENGTH));

test('the sample guest is found in both its forms', () => {
  assert.equal(kernelKind(head('smp.elf')), 'elf64');
  assert.equal(kernelKind(head('smp32.elf')), 'elf32');
});

test('other files are not kernels', () => {
  assert.equal(kernelKind(new Uint8Array()), undefined);
  assert.equal(kernelKind(head('main.c')), undefined);
  const elf = head('smp.elf').slice();
  for (let length = 0; length < 128; length += 1) kernelKind(elf.subarray(0, length));
  elf.fill(0, 64);
  assert.equal(kernelKind(elf), undefined, 'an ELF file without a Multiboot header');
  const broken = head('smp.elf').slice();
  const view = new DataView(broken.buffer);
  for (let at = 0; at + 12 < broken.length; at += 4) {
    if (view.getUint32(at, true) === 0x1badb002) view.setUint32(at + 8, 1, true);
  }
  assert.equal(kernelKind(broken), undefined, 'a wrong checksum');
});

/** An ELF64 executable of one segment and a PT_NOTE segment far behind the head, with a note of this owner. */
function withNote(owner: string): Uint8Array {
  const noteAt = 3 * HEAD_LENGTH;
  const bytes = new Uint8Array(noteAt + 20);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const segment = (index: number, type: number, offset: number, size: number): void => {
    const at = 64 + 56 * index;
    view.setUint32(at, type, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 24, 0x100_0000n, true);
    view.setBigUint64(at + 32, BigInt(size), true);
    view.setBigUint64(at + 40, BigInt(size), true);
  };
  segment(0, 1, 0x1000, 16);
  segment(1, 4, noteAt, 20);
  view.setUint32(noteAt, 4, true);
  view.setUint32(noteAt + 4, 4, true);
  view.setUint32(noteAt + 8, 18, true);
  bytes.set(new TextEncoder().encode(`${owner}\0`).subarray(0, 4), noteAt + 12);
  view.setUint32(noteAt + 16, 0x100_0000, true);
  return bytes;
}

/** The first bytes of a Linux kernel image (Documentation/x86/boot.rst). */
function linuxImage(): Uint8Array {
  const bytes = new Uint8Array(4096);
  bytes.set(new TextEncoder().encode('HdrS'), 0x202);
  new DataView(bytes.buffer).setUint16(0x1fe, 0xaa55, true);
  return bytes;
}

/** A Multiboot header that is no ELF file's: with addresses (flag 16). */
function flatMultiboot(): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(64, 0x1badb002, true);
  view.setUint32(68, 0x1_0000, true);
  view.setUint32(72, -(0x1badb002 + 0x1_0000), true);
  return bytes;
}

test('whatever the adapter boots is found, and nothing else', async () => {
  const whole = (file: string): Uint8Array =>
    new Uint8Array(readFileSync(new URL(`../../guests/smp/${file}`, import.meta.url)));
  const files: readonly (readonly [string, Uint8Array, KernelKind | undefined])[] = [
    ['smp.elf', whole('smp.elf'), 'elf64'],
    ['smp32.elf', whole('smp32.elf'), 'elf32'],
    ['bzImage', linuxImage(), 'bzImage'],
    ['vmlinux', withNote('Xen'), 'pvh'],
    ['vmlinux.other', withNote('GNU'), undefined],
    ['flat.bin', flatMultiboot(), 'multiboot'],
    ['main.c', whole('main.c'), undefined],
    ['empty', new Uint8Array(), undefined],
  ];
  for (const [name, bytes, kind] of files) {
    const found = await kernelKindOf((offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)));
    assert.equal(found, kind, name);
    assert.equal(bootProtocolOf(name, bytes) !== undefined, kind !== undefined, name);
  }
});

test('an ELF file that is cut off anywhere is looked at without harm', async () => {
  const kernel = withNote('Xen');
  for (let length = 0; length < 256; length++) {
    const cut = kernel.subarray(0, length);
    assert.equal(await kernelKindOf((offset, size) => Promise.resolve(cut.subarray(offset, offset + size))), undefined);
  }
});
