/** Breakpoints on source lines, functions and instructions; breakpointLocations. Legal while the guest runs. */
import type { BreakpointStatus, BreakpointWish, ResolvedPlace } from '../../debugger/user-breakpoints.ts';
import type { Module } from '../../debugger/modules.ts';
import { ProtocolError } from '../errors.ts';
import { WAITS_FOR_KERNEL } from '../linux.ts';
import type { Group, P } from '../protocol.ts';
import type { Session } from '../session.ts';

export function breakpoints(
  session: Session,
): Group<'setBreakpoints' | 'setFunctionBreakpoints' | 'setInstructionBreakpoints' | 'breakpointLocations'> {
  const replace = async (group: string, wishes: readonly BreakpointWish[]): Promise<readonly BreakpointStatus[]> => {
    const statuses = await session.debugger.breakpoints.replace(group, wishes);
    if (session.isLaunched)
      session.dispatcher.event('trapline/machineChanged', { running: session.state === 'running' });
    return statuses;
  };

  return {
    async setBreakpoints(argument) {
      const path = pathOf(argument.source);
      const reference = numberOr(argument.source.sourceReference, 0);
      const wanted =
        argument.breakpoints ??
        (Array.isArray(argument.lines) ? argument.lines : []).map((line): P.SourceBreakpoint => ({ line }));
      const wishes = wanted.map((one): BreakpointWish => ({
        key: `${one.line}:${one.column ?? 0}`,
        ...optionsOf(one),
        logMessage: one.logMessage,
        resolve: () =>
          reference > 0
            ? Promise.resolve(listingPlace(session, reference, one.line))
            : sourcePlace(session, path, one.line, one.column),
      }));
      const statuses = await replace(`source:${reference > 0 ? `#${reference}` : (path ?? '')}`, wishes);
      const answers: P.Breakpoint[] = [];
      for (const [index, status] of statuses.entries())
        answers.push(toBreakpoint(status, argument.source, wanted[index]?.line));
      return { breakpoints: answers };
    },

    async setFunctionBreakpoints(argument) {
      const wishes = argument.breakpoints.map((one): BreakpointWish => ({
        key: one.name,
        ...optionsOf(one),
        resolve: () => functionPlace(session, one.name.trim()),
      }));
      const statuses = await replace('function', wishes);
      session.breakpointIds.setFunctions(statuses.map(({ id }) => id));
      const answers: P.Breakpoint[] = [];
      for (const status of statuses) {
        const { place } = status;
        const path =
          place.kind === 'code' && place.source !== undefined
            ? await session.launched.paths.local(place.source.file.path)
            : undefined;
        answers.push(toBreakpoint(status, path === undefined ? undefined : { path }));
      }
      return { breakpoints: answers };
    },

    async setInstructionBreakpoints(argument) {
      const wishes = argument.breakpoints.map((one): BreakpointWish => ({
        key: `${one.instructionReference}+${one.offset ?? 0}`,
        ...optionsOf(one),
        resolve: () => Promise.resolve(instructionPlace(one.instructionReference, one.offset)),
      }));
      const statuses = await replace('instruction', wishes);
      session.breakpointIds.setInstructions(statuses.map(({ id }) => id));
      return { breakpoints: statuses.map((status) => toBreakpoint(status)) };
    },

    async breakpointLocations(argument) {
      const path = pathOf(argument.source);
      if (path === undefined || !session.isLaunched) return { breakpoints: [] };
      const found = new Map<string, P.BreakpointLocation>();
      for (const module of session.debugger.modules.all) {
        for (const file of await session.launched.paths.filesFor(module.file, path)) {
          const end = argument.endLine ?? argument.line;
          for (const { line, column } of await module.file.breakpointLocations(file.id, argument.line, end)) {
            found.set(`${line}:${column}`, { line, ...(column > 0 ? { column } : {}) });
          }
        }
      }
      return { breakpoints: [...found.values()] };
    },
  };
}

/** Clients may send anything as a source. */
function pathOf(source: P.Source): string | undefined {
  return typeof source.path === 'string' ? source.path : undefined;
}
function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function optionsOf(one: {
  condition?: string;
  hitCondition?: string;
}): Pick<BreakpointWish, 'condition' | 'hitCondition'> {
  return { condition: one.condition, hitCondition: one.hitCondition };
}

async function sourcePlace(
  session: Session,
  path: string | undefined,
  line: number,
  column: number | undefined,
): Promise<ResolvedPlace> {
  if (path === undefined) return { kind: 'nowhere', message: 'The source has neither a path nor a reference.' };
  if (!Number.isInteger(line) || line < 1)
    return { kind: 'nowhere', message: `Line ${line} does not exist: lines are counted from 1.` };
  if (session.launched.linux?.waiting === true) return { kind: 'nowhere', message: WAITS_FOR_KERNEL };
  const addresses: bigint[] = [];
  let best: { readonly file: ResolvedFile; readonly line: number; readonly column: number } | undefined;
  let known = false;
  for (const module of session.debugger.modules.all) {
    for (const file of await session.launched.paths.filesFor(module.file, path)) {
      known = true;
      const found = await module.file.breakpointAddresses(file.id, line, column);
      if (found === null) continue;
      // A header may be compiled into several units: the nearest line of all counts.
      if (best !== undefined && found.line > best.line) continue;
      if (best !== undefined && found.line < best.line) addresses.length = 0;
      best = { file: found.file, line: found.line, column: found.column };
      for (const { address } of found.addresses) addresses.push(module.run(address));
    }
  }
  const name = path.replace(/^.*[/\\]/, '');
  if (best === undefined || addresses.length === 0) {
    const message = known
      ? `No code for line ${line} of ${name} or behind it.`
      : `No debugging information mentions ${name}. If it was built elsewhere, add its folder to sourceMap in launch.json.`;
    return { kind: 'nowhere', message };
  }
  return { kind: 'code', addresses: [...new Set(addresses)], source: best };
}
type ResolvedFile = NonNullable<Extract<ResolvedPlace, { kind: 'code' }>['source']>['file'];

function listingPlace(session: Session, reference: number, line: number): ResolvedPlace {
  const address = session.launched.listings.addressOfLine(reference, line);
  return address === undefined
    ? { kind: 'nowhere', message: 'There is no instruction on this line.' }
    : { kind: 'code', addresses: [address] };
}

/** `name`, `module:name`, `*0xADDRESS`, or a glob such as `list_*`. */
async function functionPlace(session: Session, written: string): Promise<ResolvedPlace> {
  const address = /^\*?\s*(0[xX][0-9a-fA-F]{1,16}|\d{4,20})$/.exec(written);
  if (address !== null) return { kind: 'code', addresses: [BigInt.asUintN(64, BigInt(address[1] ?? '0'))] };
  if (session.launched.linux?.waiting === true) return { kind: 'nowhere', message: WAITS_FOR_KERNEL };
  const qualified = /^([^:*]+):([^:]+)$/.exec(written);
  const name = qualified?.[2] ?? written;
  const modules = session.debugger.modules.all.filter((module) => qualified === null || module.name === qualified[1]);
  if (modules.length === 0)
    return {
      kind: 'nowhere',
      message: `There is no module '${qualified?.[1] ?? ''}'; loaded: ${session.debugger.modules.all.map((module) => module.name).join(', ')}.`,
    };
  const names = name.includes('*') || name.includes('?') ? await globbed(modules, name) : [name];
  const addresses: bigint[] = [];
  let source: Extract<ResolvedPlace, { kind: 'code' }>['source'];
  for (const module of modules) {
    for (const one of names) {
      for (const found of await module.file.functionBreakpoints(one)) {
        addresses.push(module.run(found.address));
        if (source === undefined && found.location !== null) source = found.location;
      }
    }
  }
  if (addresses.length === 0)
    return {
      kind: 'nowhere',
      message: `No function '${written}' in the symbols. Names, module:name, *0xADDRESS and globs such as list_* are understood.`,
    };
  return { kind: 'code', addresses: [...new Set(addresses)], source };
}

const GLOB_LIMIT = 200;

async function globbed(modules: readonly Module[], glob: string): Promise<readonly string[]> {
  const prefix = /^[^*?]*/.exec(glob)?.[0] ?? '';
  const pattern = new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const names = new Set<string>();
  for (const module of modules) {
    for (const symbol of await module.file.symbolsByPrefix(prefix, 5000)) {
      if (symbol.kind === 'function' && pattern.test(symbol.name)) names.add(symbol.name);
      if (names.size >= GLOB_LIMIT) break;
    }
  }
  return [...names];
}

/** References come as hexadecimal or decimal text; offsets may be negative. All in 64 bits. */
export function parseAddress(text: string): bigint | undefined {
  const clean = text.trim();
  if (!/^(0[xX][0-9a-fA-F]{1,16}|\d{1,20})$/.test(clean)) return undefined;
  return BigInt.asUintN(64, BigInt(clean));
}

function instructionPlace(reference: string, offset: number | undefined): ResolvedPlace {
  const base = parseAddress(reference);
  if (base === undefined) return { kind: 'nowhere', message: `'${reference.slice(0, 40)}' is not an address.` };
  const distance = offset === undefined ? 0n : BigInt(Math.trunc(offset));
  return { kind: 'code', addresses: [BigInt.asUintN(64, base + distance)] };
}

export function toBreakpoint(status: BreakpointStatus, source?: P.Source, askedLine?: number): P.Breakpoint {
  const { place } = status;
  const address = place.kind === 'code' ? place.addresses[0] : undefined;
  const position = place.kind === 'code' ? place.source : undefined;
  return {
    id: status.id,
    verified: status.verified,
    ...(status.message === undefined || status.message === '' ? {} : { message: status.message }),
    ...(status.message === WAITS_FOR_KERNEL ? { reason: 'pending' as const } : {}),
    ...(source === undefined ? {} : { source }),
    ...(position === undefined ? (askedLine === undefined ? {} : { line: askedLine }) : { line: position.line }),
    ...(address === undefined ? {} : { instructionReference: `0x${address.toString(16)}` }),
  };
}

export function requireAddress(text: string, what: string): bigint {
  const address = parseAddress(text);
  if (address === undefined)
    throw new ProtocolError(
      'badArguments',
      `${what} '${String(text).slice(0, 60)}' is not an address: write hexadecimal such as 0xffffffff81000000.`,
    );
  return address;
}
