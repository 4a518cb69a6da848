/** Where breakpoints go: from lines, names, patterns and addresses to addresses of code, or a sentence why not. */
import { hexadecimal } from '../debugger/bits.ts';
import type { BreakpointStatus, BreakpointWish, ResolvedPlace } from '../debugger/user-breakpoints.ts';
import type { Module } from '../debugger/modules.ts';
import type { SourceFile } from '../symbols/index.ts';
import { fixedPrefix, isGlob, matchesGlob } from './glob.ts';
import { WAITS_FOR_KERNEL } from './linux.ts';
import type { Call } from './protocol.ts';
import type { Launched, Session } from './session.ts';
import { parseAddress } from './shapes.ts';

/** So many functions of a pattern get a breakpoint. */
export const GLOB_LIMIT = 200;
/** More than any symbol table has: a pattern is held against all names. */
const ALL_NAMES = 10_000_000;
/** Instructions are decoded from no further away than this to find out where one begins. */
const BOUNDARY_DISTANCE = 0x10000n;

export const NO_DEBUG = "The guest runs without debugging ('noDebug'): nothing stops it.";

/** Replaces a group of breakpoints. A guest that runs without debugging gets none, and each says why. */
export function replaceGroup(
  guest: Launched,
  group: string,
  wishes: readonly BreakpointWish[],
): Promise<readonly BreakpointStatus[]> {
  const { breakpoints } = guest.debugger;
  if (!guest.configuration.noDebug) return breakpoints.replace(group, wishes);
  const refused = wishes.map((wish) => ({ ...wish, resolve: () => Promise.resolve(nowhere(NO_DEBUG)) }));
  return breakpoints.replace(group, refused);
}

const nowhere = (message: string): ResolvedPlace => ({ kind: 'nowhere', message });
const waiting: ResolvedPlace = { kind: 'nowhere', message: WAITS_FOR_KERNEL, waits: true };

/** A line of a file, counted from 1; some code of it may be told apart by its column. */
export interface SourceLine {
  readonly line: number;
  readonly column: number | undefined;
}
export const sourceLine = (line: number, column?: number): SourceLine => ({ line, column });

/** A line of the file at a path of this machine. */
export function linePlace(session: Session, path: string | undefined, at: SourceLine): Promise<ResolvedPlace> {
  if (path === undefined)
    return Promise.resolve(nowhere('The source is no file of this computer, and no listing of machine code.'));
  return lineOf(session, path, at, (module) => session.launched.paths.filesFor(module.file, path));
}

