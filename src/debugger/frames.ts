/** Call stacks: unwinding by call-frame information with the frame pointer as fallback, inlined functions as frames. */
import type {
  CallSite,
  DwarfExpression,
  ElfMachine,
  EvaluationContext,
  FrameRegisters,
  FrameScopes,
  FunctionAtPc,
  LineLocation,
  SourceFile,
  UnwindRow,
  UnwoundFrame,
} from '../symbols/index.ts';
import {
  dwarfRegisters,
  entryValueFromCallSite,
  evaluateFrameBase,
  unwindByFramePointer,
  unwindFrame,
} from '../symbols/index.ts';
import { hexadecimal } from './bits.ts';
import type { FrameContext } from './expression/scope.ts';
import { returnAddresses } from './linux/return-addresses.ts';
import type { Module, ModuleSet } from './modules.ts';
import { isLongCode, linearPc, readRegister, registerNamed } from './registers.ts';
import type { Target } from './target.ts';
import { readExactly } from './target.ts';

/** Deeper stacks are cut: a damaged one may be endless. */
export const FRAME_LIMIT = 200;

/** An activation of a function in memory. */
export interface PhysicalFrame {
  readonly vcpu: number;
  /** 0 is the innermost. */
  readonly level: number;
  readonly pc: bigint;
  /** Where to look the pc up: for return addresses one byte before it, inside the call. */
  readonly lookupPc: bigint;
  readonly machine: ElfMachine;
  /** By DWARF number of `machine`. Those of level 0 are read live instead. */
  readonly registers: FrameRegisters;
  readonly module: Module | undefined;
  readonly row: UnwindRow | null;
  readonly cfa: bigint | undefined;
  /** Found by a look at the words of the stack: it may be left over from a call that has returned. */
  readonly guess: boolean;
}

/** A frame as the user sees it: a function or an inlined instance of one. */
export interface Frame {
  readonly vcpu: number;
  /** 0 is the innermost. */
  readonly index: number;
  readonly physical: PhysicalFrame;
  readonly caller: PhysicalFrame | undefined;
  readonly name: string;
  readonly inlined: boolean;
  readonly source: FrameSource | undefined;
  /** Index into what `scopesAt(lookupPc)` gives. */
  readonly scopeIndex: number;
  readonly function: FunctionAtPc | null;
}

export interface FrameSource {
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
}

/** What a vCPU's registers are called by the unwinder of a machine. */
export function machineRegisters(target: Target, vcpu: number, machine: ElfMachine): FrameRegisters {
  const table = dwarfRegisters(machine);
  const registers = new Map<number, bigint>();
  for (let number = 0; number <= 16; number++) {
    const register = registerNamed(table.name(number) ?? '');
    if (register === undefined) continue;
    const value = readRegister(target.slots, vcpu, register.number);
    if (value !== undefined) registers.set(number, BigInt.asUintN(register.bits, value >> BigInt(register.bitOffset)));
  }
  registers.set(table.pc, linearPc(target.slots, vcpu));
  return registers;
}

/** Unwinds a stopped vCPU, innermost first; at least one frame. */
export async function unwindStack(
  target: Target,
  modules: ModuleSet,
  vcpu: number,
  limit = FRAME_LIMIT,
): Promise<readonly PhysicalFrame[]> {
  const readMemory = (address: bigint, length: number): Uint8Array | undefined =>
    readExactly(target, vcpu, address, length);
  const frames: PhysicalFrame[] = [];
  const seen = new Set<string>();
  const long = isLongCode(target.slots, vcpu);
  let pc = linearPc(target.slots, vcpu);
  const machine: ElfMachine = long ? 'x86-64' : 'i386';
  let registers = machineRegisters(target, vcpu, machine);
  let interrupted = true;
  while (frames.length < limit) {
    const lookupPc: bigint = interrupted ? pc : pc - 1n;
    const module = modules.at(lookupPc);
    const found: UnwindRow | null = module === undefined ? null : await module.file.unwindRowAt(module.link(lookupPc));
    // Code of another mode than the tables describe (a 64-bit kernel's 32-bit start) has no usable row.
    const row: UnwindRow | null = found !== null && found.machine === machine ? found : null;
    if (row === null && long && module?.hasCodeAt(lookupPc) === true && isKernelHalf(lookupPc)) {
      const guess = frames.at(-1)?.guess === true;
      frames.push({ vcpu, level: frames.length, pc, lookupPc, machine, registers, module, row, cfa: undefined, guess });
      frames.push(...(await guessCallers(target, modules, frames, limit - frames.length)));
      break;
    }
    const unwound: UnwoundFrame =
      row !== null
        ? unwindFrame(row, registers, readMemory, module?.bias ?? 0n)
        : unwindByFramePointer(machine, registers, readMemory);
    const cfa = unwound.kind === 'failed' ? undefined : (unwound.cfa ?? undefined);
    frames.push({ vcpu, level: frames.length, pc, lookupPc, machine, registers, module, row, cfa, guess: false });
    if (unwound.kind !== 'frame') break;
    // A frame pointer's chain is a guess: it may only lead into known code.
    if (row === null && modules.at(unwound.pc)?.hasCodeAt(unwound.pc) !== true) break;
    const key = `${unwound.pc} ${unwound.cfa}`;
    if (seen.has(key)) break;
    seen.add(key);
    ({ pc, registers, interrupted } = unwound);
  }
  return frames;
}

