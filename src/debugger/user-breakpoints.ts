/**
 * The user's breakpoints: source lines, functions, instructions and data. What is kept here is what the user wishes; where
 * it goes, who is asked and how often it was hit stands in the guest-debug layer's register, under the same number. Each
 * kind of request replaces its whole group, and keeps what stays the same.
 */
import type {
  AccessType,
  BreakpointOwner,
  GuestDebugApi,
  HitFilter,
  Placement,
  Refusal,
  StopRecord,
} from '../guestdebug/api.ts';
import { type SourceFile, SymbolError } from '../symbols/index.ts';
import { DebuggerError } from './errors.ts';
import type { BreakpointOptions, FilterHost } from './hit-filter.ts';
import { compileHitFilter } from './hit-filter.ts';

/** Where a breakpoint goes. */
export type ResolvedPlace =
  | {
      readonly kind: 'code';
      /** At least one. */
      readonly addresses: readonly bigint[];
      readonly source?: { readonly file: SourceFile; readonly line: number; readonly column: number } | undefined;
      readonly message?: string | undefined;
    }
  | { readonly kind: 'data'; readonly linear: bigint; readonly size: number; readonly access: AccessType }
  /** `waits`: it may come to have a place when symbols come to be known. */
  | { readonly kind: 'nowhere'; readonly message: string; readonly waits?: boolean };

export interface BreakpointWish extends BreakpointOptions {
  /** Says what is asked for: an equal key and equal options mean that a breakpoint stays as it is. */
  readonly key: string;
  resolve(): Promise<ResolvedPlace>;
}

export interface BreakpointStatus {
  readonly id: number;
  readonly verified: boolean;
  /** Why the guest-debug layer has no place for it. */
  readonly refusal?: Refusal | undefined;
  /** Where that layer has put it. */
  readonly placement?: Placement | undefined;
  readonly place: ResolvedPlace;
}

interface Live {
  readonly id: number;
  readonly wish: BreakpointWish;
  readonly key: string;
  status: BreakpointStatus;
}

export interface BreakpointHost extends FilterHost {
  readonly api: Pick<GuestDebugApi, 'announce' | 'reserve' | 'set' | 'withdraw' | 'remove' | 'undecided'>;
}

/** The group of the exception filters that are breakpoints. */
export const EXCEPTION_GROUP = 'exception';
const ownerOf = (group: string): BreakpointOwner => (group === EXCEPTION_GROUP ? 'filter' : 'user');

