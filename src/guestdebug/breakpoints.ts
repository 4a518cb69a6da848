// The register of breakpoints: who asked for what, where it was put, how often it was hit. Overlays and slots are the
// two places; this file decides between them and keeps the accounting whole.
import type { BreakpointRequest, CoverPolicy, DataBreakpoint, ExecutionBreakpoint, SetResult } from './api.ts';
import { cover, slotsNeeded } from './cover.ts';
import { hex, isCanonical } from './debug-registers.ts';
import type { Overlays } from './overlay.ts';
import { SLOT_COUNT } from './policy.ts';
import * as refuse from './refusals.ts';
import type { HostSlots } from './slots.ts';

export interface Breakpoint {
  readonly id: number;
  readonly request: BreakpointRequest;
  readonly vcpus: ReadonlySet<number>;
  readonly message: string;
  readonly slots: readonly number[];
  enabled: boolean;
  /** Times it was reached with its filter asked, whatever the filter said. */
  hits: number;
  /** Queued events of it that were dropped because it was gone, disabled or left behind (4.3). */
  discarded: number;
}
const refusal = (message: string): SetResult => ({ verified: false, message });

export class Breakpoints {
  private readonly all = new Map<number, Breakpoint>();
  private readonly identities = new Map<string, number>();
  private readonly vcpuCount: number;
  private readonly overlays: Overlays;
  private readonly slots: HostSlots;
  private readonly coverPolicy: CoverPolicy;
  private nextId = 1;

  constructor(vcpuCount: number, overlays: Overlays, slots: HostSlots, coverPolicy: CoverPolicy) {
    this.vcpuCount = vcpuCount;
    this.overlays = overlays;
    this.slots = slots;
    this.coverPolicy = coverPolicy;
  }

  get(id: number): Breakpoint | undefined {
    return this.all.get(id);
  }
  ids(): Iterable<number> {
    return this.all.keys();
  }
  /** Adds a breakpoint or says exactly why not; nothing changes on a refusal. */
  add(request: BreakpointRequest): SetResult {
    const bad = this.invalid(request);
    if (bad !== undefined) return refusal(bad);
    const identity = identityOf(request);
    const known = identity === undefined ? undefined : this.all.get(this.identities.get(identity) ?? 0);
    if (known !== undefined) return { verified: true, id: known.id, message: known.message, slots: known.slots };
    const vcpus = new Set(request.vcpus ?? Array.from({ length: this.vcpuCount }, (_, index) => index));
    const id = this.nextId;
    const placed = this.place(id, request, vcpus);
    if (!placed.verified) return placed;
    this.nextId++;
    const { message, slots } = placed;
    this.all.set(id, { id, request, vcpus, message, slots, enabled: true, hits: 0, discarded: 0 });
    if (identity !== undefined) this.identities.set(identity, id);
    return placed;
  }
  /** Removing what does not exist is no error; answers what was removed. */
  remove(id: number): Breakpoint | undefined {
    const gone = this.all.get(id);
    if (gone === undefined) return undefined;
    this.all.delete(id);
    const identity = identityOf(gone.request);
    if (identity !== undefined) this.identities.delete(identity);
    this.overlays.remove(id);
    this.slots.release(id);
    return gone;
  }
  setEnabled(id: number, enabled: boolean): Breakpoint | undefined {
    const found = this.all.get(id);
    if (found === undefined || found.enabled === enabled) return undefined;
    found.enabled = enabled;
    this.overlays.setEnabled(id, enabled);
    this.slots.setEnabled(id, enabled);
    return found;
  }

  private place(id: number, request: BreakpointRequest, vcpus: ReadonlySet<number>): SetResult {
    if (request.kind === 'data') return this.allocate(id, request, vcpus, request.size, request.access);
    if (request.kind === 'slot') return this.allocate(id, request, vcpus, 1, 'execute');
    this.overlays.add({ id, linear: request.linear, cr3: request.cr3, vcpus });
    return { verified: true, id, message: `overlay at ${hex(request.linear)}`, slots: [] };
  }
  private allocate(
    id: number,
    request: DataBreakpoint | ExecutionBreakpoint,
    vcpus: ReadonlySet<number>,
    size: number,
    access: DataBreakpoint['access'] | 'execute',
  ): SetResult {
    const chunks =
      access === 'execute'
        ? [{ address: request.linear, length: 1 as const }]
        : cover(request.linear, size, this.coverPolicy);
    const taken = this.slots.allocate({ id, chunks, start: request.linear, size, access, vcpus: [...vcpus] });
    if (!taken.ok) return refusal(refuse.noSlotFree(taken.shortage));
    const names = taken.slots.map((index) => `H${index}`).join(',');
    return { verified: true, id, message: `${names} (${taken.used} of ${SLOT_COUNT})`, slots: taken.slots };
  }

  /** Why a request can never be honoured, or undefined. */
  private invalid(request: BreakpointRequest): string | undefined {
    const stray = request.vcpus?.find((vcpu) => !Number.isInteger(vcpu) || vcpu < 0 || vcpu >= this.vcpuCount);
    if (stray !== undefined) return refuse.noSuchVcpu(stray, this.vcpuCount);
    if (request.vcpus?.length === 0) return refuse.INVALID_RANGE;
    if (request.linear < 0n || request.linear >= 1n << 64n) return refuse.INVALID_RANGE;
    if (request.kind === 'data') return this.invalidRange(request);
    if (!isCanonical(request.linear)) return refuse.invalidAddress(request.linear);
    return undefined;
  }
  private invalidRange({ linear, size, access }: DataBreakpoint): string | undefined {
    if (!Number.isSafeInteger(size) || size <= 0) return refuse.INVALID_RANGE;
    const last = linear + BigInt(size) - 1n;
    if (last >= 1n << 64n) return refuse.INVALID_RANGE;
    const outside = [linear, last].find((address) => !isCanonical(address));
    if (outside !== undefined) return refuse.invalidAddress(outside);
    const needs = slotsNeeded(linear, size, this.coverPolicy);
    if (needs > SLOT_COUNT) return refuse.tooManySlots(size, needs);
    if (access === 'read' && this.coverPolicy === 'exact') return refuse.READ_ONLY_EXACT;
    return undefined;
  }
}

/** What makes two requests of one client the same (4.4); undefined: every request is its own. */
function identityOf(request: BreakpointRequest): string | undefined {
  if (request.client === undefined) return undefined;
  const what =
    request.kind === 'data' ? [request.size, request.access] : [request.cr3 === undefined ? 'any' : hex(request.cr3)];
  return [request.client, request.kind, hex(request.linear), ...what, request.vcpus?.join('+') ?? 'all'].join('|');
}
