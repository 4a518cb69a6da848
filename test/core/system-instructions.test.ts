// System instructions that ring 3 may not execute and that no other test has, in ring 0 and refused in ring 3.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CODE, DATA, Machine } from './machine.ts';

const UD = 6;
const GP = 13;
const TS = 8n;

/** Runs one instruction and what ends the program; answers the machine and the vectors of faults. */
function execute(
  bytes: string,
  prepare: (machine: Machine) => void = () => undefined,
  user = false,
): [Machine, number[]] {
  const machine = new Machine({ user });
  const code = machine.program((program) => program.raw(bytes));
  for (const vector of [UD, GP]) machine.resumeAt(vector, code.place('end'));
  prepare(machine);
  machine.run();
  return [machine, machine.log.map(({ vector }) => vector).filter((vector) => vector < 32)];
}

describe('cache control', () => {
  for (const [name, bytes] of [
    ['INVD', '0F 08'],
    ['WBINVD', '0F 09'],
  ] as const) {
    it(`${name} changes nothing in ring 0, and is #GP in ring 3`, () => {
      assert.deepEqual(execute(bytes)[1], []);
      assert.deepEqual(execute(bytes, undefined, true)[1], [GP]);
    });
  }
});

describe('CLTS', () => {
  it('clears CR0.TS and nothing else', () => {
    const [machine, faults] = execute('0F 06', ({ engine }) => (engine.vcpu().cr0 |= TS));
    assert.deepEqual(faults, []);
    assert.equal(machine.engine.vcpu().cr0, 0x80010033n);
  });
  it('is #GP in ring 3', () => assert.deepEqual(execute('0F 06', undefined, true)[1], [GP]));
});

describe('RDPMC', () => {
  it('there are no counters: #GP for any number, in ring 0 and ring 3', () => {
    for (const user of [false, true])
      assert.deepEqual(execute('0F 33', (machine) => machine.setRegister(1, 0n), user)[1], [GP]);
  });
});

describe('reserved and undefined opcodes', () => {
  it('0F 0D with a register is a NOP', () => {
    const [machine, faults] = execute('0F 0D C8 0F 0D C1');
    assert.deepEqual([faults, machine.register(0)], [[], 0n]);
  });
  it('UD0, UD1 and UD2 are #UD at the instruction', () => {
    for (const bytes of ['0F FF C0', '0F B9 C0', '0F 0B']) {
      const [machine] = execute(bytes);
      assert.deepEqual([machine.log[0]?.vector, machine.log[0]?.rip], [UD, BigInt(CODE)], bytes);
    }
  });
});

describe('INVPCID', () => {
  const bytes = '66 0F 38 82 03'; // invpcid rax, [rbx]
  const run = (type: bigint, low: bigint, high: bigint, user = false): number[] =>
    execute(
      bytes,
      (machine) => {
        machine.setRegister(0, type);
        machine.setRegister(3, BigInt(DATA));
        machine.write64(DATA, low);
        machine.write64(DATA + 8, high);
      },
      user,
    )[1];
  it('types 0 to 3 go through, others are #GP', () => {
    for (const type of [0n, 1n, 2n, 3n]) assert.deepEqual(run(type, 0n, 0n), [], `type ${type}`);
    assert.deepEqual(run(4n, 0n, 0n), [GP]);
  });
  it('reserved bits of the descriptor, a PCID while CR4.PCIDE is clear, and an address that is not canonical are #GP', () => {
    assert.deepEqual(run(2n, 0x1000n, 0n), [GP]);
    assert.deepEqual(run(1n, 1n, 0n), [GP]);
    assert.deepEqual(run(0n, 0n, 1n << 63n), [GP]);
  });
  it('is #GP in ring 3', () => assert.deepEqual(run(2n, 0n, 0n, true), [GP]));
});

describe('MONITOR and MWAIT', () => {
  it('are #UD in ring 3', () => {
    assert.deepEqual(execute('0F 01 C8', undefined, true)[1], [UD]);
    assert.deepEqual(execute('0F 01 C9', undefined, true)[1], [UD]);
  });
});

describe('the time-stamp counter', () => {
  it('is the virtual clock: two reads are as far apart as the instructions between them', () => {
    const [machine] = execute('0F 31 89 C3 90 90 90 0F 31'); // rdtsc; mov ebx, eax; nop x 3; rdtsc
    assert.equal(machine.register(0) - machine.register(3), 5n);
  });
  it('CR4.TSD keeps it from ring 3', () => {
    const restrict = ({ engine }: Machine): void => {
      engine.vcpu().cr4 |= 4n;
    };
    assert.deepEqual(execute('0F 31', restrict, true)[1], [GP]);
    assert.deepEqual(execute('0F 31', restrict)[1], []);
  });
});
