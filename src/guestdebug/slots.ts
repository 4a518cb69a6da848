// The host bank: four comparators per vCPU, who owns them, and all-or-nothing allocation (guest-debug-spec 3).
import type { AccessType, SlotHolder, SlotRow, SlotViolation } from './api.ts';
import type { Chunk } from './cover.ts';
import type { SlotFields, SlotLength, SlotType } from './debug-registers.ts';
import { composeDr7 } from './debug-registers.ts';
import { SLOT_COUNT } from './policy.ts';

/** One breakpoint's share of a slot: which bytes it asked for and which kinds of access. */
interface Share {
  readonly start: bigint;
  readonly size: number;
  readonly access: AccessType | 'execute';
  enabled: boolean;
}
interface Slot {
  readonly address: bigint;
  readonly length: SlotLength;
  type: SlotType;
  /** Taken by the raw control call; such a slot is never shared. */
  readonly raw: boolean;
  readonly shares: Map<number, Share>;
  hits: number;
  filteredHits: number;
}
/** One comparator, and the bytes and kinds of access that its breakpoint wants of it. */
export interface SlotPart {
  readonly chunk: Chunk;
  readonly start: bigint;
  readonly size: number;
  readonly access: AccessType | 'execute';
}
export interface SlotRequest {
  readonly id: number;
  readonly parts: readonly SlotPart[];
  readonly vcpus: readonly number[];
}
export interface RawSlot extends SlotFields {
  readonly address: bigint;
}
/** Why a request does not fit: what 3.3's refusal names. */
export interface Shortage {
  readonly vcpu: number;
  readonly needs: number;
  readonly free: number;
  readonly holders: readonly SlotHolder[];
}
export type Allocation =
  | { readonly ok: true; readonly slots: readonly number[]; readonly used: number }
  | { readonly ok: false; readonly shortage: Shortage };
export interface BankImage {
  readonly addresses: readonly bigint[];
  readonly dr7: bigint;
}

const isExecute = (type: SlotType): boolean => type === 'execute';
const wantsReads = (access: Share['access']): boolean => access === 'read' || access === 'readWrite';

export class HostSlots {
  private readonly banks: (Slot | undefined)[][];
  /** DR7 bits of the raw call that belong to no slot (general detect). */
  private readonly rawExtra: bigint[];

  constructor(vcpus: number) {
    this.banks = Array.from({ length: vcpus }, () => Array.from({ length: SLOT_COUNT }, () => undefined));
    this.rawExtra = Array.from({ length: vcpus }, () => 0n);
  }

  /** Takes or shares slots for all chunks on all vCPUs of the request, or changes nothing. */
  allocate(request: SlotRequest): Allocation {
    for (const vcpu of request.vcpus) {
      const needs = request.parts.filter((part) => this.shared(vcpu, part) === undefined).length;
      const free = this.free(vcpu);
      if (needs > free) return { ok: false, shortage: { vcpu, needs, free, holders: this.holders(vcpu) } };
    }
    let slots: readonly number[] = [];
    let used = 0;
    request.vcpus.forEach((vcpu, position) => {
      const taken = request.parts.map((part) => this.take(vcpu, part, request.id));
      if (position === 0) {
        slots = taken;
        used = SLOT_COUNT - this.free(vcpu);
      }
    });
    return { ok: true, slots, used };
  }
  private bank(vcpu: number): (Slot | undefined)[] {
    return this.banks[vcpu] ?? [];
  }
  /** Index of a slot that this chunk may share: same address and length, both execution or both data. */
  private shared(vcpu: number, { chunk, access }: SlotPart): number | undefined {
    const index = this.bank(vcpu).findIndex(
      (slot) =>
        slot !== undefined &&
        !slot.raw &&
        slot.address === chunk.address &&
        slot.length === chunk.length &&
        isExecute(slot.type) === (access === 'execute'),
    );
    return index < 0 ? undefined : index;
  }
  private take(vcpu: number, part: SlotPart, id: number): number {
    const bank = this.bank(vcpu);
    const index = this.shared(vcpu, part) ?? bank.indexOf(undefined);
    const { chunk, start, size, access } = part;
    const slot: Slot = bank[index] ?? {
      address: chunk.address,
      length: chunk.length,
      type: 'execute',
      raw: false,
      shares: new Map(),
      hits: 0,
      filteredHits: 0,
    };
    slot.shares.set(id, { start, size, access, enabled: true });
    slot.type = typeOf(slot);
    bank[index] = slot;
    return index;
  }
  /** Gives back every share of a breakpoint; slots without a share are free again, a widened one narrows. */
  release(id: number): void {
    for (const bank of this.banks) {
      bank.forEach((slot, index) => {
        if (slot === undefined || !slot.shares.delete(id)) return;
        if (slot.shares.size === 0) bank[index] = undefined;
        else slot.type = typeOf(slot);
      });
    }
  }
  /** A disabled breakpoint keeps its slots; the comparator rests when nobody else uses it. */
  setEnabled(id: number, enabled: boolean): void {
    for (const bank of this.banks) {
      for (const slot of bank) {
        const share = slot?.shares.get(id);
        if (share) share.enabled = enabled;
      }
    }
  }

