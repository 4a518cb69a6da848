import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalSymbols } from '../index.ts';
import { readKallsyms } from './kallsyms.ts';
import { kallsymsElf } from './kallsyms-elf.ts';
import { buildKallsyms } from './kallsyms-fixture.ts';

const BASE = 0xffff_ffff_9a20_0000n;
const SYMBOLS = [
  { name: 'per_cpu_thing', type: 'A', address: 0x1000n },
  { name: '_text', type: 'T', address: BASE },
  { name: 'startup_64', type: 'T', address: BASE },
  ...Array.from({ length: 600 }, (_, index) => ({
    name: `function_${index}`,
    type: index % 2 === 0 ? 't' : 'T',
    address: BASE + 0x1000n + BigInt(index) * 0x40n,
  })),
  { name: `long_${'x'.repeat(200)}`, type: 't', address: BASE + 0x1_0000n },
  { name: '_etext', type: 'T', address: BASE + 0x2_0000n },
  { name: 'jiffies', type: 'D', address: BASE + 0x3_0000n },
  { name: '_end', type: 'B', address: BASE + 0x4_0000n },
];

for (const layout of ['6.1', '6.2', '6.4'] as const) {
  test(`a table as Linux ${layout} writes it is found among other bytes`, () => {
    const image = buildKallsyms(SYMBOLS, BASE, layout);
    const found = readKallsyms(image);
    assert.equal(found?.relativeBase, BASE);
    assert.deepEqual(found.symbols, SYMBOLS);
  });
}

test('damage anywhere in the table is refused or changes names alone, never throws, never lasts', () => {
  const image = buildKallsyms(SYMBOLS, BASE, '6.2');
  for (let at = 0; at < image.length; at += 7) {
    const damaged = image.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    const found = readKallsyms(damaged);
    assert.ok(found === undefined || found.symbols.length === SYMBOLS.length, `byte ${at}`);
  }
  for (let length = 0; length < image.length; length += 501) readKallsyms(image.subarray(0, length));
});

test('bytes that look like the beginnings of tables everywhere take no more than a bounded time', () => {
  const digits = new TextEncoder().encode(Array.from({ length: 10 }, (_, digit) => `${digit}\0`).join(''));
  const image = new Uint8Array(1 << 20).map((_, index) => digits[index % digits.length] ?? 0);
  assert.equal(readKallsyms(image), undefined);
  assert.equal(readKallsyms(new Uint8Array(1 << 20)), undefined);
});

test('as an ELF file: functions end where the next begins, borders give their address to what begins there', async () => {
  const kallsyms = readKallsyms(buildKallsyms(SYMBOLS, BASE, '6.1'));
  assert.ok(kallsyms !== undefined);
  const slide = BASE - 0xffff_ffff_8100_0000n;
  const symbols = createLocalSymbols({ openFile: () => assert.fail('nothing is opened') });
  const file = await symbols.open({ kind: 'bytes', bytes: kallsymsElf(kallsyms, slide) }, 'kallsyms');
  const at = async (address: bigint): Promise<string> => {
    const hit = await file.symbolAt(address - slide);
    return hit === null ? 'nothing' : `${hit.symbol.name}+${hit.offset} of ${hit.symbol.size}`;
  };
  assert.equal(await at(BASE + 4n), 'startup_64+4 of 4096');
  assert.equal(await at(BASE + 0x1000n + 0x40n + 1n), 'function_1+1 of 64');
  assert.equal(await at(BASE + 0x3_0000n), 'jiffies+0 of 0');
  const [breakpoint] = await file.functionBreakpoints('function_7');
  assert.equal(breakpoint?.address, BASE + 0x1000n + 7n * 0x40n - slide);
  assert.equal((await file.symbolsNamed('per_cpu_thing'))[0]?.section, '*ABS*');
  assert.equal(file.elf.segments.filter(({ flags }) => (flags & 1) !== 0).length, 1);
});
