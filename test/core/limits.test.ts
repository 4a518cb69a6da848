// What QEMU cannot judge because it does not check it: limits of CS on sequential fetches, PAE's pointers, alignment, PCIDs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { Code, RAX, RBX, RCX } from './code.ts';
import { CODE, DATA, Machine, PAGE_TABLE } from './machine.ts';
import { gate32, program32, protectedMode } from './protected-machine.ts';

const HANDLER = CODE + 0x800;
const GP = 13;
/** A protected-mode machine whose #GP handler pops the error code and stops. */
function withFaultHandler(): Machine {
  const machine = protectedMode();
  for (const vector of [GP, 14, 17]) {
    gate32(machine, vector, HANDLER + vector * 16, 0);
    machine.write(HANDLER + vector * 16, new Code(0).raw('58 F4').finish()); // pop eax; hlt
  }
  return machine;
}
function faultOf(machine: Machine): { vector: number; error: bigint; rip: bigint } {
  assert.equal(machine.run(), L.RUN_HALTED);
  const vector = (Number(machine.rip) - 2 - HANDLER) / 16;
  return {
    vector,
    error: machine.register(RAX),
    rip: machine.read64(Number(machine.register(4))) & 0xffffffffn,
  };
}

describe('the limit of CS', () => {
  /** Runs bytes at an offset of a code segment with base CODE and a limit. */
  function inSegment(limit: number, offset: number, bytes: string, rights = 0x409b): Machine {
    const machine = withFaultHandler();
    machine.setSegment(L.CS, 0x48, BigInt(CODE), limit, rights);
    machine.write(CODE + offset, new Code(0).raw(bytes).finish());
    machine.engine.vcpu().rip = BigInt(offset);
    machine.engine.system.updateMode();
    return machine;
  }
  it('an instruction may end with it, and the next one faults', () => {
    const machine = inSegment(0x103, 0x100, '43 43 43 43 43'); // inc ebx
    assert.deepEqual(faultOf(machine), { vector: GP, error: 0n, rip: 0x104n });
    assert.equal(machine.register(RBX), 4n);
  });
  it('an instruction that reaches over it faults as a whole', () => {
    const machine = inSegment(0x103, 0x100, '43 43 BB 01 00 00 00'); // mov ebx, 1 ends at 106h
    assert.deepEqual(faultOf(machine), { vector: GP, error: 0n, rip: 0x102n });
    assert.equal(machine.register(RBX), 2n);
  });
  it('an invalid opcode within it is #UD all the same', () => {
    const machine = inSegment(0x101, 0x100, '0F 04');
    gate32(machine, 6, HANDLER + 6 * 16, 0);
    machine.write(HANDLER + 6 * 16, new Code(0).raw('58 F4').finish());
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(Number(machine.rip), HANDLER + 6 * 16 + 2);
  });
  it('16-bit code does not wrap at 64 KiB', () => {
    const machine = inSegment(0xffff, 0xfffe, '43 43', 0x9b); // inc bx, twice
    assert.deepEqual(faultOf(machine), { vector: GP, error: 0n, rip: 0x10000n });
  });
  it('in real mode neither: #GP with the offset that 16 bits hold', () => {
    const machine = new Machine();
    machine.engine.system.reset(1);
    machine.write(GP * 4, Uint8Array.of(0, 0, 0, 0x20)); // 2000h:0
    machine.write(0x20000, Uint8Array.of(0xf4));
    machine.write(0x3fffe, Uint8Array.of(0x43, 0x43));
    machine.engine.system.loadSegmentReal(1, 0x3000);
    machine.engine.vcpu().rip = 0xfffen;
    machine.engine.vcpu().rsp = 0x8000n;
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.read64(0x8000 - 6) & 0xffff_ffffn, 0x3000_0000n);
  });
  it('comes before a missing next page', () => {
    const machine = inSegment(0xfff, 0xffe, '43 BB 01 00 00 00');
    assert.equal(faultOf(machine).rip, 0xfffn);
  });
});

describe('PAE paging', () => {
  const POINTERS = 0x9000;
  function withPae(): Machine {
    const machine = withFaultHandler();
    machine.write64(POINTERS, 0x12001n); // machine.ts's page directory
    for (const i of [1, 2, 3]) machine.write64(POINTERS + i * 8, 0n);
    machine.engine.vcpu().cr3 = BigInt(POINTERS);
    machine.engine.vcpu().cr4 = 0x20n;
    return machine;
  }
  const pagingOn = '0F 20 C0 0D 00 00 00 80 0F 22 C0'; // mov eax, cr0; or eax, PG; mov cr0, eax
  it('the pointers are read when CR3 is loaded, and only then', () => {
    const machine = withPae();
    program32(machine, (c) => c.raw(pagingOn, 'C7 05').value(POINTERS, 4).value(0, 4).raw('8B 1D').value(DATA, 4));
    machine.write64(DATA, 0x1234n);
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.equal(machine.register(RBX), 0x1234n);
  });
  it('a present pointer with a reserved bit is #GP(0), and nothing changes', () => {
    for (const bits of [2n, 0x20n, 0x100n, 1n << 40n, 1n << 63n]) {
      const machine = withPae();
      machine.write64(POINTERS + 8, 1n | bits);
      const code = program32(machine, (c) => c.raw('0F 20 C0 0D 00 00 00 80').at('A').raw('0F 22 C0'));
      assert.deepEqual(faultOf(machine), { vector: GP, error: 0n, rip: code.place('A') });
      assert.equal(machine.engine.vcpu().cr0 >> 31n, 0n);
    }
  });
});

