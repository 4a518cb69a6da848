/** A guest that never stops talking, and a look at what the process that hosts it takes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pvhImage } from '../machine/boot-files.ts';

/** Puts `rep outsb` to the first serial port, 64 KiB at a time, for ever. */
const FLOOD = [
  ...[0xba, 0xf8, 0x03, 0x00, 0x00], // mov edx, 3F8h
  ...[0xbe, 0x00, 0x00, 0x00, 0x01], // mov esi, 1000000h
  ...[0xb9, 0x00, 0x00, 0x01, 0x00], // mov ecx, 10000h
  0xfc, // cld
  ...[0xf3, 0x6e], // rep outsb
  ...[0xeb, 0xf1], // jmp to the second instruction
];
/** Where pvhImage's entry point is in its file. */
const ENTRY_OFFSET = 0x240;

/** Writes the guest's kernel. */
export function writeFloodKernel(file: string): void {
  const image = pvhImage();
  image.fill('x'.charCodeAt(0), 0x200, ENTRY_OFFSET);
  image.set(FLOOD, ENTRY_OFFSET);
  writeFileSync(file, image);
}

/** Resident memory of a process, in MB. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
/** Processor time of a process so far, in seconds (proc(5): clock ticks of a hundredth). */
export function processorTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
export const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** Resolves when a process has nearly nothing to do for a second: its guest waits. */
export async function untilIdle(pid: number): Promise<void> {
  for (;;) {
    const before = processorTimeOf(pid);
    await seconds(1);
    if (processorTimeOf(pid) - before < 0.1) return;
  }
}