  /** Loads the raw bank of one vCPU (2.1); false when an index is held by a breakpoint. `extra`: DR7 bits beside the slots. */
  loadRaw(vcpu: number, slots: readonly (RawSlot | undefined)[], extra: bigint): boolean {
    const bank = this.bank(vcpu);
    if (slots.some((wanted, index) => wanted !== undefined && bank[index] !== undefined && !bank[index].raw))
      return false;
    slots.forEach((wanted, index) => {
      const held = bank[index];
      if (held !== undefined && !held.raw) return;
      bank[index] = wanted === undefined ? undefined : rawSlot(wanted, held);
    });
    this.rawExtra[vcpu] = extra;
    return true;
  }
  releaseRaw(vcpu: number): void {
    const bank = this.bank(vcpu);
    bank.forEach((slot, index) => {
      if (slot?.raw === true) bank[index] = undefined;
    });
    this.rawExtra[vcpu] = 0n;
  }

  /** What the observer's bank of a vCPU has to hold. */
  image(vcpu: number): BankImage {
    const bank = this.bank(vcpu);
    return {
      addresses: bank.map((slot) => slot?.address ?? 0n),
      dr7: composeDr7(
        bank.map((slot) => (slot !== undefined && isLive(slot) ? slot : undefined)),
        this.rawExtra[vcpu],
      ),
    };
  }
  free(vcpu: number): number {
    return this.bank(vcpu).filter((slot) => slot === undefined).length;
  }
  inUse(vcpu: number, index: number): boolean {
    return this.bank(vcpu)[index] !== undefined;
  }
  /** Whether slot `index` was loaded by the raw call. */
  isRaw(vcpu: number, index: number): boolean {
    return this.bank(vcpu)[index]?.raw === true;
  }
  /** Breakpoints whose share of slot `index` covers an access; an empty list means that the exact-range filter drops it. */
  covering(
    vcpu: number,
    index: number,
    access: { linear: bigint; size: number; reads: boolean; writes: boolean },
  ): number[] {
    const slot = this.bank(vcpu)[index];
    if (slot === undefined) return [];
    const end = access.linear + BigInt(access.size);
    return [...slot.shares]
      .filter(([, share]) => share.enabled && share.access !== 'execute')
      .filter(([, share]) => access.linear < share.start + BigInt(share.size) && end > share.start)
      .filter(([, { access: kind }]) => (kind !== 'write' && access.reads) || (kind !== 'read' && access.writes))
      .map(([id]) => id);
  }
  /** Breakpoints with an enabled execution slot at an address of a vCPU, and the slot's index. */
  executeAt(vcpu: number, linear: bigint): { readonly index: number; readonly ids: readonly number[] } | undefined {
    const bank = this.bank(vcpu);
    const index = bank.findIndex((s) => s !== undefined && isExecute(s.type) && s.address === linear && isLive(s));
    const slot = bank[index];
    if (slot === undefined) return undefined;
    return { index, ids: [...slot.shares].filter(([, share]) => share.enabled).map(([id]) => id) };
  }
  /** Addresses of live execution slots of all vCPUs. */
  executeAddresses(): ReadonlySet<bigint> {
    const found = new Set<bigint>();
    for (const slot of this.banks.flat())
      if (slot !== undefined && isExecute(slot.type) && isLive(slot)) found.add(slot.address);
    return found;
  }
  countHit(vcpu: number, index: number): void {
    const slot = this.bank(vcpu)[index];
    if (slot !== undefined) slot.hits++;
  }
  countFiltered(vcpu: number, index: number): void {
    const slot = this.bank(vcpu)[index];
    if (slot !== undefined) slot.filteredHits++;
  }
  /** Enabled breakpoints with a share in slot `index`, wherever in it. */
  sharers(vcpu: number, index: number): number[] {
    return [...(this.bank(vcpu)[index]?.shares ?? [])].filter(([, share]) => share.enabled).map(([id]) => id);
  }

