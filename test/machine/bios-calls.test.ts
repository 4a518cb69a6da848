// A guest in real mode that calls a BIOS: it is told that there is none, and lives on.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { EngineModules } from '../../src/core/engine.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import type { MachineStop } from '../../src/machine/api.ts';
import { writeFirmwareTables } from '../../src/machine/boot/firmware-tables.ts';
import { Machine } from '../../src/machine/machine.ts';

const CODE = 0x7c00;
const ES = 0;
const CS = 1;
const SS = 2;
const DS = 3;
const CARRY = 1n;

let modules: EngineModules;
before(async () => {
  modules = await loadEngineModules();
});

interface Called {
  readonly machine: Machine;
  readonly messages: readonly string[];
  readonly stop: MachineStop;
}
/** Runs 16-bit code at 0000:7C00 until it halts. */
function call(code: readonly number[]): Called {
  const machine = new Machine(modules, { cpus: 1, memorySize: 2 << 20 });
  const messages: string[] = [];
  machine.onMessage = (text) => messages.push(text);
  const { engine } = machine;
  writeFirmwareTables(engine, machine.acpi);
  engine.writePhysical(CODE, Uint8Array.from(code));
  for (const segment of [ES, CS, SS, DS]) engine.system.loadSegmentReal(segment, 0);
  Object.assign(engine.vcpu(), { rip: BigInt(CODE), rsp: BigInt(CODE) });
  engine.system.updateMode();
  return { machine, messages, stop: machine.run(10_000) };
}

test('INT 10h: one message that names the call, and the guest goes on with CF set and AH=86h', () => {
  const teletype = [0xb8, 0x41, 0x0e, 0xcd, 0x10]; // mov ax, 0E41h; int 10h
  const { machine, messages, stop } = call([...teletype, 0x9c, 0x5b, ...teletype, 0xf4]); // pushf; pop bx
  assert.deepEqual(messages, [
    'The guest called the BIOS: INT 10h, AH=0Eh (video). There is none here; the call fails (CF set, AH=86h).',
  ]);
  assert.equal(stop.kind, 'idle');
  const { rax, rbx, rsp } = machine.engine.vcpu();
  assert.deepEqual([rax & 0xffffn, rbx & CARRY, rsp & 0xffffn], [0x8641n, CARRY, BigInt(CODE)]);
});
test('every vector comes back with all registers but AH, or halts with a message: nothing executes the table', () => {
  for (let vector = 0; vector < 256; vector++) {
    // mov eax, 11223344h; mov ebp, 55667788h; int vector; mov bl, 1; hlt
    const code = [0x66, 0xb8, 0x44, 0x33, 0x22, 0x11, 0x66, 0xbd, 0x88, 0x77, 0x66, 0x55, 0xcd, vector, 0xb3, 1, 0xf4];
    const { machine, messages, stop } = call(code);
    const { rax, rbx, rbp, rsp } = machine.engine.vcpu();
    assert.equal(stop.kind, 'idle', `vector ${vector}`);
    assert.equal(messages.length, 1, `vector ${vector}: ${messages.join(' ')}`);
    if (vector < 8) {
      assert.match(messages[0] ?? '', /^Vector 0\dh .*real mode.*: the processor halts\.$/);
      assert.equal(rbx & 0xffn, 0n);
      continue;
    }
    const interrupt = vector < 0x10 || (vector >= 0x70 && vector < 0x78);
    assert.match(messages[0] ?? '', interrupt ? /is acknowledged as an interrupt of the PIC/ : /called the BIOS: INT/);
    assert.deepEqual(
      [rax, rbx & 0xffn, rbp, rsp & 0xffffn],
      [interrupt ? 0x11223344n : 0x11228644n, 1n, 0x55667788n, BigInt(CODE)],
      `vector ${vector}`,
    );
  }
});
test('an exception without a handler halts and is named', () => {
  const { messages, stop } = call([0x31, 0xc9, 0xf7, 0xf1]); // xor cx, cx; div cx
  assert.equal(stop.kind, 'idle');
  assert.deepEqual(messages, [
    'Vector 00h (#DE) came in real mode, and the guest has no handler of its own: the processor halts.',
  ]);
});
