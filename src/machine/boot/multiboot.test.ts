import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BootError } from './boot-error.ts';
import { memoryRegions } from './memory-regions.ts';
import { findMultibootHeader, planMultiboot, type MultibootPlan } from './multiboot.ts';

const MEMORY = 64 << 20;
const kernel64 = new Uint8Array(readFileSync(new URL('../../../guests/smp/smp.elf', import.meta.url)));
const kernel32 = new Uint8Array(readFileSync(new URL('../../../guests/smp/smp32.elf', import.meta.url)));

const plan = (bytes: Uint8Array, memorySize = MEMORY): MultibootPlan =>
  planMultiboot({ kernel: { name: 'k.elf', bytes } }, memorySize);

/** The BootError that loading gives. */
function errorOf(action: () => unknown): BootError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof BootError, String(error));
    assert.match(error.message, /^[^\n]{10,300}\.$/, 'one sentence');
    assert.ok(error.message.startsWith(error.file));
    return error;
  }
  return assert.fail('it loads');
}
/** A kernel that uses the address fields; code is at its end. */
function flat(fields: readonly number[], size = 4096): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const header = [0x1badb002, 0x10003, -(0x1badb002 + 0x10003), ...fields];
  header.forEach((value, i) => view.setUint32(64 + i * 4, value >>> 0, true));
  return bytes;
}
/** RAM as the plan fills it. */
function ram({ writes }: MultibootPlan): DataView {
  const memory = new Uint8Array(MEMORY);
  for (const { physical, data } of writes) memory.set(data, physical);
  return new DataView(memory.buffer);
}
function textAt(view: DataView, at: number): string {
  let end = at;
  while (view.getUint8(end) !== 0) end++;
  return new TextDecoder().decode(new Uint8Array(view.buffer, at, end - at));
}

for (const [name, bytes] of Object.entries({ ELF64: kernel64, ELF32: kernel32 })) {
  test(`${name}: segments go to their physical addresses`, () => {
    const { writes, entry } = plan(bytes);
    assert.ok(writes.length >= 4);
    assert.ok(entry >= 0x100000 && entry < 0x200000, entry.toString(16));
    assert.ok(
      writes.slice(0, -1).every(({ physical }) => physical >= 0x100000),
      'the trampoline is stored above 1 MiB',
    );
  });
}

test('ESP points behind 4 KiB of usable memory that nothing else lies in', () => {
  const kernels = [
    [kernel64, MEMORY],
    [kernel32, 4 << 20],
    [flat([0x1000 + 64, 0x1000, 0, 0x9_f000, 0x1000]), MEMORY], // all of conventional memory
  ] as const;
  for (const [bytes, memorySize] of kernels) {
    const { writes, stack } = plan(bytes, memorySize);
    assert.equal(stack % 16, 0);
    const region = memoryRegions(memorySize).find(
      ({ base, length, available }) => available && stack - 4096 >= base && stack <= base + length,
    );
    assert.ok(region !== undefined, stack.toString(16));
    for (const { physical, memorySize: size } of writes)
      assert.ok(physical + size <= stack - 4096 || physical >= stack, `${physical.toString(16)} is under the stack`);
  }
});

test('information: memory, map, command line, modules, loader name', () => {
  const request = {
    kernel: { name: 'k.elf', bytes: kernel64, commandLine: 'k.elf quiet' },
    modules: [
      { name: 'initrd', bytes: new Uint8Array(5000).fill(7) },
      { name: 'second', bytes: new Uint8Array(), commandLine: 'second x=1' },
    ],
  };
  const made = planMultiboot(request, MEMORY);
  const view = ram(made);
  const word = (offset: number): number => view.getUint32(made.information + offset, true);
  assert.equal(word(0), 0x24d);
  assert.deepEqual([word(4), word(8)], [639, 63 * 1024 - 128]);
  assert.equal(textAt(view, word(16)), 'k.elf quiet');
  assert.equal(textAt(view, word(64)), 'Trapline');
  assert.equal(word(20), 2);
  const first = view.getUint32(word(24), true);
  assert.equal(first % 4096, 0);
  assert.equal(view.getUint32(word(24) + 4, true) - first, 5000);
  assert.equal(view.getUint8(first + 4999), 7);
  assert.equal(textAt(view, view.getUint32(word(24) + 24, true)), 'second x=1');
  const regions: string[] = [];
  for (let at = word(48); at < word(48) + word(44); at += view.getUint32(at, true) + 4) {
    const [base, length] = [view.getBigUint64(at + 4, true), view.getBigUint64(at + 12, true)];
    regions.push(`${base.toString(16)}+${length.toString(16)} ${view.getUint32(at + 20, true)}`);
  }
  assert.deepEqual(regions, ['0+9fc00 1', '9fc00+60400 2', '100000+3ee0000 1', '3fe0000+20000 2', 'fffc0000+40000 2']);
});

