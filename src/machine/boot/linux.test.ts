// The loaders of Linux: what they put where, and one clear error for each thing that can be wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { linuxImage, pvhImage, type LinuxImageFields } from '../../../test/machine/boot-files.ts';
import { BootError } from './boot-error.ts';
import type { MemoryWrite } from './boot-file.ts';
import { planLinux } from './linux.ts';
import { bootProtocolOf } from './load-kernel.ts';
import { findPvhEntry, planPvh } from './pvh.ts';

const MEMORY = 64 << 20;
const RSDP = 0xe_0000;
const initrd = { name: 'initrd.cpio', bytes: Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff) };

const linux = (bytes: Uint8Array, more: { initrd?: typeof initrd; commandLine?: string } = {}, memory = MEMORY) =>
  planLinux({ kernel: { name: 'vmlinuz', bytes, commandLine: more.commandLine ?? 'quiet' }, initrd: more.initrd, rsdp: RSDP }, memory); // prettier-ignore
const pvh = (bytes: Uint8Array, more: { initrd?: typeof initrd } = {}, memory = MEMORY) =>
  planPvh({ kernel: { name: 'vmlinux', bytes, commandLine: 'quiet' }, initrd: more.initrd, rsdp: RSDP }, memory);

/** Memory after the writes: a reader of numbers. */
function memoryOf(writes: readonly MemoryWrite[]) {
  const find = (physical: number): DataView => {
    const write = writes.find(({ physical: start, data }) => physical >= start && physical < start + data.length);
    assert.ok(write !== undefined, `something at 0x${physical.toString(16)}`);
    const { data, physical: start } = write;
    return new DataView(data.buffer, data.byteOffset + physical - start, data.length - (physical - start));
  };
  return {
    u8: (at: number): number => find(at).getUint8(0),
    u32: (at: number): number => find(at).getUint32(0, true),
    u64: (at: number): bigint => find(at).getBigUint64(0, true),
    text(at: number): string {
      let text = '';
      for (let byte = find(at).getUint8(text.length); byte !== 0; byte = find(at).getUint8(text.length)) {
        text += String.fromCharCode(byte);
      }
      return text;
    },
  };
}
function errorOf(work: () => unknown): BootError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof BootError, String(error));
    return error;
  }
  return assert.fail('no error');
}

test('a bzImage: kernel, zero page, command line, E820, RSDP and initrd', () => {
  const { writes, entry, zeroPage } = linux(linuxImage(), { initrd, commandLine: 'console=ttyS0' });
  const memory = memoryOf(writes);
  assert.equal(entry, 0x100_0200);
  assert.equal(memory.u32(0x100_0000), 0x0302_0100, 'the bytes behind the setup sectors');
  assert.equal(memory.u32(zeroPage + 0x202), 0x53726448, 'the header is in the zero page');
  assert.equal(memory.u8(zeroPage + 0x210), 0xff);
  assert.equal(memory.text(memory.u32(zeroPage + 0x228)), 'console=ttyS0');
  assert.equal(memory.u64(zeroPage + 0x70), BigInt(RSDP));
  const [start, size] = [memory.u32(zeroPage + 0x218), memory.u32(zeroPage + 0x21c)];
  assert.deepEqual([start % 4096, size, memory.u32(start)], [0, 5000, 0x0302_0100]);
  assert.ok(start + size <= MEMORY - 0x2_0000 && start >= 0x100_0000 + 0x10_0000);
  const regions = Array.from({ length: memory.u8(zeroPage + 0x1e8) }, (_, i) => {
    const at = zeroPage + 0x2d0 + i * 20;
    return [Number(memory.u64(at)), Number(memory.u64(at + 8)), memory.u32(at + 16)];
  });
  assert.deepEqual(regions, [
    [0, 0x9_fc00, 1],
    [0x9_fc00, 0x6_0400, 2],
    [0x10_0000, MEMORY - 0x12_0000, 1],
    [MEMORY - 0x2_0000, 0x2_0000, 2],
    [0xfffc_0000, 0x4_0000, 2],
  ]);
});

test('the page tables map the first 4 GiB to themselves', () => {
  const { writes } = linux(linuxImage());
  const memory = memoryOf(writes);
  const frame = (entry: bigint): number => Number(entry & 0xf_ffff_f000n);
  for (const linear of [0, 0x1_0000, 0x100_0200, 0xbfff_ffff, 0xfee0_0000]) {
    const level3 = frame(memory.u64(0x1_2000));
    const level2 = frame(memory.u64(level3 + Math.floor(linear / 2 ** 30) * 8));
    const page = memory.u64(level2 + (Math.floor(linear / 2 ** 21) % 512) * 8);
    assert.equal(page & 0x83n, 0x83n, 'present, writable, 2 MiB');
    assert.equal(frame(page), Math.floor(linear / 2 ** 21) * 2 ** 21);
  }
});

test('an initrd stays below initrd_addr_max', () => {
  const { writes, zeroPage } = linux(linuxImage({ initrdAddressMax: 0x17f_ffff }), { initrd });
  const memory = memoryOf(writes);
  assert.equal(memory.u32(zeroPage + 0x218), 0x180_0000 - 0x2000);
});

