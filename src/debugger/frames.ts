/** Frames as the user sees them, inlined functions included, and evaluation in them. */
import type {
  CallSite,
  DwarfExpression,
  EvaluationContext,
  FrameScopes,
  FunctionAtPc,
  LineLocation,
  SourceFile,
  UnwindRow,
} from '../symbols/index.ts';
import { dwarfRegisters, entryValueFromCallSite, evaluateFrameBase, unwindFrame } from '../symbols/index.ts';
import { hexadecimal } from './bits.ts';
import type { FrameContext } from './expression/scope.ts';
import type { ModuleSet } from './modules.ts';
import { linearPc, readRegister } from './registers.ts';
import type { PhysicalFrame } from './stack/unwind.ts';
import { machineRegisters } from './stack/unwind.ts';
import type { Target } from './target.ts';
import { readExactly } from './target.ts';

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
