// The register of breakpoints: one number, one owner, one filter and one count of hits for each, whoever asked for it. What
// is put where is the business of the places (overlays and slots, so far); several breakpoints may share one.
import type {
  BreakpointHit,
  BreakpointMode,
  BreakpointOwner,
  BreakpointRequest,
  DataBreakpoint,
  Placement,
  Refusal,
  SetResult,
} from './api.ts';
import { hex, isCanonical } from './debug-registers.ts';
import { GuestDebugError } from './options.ts';
import type { Places } from './places.ts';
import { addressesOf } from './places.ts';

export interface Breakpoint {
  readonly id: number;
  readonly owner: BreakpointOwner;
  /** Undefined: announced, without a place. */
  readonly set:
    | {
        readonly request: BreakpointRequest;
        readonly mode: BreakpointMode;
        readonly vcpus: ReadonlySet<number>;
        readonly placement: Placement;
      }
    | undefined;
  readonly enabled: boolean;
  /** Times that it was reached and its filter did not say that this was no hit. */
  readonly hits: number;
  /** Queued events of it that were dropped because it was gone, disabled or left behind (4.3). */
  readonly discarded: number;
}
type Entry = { -readonly [Key in keyof Breakpoint]: Breakpoint[Key] };

/** `reason`: why the filter could not decide. */
export interface Answer {
  readonly verdict: 'stop' | 'continue';
  readonly reason?: string;
}

export class BreakpointRegister {
  private readonly all = new Map<number, Entry>();
  private readonly identities = new Map<string, number>();
  private readonly vcpuCount: number;
  private readonly places: Readonly<Record<BreakpointMode, Places>>;
  private next = 1;
  private nextMachinery = -1;

  constructor(vcpuCount: number, places: Readonly<Record<BreakpointMode, Places>>) {
    this.vcpuCount = vcpuCount;
    this.places = places;
  }

  get(id: number): Breakpoint | undefined {
    return this.all.get(id);
  }
  ids(): Iterable<number> {
    return this.all.keys();
  }
  /** Whether a breakpoint still wants what a vCPU of its set met. */
  wants(id: number, vcpu: number): boolean {
    const found = this.all.get(id);
    return found?.set !== undefined && found.enabled && found.set.vcpus.has(vcpu);
  }

  /** A breakpoint without a place. `id`: the number that it had in another machine. */
  announce(owner: BreakpointOwner = 'user', id: number = this.nextId(owner)): number {
    this.reserve(id);
    this.nextMachinery = Math.min(this.nextMachinery, id - 1);
    this.all.set(id, { id, owner, set: undefined, enabled: true, hits: 0, discarded: 0 });
    return id;
  }
  reserve(id: number): void {
    this.next = Math.max(this.next, id + 1);
  }
  private nextId(owner: BreakpointOwner): number {
    return owner === 'user' || owner === 'filter' ? this.next : this.nextMachinery;
  }

