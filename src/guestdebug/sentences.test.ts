import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StopKind, StopRecord } from './api.ts';
import { BADGE_MAX } from './policy.ts';
import { badgeOf, sentenceOf } from './sentences.ts';

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
    sentence: '',
  };
}
test('each kind has a badge that fits and a sentence that names the vCPU and the place', () => {
  for (const kind of KINDS) {
    const record = recordOf(kind);
    assert.ok(badgeOf(record).length <= BADGE_MAX, kind);
    assert.match(sentenceOf(record), /^vCPU 2 .*0x1003.*\.$/, kind);
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
  assert.equal(badgeOf(record), 'data write');
  assert.equal(sentenceOf(record), 'vCPU 2 at 0x1000 wrote 4 bytes at 0x4000: 0x1 -> 0x2 (H0); it is now at 0x1003.');
});
