import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HEAD_LENGTH, kernelKind } from './kernel-header.ts';

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