  /** Sets a breakpoint or says exactly why not; nothing changes on a refusal. Throws for an id that has a place or was never given. */
  set(request: BreakpointRequest): SetResult {
    const refusal = this.invalid(request);
    if (refusal !== undefined) return { verified: false, refusal };
    const identity = identityOf(request);
    const known = identity === undefined ? undefined : this.all.get(this.identities.get(identity) ?? 0);
    if (known?.set !== undefined) return { verified: true, id: known.id, placement: known.set.placement };
    const { owner = 'user', id = this.nextId(owner) } = request;
    const announced = this.all.get(id);
    if (request.id !== undefined && (announced === undefined || announced.set !== undefined)) {
      throw new GuestDebugError('noSuchBreakpoint', `Breakpoint ${id} was not announced, or has a place already.`);
    }
    const mode = request.mode ?? (request.kind === 'data' ? 'hardware' : 'overlay');
    const vcpus = new Set(request.vcpus ?? Array.from({ length: this.vcpuCount }, (_, index) => index));
    const placed = this.places[mode].take({ id, request, vcpus });
    if (!placed.ok) return { verified: false, refusal: placed.refusal };
    if (announced === undefined) this.announce(owner, id);
    const entry = this.all.get(id);
    if (entry !== undefined) entry.set = { request, mode, vcpus, placement: placed.placement };
    if (identity !== undefined) this.identities.set(identity, id);
    return { verified: true, id, placement: placed.placement };
  }
  /** Takes addresses away from an overlay. Answers those that it had. */
  withdraw(id: number, addresses: readonly bigint[]): readonly bigint[] {
    const found = this.all.get(id);
    if (found?.set?.placement.kind !== 'overlay') return [];
    const before = found.set.placement.addresses;
    const gone = before.filter((address) => addresses.includes(address));
    this.places.overlay.withdraw?.(id, (address) => gone.includes(address));
    const placement = { kind: 'overlay', addresses: before.filter((address) => !gone.includes(address)) } as const;
    found.set = { ...found.set, placement };
    return gone;
  }
  /** Removing what does not exist is no error; answers what was removed. */
  remove(id: number): Breakpoint | undefined {
    const gone = this.all.get(id);
    if (gone === undefined) return undefined;
    this.all.delete(id);
    if (gone.set === undefined) return gone;
    const identity = identityOf(gone.set.request);
    if (identity !== undefined) this.identities.delete(identity);
    this.places[gone.set.mode].release(id);
    return gone;
  }
  /** Answers the breakpoint if that changed anything. */
  setEnabled(id: number, enabled: boolean): Breakpoint | undefined {
    const found = this.all.get(id);
    if (found === undefined || found.enabled === enabled) return undefined;
    found.enabled = enabled;
    if (found.set !== undefined) this.places[found.set.mode].setEnabled(id, enabled);
    return found;
  }

  /**
   * Asks a breakpoint at a hit and counts it. Runs inside the machine: whatever a filter does, the machine stays whole. One
   * that throws stops, since a breakpoint must never be missed, and says why.
   */
  ask(id: number, hit: Omit<BreakpointHit, 'number'>): Answer {
    const found = this.all.get(id);
    if (found === undefined) return { verdict: 'continue' };
    const number = found.hits + 1;
    try {
      const verdict = found.set?.request.filter?.({ ...hit, number }) ?? 'stop';
      if (verdict === 'noHit') return { verdict: 'continue' };
      found.hits = number;
      return { verdict };
    } catch (error) {
      return { verdict: 'stop', reason: error instanceof Error ? error.message : String(error) };
    }
  }
  countDiscarded(id: number): void {
    const found = this.all.get(id);
    if (found !== undefined) found.discarded++;
  }

  /** Why a request can never be honoured, or undefined. */
  private invalid(request: BreakpointRequest): Refusal | undefined {
    const count = this.vcpuCount;
    const stray = request.vcpus?.find((vcpu) => !Number.isInteger(vcpu) || vcpu < 0 || vcpu >= count);
    if (stray !== undefined) return { kind: 'noSuchVcpu', vcpu: stray, count };
    if (request.vcpus?.length === 0) return { kind: 'noVcpu' };
    const addresses = addressesOf(request.linear);
    if (addresses.length === 0) return { kind: 'noAddress' };
    if (addresses.some((address) => address < 0n || address >= 1n << 64n)) return { kind: 'invalidRange' };
    if (request.kind === 'data') return invalidRange(request);
    const outside = addresses.find((address) => !isCanonical(address));
    return outside === undefined ? undefined : { kind: 'invalidAddress', address: outside };
  }
}

function invalidRange({ linear, size }: DataBreakpoint): Refusal | undefined {
  if (!Number.isSafeInteger(size) || size <= 0) return { kind: 'invalidRange' };
  const last = linear + BigInt(size) - 1n;
  if (last >= 1n << 64n) return { kind: 'invalidRange' };
  const outside = [linear, last].find((address) => !isCanonical(address));
  return outside === undefined ? undefined : { kind: 'invalidAddress', address: outside };
}
/** What makes two requests of one client the same (4.4); undefined: every request is its own. */
function identityOf(request: BreakpointRequest): string | undefined {
  if (request.client === undefined) return undefined;
  const what =
    request.kind === 'data' ? [request.size, request.access] : [request.cr3 === undefined ? 'any' : hex(request.cr3)];
  const addresses = addressesOf(request.linear).map(hex).join('+');
  const { client, kind, mode = 'default', vcpus } = request;
  return [client, kind, mode, addresses, ...what, vcpus?.join('+') ?? 'all'].join('|');
}
