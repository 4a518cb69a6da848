// Stand-ins for the machine around a device: a clock that a test turns by hand, memory, vCPU inputs that are only noted.
import type { VcpuSignals } from '../../src/machine/apic-bus.ts';
import type { GuestMemory } from '../../src/machine/device.ts';
import { VirtualClock } from '../../src/machine/virtual-clock.ts';

/** A virtual clock with nobody running; advance() fires what becomes due, in order. */
export class HandClock extends VirtualClock {
  constructor() {
    super(() => 0);
  }
  advance(ticks: bigint): void {
    const end = this.now + ticks;
    for (let firings = 0; ; firings++) {
      const { next } = this;
      if (next === undefined || next > end) break;
      if (firings > 2_000_000) throw new Error('a timer does not come to rest');
      this.skipTo(next);
      this.fireDue();
    }
    this.skipTo(end);
  }
}

export class NotedSignals implements VcpuSignals {
  readonly lines = new Map<number, boolean>();
  readonly events: string[] = [];
  offset = 0n;

  setInterruptLine(vcpu: number, asserted: boolean): void {
    this.lines.set(vcpu, asserted);
  }
  nonMaskable(vcpu: number): void {
    this.events.push(`nmi ${vcpu}`);
  }
  systemManagement(vcpu: number): void {
    this.events.push(`smi ${vcpu}`);
  }
  init(vcpu: number): void {
    this.events.push(`init ${vcpu}`);
  }
  startup(vcpu: number, vector: number): void {
    this.events.push(`startup ${vcpu} ${vector}`);
  }
  tscOffset(): bigint {
    return this.offset;
  }
}

export class ArrayMemory implements GuestMemory {
  readonly bytes: Uint8Array;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
  get size(): number {
    return this.bytes.length;
  }
  read(physical: number, size: number): Uint8Array | undefined {
    return physical >= 0 && physical + size <= this.size ? this.bytes.slice(physical, physical + size) : undefined;
  }
  write(physical: number, data: Uint8Array): boolean {
    if (physical < 0 || physical + data.length > this.size) return false;
    this.bytes.set(data, physical);
    return true;
  }
}
