/**
 * DWARF register numbers: System V ABI, AMD64 supplement (figure 3.36) and Intel386 supplement (table 2.14).
 */

import type { ElfMachine } from '../api.ts';

export interface DwarfRegisters {
  readonly stackPointer: number;
  readonly framePointer: number;
  /** The return-address column, which stands for the pc. */
  readonly pc: number;
  /** Registers that a callee must keep, which therefore have "same value" when a row gives no rule. */
  readonly calleeSaved: ReadonlySet<number>;
  /** Size of a general register in bytes. */
  readonly wordSize: 4 | 8;
  /** Lower-case name as in gdb, or undefined when the number stands for none that is known here. */
  name(number: number): string | undefined;
  /** Number of a register by its lower-case name, or undefined. */
  number(name: string): number | undefined;
}

const amd64Names = new Map<number, string>([
  ...['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp'].map((name, index): [number, string] => [index, name]),
  ...Array.from({ length: 8 }, (_, index): [number, string] => [8 + index, `r${8 + index}`]),
  [16, 'rip'],
  ...Array.from({ length: 16 }, (_, index): [number, string] => [17 + index, `xmm${index}`]),
  ...Array.from({ length: 8 }, (_, index): [number, string] => [33 + index, `st${index}`]),
  ...Array.from({ length: 8 }, (_, index): [number, string] => [41 + index, `mm${index}`]),
  ...['rflags', 'es', 'cs', 'ss', 'ds', 'fs', 'gs'].map((name, index): [number, string] => [49 + index, name]),
  [58, 'fs_base'],
  [59, 'gs_base'],
  [62, 'tr'],
  [63, 'ldtr'],
  [64, 'mxcsr'],
]);

const i386Names = new Map<number, string>([
  ...['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags'].map((name, index): [number, string] => [
    index,
    name,
  ]),
  ...Array.from({ length: 8 }, (_, index): [number, string] => [11 + index, `st${index}`]),
  ...Array.from({ length: 8 }, (_, index): [number, string] => [21 + index, `xmm${index}`]),
  ...Array.from({ length: 8 }, (_, index): [number, string] => [29 + index, `mm${index}`]),
  [39, 'mxcsr'],
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'].map((name, index): [number, string] => [40 + index, name]),
]);

function make(
  names: ReadonlyMap<number, string>,
  rest: Pick<DwarfRegisters, 'stackPointer' | 'framePointer' | 'pc' | 'calleeSaved' | 'wordSize'>,
): DwarfRegisters {
  const numbers = new Map([...names].map(([number, name]) => [name, number]));
  return { ...rest, name: (number) => names.get(number), number: (name) => numbers.get(name) };
}

const amd64 = make(amd64Names, {
  stackPointer: 7,
  framePointer: 6,
  pc: 16,
  // AMD64 ABI, 3.2.1: rbx, rbp, r12-r15 belong to the caller.
  calleeSaved: new Set([3, 6, 12, 13, 14, 15]),
  wordSize: 8,
});

const i386 = make(i386Names, {
  stackPointer: 4,
  framePointer: 5,
  pc: 8,
  // Intel386 ABI, 2.2.1: ebx, ebp, esi, edi belong to the caller.
  calleeSaved: new Set([3, 5, 6, 7]),
  wordSize: 4,
});

/** The register numbering of a machine. */
export function dwarfRegisters(machine: ElfMachine): DwarfRegisters {
  return machine === 'i386' ? i386 : amd64;
}