test('address fields override ELF', () => {
  const bytes = flat([0x100040, 0x100000, 0x100800, 0x102000, 0x100123]);
  const { writes, entry } = plan(bytes);
  assert.equal(entry, 0x100123);
  assert.deepEqual([writes[0]?.physical, writes[0]?.data.length, writes[0]?.memorySize], [0x100000, 0x800, 0x2000]);
  const whole = plan(flat([0x100040, 0x100000, 0, 0, 0x100000]));
  assert.equal(whole.writes[0]?.data.length, 4096, 'load_end_addr 0: the whole file');
});

test('bad address fields are named', () => {
  const cases: [number[], string, string][] = [
    [[0x100040, 0x200000, 0, 0, 0], 'badField', 'load_addr'],
    [[0x100040, 0x100000, 0x90000, 0, 0], 'badField', 'load_end_addr'],
    [[0x100040, 0x100000, 0x900000, 0, 0], 'truncated', 'load_end_addr'],
    [[0x100040, 0x100000, 0x100800, 0x100400, 0], 'badField', 'bss_end_addr'],
    [[0x100040, 0x100000, 0x100800, 0xf0000000, 0], 'outsideMemory', 'load_addr'],
  ];
  for (const [fields, code, field] of cases) {
    const error = errorOf(() => plan(flat(fields)));
    assert.deepEqual([error.code, error.place.field], [code, field]);
  }
});

test('files that are no kernels', () => {
  assert.equal(errorOf(() => plan(new Uint8Array())).code, 'empty');
  assert.equal(errorOf(() => plan(new TextEncoder().encode('just a text'.repeat(100)))).code, 'notBootable');
  const elfWithout = kernel64.slice();
  elfWithout.fill(0, findMultibootHeader(kernel64), (findMultibootHeader(kernel64) ?? 0) + 4);
  assert.match(errorOf(() => plan(elfWithout)).message, /without a Multiboot header/);
});

test('memory outside the machine', () => {
  const error = errorOf(() => plan(kernel64, 1 << 20));
  assert.equal(error.code, 'outsideMemory');
  assert.match(error.message, /k\.elf, offset 0x[0-9a-f]+, program header \d+: asks for memory at 0x1/);
  const big = { name: 'initrd', bytes: new Uint8Array(MEMORY) };
  assert.equal(
    errorOf(() => planMultiboot({ kernel: { name: 'k', bytes: kernel64 }, modules: [big] }, MEMORY)).code,
    'noRoom',
  );
});

test('a command line that is too long', () => {
  const commandLine = 'x'.repeat(5000);
  assert.throws(
    () => planMultiboot({ kernel: { name: 'k', bytes: kernel64, commandLine } }, MEMORY),
    /longer than 4096/,
  );
});

test('truncated at every 64 bytes: one clear error', () => {
  for (const bytes of [kernel64, kernel32]) {
    for (let size = 0; size < bytes.length; size += 64) {
      const error = errorOf(() => plan(bytes.slice(0, size)));
      assert.ok(['empty', 'notBootable', 'truncated'].includes(error.code), `size ${size}: ${error.message}`);
    }
  }
});

test('mutated kernels load inside RAM or give one clear error', () => {
  const mutation = fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.boolean(), mutation, fc.option(fc.nat(kernel64.length)), (wide, changes, cut) => {
      const bytes = (wide ? kernel64 : kernel32).slice(0, cut ?? undefined);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        const { writes } = plan(bytes);
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
