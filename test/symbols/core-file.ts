/** Makes ELF core files out of nothing, so that gdb looks at any place of a program in any state without running it. */

import type { ElfMachine } from '../../src/symbols/index.ts';

export interface CoreThread {
  /** Shows in gdb as the LWP. */
  readonly id: number;
  /** General registers by name, rip and eflags included; absent ones are 0. */
  readonly registers: Readonly<Record<string, bigint>>;
}

export interface CoreMemory {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** How Linux lays out `struct elf_prstatus` and the registers in it, and the sizes of ELF's headers. */
interface Layout {
  readonly elfClass: 1 | 2;
  readonly machine: number;
  readonly word: 4 | 8;
  readonly headerSize: number;
  readonly segmentSize: number;
  readonly statusSize: number;
  readonly statusThread: number;
  readonly statusRegisters: number;
  /** Order of `struct user_regs_struct`. */
  readonly order: readonly string[];
}

const amd64: Layout = {
  elfClass: 2,
  machine: 62,
  word: 8,
  headerSize: 64,
  segmentSize: 56,
  statusSize: 336,
  statusThread: 32,
  statusRegisters: 112,
  order:
    'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs'.split(
      ' ',
    ),
};

const i386: Layout = {
  elfClass: 1,
  machine: 3,
  word: 4,
  headerSize: 52,
  segmentSize: 32,
  statusSize: 144,
  statusThread: 24,
  statusRegisters: 72,
  order: 'ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss'.split(' '),
};

export function makeCoreFile(
  machine: ElfMachine,
  threads: readonly CoreThread[],
  memory: readonly CoreMemory[],
): Uint8Array {
  const layout = machine === 'i386' ? i386 : amd64;
  const { word, headerSize, segmentSize, statusSize } = layout;
  const noteSize = threads.length * (20 + statusSize);
  const tableSize = headerSize + segmentSize * (memory.length + 1);
  const file = new Uint8Array(tableSize + noteSize + memory.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const view = new DataView(file.buffer);
  const put = (at: number, value: bigint): void => {
    if (word === 8) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, layout.elfClass, 1, 1]);
  view.setUint16(16, 4, true); // ET_CORE
  view.setUint16(18, layout.machine, true);
  view.setUint32(20, 1, true);
  put(24 + word, BigInt(headerSize)); // e_phoff
  const sizes = 24 + word * 3 + 4; // e_ehsize
  view.setUint16(sizes, headerSize, true);
  view.setUint16(sizes + 2, segmentSize, true);
  view.setUint16(sizes + 4, memory.length + 1, true);

  let header = headerSize;
  let offset = tableSize;
  const segment = (type: number, flags: number, address: bigint, size: number): void => {
    view.setUint32(header, type, true);
    view.setUint32(header + (word === 8 ? 4 : 24), flags, true);
    const fields = header + (word === 8 ? 8 : 4);
    put(fields, BigInt(offset));
    put(fields + word, address);
    put(fields + word * 3, BigInt(size));
    put(fields + word * 4, BigInt(type === 1 ? size : 0));
    header += segmentSize;
  };

  segment(4, 0, 0n, noteSize);
  for (const { id, registers } of threads) {
    view.setUint32(offset, 5, true);
    view.setUint32(offset + 4, statusSize, true);
    view.setUint32(offset + 8, 1, true); // NT_PRSTATUS
    file.set(new TextEncoder().encode('CORE\0'), offset + 12);
    const status = offset + 20;
    view.setUint32(status + layout.statusThread, id, true);
    for (const [index, name] of layout.order.entries()) {
      put(status + layout.statusRegisters + index * word, registers[name] ?? 0n);
    }
    offset += 20 + statusSize;
  }
  for (const { address, bytes } of memory) {
    segment(1, 6, address, bytes.length);
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}
