// The guest's four debug registers as rows of the "Debug Registers" view (guest-debug-spec 3.2).
import type { SlotRow } from './api.ts';
import { slotEnabled, slotFields } from './debug-registers.ts';
import { SLOT_COUNT } from './policy.ts';
import type { VcpuState } from './vcpu-state.ts';

export function guestRows(state: VcpuState, vcpu: number, hits: (index: number) => number): readonly SlotRow[] {
  const dr7 = state.guestDr7(vcpu);
  return Array.from({ length: SLOT_COUNT }, (_, index) => ({
    vcpu,
    bank: 'guest' as const,
    index,
    enabled: slotEnabled(dr7, index),
    owner: 'guest' as const,
    owners: [],
    address: state.guestAddress(vcpu, index),
    ...slotFields(dr7, index),
    hits: hits(index),
    filteredHits: 0,
    references: 0,
  }));
}
