// guest-debug-spec 6.5 and 6.7 through the whole layer: data watches and memory transparency; on the real core and machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access, DataBreakpoint } from '../../src/guestdebug/api.ts';
import type { Code } from '../core/code.ts';
import { Code as Assembler, RAX, RBX, RCX, RDI, RSI } from '../core/code.ts';
import { CODE, DATA, I6, KERNEL_CODE32, PAGE_TABLE, RF, STACK } from '../core/machine.ts';
import { bench, undebugged } from './bench.ts';
import { idOf, messageOf, next, noStop, untilStop } from './layer.ts';

const data = (linear: number | bigint, size: number, access: DataBreakpoint['access'] = 'write'): DataBreakpoint => ({
  kind: 'data',
  linear: BigInt(linear),
  size,
  access,
});
const store = (c: Code): Code =>
  c.load(RBX, DATA).load(RAX, 0x1122334455667788n).at('A').raw('48 89 03').at('B').raw('90');

test('T-70 a string store stops behind the iteration that hit, and not again', () => {
  const { layer, A, tables } = bench((c) =>
    c
      .load(RCX, 5)
      .load(RSI, DATA + 0x100)
      .load(RDI, DATA)
      .at('A')
      .raw('F3 48 A5 90'),
  );
  idOf(layer.set(data(DATA + 17, 1)));
  const record = untilStop(layer);
  const access = record.causes[0]?.access;
  assert.deepEqual(
    [record.pc, tables.register(RCX), access?.linear, access?.size, record.dr6],
    [A, 2n, BigInt(DATA + 16), 8, I6 + 1n],
  );
  noStop(layer, 10_000);
});
test('T-72 a store across a page boundary into a watch of the second page', () => {
  const { layer, code } = bench((c) =>
    c
      .load(RBX, DATA + 0xffc)
      .load(RAX, 0x1122334455667788n)
      .at('A')
      .raw('48 89 03')
      .at('B')
      .raw('90'),
  );
  idOf(layer.set(data(DATA + 0x1000, 2)));
  const record = untilStop(layer);
  assert.deepEqual([record.pc, record.causes[0]?.access?.linear], [code.place('B'), BigInt(DATA + 0xffc)]);
});
test('T-74 a range across the boundary takes two windows; a store to each side hits once', () => {
  const { layer } = bench((c) => c.load(RBX, DATA + 0xfff).raw('C6 03 01 C6 43 01 02 90'));
  assert.equal(messageOf(layer.set(data(DATA + 0xffe, 4))), 'H0,H1 (2 of 4)');
  const slots = [untilStop(layer), next(layer)].map((record) => record.causes.map((cause) => cause.slot));
  assert.deepEqual(slots, [[0], [1]]);
  noStop(layer, 1000);
});
test('one store into both windows of a watch is one hit that names both slots', () => {
  const { layer } = bench((c) =>
    c
      .load(RBX, DATA + 4)
      .load(RAX, 7)
      .raw('48 89 03 90'),
  );
  const id = idOf(layer.set(data(DATA, 16)));
  const record = untilStop(layer);
  assert.deepEqual(
    record.causes.map((cause) => cause.slot),
    [0, 1],
  );
  assert.deepEqual([record.dr6, layer.counts(id)?.hits], [I6 + 3n, 1]);
});
test('T-75 an access beside the asked bytes is filtered and counted', () => {
  const { layer } = bench((c) => c.load(RBX, DATA).raw('C6 43 05 01 90'));
  idOf(layer.set(data(DATA, 4)));
  noStop(layer, 1000);
  assert.deepEqual([layer.slots(0)[4]?.filteredHits, layer.slots(0)[4]?.hits], [1, 0]);
});
test('T-75 a store that ends right in front of the asked bytes, and one that begins right behind them, are filtered', () => {
  for (const offset of [-4, 2]) {
    const watched = DATA + 4;
    // mov dword [rbx], 1
    const { layer } = bench((c) => c.load(RBX, watched + offset).raw('C7 03 01 00 00 00 90'));
    const id = idOf(layer.set(data(watched, offset < 0 ? 4 : 2)));
    noStop(layer, 1000);
    assert.deepEqual([layer.slots(0)[4]?.filteredHits, layer.slots(0)[4]?.hits], [1, 0], `offset ${offset}`);
    assert.equal(layer.counts(id)?.hits, 0);
  }
});
test('T-71 a guest slot on the bytes of the third of five iterations: RCX is 2 in the handler of its #DB', () => {
  const { layer, tables, A } = bench(
    (c) =>
      c
        .load(RCX, 5)
        .load(RSI, DATA + 0x100)
        .load(RDI, DATA)
        .at('A')
        .raw('F3 48 A5 90'),
    { prepare: (m) => m.setGuestSlot(2, BigInt(DATA + 17), 1, 1) },
  );
  idOf(layer.set({ kind: 'execution', linear: tables.handler(1) }));
  assert.deepEqual([untilStop(layer).pc, tables.register(RCX)], [tables.handler(1), 2n]);
  noStop(layer, 10_000);
  assert.deepEqual(tables.debugLog, [[A, I6 + 4n]]);
  assert.notEqual((tables.log[0]?.flags ?? 0n) & RF, 0n);
  assert.equal(tables.register(RCX), 0n);
});
test('T-76 a compare-exchange that fails still writes', () => {
  const { layer } = bench((c) => c.load(RBX, DATA).load(RAX, 1).load(RCX, 2).raw('F0 48 0F B1 0B 90'));
  idOf(layer.set(data(DATA, 8)));
  const access = untilStop(layer).causes[0]?.access;
  assert.deepEqual([access?.old, access?.value], [0n, 0n]);
});
test('T-77 a read passes a write watch, a write hits a read-write watch, a read-only watch sees reads only', () => {
  const reads = bench((c) => c.load(RBX, DATA).raw('48 8B 03 90'));
  idOf(reads.layer.set(data(DATA, 8)));
  noStop(reads.layer, 1000);
  const writes = bench(store);
  idOf(writes.layer.set(data(DATA, 8, 'readWrite')));
  assert.equal(untilStop(writes.layer).kind, 'watch');
  const only = bench((c) => c.load(RBX, DATA).raw('48 89 03').at('A').raw('48 8B 03 90'));
  idOf(only.layer.set(data(DATA, 8, 'read')));
  const record = untilStop(only.layer);
  assert.deepEqual([record.causePc, record.causes[0]?.access?.kind], [only.A, 'r']);
});
test('T-79 PUSH, CALL and ENTER are one hit each', () => {
  for (const bytes of ['50', 'E8 00 00 00 00', 'C8 10 00 00']) {
    const { layer } = bench((c) => c.at('A').raw(bytes, '90'));
    const id = idOf(layer.set(data(STACK - 8, 8)));
    assert.equal(untilStop(layer).causes.length, 1, bytes);
    assert.equal(layer.counts(id)?.hits, 1);
  }
});
test('T-79 XSAVE and FXSAVE are one hit each, wherever in their image the watch lies', () => {
  // cr4 |= OSXSAVE; xcr0 = x87 | SSE; edx:eax = 3; xsave64 [rbx], or fxsave64 [rbx]
  const enable = '0F 20 E0 0D 00 00 04 00 0F 22 E0 31 C9 31 D2 B8 03 00 00 00 0F 01 D1';
  for (const bytes of ['48 0F AE 23', '48 0F AE 03']) {
    for (const offset of [0, 24, 160, 408]) {
      const { layer, A } = bench((c) => c.load(RBX, DATA).raw(enable).at('A').raw(bytes, '90'));
      const id = idOf(layer.set(data(DATA + offset, 8)));
      const record = untilStop(layer);
      assert.deepEqual([record.causePc, record.pc], [A, A + 4n], `${bytes} at ${offset}`);
      noStop(layer, 10_000);
      assert.equal(layer.counts(id)?.hits, 1);
    }
  }
});
test('T-79 PUSHA is one hit for a watch, whichever of its eight pushes it is', () => {
  for (const index of [1, 4, 8]) {
    // Far return to a 32-bit code segment, and a stack there: push 40h; push address; retfq; mov esp, DATA + 100h; pusha
    const { layer, A } = bench((c) =>
      c
        .raw('6A', KERNEL_CODE32, '68')
        .value(CODE + 9, 4)
        .raw('48 CB BC')
        .value(DATA + 0x100, 4)
        .at('A')
        .raw('60 90'),
    );
    const id = idOf(layer.set(data(DATA + 0x100 - 4 * index, 4)));
    const record = untilStop(layer);
    assert.deepEqual([record.causePc, record.pc, layer.vcpus()[0]?.mode], [A, A + 1n, 'compatibility']);
    noStop(layer, 10_000);
    assert.equal(layer.counts(id)?.hits, 1);
  }
});
test('T-7A BTS with a bit index that reaches the watched byte', () => {
  const { layer } = bench((c) => c.load(RBX, DATA).load(RCX, 100).raw('48 0F AB 0B 90'));
  idOf(layer.set(data(DATA + 12, 1)));
  assert.equal(untilStop(layer).causes.length, 1);
});
test('T-7B an exception that pushes onto watched bytes', () => {
  const { layer, tables, A } = bench((c) => c.at('A').raw('CC 90'));
  idOf(layer.set(data(STACK - 8, 8)));
  const record = untilStop(layer);
  assert.deepEqual([record.pc, record.causes[0]?.access?.kind, record.causePc], [tables.handler(3), 'w', A]);
  assert.deepEqual(record.delivery, { vector: 3, fromPc: A });
});
test('T-7D T-70d page walks and other aliases of the frame do not hit a linear watch', () => {
  const { layer, tables } = bench((c) => c.load(RBX, DATA + 0x1000).raw('C6 03 01 90'), {
    prepare: (m) => m.mapPage(DATA + 0x1000, BigInt(DATA) | 7n),
  });
  idOf(layer.set(data(PAGE_TABLE + ((DATA + 0x1000) >> 12) * 8, 8, 'readWrite')));
  idOf(layer.set(data(DATA, 8, 'readWrite')));
  noStop(layer, 1000);
  assert.equal(tables.read8(DATA), 1);
});
test('T-7C an instruction that hits and then faults is no hit; its restart is one', () => {
  const { layer, tables } = bench(
    (c) =>
      c
        .load(RSI, DATA)
        .load(RDI, DATA + 0x1000)
        .load(RCX, 1)
        .at('A')
        .raw('F3 A4 90'),
    {
      prepare: (m) => m.mapPage(DATA + 0x1000, 0n),
    },
  );
  const id = idOf(layer.set(data(DATA, 1, 'readWrite')));
  idOf(layer.set({ kind: 'execution', linear: tables.handler(14) }));
  assert.equal(untilStop(layer).kind, 'bp');
  tables.mapPage(DATA + 0x1000, BigInt(DATA + 0x1000) | 7n);
  assert.equal(next(layer).kind, 'watch');
  assert.equal(layer.counts(id)?.hits, 1);
});
test('T-7F what the debugger writes never hits', () => {
  const { layer, pc } = bench((c) => c.raw('90 90'));
  idOf(layer.set(data(DATA, 8, 'readWrite')));
  pc.writeLinear(0, BigInt(DATA), Uint8Array.of(1, 2, 3));
  pc.readLinear(0, BigInt(DATA), 3);
  noStop(layer, 1000);
});
test('filters get the access, with old and new value', () => {
  const seen: (Access | undefined)[] = [];
  const { layer } = bench((c) => c.load(RBX, DATA).raw('C7 03 05 00 00 00 C7 03 06 00 00 00 90'));
  idOf(
    layer.set({
      ...data(DATA, 4),
      filter: ({ access }) => {
        seen.push(access);
        return access?.value === 6n ? 'stop' : 'continue';
      },
    }),
  );
  assert.equal(untilStop(layer).causes[0]?.access?.value, 6n);
  assert.deepEqual(
    seen.map((access) => [access?.old, access?.value]),
    [
      [0n, 5n],
      [5n, 6n],
    ],
  );
  assert.equal(layer.ledger(0, 10)[0]?.disposition, 'continued');
});

