// The sample guest on the real machine, with its symbols: plain runs and runs under the guest-debug layer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SliceResult } from '../../src/guestdebug/api.ts';
import type { GuestDebugOptions } from '../../src/guestdebug/guest-debug.ts';
import { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { modules } from './bench.ts';

const guest = join(import.meta.dirname, '../../guests/smp');
const elf = readFileSync(join(guest, 'smp.elf'));
export const expectedOutput = readFileSync(join(guest, 'expected-output.txt'), 'latin1');
/** ((0x2a << 1) | 1) & 0xff */
export const SUCCESS = 85;
/** What the guest says of itself: 7 #BP and 175 #DB on each of four processors. */
export const OWN_TRAPS = 4 * (7 + 175);

/** Symbols of the guest: .symtab and .strtab of a little-endian ELF64 (ELF gABI, "Symbol Table"). */
function readSymbols(file: Uint8Array): ReadonlyMap<string, bigint> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const sections = Number(view.getBigUint64(0x28, true));
  const found = new Map<string, bigint>();
  const section = (index: number) => {
    const at = sections + index * 64;
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
    };
  };
  const SYMTAB = 2;
  for (let index = 0; index < view.getUint16(0x3c, true); index++) {
    const table = section(index);
    if (table.type !== SYMTAB) continue;
    const strings = section(table.link).offset;
    for (let at = table.offset; at < table.offset + table.size; at += 24) {
      const start = strings + view.getUint32(at, true);
      const name = Buffer.from(file.subarray(start, file.indexOf(0, start))).toString('latin1');
      found.set(name, view.getBigUint64(at + 8, true));
    }
  }
  return found;
}
const symbols = readSymbols(elf);
export function symbol(name: string): bigint {
  const address = symbols.get(name);
  if (address === undefined) throw new Error(`the sample guest has no symbol ${name}`);
  return address;
}

export interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly digest: string;
  readonly instructions: bigint;
}
export interface SampleRun {
  readonly machine: Machine;
  readonly layer: GuestDebug;
  /** What the guest printed, its status and the digest, once it has ended. */
  outcome(result: Extract<SliceResult, { kind: 'ended' }>): Outcome;
}
function boot(): { machine: Machine; output: () => string } {
  const machine = new Machine(modules, { cpus: 4, memorySize: 32 << 20 });
  loadMultiboot(machine.engine, { kernel: { name: 'smp.elf', bytes: elf, commandLine: 'smp.elf' } });
  const parts: string[] = [];
  machine.onSerial = (bytes) => void parts.push(Buffer.from(bytes).toString('latin1'));
  return { machine, output: () => parts.join('') };
}
/** A run under the guest-debug layer, not started yet. */
export function debugged(options: GuestDebugOptions = {}): SampleRun {
  const { machine, output } = boot();
  const layer = new GuestDebug(machine, options);
  return {
    machine,
    layer,
    outcome: (result) => ({
      status: result.status,
      output: output(),
      digest: machine.digest(),
      instructions: machine.instructions,
    }),
  };
}
let plainOutcome: Outcome | undefined;
/** The same machine without any debugger; run once per test process. */
export function plain(): Outcome {
  if (plainOutcome !== undefined) return plainOutcome;
  const { machine, output } = boot();
  const stop = machine.run(200_000_000);
  if (stop.kind !== 'exit') throw new Error(`the sample guest ended by ${stop.kind}`);
  plainOutcome = {
    status: stop.status,
    output: output(),
    digest: machine.digest(),
    instructions: machine.instructions,
  };
  return plainOutcome;
}