export class UserBreakpoints {
  private readonly host: BreakpointHost;
  private readonly groups = new Map<string, readonly Live[]>();
  private lastId = 0;
  /** Reasons that were told already, by breakpoint. */
  private readonly told = new Set<string>();
  /** Requests of a client may overtake each other while symbols are asked: one after the other. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(host: BreakpointHost) {
    this.host = host;
  }

  /** Replaces a group; answers in the order of the wishes. */
  replace(group: string, wishes: readonly BreakpointWish[]): Promise<readonly BreakpointStatus[]> {
    const result = this.queue.then(() => this.replaceNow(group, wishes));
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async replaceNow(group: string, wishes: readonly BreakpointWish[]): Promise<readonly BreakpointStatus[]> {
    const old = [...(this.groups.get(group) ?? [])];
    const kept = wishes.map((wish) => {
      const index = old.findIndex((live) => live.key === identity(wish) && live.status.verified);
      return index < 0 ? undefined : old.splice(index, 1)[0];
    });
    // What goes away goes first: its slots may be needed for what is new.
    for (const live of old) this.host.api.remove(live.id);
    const now: Live[] = [];
    for (const [index, wish] of wishes.entries()) {
      now.push(kept[index] ?? (await this.create(wish, this.announce(group))));
    }
    this.groups.set(group, now);
    return now.map(({ status }) => status);
  }

  /** Statuses of all groups whose name begins with the prefix. */
  statuses(prefix: string): readonly BreakpointStatus[] {
    return [...this.groups]
      .filter(([name]) => name.startsWith(prefix))
      .flatMap(([, list]) => list.map(({ status }) => status));
  }

  /** Why conditions behind a stop could not be evaluated. `first`: it was not told of this breakpoint before. */
  undecided(record: StopRecord): readonly { readonly reason: string; readonly first: boolean }[] {
    return this.host.api.undecided(record).map(({ id, reason }) => {
      const first = !this.told.has(`${id} ${reason}`);
      this.told.add(`${id} ${reason}`);
      return { reason, first };
    });
  }

  async removeAll(): Promise<void> {
    for (const group of [...this.groups.keys()]) await this.replace(group, []);
  }

  /** Takes over the wishes of another machine's breakpoints, with their ids: for a restart. */
  adopt(old: UserBreakpoints): Promise<readonly BreakpointStatus[]> {
    // What was asked of the old machine and is not answered yet comes along; what is asked of this one comes behind.
    const result = old.queue.then(() => this.adoptNow(old));
    this.queue = result.catch(() => undefined);
    return result;
  }
  private async adoptNow(old: UserBreakpoints): Promise<readonly BreakpointStatus[]> {
    this.host.api.reserve(old.lastId);
    this.lastId = old.lastId;
    const statuses: BreakpointStatus[] = [];
    for (const [group, list] of old.groups) {
      const now: Live[] = [];
      for (const { id, wish } of list) now.push(await this.create(wish, this.announce(group, id)));
      this.groups.set(group, now);
      statuses.push(...now.map(({ status }) => status));
    }
    return statuses;
  }

  /** Symbols came to be known: what had no place is looked up again, and keeps its id. Answers those that changed. */
  rebind(): Promise<readonly BreakpointStatus[]> {
    const result = this.queue.then(() => this.rebindNow());
    this.queue = result.catch(() => undefined);
    return result;
  }
  private async rebindNow(): Promise<readonly BreakpointStatus[]> {
    const changed: BreakpointStatus[] = [];
    for (const [group, list] of this.groups) {
      const now: Live[] = [];
      for (const live of list) {
        const fresh = live.status.verified ? live : await this.create(live.wish, live.id);
        if (fresh !== live) changed.push(fresh.status);
        now.push(fresh);
      }
      this.groups.set(group, now);
    }
    return changed;
  }

  /** Takes addresses away from breakpoints that have others beside them: code is not executed there any more. */
  drop(gone: (address: bigint, all: readonly bigint[]) => boolean): void {
    for (const live of [...this.groups.values()].flat()) {
      const { place } = live.status;
      if (place.kind !== 'code') continue;
      const addresses = place.addresses.filter((address) => !gone(address, place.addresses));
      if (addresses.length === place.addresses.length) continue;
      const dropped = place.addresses.filter((address) => !addresses.includes(address));
      this.host.api.withdraw(live.id, dropped);
      live.status = { ...live.status, place: { ...place, addresses } };
    }
  }

  private announce(group: string, id?: number): number {
    const given = this.host.api.announce(ownerOf(group), id);
    this.lastId = Math.max(this.lastId, given);
    return given;
  }

  /** Finds the place of a wish and puts breakpoint `id`, which has none yet, there. */
  private async create(wish: BreakpointWish, id: number): Promise<Live> {
    const place = await this.placeOf(wish);
    return { id, wish, key: identity(wish), status: await this.put(wish, id, place) };
  }
  private async placeOf(wish: BreakpointWish): Promise<ResolvedPlace> {
    try {
      return await wish.resolve();
    } catch (error) {
      return { kind: 'nowhere', message: reasonOf(error) };
    }
  }
  private async put(wish: BreakpointWish, id: number, place: ResolvedPlace): Promise<BreakpointStatus> {
    if (place.kind === 'nowhere') return { id, verified: false, place };
    try {
      const request =
        place.kind === 'code'
          ? {
              kind: 'execution' as const,
              linear: place.addresses,
              filter: await this.filterOf(wish, id, place.addresses),
            }
          : {
              kind: 'data' as const,
              linear: place.linear,
              size: place.size,
              access: place.access,
              filter: await compileHitFilter(this.host, wish, id, undefined),
            };
      const result = this.host.api.set({ ...request, id });
      if (!result.verified) return { id, verified: false, refusal: result.refusal, place };
      return { id, verified: true, placement: result.placement, place };
    } catch (error) {
      return { id, verified: false, place: { kind: 'nowhere', message: reasonOf(error) } };
    }
  }
  /** One breakpoint, whose names mean something else at each of its addresses. */
  private async filterOf(wish: BreakpointOptions, id: number, addresses: readonly bigint[]): Promise<HitFilter> {
    const filters = new Map<bigint, HitFilter>();
    for (const address of addresses) filters.set(address, await compileHitFilter(this.host, wish, id, address));
    return (hit) => filters.get(hit.linear)?.(hit) ?? 'stop';
  }
}

/** The sentence of an error that the user's input, or a symbol file, made. Any other is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof DebuggerError || error instanceof SymbolError) return error.message;
  throw error;
}

function identity(wish: BreakpointWish): string {
  return JSON.stringify([wish.key, wish.condition ?? '', wish.hitCondition ?? '', wish.logMessage ?? '']);
}
