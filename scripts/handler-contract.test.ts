import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { F_CF, IN_SMM, RAX, REGS, SHADOW_NEW, T_ADDEND, T_WRITE, TLB_BASE } from '../src/core/layout.ts';
import { type Breach, checkContract } from './handler-contract.ts';
import { readModule, WasmReadError } from '../src/wasm/reader.ts';

/** One planted handler for each rule, and one that keeps them all. Compiled by the same compiler with the same options. */
const PLANTED = `
@external("system", "load") declare function slowLoad(r: usize, a: u64, size: u32): u64;
@external("system", "store") declare function slowStore(r: usize, a: u64, v: u64, size: u32): void;
@external("system", "modify") declare function slowModify(r: usize, a: u64, size: u32): usize;
@external("system", "loadVector") declare function slowLoadVector(r: usize, a: u64): usize;
@external("system", "linear") declare function slowLinear(r: usize, segment: u32, a: u64, size: u32, write: u32): u64;
@external("system", "peekSomewhere") declare function unknown(r: usize): u64;
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
// memory.ts in short: an address by its fast tag, else by the slow path
@inline function entry(a: u64): usize { return <usize>load<u32>(${TLB_BASE}) + (<u32>a >> 7 & 262112); }
function ld(r: usize, a: u64): u64 {
  let e = entry(a);
  if (load<u64>(e) != ((a + 7) & ~(<u64>0xfff))) return slowLoad(r, a, 8);
  return load<u64>(load<u32>(e, ${T_ADDEND}) + <u32>a);
}
function st(r: usize, a: u64, v: u64): void {
  let e = entry(a);
  if (load<u64>(e, ${T_WRITE}) != ((a + 7) & ~(<u64>0xfff))) { slowStore(r, a, v, 8); return; }
  store<u64>(load<u32>(e, ${T_ADDEND}) + <u32>a, v);
}
function modify(r: usize, a: u64): usize {
  let e = entry(a);
  if (load<u64>(e, ${T_WRITE}) == ((a + 7) & ~(<u64>0xfff))) return load<u32>(e, ${T_ADDEND}) + <u32>a;
  return slowModify(r, a, 8);
}
function twoOperands(r: usize): void {
  st(r, load<u64>(${REGS} + 32), ld(r, load<u64>(load<u32>(r, 8))));
}
function modifies(r: usize): void {
  let b = ld(r, load<u64>(${REGS} + 32)), place = modify(r, load<u64>(load<u32>(r, 8)));
  store<u64>(place, load<u64>(place) + b);
}
function modifiesEarly(r: usize): void {
  let place = modify(r, load<u64>(load<u32>(r, 8)));
  store<u64>(place, ld(r, load<u64>(${REGS} + 32)));
}
function modifiesEarlyOnOneWay(r: usize): void {
  let place = modify(r, load<u64>(load<u32>(r, 8))), b: u64 = 1;
  if (load<u8>(r, 3) == 1) b = slowLoad(r, 0, 8);
  store<u64>(place, b);
}
function keepsTheTag(r: usize): void {
  let a = load<u64>(load<u32>(r, 8)), e = entry(a), b = ld(r, load<u64>(${REGS} + 32));
  if (load<u64>(e, ${T_WRITE}) == (a & ~(<u64>0xfff))) store<u64>(load<u32>(e, ${T_ADDEND}) + <u32>a, b);
}
function keepsTheBank(r: usize): void {
  let bank = load<u32>(${TLB_BASE}), a = slowLinear(r, 0, load<u64>(load<u32>(r, 8)), 8, 1);
  let e = <usize>bank + (<u32>a >> 7 & 262112);
  if (load<u64>(e, ${T_WRITE}) == (a & ~(<u64>0xfff))) store<u64>(load<u32>(e, ${T_ADDEND}) + <u32>a, 1);
}
function keepsTheCopy(r: usize): void {
  let place = slowLoadVector(r, load<u64>(load<u32>(r, 8)));
  store<u64>(place, slowLoad(r, 0, 8));
}
function writesHostState(r: usize): void {
  store<u64>(load<u32>(r, 4), slowLoad(r, load<u64>(load<u32>(r, 8)), 8));
  store<u32>(${SHADOW_NEW}, 1);
}
function writesOneByte(r: usize): void {
  let v = slowLoad(r, load<u64>(load<u32>(r, 8)), 8);
  if (!v) store<u8>(${IN_SMM} + 12, 1);
}
function asksSomebody(r: usize): void { store<u64>(${RAX}, unknown(r)); }
export function handlers(): u32 {
  let more = twoOperands.index + modifies.index + modifiesEarly.index + modifiesEarlyOnOneWay.index + keepsTheTag.index + keepsTheBank.index +
    keepsTheCopy.index + writesHostState.index + writesOneByte.index + asksSomebody.index;
  return more + keeps.index + computes.index + loops.index + leavesLate.index + leavesLateOnOneWay.index + storesThenLoads.index + indexes.index +
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

  it('looks at every function of the table', () => assert.equal(handlers, 23));
  it('accepts a handler that keeps the contract', () => assert.deepEqual(rulesOf('keeps'), []));
  it('takes a call to softfloat for what it is: no way out, and not a write', () =>
    assert.deepEqual(rulesOf('computes'), []));
  it('accepts accesses in any order as long as the last address is that of the store', () => {
    assert.deepEqual(rulesOf('twoOperands'), []);
    assert.deepEqual(rulesOf('modifies'), []);
  });
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
    ['modifiesEarly', 'stores through an older address'],
    ['modifiesEarlyOnOneWay', 'stores through an older address'],
    ['keepsTheTag', 'stores through an older address'],
    ['keepsTheBank', 'stores through an older address'],
    ['keepsTheCopy', 'stores through an older address'],
    ['writesHostState', 'writes what no fault undoes'],
    ['writesOneByte', 'writes what no fault undoes'],
    ['asksSomebody', 'unknown import'],
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
