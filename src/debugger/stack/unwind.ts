/** The activations on a vCPU's stack: by call-frame information, and where there is none by what the stack itself shows. */
import type { ElfMachine, FrameRegisters, UnwindRow, UnwoundFrame } from '../../symbols/index.ts';
import { dwarfRegisters, unwindFrame } from '../../symbols/index.ts';
import type { Module, ModuleSet } from '../modules.ts';
import { isLongCode, linearPc, linearStackPointer, readRegister, registerNamed } from '../registers.ts';
import type { Target } from '../target.ts';
import { readExactly } from '../target.ts';
import { kernelDump, undescribedCaller } from './callers.ts';
import { interruptFrameAt } from './interrupt-frame.ts';

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
  /** Found by a look at the words of the stack, or from a frame that was: it may be left over from a call that has returned. */
  readonly guess: boolean;
}

/** Where an unwinding goes on. */
export interface Caller {
  readonly pc: bigint;
  readonly registers: FrameRegisters;
  /** The pc is not a return address: its instruction has not run. */
  readonly interrupted: boolean;
  readonly guess: boolean;
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
  const isCode = (address: bigint): boolean => modules.at(address)?.hasCodeAt(address) === true;
  const frames: PhysicalFrame[] = [];
  const seen = new Set<string>();
  const long = isLongCode(target.slots, vcpu);
  const machine: ElfMachine = long ? 'x86-64' : 'i386';
  let next: Caller | undefined = {
    pc: linearPc(target.slots, vcpu),
    registers: startRegisters(target, vcpu, machine),
    interrupted: true,
    guess: false,
  };
  while (next !== undefined && frames.length < limit) {
    const { pc, registers, interrupted, guess }: Caller = next;
    const lookupPc: bigint = interrupted ? pc : pc - 1n;
    const module = modules.at(lookupPc);
    const found: UnwindRow | null = module === undefined ? null : await module.file.unwindRowAt(module.link(lookupPc));
    // Code of another mode than the tables describe (a 64-bit kernel's 32-bit start) has no usable row.
    const row: UnwindRow | null = found !== null && found.machine === machine ? found : null;
    const unwound: UnwoundFrame | undefined =
      row === null ? undefined : unwindFrame(row, registers, readMemory, module?.bias ?? 0n);
    const cfa = unwound === undefined || unwound.kind === 'failed' ? undefined : (unwound.cfa ?? undefined);
    const frame: PhysicalFrame = {
      vcpu,
      level: frames.length,
      pc,
      lookupPc,
      machine,
      registers,
      module,
      row,
      cfa,
      guess,
    };
    frames.push(frame);
    if (unwound === undefined) {
      if (long && isKernelHalf(lookupPc) && isCode(lookupPc)) {
        frames.push(...(await kernelDump(target, modules, frame, limit - frames.length)));
        break;
      }
      next = await undescribedCaller(target, modules, frame);
    } else next = unwound.kind === 'frame' ? described(unwound, guess) : undefined;
    const key = `${next?.pc} ${next?.registers.get(dwarfRegisters(machine).stackPointer)}`;
    if (seen.has(key)) break;
    seen.add(key);
  }
  return frames;

  function described(unwound: Extract<UnwoundFrame, { kind: 'frame' }>, guess: boolean): Caller {
    const { pc, registers, cfa } = unwound;
    const plain = { pc, registers, interrupted: unwound.interrupted, guess };
    if (unwound.interrupted || !long || cfa === null) return plain;
    // A handler that a compiler made (attribute interrupt) describes itself like any function, but what lies above its
    // return address is the rest of an interrupt's frame: that pc is no return address, and RSP is what was saved.
    const saved = interruptFrameAt(cfa - 8n, { readMemory, isCode });
    if (saved?.pc !== pc) return plain;
    const restored = new Map(registers).set(dwarfRegisters(machine).stackPointer, saved.stackPointer);
    return { pc, registers: restored, interrupted: true, guess };
  }
}

/** Stack and frame pointer are linear: in real mode and its like the stack segment has a base. */
function startRegisters(target: Target, vcpu: number, machine: ElfMachine): FrameRegisters {
  const registers = new Map(machineRegisters(target, vcpu, machine));
  if (machine === 'x86-64') return registers;
  const { stackPointer, framePointer } = dwarfRegisters(machine);
  const { ss, rbp } = target.slots.vcpu(vcpu);
  const isBig = (ss.attributes & 0x4000) !== 0;
  registers.set(stackPointer, linearStackPointer(target.slots, vcpu));
  registers.set(framePointer, BigInt.asUintN(32, ss.base + BigInt.asUintN(isBig ? 32 : 16, rbp)));
  return registers;
}

/** The kernel's linear addresses: above the hole of the canonical form. */
function isKernelHalf(address: bigint): boolean {
  return address >> 63n === 1n;
}
