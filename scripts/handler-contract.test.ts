import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { F_CF, RAX, REGS } from '../src/core/layout.ts';
import { type Breach, checkContract } from './handler-contract.ts';
import { readModule, WasmReadError } from '../src/wasm/reader.ts';

/** One planted handler for each rule, and one that keeps them all. Compiled by the same compiler with the same options. */
const PLANTED = `
@external("system", "load") declare function slowLoad(r: usize, a: u64, size: u32): u64;
@external("system", "store") declare function slowStore(r: usize, a: u64, v: u64, size: u32): void;
@external("softfloat", "f64_add") declare function floatAdd(a: u64, b: u64): u64;
let counter: u32 = 0;
function keeps(r: usize): void {
  let v = slowLoad(r, load<u64>(load<u32>(r, 8)), 8);
  if (load<u8>(r, 3) == 1) slowStore(r, 4096, v, 8);
  store<u64>(load<u32>(r, 4), v); store<i32>(${F_CF}, 1);
}
function computes(r: usize): void {
  store<i32>(${F_CF}, 1);
  let v = floatAdd(load<u64>(load<u32>(r, 4)), load<u64>(load<u32>(r, 8)));
  store<u64>(load<u32>(r, 4), reinterpret<u64>(sqrt<f64>(abs<f64>(reinterpret<f64>(v)) + 1.5)));
}
function loops(r: usize): void {
  while (load<u64>(${RAX})) store<u64>(${RAX}, load<u64>(${RAX}) - slowLoad(r, 0, 8));
}
function leavesLate(r: usize): void {
  store<u64>(load<u32>(r, 4), 1);
  store<u64>(${RAX}, slowLoad(r, 0, 8));
}
function leavesLateOnOneWay(r: usize): void {
  if (load<u64>(${RAX})) store<i32>(${F_CF}, 0);
  store<u64>(${RAX}, slowLoad(r, 0, 8));
}
function storesThenLoads(r: usize): void {
  slowStore(r, 0, 1, 8);
  store<u64>(${RAX}, slowLoad(r, 0, 8));
}
function indexes(r: usize): void {
  store<u64>(${REGS} + ((load<u32>(${RAX}) & 15) << 3), 7);
}
function counts(r: usize): void { counter += load<u32>(${RAX}); store<u32>(${RAX}, counter); }
function rewrites(r: usize): void { store<u64>(r, 5, 16); }
function switches(r: usize): void {
  switch (load<u32>(${RAX})) {
    case 0: store<u64>(${RAX}, slowLoad(r, 1, 8)); break;
    case 1: store<u64>(${RAX}, slowLoad(r, 2, 8)); break;
    case 2: store<u64>(${RAX}, slowLoad(r, 3, 8)); break;
    case 3: store<u64>(${RAX}, slowLoad(r, 4, 8)); break;
    default: store<i32>(${F_CF}, 1);
  }
}
function calls(r: usize): void { call_indirect(load<u32>(r), r); store<u64>(${RAX}, 1); }
function deeper(n: u64): u64 { return n ? deeper(n - 1) * 3 + load<u64>(${RAX}) : 1; }
function recurses(r: usize): void { store<u64>(${RAX}, deeper(load<u64>(${RAX}))); }
function grows(r: usize): void { store<i32>(${F_CF}, memory.grow(1)); }
export function handlers(): u32 {
  return keeps.index + computes.index + loops.index + leavesLate.index + leavesLateOnOneWay.index + storesThenLoads.index + indexes.index +
    counts.index + rewrites.index + switches.index + calls.index + recurses.index + grows.index;
}
`;

describe('handler contract', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trapline-contract-'));
  let breaches: readonly Breach[] = [];
  let handlers = 0;

  before(() => {
    writeFileSync(join(folder, 'planted.ts'), PLANTED);
    const asc = join(createRequire(import.meta.url).resolve('assemblyscript/package.json'), '../bin/asc.js');
    const flags = '-O3 --noAssert --runtime stub --enable simd --importMemory --exportTable --debug --memoryBase 65536';
    const result = spawnSync(process.execPath, [asc, 'planted.ts', '-o', 'planted.wasm', ...flags.split(' ')], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(result.status, 0, result.stderr);
    ({ handlers, breaches } = checkContract(readModule(readFileSync(join(folder, 'planted.wasm')))));
  });
  after(() => rmSync(folder, { recursive: true }));

  const rulesOf = (handler: string): string[] =>
    breaches.filter((b) => b.handler.endsWith(`/${handler}`)).map((b) => b.rule);

  it('looks at every function of the table', () => assert.equal(handlers, 13));
  it('accepts a handler that keeps the contract', () => assert.deepEqual(rulesOf('keeps'), []));
  it('takes a call to softfloat for what it is: no way out, and not a write', () =>
    assert.deepEqual(rulesOf('computes'), []));
  const planted: [string, Breach['rule']][] = [
    ['loops', 'loop'],
    ['leavesLate', 'leaves after a write'],
    ['leavesLateOnOneWay', 'leaves after a write'],
    ['storesThenLoads', 'leaves after a write'],
    ['indexes', 'dynamic register index'],
    ['counts', 'global'],
    ['rewrites', 'writes the record'],
    ['switches', 'dynamic switch'],
    ['calls', 'indirect call'],
    ['recurses', 'recursion'],
    ['grows', 'instruction'],
  ];
  for (const [handler, rule] of planted) {
    it(`finds the planted breach "${rule}" in ${handler}`, () =>
      assert.ok(rulesOf(handler).includes(rule), JSON.stringify(breaches)));
  }
});

describe('wasm reader', () => {
  it('answers a typed error for bytes that are no module', () => {
    assert.throws(() => readModule(new Uint8Array(20)), WasmReadError);
  });
});
