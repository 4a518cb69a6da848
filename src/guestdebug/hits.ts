// The list of data accesses that the engine committed for the instruction that just retired (COMMITTED_HITS of the state table).
import type { WatchHit } from '../core/state-area.generated.ts';
import { HIT_IO_IN, HIT_IO_OUT, HIT_READ, HIT_WRITE } from '../core/state-values.ts';
import type { Access } from './api.ts';
import type { EngineState } from './vcpu-state.ts';

export interface Hit {
  readonly access: Access;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Bit n: host slot n matched address, length and type. */
  readonly hostSlots: number;
  /** Linear address of the instruction that made the access. */
  readonly causePc: bigint;
}
export interface HitSource {
  /** Hits of a vCPU's last instruction under watch, in order. */
  committed(vcpu: number): readonly Hit[];
}

export class CommittedHits implements HitSource {
  private readonly engine: EngineState;
  constructor(engine: EngineState) {
    this.engine = engine;
  }
  committed(vcpu: number): readonly Hit[] {
    const { shared } = this.engine;
    const hits: Hit[] = [];
    for (let i = 0; i < shared.committedCount; i++) {
      const hit = shared.committedHits(i);
      if (hit.vcpu === vcpu) hits.push(readHit(hit));
    }
    return hits;
  }
}

function readHit({ kind, size, linear, physical, old, value, hostSlots, rip }: WatchHit): Hit {
  const writes = (kind & (HIT_WRITE | HIT_IO_OUT)) !== 0;
  const port = (kind & (HIT_IO_IN | HIT_IO_OUT)) !== 0;
  const mask = (1n << BigInt(8 * Math.min(size, 8))) - 1n;
  const access: Access = {
    linear,
    physical,
    size,
    kind: port ? (writes ? 'ioW' : 'ioR') : writes ? 'w' : 'r',
    old: old & mask,
    value: value & mask,
    initiator: 'cpu',
  };
  return { access, reads: (kind & (HIT_READ | HIT_IO_IN)) !== 0, writes, hostSlots, causePc: rip };
}
