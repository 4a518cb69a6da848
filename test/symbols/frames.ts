/** Walks a stack and reads every variable through the public interface of src/symbols, as the debugger does. */

import {
  dwarfRegisters,
  entryValueFromCallSite,
  evaluateFrameBase,
  evaluateVariable,
  partOfLocation,
  readLocation,
  unwindFrame,
  type CallSite,
  type EvaluatedLocation,
  type EvaluationContext,
  type FrameRegisters,
  type FrameScopes,
  type FunctionAtPc,
  type SymbolFile,
  type Type,
  type TypeId,
  type TypeTable,
  type UnwindRow,
  type UnwoundFrame,
  type VariableInfo,
} from '../../src/symbols/index.ts';

/** The same shape as judge.py's `contents`. */
export type Contents = string | readonly (readonly [string, Contents])[];

export interface WalkedFrame {
  readonly pc: bigint;
  readonly name: string;
  readonly inlined: boolean;
  readonly file: string | null;
  readonly line: number;
  /** Described as a signal frame, but called: gdb looks its line up behind the call, not at it. */
  readonly calledSignalFrame: boolean;
  readonly registers: FrameRegisters;
  readonly variables: readonly { readonly name: string; readonly argument: boolean; readonly value: Contents }[];
}

interface PhysicalFrame {
  readonly pc: bigint;
  /** Address for look-ups: inside the call for return addresses. */
  readonly place: bigint;
  readonly registers: FrameRegisters;
  readonly row: UnwindRow | null;
  readonly unwound: UnwoundFrame | null;
  readonly function: FunctionAtPc | null;
  readonly scopes: readonly FrameScopes[];
  readonly callSite: CallSite | null;
}

export type ReadMemory = (address: bigint, length: number) => Uint8Array | undefined;

/** A stack of at most `limit` frames, inlined ones included. Ends where there is no call-frame information. */
export async function walkFrames(
  file: SymbolFile,
  types: TypeTable,
  initial: FrameRegisters,
  readMemory: ReadMemory,
  limit: number,
): Promise<WalkedFrame[]> {
  const physical = await unwindAll(file, initial, readMemory, limit + 1);
  const frames: WalkedFrame[] = [];
  for (const [index, frame] of physical.entries()) {
    const clobbered = { value: false };
    const context = contextOf(physical, index, readMemory, clobbered);
    const inlined = frame.function?.inlined ?? [];
    const count = Math.max(1, frame.scopes.length);
    for (let depth = 0; depth < count; depth++) {
      if (frames.length >= limit) return frames;
      const scopes = frame.scopes[depth];
      const call = inlined[depth - 1];
      const line = depth === 0 ? await file.lineAt(frame.place) : null;
      const callFile = call === undefined ? null : ((await sourcePath(file, call.callFile)) ?? null);
      frames.push({
        pc: frame.pc,
        name: scopes?.functionName ?? (await file.symbolAt(frame.place))?.symbol.name ?? '',
        inlined: scopes?.inlined ?? false,
        file: depth === 0 ? (line?.file.path ?? null) : callFile,
        line: depth === 0 ? (line?.line ?? 0) : (call?.callLine ?? 0),
        calledSignalFrame: frame.row?.signalFrame === true && frame.place !== frame.pc,
        registers: frame.registers,
        variables: scopes === undefined ? [] : await variablesOf(scopes, types, context, clobbered),
      });
    }
  }
  return frames;
}

async function sourcePath(file: SymbolFile, id: number): Promise<string | undefined> {
  return (await file.sourceFiles()).find((source) => source.id === id)?.path;
}

async function unwindAll(
  file: SymbolFile,
  initial: FrameRegisters,
  readMemory: ReadMemory,
  limit: number,
): Promise<PhysicalFrame[]> {
  const machine = dwarfRegisters(file.elf.machine);
  const frames: PhysicalFrame[] = [];
  let registers = initial;
  let interrupted = true;
  for (let count = 0; count < limit; count++) {
    const pc = registers.get(machine.pc) ?? 0n;
    const place = interrupted ? pc : pc - 1n;
    const row = await file.unwindRowAt(place);
    const unwound = row === null ? null : unwindFrame(row, registers, readMemory);
    frames.push({
      pc,
      place,
      registers,
      row,
      unwound,
      function: await file.functionAt(place),
      scopes: await file.scopesAt(place),
      callSite: interrupted ? null : await file.callSiteAt(pc),
    });
    if (unwound?.kind !== 'frame') break;
    ({ registers, interrupted } = unwound);
  }
  return frames;
}

