/** What the source-level debugger needs of the machine, synchronously: registers and linear memory of each vCPU. */
import type { MachineApi } from '../machine/api.ts';
import type { RegisterSlots } from './registers.ts';
import { engineSlots } from './registers.ts';

export interface Target {
  readonly vcpus: number;
  readonly slots: RegisterSlots;
  /** The readable prefix of [address, address + size). Has no effect on the guest. */
  readLinear(vcpu: number, address: bigint, size: number): Uint8Array;
  /** @returns how many bytes were written: up to the first page that is not mapped. */
  writeLinear(vcpu: number, address: bigint, bytes: Uint8Array): number;
}

export function machineTarget(machine: MachineApi): Target {
  return {
    vcpus: machine.options.cpus,
    slots: engineSlots(machine.engine),
    readLinear: (vcpu, address, size) => machine.readLinear(vcpu, BigInt.asUintN(64, address), size),
    writeLinear: (vcpu, address, bytes) => machine.writeLinear(vcpu, BigInt.asUintN(64, address), bytes),
  };
}

/** All of [address, address + size), or undefined when any of it cannot be read. */
export function readExactly(target: Target, vcpu: number, address: bigint, size: number): Uint8Array | undefined {
  // No object of a guest is larger than this; a damaged type may say otherwise.
  if (size < 0 || size > 1 << 24) return undefined;
  const bytes = target.readLinear(vcpu, address, size);
  return bytes.length === size ? bytes : undefined;
}
