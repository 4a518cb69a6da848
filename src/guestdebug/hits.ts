// The list of data accesses that the engine committed for the instruction that just retired (layout.ts COMMITTED_HITS).
import * as L from '../core/layout.ts';
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
/** Offset of the vCPU in an entry of the committed list. */
const HIT_VCPU = 56;
const READ = 1;
const WRITE = 2;
const IO_IN = 4;
const IO_OUT = 8;

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
    const view = this.engine.rawView;
    const count = Math.min(view.getUint32(L.COMMITTED_COUNT, true), L.HIT_MAX);
    const hits: Hit[] = [];
    for (let i = 0; i < count; i++) {
      const at = L.COMMITTED_HITS + i * L.HIT_SIZE;
      if (view.getUint32(at + HIT_VCPU, true) === vcpu) hits.push(readHit(view, at));
    }
    return hits;
  }
}

function readHit(view: DataView, at: number): Hit {
  const kind = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 16, true);
  const writes = (kind & (WRITE | IO_OUT)) !== 0;
  const port = (kind & (IO_IN | IO_OUT)) !== 0;
  const mask = (1n << BigInt(8 * Math.min(size, 8))) - 1n;
  const access: Access = {
    linear: view.getBigUint64(at, true),
    physical: view.getBigUint64(at + 8, true),
    size,
    kind: port ? (writes ? 'ioW' : 'ioR') : writes ? 'w' : 'r',
    old: view.getBigUint64(at + 32, true) & mask,
    value: view.getBigUint64(at + 40, true) & mask,
    initiator: 'cpu',
  };
  return {
    access,
    reads: (kind & (READ | IO_IN)) !== 0,
    writes,
    hostSlots: view.getUint32(at + 24, true),
    causePc: view.getBigUint64(at + 48, true),
  };
}