/** The kernel's linear addresses: above the hole of the canonical form. */
function isKernelHalf(address: bigint): boolean {
  return address >> 63n === 1n;
}

/** Callers of the last frame, in a kernel without call-frame information there. */
async function guessCallers(
  target: Target,
  modules: ModuleSet,
  frames: readonly PhysicalFrame[],
  limit: number,
): Promise<readonly PhysicalFrame[]> {
  const last = frames.at(-1);
  const registers = dwarfRegisters('x86-64');
  const stackPointer = last?.registers.get(registers.stackPointer);
  if (last === undefined || stackPointer === undefined) return [];
  const { vcpu, level, pc } = last;
  const found = returnAddresses({
    stackPointer,
    readMemory: (address, length) => readExactly(target, vcpu, address, length),
    isCode: (address) => modules.at(address)?.hasCodeAt(address) === true,
  });
  // At a function's first instruction the return address is where the call has just put it.
  const atEntry = level === 0 && (await modules.symbolAt(pc))?.offset === 0n;
  return found.slice(0, limit).map((one, index) => ({
    vcpu,
    level: level + 1 + index,
    pc: one.pc,
    lookupPc: one.pc - 1n,
    machine: 'x86-64',
    registers: new Map([
      [registers.stackPointer, one.stackPointer],
      [registers.pc, one.pc],
    ]),
    module: modules.at(one.pc),
    row: null,
    cfa: undefined,
    guess: !(atEntry && index === 0 && one.stackPointer === stackPointer + 8n),
  }));
}

/** Splits physical frames into what the source says: inlined instances are frames of their own. */
export async function sourceFrames(modules: ModuleSet, physical: readonly PhysicalFrame[]): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for (const [level, one] of physical.entries()) {
    const { module, lookupPc, vcpu } = one;
    const caller = physical[level + 1];
    const found = module === undefined ? null : await module.file.functionAt(module.link(lookupPc));
    const line = module === undefined ? null : await module.lineAt(lookupPc);
    let source = line === null || line.line === 0 ? undefined : sourceOf(line);
    let scopeIndex = 0;
    for (const instance of found?.inlined ?? []) {
      const at = { vcpu, index: frames.length, physical: one, caller, scopeIndex: scopeIndex++, function: found };
      frames.push({ ...at, name: instance.name, inlined: true, source });
      const file = instance.callFile < 0 ? undefined : await module?.source(instance.callFile);
      source = file === undefined ? undefined : { file, line: instance.callLine, column: instance.callColumn };
    }
    const plain = found?.function.name ?? (await modules.describe(one.pc)) ?? hexadecimal(one.pc);
    // As the kernel's own stack dumps mark what they are not sure of.
    const name = one.guess ? `? ${plain}` : plain;
    frames.push({
      vcpu,
      index: frames.length,
      physical: one,
      caller,
      name,
      inlined: false,
      source,
      scopeIndex,
      function: found,
    });
  }
  return frames;
}

function sourceOf(line: LineLocation): FrameSource {
  return { file: line.file, line: line.line, column: line.column };
}

/** What evaluation in a frame needs beyond the frame itself; fetched ahead. */
export interface FrameExtras {
  readonly scopes: readonly FrameScopes[];
  readonly frameBase: DwarfExpression | null;
  readonly callSite: CallSite | null;
  readonly calleeEntry: bigint | undefined;
}