test('T-80 T-8C the guest and the debugger read the original bytes of a page with overlays', () => {
  const sum = (c: Code): void => {
    c.load(RSI, CODE)
      .load(RCX, 64)
      .load(RBX, 0)
      .at('loop')
      .raw('AC 48 0F B6 C0 48 01 C3')
      .relative('E2', 'loop', 1)
      .raw('90');
  };
  const plain = bench(sum);
  noStop(plain.layer, 10_000);
  const { layer, tables, pc } = bench(sum);
  for (const offset of [0, 10, 40]) idOf(layer.set({ kind: 'execution', linear: BigInt(CODE + offset) }));
  let stops = 0;
  while (layer.runSlice(10_000).kind === 'stopped') {
    stops++;
    layer.resume({ kind: 'continue' });
  }
  assert.ok(stops >= 2);
  assert.equal(tables.register(RBX), plain.tables.register(RBX));
  assert.deepEqual(pc.readLinear(0, BigInt(CODE), 16), plain.pc.readLinear(0, BigInt(CODE), 16));
});
test("T-85 a store into the breakpoint's own instruction, then a jump there", () => {
  const { layer, A, tables } = bench((c) => {
    c.load(RBX, CODE + 0x200)
      .raw('C7 03 FF C0 90 90')
      .load(RCX, CODE + 0x200)
      .raw('FF E1')
      .at('A');
  });
  assert.ok(A > 0n);
  idOf(layer.set({ kind: 'execution', linear: BigInt(CODE + 0x200) }));
  assert.equal(untilStop(layer).pc, BigInt(CODE + 0x200));
  assert.equal(tables.read8(CODE + 0x200), 0xff);
});
test('T-87 an overlay on a page that is not mapped fires once, after the page fault was served', () => {
  const target = DATA + 0x2000;
  const mapper = CODE + 0x900;
  const { layer, pc } = bench((c) => c.load(RBX, target).raw('FF E3'), {
    prepare: (m) => {
      m.mapPage(target, 0n);
      m.write(target, Uint8Array.of(0x90, 0xcd, 0x81));
      // A #PF handler that maps the page: push rax; mov eax, entry; mov [pte], rax; pop rax; add rsp, 8; iretq.
      const handler = new Assembler(mapper).raw(0x50, 0xb8).value(target | 7, 4);
      handler
        .raw('48 89 04 25')
        .value(PAGE_TABLE + (target >> 12) * 8, 4)
        .raw('58 48 83 C4 08 48 CF');
      m.write(mapper, handler.finish());
      m.setGate(14, BigInt(mapper));
    },
  });
  const id = idOf(layer.set({ kind: 'execution', linear: BigInt(target) }));
  assert.deepEqual([...pc.readLinear(0, BigInt(target), 1)], []);
  // The fetch faults, the handler maps the page, and the return to the breakpoint is what stops.
  assert.deepEqual([untilStop(layer).pc, [...pc.readLinear(0, BigInt(target), 1)]], [BigInt(target), [0x90]]);
  noStop(layer, 10_000);
  assert.deepEqual([layer.counts(id)?.hits, layer.vcpus()[0]?.activity], [1, 'halted']);
});
test('T-87 a page that is never mapped: each return from the fault arrives at the breakpoint again', () => {
  const target = DATA + 0x2000;
  const { layer, tables } = bench((c) => c.load(RBX, target).raw('FF E3'), { prepare: (m) => m.mapPage(target, 0n) });
  assert.equal(layer.set({ kind: 'execution', linear: BigInt(target) }).verified, true);
  assert.equal(untilStop(layer).pc, BigInt(target));
  idOf(layer.set({ kind: 'execution', linear: tables.handler(14) }));
  assert.equal(next(layer).pc, tables.handler(14));
});
test('T-88 an overlay in the middle of an instruction does not fire', () => {
  const { layer, A } = bench((c) => c.at('A').raw('48 C7 C0 90 90 90 00 90'));
  idOf(layer.set({ kind: 'execution', linear: A + 3n }));
  noStop(layer, 1000);
});
test('T-88 an overlay in the middle of an instruction fires when something is executed from there', () => {
  const inside = CODE + 0x203;
  const { layer } = bench((c) => c.load(RBX, inside).raw('FF E3').at('A'), {
    // mov rax, imm32, whose immediate is nop; nop; nop; int 81h
    prepare: (m) => m.write(CODE + 0x200, Uint8Array.of(0x48, 0xc7, 0xc0, 0x90, 0x90, 0x90, 0xcd, 0x81)),
  });
  idOf(layer.set({ kind: 'execution', linear: BigInt(inside) }));
  assert.equal(untilStop(layer).pc, BigInt(inside));
});
test('T-8B a breakpoint in a block that already ran fires the next time', () => {
  const { layer, code } = bench((c) =>
    c.load(RCX, 5000).at('A').raw('90').at('B').raw('90').relative('E2', 'A', 1).raw('90'),
  );
  assert.equal(layer.runSlice(1000).kind, 'running');
  idOf(layer.set({ kind: 'execution', linear: code.place('B') }));
  assert.equal(untilStop(layer).pc, code.place('B'));
});
test('watches and overlays leave the digest as it is without them', () => {
  const { layer, pc, A } = bench(store);
  const plain = undebugged(store);
  idOf(layer.set(data(DATA, 8)));
  idOf(layer.set({ kind: 'execution', linear: A }));
  untilStop(layer);
  next(layer);
  noStop(layer, 100_000);
  layer.detach(false);
  assert.equal(pc.digest(), plain);
});
