// One instruction in ring 0, and how it ended.
import { CODE, type Machine, STACK } from './machine.ts';

/** SDM 3A table 6-1. */
export const UD = 6;
export const NM = 7;
export const GP = 13;

const hexBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Executes the instruction at `rip`, where it is put. Answers the vector of its fault, undefined: it retired. */
export function execute(machine: Machine, code: string, rip = CODE): number | undefined {
  machine.write(rip, hexBytes(code));
  machine.rip = BigInt(rip);
  machine.setRegister(4, BigInt(STACK));
  machine.run(1);
  const vector = Number(machine.rip - machine.handler(0)) / 16;
  return Number.isInteger(vector) && vector >= 0 && vector < 32 ? vector : undefined;
}

export interface Leaf {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}
/** What the guest's CPUID answers. */
export function cpuid(machine: Machine, leaf: number, sub = 0): Leaf {
  machine.setRegister(0, BigInt(leaf));
  machine.setRegister(1, BigInt(sub));
  const vector = execute(machine, '0F A2');
  if (vector !== undefined) throw new Error(`CPUID ended in vector ${vector}`);
  const [eax = 0, ecx = 0, edx = 0, ebx = 0] = [0, 1, 2, 3].map((number) => Number(machine.register(number)));
  return { eax, ebx, ecx, edx };
}
export function setCr4(machine: Machine, bits: bigint): void {
  machine.engine.vcpu().cr4 |= bits;
  machine.engine.system.updateMode();
}