describe('alignment check', () => {
  const AM = 0x40000n;
  const AC = 0x40000n;
  function user(bytes: string): Machine {
    const machine = new Machine({ user: true });
    machine.engine.vcpu().cr0 |= AM;
    const code = machine.program((c) => c.load(RBX, DATA).raw(bytes).at('A'));
    machine.resumeAt(17, code.place('end'));
    machine.flags |= AC;
    machine.engine.system.updateMode();
    assert.equal(machine.run(), L.RUN_HALTED);
    return machine;
  }
  it('loads, stores, read-modify-writes and the stack', () => {
    for (const bytes of [
      '8B 43 02',
      '66 8B 43 01',
      '48 8B 43 04',
      '89 43 01',
      '01 43 03',
      '48 8D 63 04 50',
      'F0 0F B1 43 01',
    ]) {
      assert.deepEqual(
        user(bytes).log.map(({ vector, error }) => [vector, error]),
        [[17, 0n]],
        bytes,
      );
    }
  });
  it('aligned ones and bytes do not fault, nor does anything above CPL 3', () => {
    for (const bytes of ['8B 43 04', '8A 43 01', '66 8B 43 02', '48 8D 63 08 50'])
      assert.deepEqual(user(bytes).log, [], bytes);
    const supervisor = new Machine();
    supervisor.engine.vcpu().cr0 |= AM;
    supervisor.program((c) => c.load(RBX, DATA).raw('8B 43 01'));
    supervisor.flags |= AC;
    assert.equal(supervisor.run(), L.RUN_HALTED);
    assert.deepEqual(supervisor.log, []);
  });
});

describe('process-context identifiers', () => {
  const PCIDE = 1n << 17n;
  const DESCRIPTOR = DATA + 0x100;
  function withPcid(build: (c: Code) => void, descriptor: readonly [bigint, bigint] = [0n, 0n]): Machine {
    const machine = new Machine();
    machine.engine.vcpu().cr4 |= PCIDE;
    machine.write64(DESCRIPTOR, descriptor[0]);
    machine.write64(DESCRIPTOR + 8, descriptor[1]);
    const code = machine.program((c) => {
      build(c);
    });
    for (const vector of [GP, 14]) machine.resumeAt(vector, code.place('end'));
    assert.equal(machine.run(), L.RUN_HALTED);
    return machine;
  }
  const vectors = (machine: Machine): number[] => machine.log.map(({ vector }) => vector);
  it('bit 63 of CR3 is not kept; CR3 shows the PCID', () => {
    const machine = withPcid((c) => c.load(RAX, (1n << 63n) | 0x10005n).raw('0F 22 D8 0F 20 D9'));
    assert.deepEqual([vectors(machine), machine.register(RCX)], [[], 0x10005n]);
  });
  it('CR4.PCIDE needs PCID 0, and paging may not end with it', () => {
    const machine = new Machine();
    machine.engine.vcpu().cr3 = 0x10005n;
    const code = machine.program((c) => c.raw('0F 20 E0 0F BA E8 11').at('A').raw('0F 22 E0'));
    machine.resumeAt(GP, code.place('end'));
    assert.equal(machine.run(), L.RUN_HALTED);
    assert.deepEqual(
      machine.log.map(({ vector, rip }) => [vector, rip]),
      [[GP, code.place('A')]],
    );
  });
  const INVPCID = '66 0F 38 82 01'; // invpcid rax, [rcx]
  it('INVPCID drops the translations that its type names', () => {
    for (const [type, descriptor, dropped] of [
      [0, [0n, BigInt(DATA + 0x1000)], true],
      [0, [0n, BigInt(DATA)], false],
      [1, [5n, 0n], true],
      [2, [0n, 0n], true],
      [3, [0n, 0n], true],
    ] as const) {
      const machine = withPcid((c) => {
        c.load(RBX, DATA + 0x1000).raw('8A 03'); // the translation is there
        c.raw('48 C7 04 25')
          .value(PAGE_TABLE + ((DATA + 0x1000) >> 12) * 8, 4)
          .value(0, 4);
        c.load(RAX, type).load(RCX, DESCRIPTOR).raw(INVPCID).at('A').raw('8A 03');
      }, descriptor);
      assert.equal(vectors(machine).includes(14), dropped, `type ${type}`);
    }
  });
  it('INVPCID is #GP(0) for what does not exist', () => {
    for (const [type, low, high] of [
      [4n, 0n, 0n],
      [0n, 0x1000n, 0n],
      [0n, 0n, 1n << 63n],
      [3n, 1n << 63n, 0n],
    ] as const) {
      const machine = withPcid((c) => c.load(RAX, type).load(RCX, DESCRIPTOR).raw(INVPCID), [low, high]);
      assert.deepEqual(vectors(machine), [GP]);
    }
  });
});
