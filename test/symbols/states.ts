/** Makes up machine states all over a program: registers and stacks from which gdb and we must see the same. */

import { dwarfRegisters, unwindFrame, type FrameRegisters, type SymbolFile } from '../../src/symbols/index.ts';
import type { CoreMemory, CoreThread } from './core-file.ts';
import { random64, randomOf } from '../harness/random.ts';

const stackArea = 0x7000_0000n;
const stackSize = 0x1000;

export interface MadeState {
  readonly thread: CoreThread;
  readonly registers: FrameRegisters;
}

export interface MadeStates {
  readonly states: readonly MadeState[];
  readonly memory: readonly CoreMemory[];
  readMemory(address: bigint, length: number): Uint8Array | undefined;
}

/**
 * One state for each pc. Registers hold made-up numbers, some of them pointers into the stack; stacks hold made-up
 * numbers, with return addresses of real calls (of the very function, where there are such) where CFI looks for them.
 */
export async function makeStates(file: SymbolFile, pcs: readonly bigint[], seed: number): Promise<MadeStates> {
  const random = randomOf(seed, 'states');
  const next = (): bigint => random64(random);
  const machine = dwarfRegisters(file.elf.machine);
  const stacks = new Uint8Array(stackSize * (pcs.length + 1));
  const view = new DataView(stacks.buffer);
  const word = machine.wordSize;
  const bits = word * 8;
  const writeWord = (offset: number, value: bigint): void => {
    if (word === 8) view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    else view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
  };
  for (let offset = 0; offset < stacks.length; offset += word) {
    const small = next() & 0xffn;
    const stack = stackArea + (next() % BigInt(stacks.length));
    writeWord(offset, [small, stack & ~7n, next(), next() >> 32n][Number(next() & 3n)] ?? 0n);
  }
  const writable = file.elf.segments
    .filter(({ isLoad, flags }) => isLoad && (flags & 2) !== 0)
    .map(({ virtualAddress, memorySize }): CoreMemory => {
      const bytes = new Uint8Array(Number(memorySize));
      for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 7 + (index >> 8)) & 0xff;
      return { address: virtualAddress, bytes };
    });
  const memory = [{ address: stackArea, bytes: stacks }, ...writable];

  const images = new Map<bigint, Uint8Array>();
  for (const { isLoad, virtualAddress, memorySize, flags } of file.elf.segments) {
    if (!isLoad || (flags & 2) !== 0) continue;
    const bytes = await file.readImage(virtualAddress, Number(memorySize));
    if (bytes !== null) images.set(virtualAddress, bytes);
  }
  const areas = [...memory, ...[...images].map(([address, bytes]) => ({ address, bytes }))];
  const readMemory = (address: bigint, length: number): Uint8Array | undefined => {
    const area = areas.find(
      (candidate) =>
        address >= candidate.address && address + BigInt(length) <= candidate.address + BigInt(candidate.bytes.length),
    );
    if (area === undefined) return undefined;
    const start = Number(address - area.address);
    return area.bytes.slice(start, start + length);
  };

  const calls = await findCalls(file);
  const states: MadeState[] = [];
  for (const [index, pc] of pcs.entries()) {
    const stackPointer = stackArea + BigInt(index * stackSize + 0x100) + (next() & 0x70n) + 8n;
    const registers = new Map<number, bigint>();
    for (let number = 0; number < machine.pc; number++) {
      const kind = next() & 3n;
      const value = kind === 0n ? next() & 0xffn : kind === 1n ? stackPointer + (next() & 0xf8n) : next();
      registers.set(number, BigInt.asUintN(bits, value));
    }
    registers.set(machine.stackPointer, stackPointer);
    registers.set(machine.framePointer, stackPointer + 0x80n + (next() & 0x70n));
    registers.set(machine.pc, pc);
    await plantReturnAddresses(file, calls, registers, readMemory, next, (address, value) => {
      if (address >= stackArea && address < stackArea + BigInt(stacks.length - 8)) {
        writeWord(Number(address - stackArea), value);
      }
    });
    const named = Object.fromEntries([...registers].map(([number, value]) => [machine.name(number) ?? '', value]));
    states.push({ thread: { id: index + 1, registers: named }, registers });
  }
  return { states, memory, readMemory };
}

interface Call {
  readonly returnAddress: bigint;
  readonly target: bigint | null;
}

/** Every described call of the program, and, for programs without descriptions, every direct call instruction. */
async function findCalls(file: SymbolFile): Promise<readonly Call[]> {
  const found: Call[] = [];
  const functions = await file.functions();
  const entries = new Set(functions.map(({ entry }) => entry));
  for (const { start, end } of functions.flatMap(({ ranges }) => ranges)) {
    const code = (await file.readImage(start, Number(end - start))) ?? new Uint8Array();
    const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
    for (let length = 2; length <= code.length; length++) {
      const returnAddress = start + BigInt(length);
      const site = await file.callSiteAt(returnAddress);
      if (site !== null) found.push({ returnAddress, target: site.target });
      else if (length >= 5 && code[length - 5] === 0xe8) {
        const target = returnAddress + BigInt(view.getInt32(length - 4, true));
        if (entries.has(target)) found.push({ returnAddress, target });
      }
    }
  }
  return found;
}

/** Follows the stack and puts a plausible return address into each frame. */
async function plantReturnAddresses(
  file: SymbolFile,
  calls: readonly Call[],
  initial: FrameRegisters,
  readMemory: (address: bigint, length: number) => Uint8Array | undefined,
  next: () => bigint,
  write: (address: bigint, value: bigint) => void,
): Promise<void> {
  if (calls.length === 0) return;
  let registers = initial;
  let place = registers.get(dwarfRegisters(file.elf.machine).pc) ?? 0n;
  for (let depth = 0; depth < 6; depth++) {
    const row = await file.unwindRowAt(place);
    const entry = (await file.functionAt(place))?.function.entry;
    if (row === null) return;
    const before = unwindFrame(row, registers, readMemory);
    if (before.kind !== 'frame') return;
    const callers = calls.filter(({ target }) => target === entry);
    const pool = callers.length > 0 && next() % 8n !== 0n ? callers : calls;
    const chosen = pool[Number(next() % BigInt(pool.length))];
    if (chosen === undefined) return;
    const rule = row.registers.find(({ register }) => register === row.returnAddressRegister)?.rule;
    if (rule?.kind === 'offset') write(before.cfa + rule.offset, chosen.returnAddress);
    const after = unwindFrame(row, registers, readMemory);
    if (after.kind !== 'frame') return;
    registers = after.registers;
    place = after.interrupted ? after.pc : after.pc - 1n;
  }
}