/** A frame's state for expressions; entry values look one frame out. */
function contextOf(
  frames: readonly PhysicalFrame[],
  index: number,
  readMemory: ReadMemory,
  clobbered: { value: boolean } = { value: false },
): EvaluationContext {
  const frame = frames[index];
  const basic: EvaluationContext = {
    register: (number) => frame?.registers.get(number),
    readMemory,
    cfa: frame?.unwound?.cfa ?? undefined,
    entryValue: (expression) => {
      const caller = frames[index + 1];
      const entry = frame?.function?.function.entry;
      if (caller === undefined || caller.callSite === null || entry === undefined) return undefined;
      const outer = contextOf(frames, index + 1, readMemory);
      const value = entryValueFromCallSite(caller.callSite, entry, expression, outer);
      if (value !== undefined) return value;
      // Is it only for want of a register that the call may have changed?
      const guess = { ...outer, register: (number: number): bigint => outer.register(number) ?? 0n };
      if (entryValueFromCallSite(caller.callSite, entry, expression, guess) !== undefined) clobbered.value = true;
      return undefined;
    },
  };
  return { ...basic, frameBase: evaluateFrameBase(frame?.function?.frameBase ?? null, basic) };
}

async function variablesOf(
  scopes: FrameScopes,
  types: TypeTable,
  context: EvaluationContext,
  clobbered: { value: boolean },
): Promise<WalkedFrame['variables']> {
  const read = async (variable: VariableInfo, argument: boolean): Promise<WalkedFrame['variables'][number]> => {
    await types.load(variable.type);
    clobbered.value = false;
    const location = evaluateVariable(variable.location, context);
    const value = contents(types, variable.type, location, context, 0);
    return { name: variable.name, argument, value: clobbered.value ? 'unavailable (caller register)' : value };
  };
  const found = [];
  for (const block of scopes.blocks) {
    for (const variable of block.variables) found.push(await read(variable, false));
  }
  for (const variable of scopes.parameters) found.push(await read(variable, true));
  return found;
}

/** An object down to its scalars, in the words of judge.py. */
export function contents(
  types: TypeTable,
  id: TypeId,
  location: EvaluatedLocation,
  context: EvaluationContext,
  depth: number,
): Contents {
  const type = types.resolve(id);
  if (type === undefined || (type.kind === 'array' && type.byteSize === null)) return 'other';
  if (location.kind === 'optimizedOut') return 'optimized out';
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class': {
      if (depth > 3) return 'deep';
      return type.members.map((member): [string, Contents] => {
        const target = types.resolve(member.type);
        if (member.bitField !== null && target !== undefined) {
          const { bitSize, bitOffset } = member.bitField;
          const first = Math.floor(bitOffset / 8);
          const size = Math.ceil((bitOffset + bitSize) / 8) - first;
          const part = partOfLocation(location, first, size);
          return [member.name ?? '', scalar(target, part, size, context, bitOffset % 8, bitSize)];
        }
        const part = partOfLocation(location, member.byteOffset, target?.byteSize ?? 0);
        return [member.name ?? '', contents(types, member.type, part, context, depth + 1)];
      });
    }
    case 'array': {
      const [first, ...rest] = type.dimensions;
      if (first === undefined || first.count === null || type.byteSize === null) return 'other';
      const size = first.count === 0 ? 0 : type.byteSize / first.count;
      return Array.from({ length: Math.min(first.count, 3) }, (_, index): [string, Contents] => {
        const part = partOfLocation(location, index * size, size);
        if (rest.length === 0) return ['', contents(types, type.element, part, context, depth + 1)];
        return ['', 'other'];
      });
    }
    case 'base':
      if (type.encoding === 'float' || type.encoding === 'complexFloat') return 'other';
      return scalar(type, location, type.byteSize ?? 0, context, 0, (type.byteSize ?? 0) * 8);
    case 'pointer':
    case 'enum':
      return scalar(type, location, type.byteSize ?? 0, context, 0, (type.byteSize ?? 0) * 8);
    default:
      return 'other';
  }
}

function scalar(
  type: Type,
  location: EvaluatedLocation,
  byteSize: number,
  context: EvaluationContext,
  bitOffset: number,
  bitSize: number,
): string {
  const read = readLocation(location, byteSize, context);
  if (read.kind === 'optimizedOut') return 'optimized out';
  if (read.kind !== 'bytes') return `unavailable (${read.reason})`;
  const raw = read.bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const signed =
    (type.kind === 'base' && (type.encoding === 'signed' || type.encoding === 'signedChar')) ||
    (type.kind === 'enum' && type.signed);
  const value = raw >> BigInt(bitOffset);
  return String(signed ? BigInt.asIntN(bitSize, value) : BigInt.asUintN(bitSize, value));
}
