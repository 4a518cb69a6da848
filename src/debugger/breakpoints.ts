/**
 * The user's breakpoints: source lines, functions, instructions and data, with conditions, hit counts and log messages
 * that are decided inside the machine. Each kind of request replaces its whole group, and keeps what stays the same.
 */
import type { Access, GuestDebugApi, HitFilter, AccessType } from '../guestdebug/api.ts';
import type { FrameScopes, SourceFile } from '../symbols/index.ts';
import { DebuggerError } from './errors.ts';
import type { CompiledExpression } from './expression/compile.ts';
import { compile } from './expression/compile.ts';
import type { FrameContext } from './expression/scope.ts';
import { formatValue, splitFormat } from './format.ts';
import { liveContext } from './frames.ts';
import type { HitCondition } from './hit-count.ts';
import { parseHitCondition } from './hit-count.ts';
import type { Module, ModuleSet } from './modules.ts';
import { ModuleScope } from './names.ts';
import type { OverlayOwner, Overlays } from './overlays.ts';
import type { Target } from './target.ts';
import { withTypes } from './types.ts';

/** What the user asks for beside the place. */
export interface BreakpointOptions {
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
  readonly logMessage?: string | undefined;
}

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
  | { readonly kind: 'nowhere'; readonly message: string };

export interface BreakpointWish extends BreakpointOptions {
  /** Says what is asked for: an equal key and equal options mean that a breakpoint stays as it is. */
  readonly key: string;
  resolve(): Promise<ResolvedPlace>;
}

export interface BreakpointStatus {
  readonly id: number;
  readonly verified: boolean;
  readonly message?: string | undefined;
  readonly place: ResolvedPlace;
}

export interface LogLine {
  readonly text: string;
  readonly breakpoint: number;
  readonly vcpu: number;
}

interface Live {
  readonly id: number;
  readonly wish: BreakpointWish;
  readonly key: string;
  status: BreakpointStatus;
  hits: number;
  /** Takes away one of several addresses. */
  drop(address: bigint): void;
  remove(): void;
}

interface Decision {
  readonly condition: CompiledExpression | undefined;
  readonly hit: HitCondition | undefined;
  readonly log: readonly (string | LogPiece)[] | undefined;
  context(vcpu: number): FrameContext;
}

interface LogPiece {
  readonly expression: CompiledExpression;
  readonly hexadecimal: boolean;
}

export interface BreakpointHost {
  readonly target: Target;
  readonly modules: ModuleSet;
  readonly overlays: Overlays;
  readonly api: Pick<GuestDebugApi, 'set' | 'remove'>;
  /** A log point spoke, or a condition could not be evaluated; called inside the machine. */
  readonly onLog: (line: LogLine) => void;
}

