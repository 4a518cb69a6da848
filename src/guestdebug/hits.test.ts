import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchHit } from '../core/state-area.generated.ts';
import { HIT_READ, HIT_WRITE } from '../core/state-values.ts';
import { CommittedHits } from './hits.ts';
import type { EngineState } from './vcpu-state.ts';

const hitOf = (vcpu: number, kind: number, linear: bigint): Partial<WatchHit> => ({
  ...{ vcpu, kind, linear, physical: linear, size: 4, hostSlots: 1, rip: 0x1000n },
  ...{ old: 0x1_0000_0001n, value: 0x1_0000_0002n },
});

test('the accesses of a vCPU are its own, in order, as wide as they were', () => {
  const list = [hitOf(0, HIT_READ, 0x10n), hitOf(1, HIT_WRITE, 0x20n), hitOf(0, HIT_WRITE, 0x30n)];
  const shared = { committedCount: list.length, committedHits: (i: number) => list[i] };
  const hits = new CommittedHits({ shared } as unknown as EngineState);
  const seen = (vcpu: number) => hits.committed(vcpu).map(({ access }) => `${access.kind} ${access.linear}`);
  assert.deepEqual(seen(0), ['r 16', 'w 48']);
  assert.deepEqual(seen(1), ['w 32']);
  assert.deepEqual(seen(2), []);
  assert.deepEqual(hits.committed(1)[0]?.access.value, 2n, 'four bytes of it');
});
