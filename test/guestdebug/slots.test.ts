// guest-debug-spec 6.6: slots, on the small model of the machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataBreakpoint } from '../../src/guestdebug/api.ts';
import type { GuestDebugOptions } from '../../src/guestdebug/guest-debug.ts';
import { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import * as P from '../../src/guestdebug/policy.ts';
import { FakeMachine } from './fake-machine.ts';
import { controlMessage, idOf, messageOf, next, untilStop } from './layer.ts';

function layerOf(options: GuestDebugOptions = {}, vcpus = 2): { layer: GuestDebug; machine: FakeMachine } {
  const machine = new FakeMachine({ vcpus });
  return { layer: new GuestDebug(machine, options), machine };
}
const data = (linear: bigint, size: number, access: DataBreakpoint['access'] = 'write'): DataBreakpoint => ({
  kind: 'data',
  linear,
  size,
  access,
});
const free = (layer: GuestDebug, vcpu: number): number =>
  layer.slots(vcpu).filter((row) => row.bank === 'host' && row.owner === 'free').length;

test('T-90 five aligned 8-byte watches: four verified, the fifth refused with the list', () => {
  const { layer } = layerOf();
  for (let i = 0; i < 4; i++) {
    const result = layer.set(data(0x1000n + 8n * BigInt(i), 8));
    const placement = { kind: 'slots', slots: [i], used: i + 1 };
    assert.deepEqual(result, { verified: true, id: i + 1, placement });
    assert.equal(messageOf(result), `H${i} (${i + 1} of 4)`);
  }
  const fifth = layer.set(data(0x2000n, 8));
  assert.equal(
    messageOf(fifth),
    'No debug-register slot free: needs 1, 0 of 4 free on vCPU 0 (in use: 4 of 4: H0 write 8 at 0x1000, breakpoint 1; ' +
      'H1 write 8 at 0x1008, breakpoint 2; H2 write 8 at 0x1010, breakpoint 3; H3 write 8 at 0x1018, breakpoint 4). ' +
      'Remove one or shorten the range.',
  );
  const holders = [0, 1, 2, 3].map((index) => {
    return { index, type: 'write', length: 8, address: 0x1000n + 8n * BigInt(index), owners: [index + 1] };
  });
  const refusal = { kind: 'noSlotFree', vcpu: 0, needs: 1, free: 0, holders };
  assert.deepEqual(fifth, { verified: false, refusal });
});
test('as long as there are no software watchpoints, no policy and no refusal offers any', () => {
  const { layer } = layerOf();
  for (let i = 0; i < 4; i++) idOf(layer.set(data(0x1000n + 8n * BigInt(i), 8)));
  assert.doesNotMatch(messageOf(layer.set(data(0x2000n, 8))), /slotPolicy|hybrid|soft/i);
  assert.doesNotMatch(messageOf(layer.set(data(0x1000n, 33))), /slotPolicy|hybrid|soft/i);
  assert.deepEqual([layer.policy, layer.capabilities().policies], ['hardware', ['hardware']]);
});
test('T-92 eight bytes at 0x1003: two windows, or 1+4+2+1 exactly', () => {
  const windows = layerOf().layer;
  assert.equal(messageOf(windows.set(data(0x1003n, 8))), 'H0,H1 (2 of 4)');
  assert.deepEqual(
    windows.slots(0).flatMap((row) => (row.bank === 'host' && row.owner !== 'free' ? [[row.address, row.length]] : [])),
    [
      [0x1000n, 8],
      [0x1008n, 8],
    ],
  );
  const exact = layerOf({ coverPolicy: 'exact' }).layer;
  assert.equal(messageOf(exact.set(data(0x1003n, 8))), 'H0,H1,H2,H3 (4 of 4)');
  assert.deepEqual(
    exact.slots(0).flatMap((row) => (row.bank === 'host' ? [[row.address, row.length]] : [])),
    [
      [0x1003n, 1],
      [0x1004n, 4],
      [0x1008n, 2],
      [0x100an, 1],
    ],
  );
});
test('T-93 33 bytes need five slots', () => {
  const { layer } = layerOf();
  const result = layer.set(data(0x1000n, 33));
  assert.deepEqual(result, { verified: false, refusal: { kind: 'tooManySlots', size: 33, needs: 5 } });
  assert.equal(messageOf(result), 'Range of 33 bytes needs 5 slots; x86 has 4.');
});
test('T-94 32 bytes aligned take four slots, at +1 they do not fit', () => {
  const { layer } = layerOf();
  const shifted = layer.set(data(0x1001n, 32));
  assert.equal(messageOf(shifted), 'Range of 32 bytes needs 5 slots; x86 has 4.');
  assert.equal(messageOf(layer.set(data(0x1000n, 32))), 'H0,H1,H2,H3 (4 of 4)');
});
test('T-95 the same watch twice shares its slot; removing one keeps it', () => {
  const { layer } = layerOf();
  const first = idOf(layer.set(data(0x1000n, 4)));
  const second = idOf(layer.set(data(0x1000n, 4)));
  assert.equal(layer.slots(0)[4]?.references, 2);
  layer.remove(first);
  assert.equal(layer.slots(0)[4]?.references, 1);
  assert.deepEqual(layer.slots(0)[4]?.owner, { breakpoint: second });
  layer.remove(second);
  layer.remove(second);
  assert.equal(free(layer, 0), 4);
});
test('T-96 one slot left, two needed: nothing is allocated on any vCPU', () => {
  const { layer } = layerOf();
  idOf(layer.set(data(0x1000n, 16)));
  idOf(layer.set({ ...data(0x2000n, 8), vcpus: [1] }));
  const result = layer.set(data(0x3004n, 8));
  assert.match(messageOf(result), /needs 2, 1 of 4 free on vCPU 1 /);
  assert.deepEqual([free(layer, 0), free(layer, 1)], [2, 1]);
});
test('T-97 a read-only watch under hardware and exact is refused, under windows filtered', () => {
  const { layer } = layerOf({ coverPolicy: 'exact' });
  assert.match(messageOf(layer.set(data(0x1000n, 4, 'read'))), /^x86 has no comparator for reads alone/);
  const windows = layerOf().layer;
  assert.equal(windows.set(data(0x1000n, 4, 'read')).verified, true);
  assert.equal(windows.slots(0)[4]?.type, 'readWrite');
});
test('T-98 replacing a list but for one entry keeps its slot and its hits', () => {
  const machine = new FakeMachine({
    code: (_vcpu, pc) => (pc % 2n === 0n ? { store: { linear: 0x1008n, size: 8, value: pc } } : {}),
  });
  const layer = new GuestDebug(machine);
  const gone = idOf(layer.set(data(0x1000n, 8)));
  const kept = idOf(layer.set(data(0x1008n, 8)));
  untilStop(layer);
  next(layer);
  layer.remove(gone);
  idOf(layer.set(data(0x2000n, 8)));
  const row = layer.slots(0)[5];
  assert.deepEqual([row?.owner, row?.index, row?.hits], [{ breakpoint: kept }, 1, 2]);
});
test('T-99 a vCPU that comes up later has the slots before its first instruction', () => {
  const { layer, machine } = layerOf();
  machine.engine.vcpu(1).activity = 2;
  idOf(layer.set(data(0x1000n, 8)));
  assert.equal(machine.engine.vcpu(1).hDr0, 0x1000n);
  machine.engine.vcpu(1).hDr7 = 0;
  machine.observer?.onStartup(1);
  assert.equal(machine.engine.vcpu(1).hDr7, 0x90402);
});
test('T-9A raw slots do not take what a breakpoint holds', () => {
  const { layer } = layerOf();
  idOf(layer.set(data(0x1000n, 8)));
  const raw = (dr7: bigint): string =>
    layer.setGuestDebug(0, {
      control: P.CONTROL_ENABLE | P.CONTROL_HARDWARE_BREAKPOINTS,
      pad: 0,
      debugreg: [0x500n, 0x600n, 0n, 0n, 0n, 0n, 0n, dr7],
    });
  assert.equal(raw(0x402n), 'ENOSPC');
  assert.match(controlMessage(layer), /H0 write 8 at 0x1000, breakpoint 1/);
  assert.equal(raw(0x408n), 'OK');
  assert.deepEqual(
    layer
      .slots(0)
      .slice(4)
      .map((row) => row.owner),
    [{ breakpoint: 1 }, 'raw', 'free', 'free'],
  );
});
test('the same address with different kinds widens, and narrows again', () => {
  const { layer, machine } = layerOf();
  idOf(layer.set(data(0x1000n, 8, 'write')));
  const reader = idOf(layer.set(data(0x1000n, 8, 'readWrite')));
  assert.equal(layer.slots(0)[4]?.type, 'readWrite');
  assert.equal(machine.engine.vcpu(0).hDr7, 0xb0402);
  layer.remove(reader);
  assert.equal(layer.slots(0)[4]?.type, 'write');
});
test('a disabled breakpoint keeps its slot, and the comparator rests', () => {
  const { layer, machine } = layerOf();
  const id = idOf(layer.set(data(0x1000n, 8)));
  layer.setEnabled(id, false);
  assert.deepEqual([layer.slots(0)[4]?.enabled, free(layer, 0), machine.engine.vcpu(0).hDr7], [false, 3, 0x400]);
  layer.setEnabled(id, true);
  assert.equal(machine.engine.vcpu(0).hDr7, 0x90402);
});
test('bad requests have their exact answers', () => {
  const { layer } = layerOf();
  const message = (request: Parameters<GuestDebug['set']>[0]): string => messageOf(layer.set(request));
  assert.equal(message(data(0x1000n, 0)), 'Invalid range.');
  assert.equal(message(data((1n << 64n) - 4n, 8)), 'Invalid range.');
  assert.equal(message(data(0x1000n, 1.5)), 'Invalid range.');
  assert.equal(message(data(0x800000000000n, 8)), 'Address 0x800000000000 is not valid in 64-bit mode.');
  assert.equal(message(data(0x7ffffffffffcn, 8)), 'Address 0x800000000003 is not valid in 64-bit mode.');
  assert.equal(
    message({ kind: 'execution', linear: 0x1000n, vcpus: [2] }),
    'vCPU 2 does not exist: the machine has vCPU 0 to 1.',
  );
  assert.equal(
    message({ kind: 'execution', linear: 0x1000n, vcpus: [] }),
    'The list of vCPUs is empty: name at least one, or leave the list out for all.',
  );
  assert.equal(message({ kind: 'execution', linear: [] }), 'A breakpoint needs an address.');
  assert.equal(message(data(0x1000n, 2 ** 40)), 'Range of 1099511627776 bytes needs 137438953472 slots; x86 has 4.');
});