export class Breakpoints {
  private readonly host: BreakpointHost;
  private readonly groups = new Map<string, readonly Live[]>();
  private nextId = 1;
  private readonly byGuestId = new Map<number, Live>();
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
    for (const live of old) live.remove();
    const now: Live[] = [];
    for (const [index, wish] of wishes.entries()) now.push(kept[index] ?? (await this.create(wish)));
    this.groups.set(group, now);
    return now.map(({ status }) => status);
  }

  /** Statuses of all groups whose name begins with the prefix. */
  statuses(prefix: string): readonly BreakpointStatus[] {
    return [...this.groups]
      .filter(([name]) => name.startsWith(prefix))
      .flatMap(([, list]) => list.map(({ status }) => status));
  }

  /** Ids of the user's breakpoints behind ids of the guest-debug layer. */
  idsOf(guestIds: readonly number[]): readonly number[] {
    const ids = guestIds.map((id) => this.byGuestId.get(id)?.id).filter((id) => id !== undefined);
    return [...new Set(ids)];
  }

  async removeAll(): Promise<void> {
    for (const group of [...this.groups.keys()]) await this.replace(group, []);
  }

  /** Takes over the wishes of another machine's breakpoints, with their ids: for a restart. */
  adopt(old: Breakpoints): Promise<readonly BreakpointStatus[]> {
    // What was asked of the old machine and is not answered yet comes along; what is asked of this one comes behind.
    const result = old.queue.then(() => this.adoptNow(old));
    this.queue = result.catch(() => undefined);
    return result;
  }
  private async adoptNow(old: Breakpoints): Promise<readonly BreakpointStatus[]> {
    this.nextId = old.nextId;
    const statuses: BreakpointStatus[] = [];
    for (const [group, list] of old.groups) {
      const now: Live[] = [];
      for (const { id, wish } of list) now.push(await this.create(wish, id));
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
      for (const address of place.addresses) if (!addresses.includes(address)) live.drop(address);
      live.status = { ...live.status, place: { ...place, addresses } };
    }
  }

  private async create(wish: BreakpointWish, id = this.nextId++): Promise<Live> {
    const live: Live = {
      id,
      wish,
      key: identity(wish),
      hits: 0,
      status: { id, verified: false, place: { kind: 'nowhere', message: '' } },
      drop: () => undefined,
      remove: () => undefined,
    };
    const refuse = (message: string, place: ResolvedPlace = { kind: 'nowhere', message }): Live => {
      live.status = { id, verified: false, message, place };
      return live;
    };
    try {
      const place = await wish.resolve();
      switch (place.kind) {
        case 'nowhere':
          return refuse(place.message, place);
        case 'code':
          return await this.createCode(live, wish, place);
        case 'data':
          return await this.createData(live, wish, place);
      }
    } catch (error) {
      if (error instanceof DebuggerError) return refuse(error.message);
      throw error;
    }
  }

  private async createCode(live: Live, wish: BreakpointWish, place: ResolvedPlace & { kind: 'code' }): Promise<Live> {
    const decisions = new Map<bigint, Decision>();
    for (const address of place.addresses) decisions.set(address, await this.decide(wish, address));
    const removals = new Map<bigint, () => void>();
    live.drop = (address) => {
      removals.get(address)?.();
      removals.delete(address);
    };
    live.remove = () => {
      for (const remove of removals.values()) remove();
    };
    let message = place.message ?? '';
    for (const [address, decision] of decisions) {
      const owner: OverlayOwner = { id: live.id, temporary: false, arrive: (vcpu) => this.hit(live, decision, vcpu) };
      const result = this.host.overlays.add(address, owner);
      if (!result.verified) {
        live.remove();
        live.status = { id: live.id, verified: false, message: result.message, place };
        return live;
      }
      removals.set(address, () => this.host.overlays.remove(address, owner));
      if (message === '') message = result.message;
    }
    live.status = { id: live.id, verified: true, place, ...(message === '' ? {} : { message }) };
    return live;
  }

  private async createData(live: Live, wish: BreakpointWish, place: ResolvedPlace & { kind: 'data' }): Promise<Live> {
    const decision = await this.decide(wish, undefined);
    const filter: HitFilter = (vcpu, access) => this.hit(live, decision, vcpu, access);
    const { linear, size, access } = place;
    const result = this.host.api.set({ kind: 'data', linear, size, access, filter });
    if (!result.verified) {
      live.status = { id: live.id, verified: false, message: result.message, place };
      return live;
    }
    this.byGuestId.set(result.id, live);
    live.remove = () => {
      this.byGuestId.delete(result.id);
      this.host.api.remove(result.id);
    };
    live.status = { id: live.id, verified: true, message: result.message, place };
    return live;
  }

  /** Compiles what is decided at each hit. Throws `DebuggerError` for what cannot be compiled. */
  private async decide(wish: BreakpointOptions, address: bigint | undefined): Promise<Decision> {
    const { target, modules } = this.host;
    const module = address === undefined ? undefined : modules.at(address);
    const site = address === undefined || module === undefined ? undefined : await siteOf(module, address);
    const scope = new ModuleScope(
      modules,
      site === undefined || module === undefined || address === undefined
        ? undefined
        : { module, pc: address, scopes: site.scopes },
    );
    const condition = isBlank(wish.condition) ? undefined : await compile(wish.condition, scope);
    const hit = isBlank(wish.hitCondition) ? undefined : parseHitCondition(wish.hitCondition);
    let log: (string | LogPiece)[] | undefined;
    if (!isBlank(wish.logMessage)) {
      log = [];
      for (const piece of splitLogMessage(wish.logMessage)) {
        if (piece.kind === 'text') {
          log.push(piece.text);
          continue;
        }
        const { text, hexadecimal } = splitFormat(piece.text);
        const expression = await compile(text, scope);
        await prefetch(expression);
        log.push({ expression, hexadecimal: hexadecimal ?? false });
      }
    }
    const at = { row: site?.row ?? null, frameBase: site?.scopes?.frameBase ?? null, loadBias: module?.bias ?? 0n };
    return { condition, hit, log, context: (vcpu) => liveContext(target, vcpu, at) };
  }

  /** Decides at a hit. Runs inside the machine. */
  private hit(live: Live, decision: Decision, vcpu: number, access?: Access): 'stop' | 'continue' {
    const { condition, hit, log } = decision;
    const context = decision.context(vcpu);
    if (condition !== undefined) {
      try {
        if (!condition.truth(context)) return 'continue';
      } catch (error) {
        // Never miss: a condition that cannot be decided stops, and says why.
        const reason = error instanceof DebuggerError ? error.message : String(error);
        this.host.onLog({
          text: `Condition '${condition.text}' cannot be evaluated: ${reason}`,
          breakpoint: live.id,
          vcpu,
        });
        return 'stop';
      }
    }
    live.hits++;
    if (hit !== undefined && !hit(live.hits)) return 'continue';
    if (log === undefined) return 'stop';
    const { symbolize } = this.host.modules;
    const text = log.map((piece) => (typeof piece === 'string' ? piece : formatPiece(piece, context, symbolize)));
    this.host.onLog({ text: text.join('') + accessText(access), breakpoint: live.id, vcpu });
    return 'continue';
  }
}

