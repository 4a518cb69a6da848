// Which event brought a vCPU to where it stands, when that is the first instruction of an event's handler (SAME-5, T-7B).
// Told from the engine's chain of deliveries and the guest's own IDT: no hook, no cost while nothing stops.
import { lastDeliveries } from '../core/vector-chain.ts';
import type { MachineApi } from '../machine/api.ts';
import type { Delivered } from './observer-state.ts';
import type { EngineState, VcpuState } from './vcpu-state.ts';

const NO_ERROR_CODE = -1;

export class LastDelivery {
  private readonly engine: EngineState;
  private readonly state: VcpuState;
  private readonly machine: Pick<MachineApi, 'readLinear'>;
  constructor(engine: EngineState, state: VcpuState, machine: Pick<MachineApi, 'readLinear'>) {
    this.engine = engine;
    this.state = state;
    this.machine = machine;
  }
  /** The last event delivered to a vCPU, if the vCPU stands at its handler's first instruction. */
  at(vcpu: number): Delivered | undefined {
    const [newest] = lastDeliveries(this.engine.vcpu(vcpu));
    if (newest === undefined) return undefined;
    const { vector, errorCode, rip: fromPc } = newest;
    if (this.handler(vcpu, vector) !== this.state.pc(vcpu)) return undefined;
    return errorCode === NO_ERROR_CODE ? { vector, fromPc } : { vector, errorCode: errorCode >>> 0, fromPc };
  }
  /** Address of the first instruction of a vector's handler: offset in a gate (SDM 3A 6.11, 6.14.1); real mode: the IVT's. */
  private handler(vcpu: number, vector: number): bigint | undefined {
    const mode = this.state.mode(vcpu);
    const long = mode === 'long' || mode === 'compatibility';
    const size = mode === 'real' ? 4 : long ? 16 : 8;
    const base = this.engine.vcpu(vcpu).idtr.base;
    const bytes = this.machine.readLinear(vcpu, base + BigInt(vector * size), size);
    if (bytes.length < size) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    if (mode === 'real') return BigInt(view.getUint16(0, true) + view.getUint16(2, true) * 16);
    const low = view.getUint16(0, true) + view.getUint16(6, true) * 0x10000;
    const high = long ? view.getUint32(8, true) : 0;
    return BigInt(low) + (BigInt(high) << 32n);
  }
}