export async function frameExtras(frame: Frame): Promise<FrameExtras> {
  const { module, lookupPc } = frame.physical;
  if (module === undefined) return { scopes: [], frameBase: null, callSite: null, calleeEntry: undefined };
  const scopes = await module.file.scopesAt(module.link(lookupPc));
  const returnPc = frame.caller?.pc;
  const callerModule = frame.caller?.module;
  const callSite =
    returnPc === undefined || callerModule === undefined
      ? null
      : await callerModule.file.callSiteAt(callerModule.link(returnPc));
  const calleeEntry = frame.function?.function.entry;
  return { scopes, frameBase: scopes[0]?.frameBase ?? frame.function?.frameBase ?? null, callSite, calleeEntry };
}

/** Evaluation in a frame: registers and memory as they are when asked. */
export function frameContext(
  target: Target,
  physical: PhysicalFrame,
  extras: Pick<FrameExtras, 'frameBase' | 'callSite' | 'calleeEntry'>,
  caller?: PhysicalFrame,
): FrameContext {
  const { vcpu, level, machine, cfa } = physical;
  const register = (number: number): bigint | undefined => {
    if (level > 0) return physical.registers.get(number);
    if (machine === 'x86-64')
      return number === 16 ? linearPc(target.slots, vcpu) : readRegister(target.slots, vcpu, number);
    return machineRegisters(target, vcpu, machine).get(number);
  };
  const nativeRegister = (number: number): bigint | undefined => {
    // The selectors, control and debug registers of outer frames are not saved on the stack: they are those of now.
    if (level === 0 || number > 16) return readRegister(target.slots, vcpu, number);
    if (machine === 'x86-64') return physical.registers.get(number);
    const name = dwarfRegisters('x86-64').name(number)?.replace(/^r/, 'e') ?? '';
    return physical.registers.get(dwarfRegisters(machine).number(name) ?? -1);
  };
  const callerContext: EvaluationContext | undefined =
    caller === undefined
      ? undefined
      : frameContext(target, caller, { frameBase: null, callSite: null, calleeEntry: undefined });
  return makeContext(target, vcpu, {
    register,
    nativeRegister,
    cfa: () => cfa,
    frameBase: extras.frameBase,
    loadBias: physical.module?.bias ?? 0n,
    entryValue: (expression) => {
      const { callSite, calleeEntry } = extras;
      if (callSite === null || calleeEntry === undefined || callerContext === undefined) return undefined;
      return entryValueFromCallSite(callSite, calleeEntry, expression, callerContext);
    },
  });
}

/**
 * Evaluation on a vCPU inside the machine, at a pc that is known ahead: the same as the innermost frame there, but
 * nothing is cached, since the same context serves every hit.
 */
export function liveContext(
  target: Target,
  vcpu: number,
  at: { readonly row: UnwindRow | null; readonly frameBase: DwarfExpression | null; readonly loadBias: bigint },
): FrameContext {
  const cfa = (): bigint | undefined => {
    if (at.row === null) return undefined;
    const registers = machineRegisters(target, vcpu, at.row.machine);
    const readMemory = (address: bigint, length: number): Uint8Array | undefined =>
      readExactly(target, vcpu, address, length);
    const unwound = unwindFrame(at.row, registers, readMemory, at.loadBias);
    return unwound.kind === 'failed' ? undefined : (unwound.cfa ?? undefined);
  };
  return makeContext(target, vcpu, {
    register: (number) => (number === 16 ? linearPc(target.slots, vcpu) : readRegister(target.slots, vcpu, number)),
    nativeRegister: (number) => readRegister(target.slots, vcpu, number),
    cfa,
    frameBase: at.frameBase,
    loadBias: at.loadBias,
    entryValue: () => undefined,
  });
}

interface ContextParts {
  readonly register: (number: number) => bigint | undefined;
  readonly nativeRegister: (number: number) => bigint | undefined;
  readonly cfa: () => bigint | undefined;
  readonly frameBase: DwarfExpression | null;
  readonly loadBias: bigint;
  readonly entryValue: (expression: DwarfExpression) => bigint | undefined;
}

function makeContext(target: Target, vcpu: number, parts: ContextParts): FrameContext {
  const readMemory = (address: bigint, length: number): Uint8Array | undefined =>
    readExactly(target, vcpu, BigInt.asUintN(64, address), length);
  const native: EvaluationContext = { register: parts.nativeRegister, readMemory, loadBias: 0n };
  const { register, entryValue } = parts;
  const biased = (loadBias: bigint): FrameContext => ({
    register,
    readMemory,
    loadBias,
    native,
    withBias: biased,
    entryValue,
    get cfa() {
      return parts.cfa();
    },
    get frameBase() {
      const cfa = parts.cfa();
      return evaluateFrameBase(parts.frameBase, { register, readMemory, loadBias: parts.loadBias, cfa });
    },
  });
  return biased(parts.loadBias);
}
