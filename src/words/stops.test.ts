import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StopKind, StopRecord } from '../guestdebug/api.ts';
import { BADGE_LIMIT, placesOf, stopBadge, stopSentence, statusSentence } from './stops.ts';
import { fromBundle } from './translate.ts';

const KINDS: readonly StopKind[] = [
  'bp',
  'hwx',
  'watch',
  'io',
  'step',
  'branchStep',
  'guestBp',
  'guestDb',
  'icebp',
  'bd',
  'bt',
  'pause',
  'entry',
  'halted',
  'reset',
  'shutdown',
  'internalError',
];
function recordOf(kind: StopKind, causes: StopRecord['causes'] = []): StopRecord {
  return {
    sequence: 1,
    vcpu: 2,
    kind,
    exception: 0,
    pc: 0x1003n,
    faultLike: false,
    causePc: 0x1000n,
    instructionLength: 0,
    dr6: 0n,
    dr7: 0n,
    guestDr6: 0n,
    guestDr7: 0n,
    guestPending: 0,
    shadow: 'none',
    causes,
    activity: 'active',
    heldEvents: { nmi: false, smi: false, interrupt: false },
    alsoPending: [],
  };
}
test('each kind has a badge that fits and a sentence that names the vCPU and the place', () => {
  for (const kind of KINDS) {
    const record = recordOf(kind);
    assert.ok(stopBadge(record).length <= BADGE_LIMIT, kind);
    assert.match(stopSentence(record), /^vCPU 2 .*0x1003.*\.$/, kind);
  }
});
test('a watch says who, where, old and new', () => {
  const access = {
    linear: 0x4000n,
    physical: 0x4000n,
    size: 4,
    kind: 'w',
    old: 1n,
    value: 2n,
    initiator: 'cpu',
  } as const;
  const record = recordOf('watch', [{ cause: 'watch', owner: 'host', ownerIds: [1], slot: 0, access }]);
  assert.equal(stopBadge(record), 'data write');
  assert.equal(stopSentence(record), 'vCPU 2 at 0x1000 wrote 4 bytes at 0x4000: 0x1 -> 0x2 (H0); it is now at 0x1003.');
});
test('code is named behind its address; values are never taken for code', () => {
  const access = {
    linear: 0x4000n,
    physical: 0x4000n,
    size: 8,
    kind: 'w',
    old: 0n,
    value: 0x1000n,
    initiator: 'cpu',
  } as const;
  const record = recordOf('watch', [{ cause: 'watch', owner: 'host', ownerIds: [1], slot: 0, access }]);
  const nameOf = (address: bigint): string | undefined => (address === 0x1000n ? 'writer+4' : undefined);
  const sentence = 'vCPU 2 at 0x1000 <writer+4> wrote 8 bytes at 0x4000: 0x0 -> 0x1000 (H0); it is now at 0x1003.';
  assert.equal(stopSentence(record, nameOf), sentence);
  assert.deepEqual(placesOf({ pc: record.pc, record }), [0x1003n, 0x1003n, 0x1000n, 0x4000n]);
});
test('what a record says beyond its fields is said from its values', () => {
  const details = [
    ['step', { kind: 'handlerRuns', vector: 32 }, /^vCPU 2: the handler of vector 32 has not returned/],
    [
      'shutdown',
      { kind: 'tripleFault', vcpu: 2, rip: 0x10n, chain: [{ vector: 14, rip: 0x10n }] },
      /vectors: #PF at 0x10\.$/,
    ],
    [
      'internalError',
      { kind: 'internalError', fault: { code: 'lostLease', vcpu: 2, instructions: 7n } },
      /boundary for 7 /,
    ],
    [
      'internalError',
      {
        kind: 'internalError',
        fault: { code: 'slotAccounting', vcpu: 2, violation: { kind: 'noOwner', vcpu: 2, slot: 3 } },
      },
      /^vCPU 2: H3 is in use but has no owner\.$/,
    ],
  ] as const;
  for (const [kind, detail, sentence] of details) assert.match(stopSentence({ ...recordOf(kind), detail }), sentence);
});
test('a vCPU without an event says what it is doing', () => {
  const status = { vcpu: 1, state: 'parked', activity: 'halted', pc: 0x20n } as const;
  assert.equal(statusSentence(status), 'vCPU 1 is halted at 0x20.');
});
test('a sentence is said by the translation of it that a bundle has, and in English where it has none', () => {
  const bundle = {
    'vCPU {vcpu} was paused at {at}.': 'Bei {at} wurde vCPU {vcpu} angehalten.',
    paused: 'angehalten',
    'vCPU {vcpu} stepped to {at}.': 7,
  };
  const t = fromBundle(bundle);
  const nameOf = (address: bigint): string | undefined => (address === 0x1003n ? 'idle+2' : undefined);
  assert.equal(stopSentence(recordOf('pause'), nameOf, t), 'Bei 0x1003 <idle+2> wurde vCPU 2 angehalten.');
  assert.equal(stopBadge(recordOf('pause'), t), 'angehalten');
  assert.equal(stopSentence(recordOf('step'), nameOf, t), 'vCPU 2 stepped to 0x1003 <idle+2>.');
  for (const none of [undefined, null, 'de']) assert.equal(stopBadge(recordOf('pause'), fromBundle(none)), 'paused');
});