  /** The four host rows of the "Debug Registers" view. */
  rows(vcpu: number): readonly SlotRow[] {
    return this.bank(vcpu).map((slot, index) => {
      if (slot === undefined) return emptyRow(vcpu, index);
      const [first] = slot.shares.keys();
      return {
        vcpu,
        bank: 'host',
        index,
        enabled: isLive(slot),
        owner: first === undefined ? 'raw' : { breakpoint: first },
        owners: [...slot.shares.keys()],
        address: slot.address,
        length: slot.length,
        type: slot.type,
        hits: slot.hits,
        filteredHits: slot.filteredHits,
        references: slot.raw ? 1 : slot.shares.size,
      };
    });
  }
  /** What is in a vCPU's slots. */
  holders(vcpu: number): readonly SlotHolder[] {
    return this.bank(vcpu).flatMap((slot, index) => {
      if (slot === undefined) return [];
      const { type, length, address, shares } = slot;
      return [{ index, type, length, address, owners: [...shares.keys()] }];
    });
  }
  /** What is wrong with the accounting, or undefined; checked after every change. */
  violation(known: (id: number) => boolean): SlotViolation | undefined {
    for (const [vcpu, bank] of this.banks.entries()) {
      const used = bank.filter((slot) => slot !== undefined);
      if (bank.length !== SLOT_COUNT || used.length + this.free(vcpu) !== SLOT_COUNT) {
        return { kind: 'count', vcpu, used: used.length, free: this.free(vcpu) };
      }
      for (const [index, slot] of bank.entries()) {
        if (slot === undefined) continue;
        if (!slot.raw && slot.shares.size === 0) return { kind: 'noOwner', vcpu, slot: index };
        for (const id of slot.shares.keys()) {
          if (!known(id)) return { kind: 'unknownOwner', vcpu, slot: index, id };
        }
      }
    }
    return undefined;
  }
}

function typeOf(slot: Slot): SlotType {
  const kinds = [...slot.shares.values()].map((share) => share.access);
  if (kinds.includes('execute')) return 'execute';
  // x86 has no read-only comparator (SDM 3B 18.2.4): reads take RW, and the share's filter drops the writes.
  return kinds.some(wantsReads) ? 'readWrite' : 'write';
}
function isLive(slot: Slot): boolean {
  return slot.raw || [...slot.shares.values()].some((share) => share.enabled);
}
function rawSlot(wanted: RawSlot, held: Slot | undefined): Slot {
  const same = held?.address === wanted.address && held.type === wanted.type && held.length === wanted.length;
  return {
    address: wanted.address,
    length: wanted.length,
    type: wanted.type,
    raw: true,
    shares: new Map(),
    hits: same ? held.hits : 0,
    filteredHits: 0,
  };
}
function emptyRow(vcpu: number, index: number): SlotRow {
  return {
    vcpu,
    bank: 'host',
    index,
    enabled: false,
    owner: 'free',
    owners: [],
    address: 0n,
    length: 1,
    type: 'execute',
    hits: 0,
    filteredHits: 0,
    references: 0,
  };
}
