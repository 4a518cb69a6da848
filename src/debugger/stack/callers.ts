/** Callers of code without call-frame information: assembly, stubs, trampolines, context switches by hand. */
import { dwarfRegisters } from '../../symbols/index.ts';
import { fromLittleEndianBytes } from '../bits.ts';
import type { ModuleSet } from '../modules.ts';
import { stackWord } from '../registers.ts';
import type { Target } from '../target.ts';
import { readExactly } from '../target.ts';
import { interruptFrameAt } from './interrupt-frame.ts';
import type { ReturnAddress, StackScan } from './return-addresses.ts';
import { followsCall, returnAddresses } from './return-addresses.ts';
import type { Caller, PhysicalFrame } from './unwind.ts';

/** Guesses beyond this are noise. */
const GUESS_LIMIT = 48;
/** Words above the stack pointer among which an interrupt's frame is looked for: more than a stub pushes. */
const STUB_WORDS = 40n;

/** What the stack of a frame is scanned with. */
function scanOf(
  target: Target,
  modules: ModuleSet,
  { vcpu, machine, registers }: PhysicalFrame,
): StackScan | undefined {
  const stackPointer = registers.get(dwarfRegisters(machine).stackPointer);
  if (stackPointer === undefined) return undefined;
  const long = machine === 'x86-64';
  return {
    stackPointer,
    word: stackWord(target.slots, vcpu),
    codeBase: long ? 0n : target.slots.vcpu(vcpu).cs.base,
    readMemory: (address, length) => readExactly(target, vcpu, address, length),
    isCode: (address) => modules.at(address)?.hasCodeAt(address) === true,
  };
}

/**
 * The caller of a frame without call-frame information. Certain are: the return address at a function's first instruction,
 * where the call has just put it, an interrupt's frame, and a frame pointer below which nothing else looks like a call.
 * All else is marked as a guess.
 */
export async function undescribedCaller(
  target: Target,
  modules: ModuleSet,
  frame: PhysicalFrame,
): Promise<Caller | undefined> {
  const scan = scanOf(target, modules, frame);
  // From unknown code one look is worth it; beyond that it would be a walk through whatever lies there.
  if (scan === undefined || (frame.level > 0 && !scan.isCode(frame.lookupPc))) return undefined;
  const { stackPointer, word } = scan;
  const size = BigInt(word);
  const [first] = returnAddresses(scan);
  const atEntry = frame.level === 0 && (await modules.symbolAt(frame.pc))?.offset === 0n;
  if (atEntry && first?.stackPointer === stackPointer + size) return callerAt(frame, first, frame.guess);
  const saved = word === 8 ? nearestInterruptFrame(scan, first) : undefined;
  if (saved !== undefined) {
    return { ...callerAt(frame, saved, frame.guess), interrupted: true };
  }
  const chained = byFramePointer(scan, frame);
  // A return address nearer than the frame pointer's belongs to a function that has not made a frame of its own.
  if (first !== undefined && (chained === undefined || first.stackPointer < chained.stackPointer))
    return callerAt(frame, first, true);
  if (chained === undefined) return undefined;
  const { pc, registers } = chained;
  return { pc, registers, interrupted: false, guess: frame.guess || first === undefined };
}

function nearestInterruptFrame(scan: StackScan, first: ReturnAddress | undefined): ReturnAddress | undefined {
  const { stackPointer } = scan;
  const end = stackPointer + STUB_WORDS * 8n;
  const until = first === undefined || first.stackPointer > end ? end : first.stackPointer - 8n;
  for (let at = stackPointer; at < until; at += 8n) {
    const frame = interruptFrameAt(at, scan);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

/** [rbp] is the caller's rbp and the word above it the return address: if the chain goes upwards into code behind a call. */
export function byFramePointer(
  scan: StackScan,
  { machine, registers }: Pick<PhysicalFrame, 'machine' | 'registers'>,
): (ReturnAddress & Pick<Caller, 'registers'>) | undefined {
  const table = dwarfRegisters(machine);
  const base = registers.get(table.framePointer);
  const size = BigInt(scan.word);
  if (base === undefined || base < scan.stackPointer) return undefined;
  const bytes = scan.readMemory(base, scan.word * 2);
  if (bytes === undefined) return undefined;
  const outer = fromLittleEndianBytes(bytes.subarray(0, scan.word));
  const pc = scan.codeBase + fromLittleEndianBytes(bytes.subarray(scan.word));
  if ((outer !== 0n && outer <= base) || !scan.isCode(pc) || !followsCall(pc, scan.word, scan.readMemory))
    return undefined;
  const stackPointer = base + size * 2n;
  const caller = new Map([
    [table.framePointer, outer],
    [table.stackPointer, stackPointer],
    [table.pc, pc],
  ]);
  return { pc, stackPointer, registers: caller };
}

/** Code without a description keeps the frame pointer, as far as anyone can tell; the other registers are not known. */
function callerAt({ machine, registers }: PhysicalFrame, { pc, stackPointer }: ReturnAddress, guess: boolean): Caller {
  const table = dwarfRegisters(machine);
  const framePointer = registers.get(table.framePointer);
  const known = new Map([
    [table.stackPointer, stackPointer],
    [table.pc, pc],
  ]);
  if (framePointer !== undefined) known.set(table.framePointer, framePointer);
  return { pc, registers: known, interrupted: false, guess };
}

/** All callers that a kernel's stack suggests, in the manner of the kernel's own dumps. */
export async function kernelDump(
  target: Target,
  modules: ModuleSet,
  frame: PhysicalFrame,
  limit: number,
): Promise<readonly PhysicalFrame[]> {
  const scan = scanOf(target, modules, frame);
  if (scan === undefined) return [];
  const { vcpu, level, pc, machine } = frame;
  // At a function's first instruction the return address is where the call has just put it.
  const atEntry = level === 0 && (await modules.symbolAt(pc))?.offset === 0n;
  const found: PhysicalFrame[] = [];
  for (const one of returnAddresses(scan)) {
    if (found.length >= Math.min(limit, GUESS_LIMIT)) break;
    if (one.pc >> 63n !== 1n) continue;
    found.push({
      vcpu,
      level: level + 1 + found.length,
      pc: one.pc,
      lookupPc: one.pc - 1n,
      machine,
      registers: callerAt({ ...frame, registers: new Map() }, one, true).registers,
      module: modules.at(one.pc),
      row: null,
      cfa: undefined,
      guess: !(atEntry && found.length === 0 && one.stackPointer === scan.stackPointer + 8n),
    });
  }
  return found;
}