function accessText(access: Access | undefined): string {
  if (access?.old === undefined || access.value === undefined) return '';
  return ` (${access.old} -> ${access.value})`;
}

function formatPiece(
  { expression, hexadecimal }: LogPiece,
  context: FrameContext,
  symbolize: (address: bigint) => string | undefined,
): string {
  try {
    return formatValue(expression.evaluate(context), { hexadecimal, symbolize });
  } catch (error) {
    return `<${error instanceof Error ? error.message.replace(/\.$/, '') : 'not available'}>`;
  }
}

/** Types that formatting inside the machine will need: nothing can be fetched there. */
async function prefetch(expression: CompiledExpression): Promise<void> {
  const { store } = expression;
  const visit = (id: number, depth: number): void => {
    const type = store.strip(id);
    if (depth > 4) return;
    if (type.kind === 'pointer') store.strip(type.target);
    else if (type.kind === 'array') visit(type.element, depth + 1);
    else if (type.kind === 'struct' || type.kind === 'union' || type.kind === 'class') {
      for (const member of type.members) visit(member.type, depth + 1);
    }
  };
  await withTypes(() => visit(expression.type, 0));
}

async function siteOf(
  module: Module,
  address: bigint,
): Promise<{ row: Awaited<ReturnType<Module['file']['unwindRowAt']>>; scopes: FrameScopes | undefined }> {
  const linked = module.link(address);
  const [row, scopes] = await Promise.all([module.file.unwindRowAt(linked), module.file.scopesAt(linked)]);
  return { row, scopes: scopes[0] };
}

function identity(wish: BreakpointWish): string {
  return JSON.stringify([wish.key, wish.condition ?? '', wish.hitCondition ?? '', wish.logMessage ?? '']);
}

function isBlank(text: string | undefined): text is undefined {
  return text === undefined || text.trim() === '';
}

/** `x is {x}, {{literally}}` -> texts and expressions. Throws for a brace without its partner. */
export function splitLogMessage(
  message: string,
): readonly { readonly kind: 'text' | 'expression'; readonly text: string }[] {
  const pieces: { kind: 'text' | 'expression'; text: string }[] = [];
  let text = '';
  for (let i = 0; i < message.length; i++) {
    const two = message.slice(i, i + 2);
    if (two === '{{' || two === '}}') {
      text += two.charAt(0);
      i++;
    } else if (message[i] === '{') {
      const end = message.indexOf('}', i);
      if (end < 0)
        throw new DebuggerError(
          'syntax',
          `The log message has a '{' without '}' at column ${i + 1}; write '{{' for a brace.`,
        );
      if (text !== '') pieces.push({ kind: 'text', text });
      text = '';
      pieces.push({ kind: 'expression', text: message.slice(i + 1, end) });
      i = end;
    } else {
      text += message.charAt(i);
    }
  }
  if (text !== '') pieces.push({ kind: 'text', text });
  return pieces;
}