test('what is wrong with a bzImage is said by field', () => {
  const cases: [LinuxImageFields, string, RegExp][] = [
    [{ version: 0x20b }, 'unsupported', /0x206, version: is 2\.11; the 64-bit boot protocol begins with 2\.12/],
    [{ xloadflags: 0x7e }, 'unsupported', /xloadflags: says that this kernel has no 64-bit entry point/],
    [{ preferredAddress: 0x1000 }, 'badField', /pref_address: is 0x1000, not between 1 MiB and 4 GiB/],
    [{ initSize: 64 << 20 }, 'outsideMemory', /init_size: needs memory up to 0x5000000 .* at least 81M with --memory/],
    [{ commandLineSize: 3 }, 'badField', /cmdline_size: its command line has 5 bytes; this kernel reads at most 3/],
  ];
  for (const [fields, code, message] of cases) {
    const error = errorOf(() => linux(linuxImage(fields)));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
  const cut = errorOf(() => linux(linuxImage().subarray(0, 3000)));
  assert.deepEqual([cut.code, cut.place.field], ['truncated', 'syssize']);
  const large = { name: 'large.cpio', bytes: new Uint8Array(MEMORY) };
  const error = errorOf(() => linux(linuxImage(), { initrd: large }));
  assert.deepEqual([error.code, error.file], ['noRoom', 'large.cpio']);
  assert.match(error.message, /its 67108864 bytes do not fit behind the kernel, where \d+ are free/);
});

test('PVH: segments, start_info, memory map, command line, module', () => {
  const { writes, entry, startInfo } = pvh(pvhImage(), { initrd });
  const memory = memoryOf(writes);
  assert.equal(entry, 0x100_0040);
  assert.deepEqual([memory.u32(startInfo), memory.u32(startInfo + 4), memory.u32(startInfo + 12)], [0x336ec578, 1, 1]);
  const modules = Number(memory.u64(startInfo + 16));
  assert.deepEqual([memory.u32(Number(memory.u64(modules))), memory.u64(modules + 8)], [0x0302_0100, 5000n]);
  assert.equal(memory.text(Number(memory.u64(startInfo + 24))), 'quiet');
  assert.equal(memory.u64(startInfo + 32), BigInt(RSDP));
  const map = Number(memory.u64(startInfo + 40));
  assert.equal(memory.u32(startInfo + 48), 5);
  assert.deepEqual([memory.u64(map + 48), memory.u64(map + 56), memory.u32(map + 64)], [0x10_0000n, 0x3ee_0000n, 1]);
  const without = pvh(pvhImage());
  assert.equal(memoryOf(without.writes).u32(without.startInfo + 12), 0);
});

test('PVH: what is wrong is said', () => {
  assert.equal(findPvhEntry('k', pvhImage({ owner: 'Nex' })), undefined);
  assert.equal(findPvhEntry('k', pvhImage({ type: 17 })), undefined);
  assert.equal(findPvhEntry('k', pvhImage({ entry: undefined })), undefined);
  assert.equal(errorOf(() => pvh(pvhImage({ entry: 0x200_0000 }))).code, 'badField');
  assert.equal(errorOf(() => pvh(pvhImage({ memorySize: MEMORY }))).code, 'outsideMemory');
  assert.equal(errorOf(() => pvh(pvhImage({ physical: 0x1_0000 }))).code, 'unsupported');
  const large = { name: 'large.cpio', bytes: new Uint8Array(MEMORY) };
  assert.equal(errorOf(() => pvh(pvhImage(), { initrd: large })).code, 'noRoom');
});

test('the protocol is found out by the contents', () => {
  assert.equal(bootProtocolOf('k', linuxImage()), 'linux');
  assert.equal(bootProtocolOf('k', pvhImage()), 'pvh');
  assert.equal(bootProtocolOf('k', pvhImage({ entry: undefined })), undefined);
  assert.equal(bootProtocolOf('k', new Uint8Array(1000)), undefined);
  assert.equal(bootProtocolOf('k', new Uint8Array(0)), undefined);
});

test('mutated and truncated kernels load inside RAM or give one clear error', () => {
  const mutation = fc.array(fc.tuple(fc.nat(0x2ff), fc.nat(255)), { minLength: 1, maxLength: 12 });
  const originals = [linuxImage(), pvhImage()];
  fc.assert(
    fc.property(fc.nat(1), mutation, fc.option(fc.nat(0x1400)), (which, changes, cut) => {
      const bytes = (originals[which] ?? new Uint8Array()).slice(0, cut ?? undefined);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        if (bootProtocolOf('k', bytes) === undefined) return;
        const { writes } = bootProtocolOf('k', bytes) === 'linux' ? linux(bytes, { initrd }) : pvh(bytes, { initrd });
        for (const { physical, data, memorySize } of writes) {
          assert.ok(physical >= 0 && physical + memorySize <= MEMORY && data.length <= memorySize);
        }
      } catch (error) {
        assert.ok(error instanceof BootError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
