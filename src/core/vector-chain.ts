// The ring of the last events whose delivery began on a vCPU (VECTOR_CHAIN of the state table).
import { VECTOR_CHAIN_MAX } from './layout.ts';
import type { DeliveredVector, StateArea } from './state-area.generated.ts';

/** Those events, newest first, VECTOR_CHAIN_MAX at most. They are views: what the vCPU does next changes them. */
export function* lastDeliveries(state: StateArea): Generator<DeliveredVector> {
  const count = state.vectorChain;
  for (let age = 1; age <= Math.min(count, VECTOR_CHAIN_MAX); age++)
    yield state.vectorChainEntries((count - age) % VECTOR_CHAIN_MAX);
}
