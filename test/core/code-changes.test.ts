// Self-modifying and cross-modifying code (SDM 3A 8.1.3, 11.6) in both engines: a store to code counts from the next instruction
// on, whoever makes it and under whatever linear address.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Jit } from '../../src/jit/jit.ts';
import { RBX } from './code.ts';
import { CODE, DATA, Machine, STACK } from './machine.ts';

const coreBytes = readFileSync(join(import.meta.dirname, '../../dist/core.wasm'));
/** inc ebx; jmp to it. The byte at 1 makes it a decrement. */
const LOOP = 'FF C3 EB FC';
const DECREMENT = 0xcb;
const ROUNDS = 1000;
/** Code of the other processor. */
const OTHER = CODE + 0x1800;
/** mov byte [address], CBh */
const storeTo = (address: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(address);
  return `C6 04 25 ${bytes.toString('hex')} ${DECREMENT.toString(16)}`;
};
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

for (const engineName of ['interpreter', 'JIT'] as const) {
  /** Both vCPUs in the same state; vCPU 0 is selected. */
  const prepared = (): { machine: Machine; compiled: () => bigint } => {
    const machine = new Machine({ vcpus: 2 });
    const { engine } = machine;
    if (engineName === 'JIT') {
      const jit = new Jit(coreBytes, engine, { batch: 1 });
      engine.onHot = (block) => jit.hot(block);
      engine.hotThreshold = 10;
    }
    const copy = engine.raw.slice(L.STATE, L.STATE_GUEST_END);
    engine.select(1);
    engine.raw.set(copy, L.STATE);
    engine.vcpu().rsp = BigInt(STACK - 0x4000);
    engine.system.updateMode();
    engine.select(0);
    return { machine, compiled: () => engine.compiledTicks };
  };
  /** vCPU 0 counts up in a loop, then vCPU 1 runs `code`, ended by HLT. */
  const changedByOther = (code: string): Machine => {
    const { machine, compiled } = prepared();
    const { engine } = machine;
    machine.write(CODE, bytesOf(LOOP));
    machine.run(2 * ROUNDS);
    assert.equal(machine.register(RBX), BigInt(ROUNDS));
    if (engineName === 'JIT') assert.ok(compiled() > 0n);
    machine.write(OTHER, bytesOf(`${code} F4`));
    engine.select(1);
    engine.vcpu().rip = BigInt(OTHER);
    assert.equal(machine.run(), L.RUN_HALTED);
    engine.select(0);
    return machine;
  };

  describe(`code that changes, ${engineName}`, () => {
    it("another processor's store counts from its next instruction on", () => {
      const machine = changedByOther(storeTo(CODE + 1));
      machine.run(2 * (ROUNDS - 1));
      assert.equal(machine.register(RBX), 1n);
    });
    it('so does one under another linear address, and a locked one', () => {
      for (const code of [storeTo(DATA + 1), `B0 ${DECREMENT.toString(16)} F0 86 04 25 01 00 03 00`]) {
        const { machine } = prepared();
        machine.mapPage(DATA, BigInt(CODE) | 7n);
        machine.write(CODE, bytesOf(LOOP));
        machine.run(2 * ROUNDS);
        machine.write(OTHER, bytesOf(`${code} F4`));
        machine.engine.select(1);
        machine.engine.vcpu().rip = BigInt(OTHER);
        assert.equal(machine.run(), L.RUN_HALTED);
        machine.engine.select(0);
        machine.run(2 * ROUNDS);
        assert.equal(machine.register(RBX), 0n, code);
      }
    });
    it('a store beside the code of its line changes nothing but makes nothing stale either', () => {
      const machine = changedByOther(`${storeTo(CODE + 0x20)} ${storeTo(CODE + 1)}`);
      machine.run(2 * ROUNDS);
      assert.equal(machine.register(RBX), 0n);
    });
    it('the next instruction of the same block may be rewritten', () => {
      const { machine } = prepared();
      // 200 rounds: [target] is CBh and C3h in turn, so the counter ends where it began
      const code = machine.program((c) => {
        c.raw('31 DB B9 C8 00 00 00 B2 C3').at('again').raw('80 F2 08').raw('88 14 25').value(0, 4);
        c.at('target').raw('FF C3 FF C9 75').raw(0);
      });
      const target = Number(code.place('target'));
      const patch = Buffer.alloc(4);
      patch.writeUInt32LE(target + 1);
      machine.write(target - 4, patch);
      machine.write(target + 5, Uint8Array.of(Number(code.place('again')) - (target + 6)));
      assert.equal(machine.run(), L.RUN_HALTED);
      assert.equal(machine.register(RBX), 0n);
      assert.equal(machine.register(1), 0n);
    });
  });
}