async function lineOf(
  session: Session,
  path: string,
  { line, column }: SourceLine,
  filesOf: (module: Module) => Promise<readonly SourceFile[]>,
): Promise<ResolvedPlace> {
  if (session.launched.linux?.waiting === true) return waiting;
  const addresses: bigint[] = [];
  let best: { readonly file: SourceFile; readonly line: number; readonly column: number } | undefined;
  let known = false;
  for (const module of session.debugger.modules.all) {
    for (const file of await filesOf(module)) {
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
    return nowhere(
      known
        ? `No code for line ${line} of ${name} or behind it.`
        : `No debugging information mentions ${name}. If it was built elsewhere, add its folder to sourceMap in launch.json.`,
    );
  }
  return { kind: 'code', addresses: [...new Set(addresses)], source: best };
}

export function listingPlace(session: Session, reference: number, line: number): ResolvedPlace {
  const address = session.launched.listings.addressOfLine(reference, line);
  return address === undefined
    ? nowhere('There is no instruction on this line.')
    : { kind: 'code', addresses: [address] };
}

/** `name`, `module:name`, `file.c:79`, `*0xADDRESS`, or a pattern such as `list_*`. */
export async function functionPlace(session: Session, written: string, call?: Call): Promise<ResolvedPlace> {
  const address = parseAddress(written.replace(/^\*/, ''));
  if (address !== undefined && /^(\*|0x|\d{4})/i.test(written)) return { kind: 'code', addresses: [address] };
  if (session.launched.linux?.waiting === true) return waiting;
  const { all } = session.debugger.modules;
  const [, before, name = written] = /^([^:*]+):([^:]+)$/.exec(written) ?? [];
  const modules = all.filter((module) => before === undefined || module.name === before);
  if (before !== undefined && modules.length === 0) {
    const line = /^\d{1,9}$/.test(name) ? Number(name) : 0;
    if (line > 0) return lineOf(session, before, sourceLine(line), ({ file }) => file.findSourceFiles(before));
    return nowhere(
      `There is no module '${before}'; loaded: ${all.map((module) => module.name).join(', ')}. A line of a file is written as in worker.c:79.`,
    );
  }
  const names = isGlob(name) ? await namesLike(modules, name, call) : [name];
  const chosen = names.slice(0, GLOB_LIMIT);
  const addresses: bigint[] = [];
  let source: Extract<ResolvedPlace, { kind: 'code' }>['source'];
  for (const [index, one] of chosen.entries()) {
    await call?.breathe(index / chosen.length);
    for (const found of await session.debugger.modules.functionBreakpoints(one, modules)) {
      addresses.push(found.address);
      if (source === undefined && found.location !== null) source = found.location;
    }
  }
  if (addresses.length === 0)
    return nowhere(
      `No function '${written}' in the symbols. Names, module:name, file:line, *0xADDRESS and globs such as list_* are understood.`,
    );
  const leftOut = names.length - chosen.length;
  const message =
    leftOut === 0
      ? undefined
      : `${names.length} functions match '${written}': the first ${GLOB_LIMIT} by name have a breakpoint, ${leftOut} are left out. Write a longer pattern.`;
  return { kind: 'code', addresses: [...new Set(addresses)], source, message };
}

/** Names of all functions that match, sorted. */
async function namesLike(modules: readonly Module[], pattern: string, call?: Call): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const module of modules) {
    const symbols = module.file.symbolsByPrefix(fixedPrefix(pattern), ALL_NAMES);
    for (const symbol of call === undefined ? await symbols : await call.wait(symbols)) {
      if (symbol.kind === 'function' && matchesGlob(pattern, symbol.name)) names.add(symbol.name);
    }
  }
  return [...names].sort();
}

/** The instruction at a distance from a reference. What speaks against it is said; it is set all the same. */
export async function instructionPlace(
  session: Session,
  reference: { readonly written: string; readonly address: bigint | undefined },
  offset: number,
): Promise<ResolvedPlace> {
  if (reference.address === undefined) return nowhere(`'${reference.written.slice(0, 40)}' is not an address.`);
  const address = BigInt.asUintN(64, reference.address + BigInt(offset));
  return { kind: 'code', addresses: [address], message: await doubtAbout(session, address) };
}

async function doubtAbout(session: Session, address: bigint): Promise<string | undefined> {
  const { debugger: debugger_, focus } = session;
  const { listings } = session.launched;
  if (debugger_.target.readLinear(focus, address, 1).length === 0)
    return `Nothing is mapped at ${hexadecimal(address)} on vCPU ${focus} now: it stops there when code is.`;
  const start = await boundaryBefore(session, address);
  if (start === undefined) return undefined;
  const rows = listings.disassembly.range(focus, start, address + 16n, listings.codeBits(focus));
  const row = rows.findLast((one) => one.address <= address);
  if (row === undefined || row.address === address || !row.valid) return undefined;
  return `${hexadecimal(address)} is in the middle of the instruction at ${hexadecimal(row.address)} (${row.text}): only a jump to this very byte stops.`;
}

/** A place at or before the address where an instruction is known to begin: a row of the line table, else a function. */
async function boundaryBefore(session: Session, address: bigint): Promise<bigint | undefined> {
  const { modules } = session.debugger;
  const module = modules.at(address);
  if (module === undefined) return undefined;
  const line = await module.lineAt(address);
  if (line !== null) return module.run(line.start);
  const hit = await modules.symbolAt(address);
  const isFunction = hit?.symbol.kind === 'function' && hit.offset < BOUNDARY_DISTANCE;
  return isFunction ? module.run(hit.symbol.address) : undefined;
}
