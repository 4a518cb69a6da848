// Messages between interrupt controllers and vCPUs: the local APICs' side of the system bus (SDM 3A 11.6, 11.11).

/** What a local APIC does to its vCPU. */
export interface VcpuSignals {
  /** Level of the maskable interrupt input. */
  setInterruptLine(vcpu: number, asserted: boolean): void;
  nonMaskable(vcpu: number): void;
  systemManagement(vcpu: number): void;
  init(vcpu: number): void;
  /** A start-up IPI; ignored unless the vCPU waits for one or is about to. */
  startup(vcpu: number, vector: number): void;
  /** IA32_TSC_ADJUST and writes of the TSC: TSC = virtual clock + this, modulo 2^64. */
  tscOffset(vcpu: number): bigint;
}

/** Delivery modes of ICR, LVT, redirection entries and message addresses (SDM 3A 11.5.1, 11.6.1). */
export const DELIVERY = {
  fixed: 0,
  lowestPriority: 1,
  systemManagement: 2,
  nonMaskable: 4,
  init: 5,
  startup: 6,
  external: 7,
} as const;

export interface ApicMessage {
  readonly delivery: number;
  readonly vector: number;
  readonly level: boolean;
  readonly logical: boolean;
  readonly destination: number;
}

/** A receiver of messages: a local APIC. */
export interface ApicTarget {
  readonly vcpu: number;
  /** Whether a destination names this APIC; `wide`: the sender is in x2APIC mode, with 32-bit destinations. */
  matches(destination: number, logical: boolean, wide: boolean): boolean;
  receive(message: Pick<ApicMessage, 'delivery' | 'vector' | 'level'>): void;
  /** For lowest-priority delivery: smaller is more willing. */
  readonly arbitration: number;
  /** Whether it takes fixed interrupts at all. */
  readonly accepting: boolean;
}

/** Hears of the end of a level-triggered interrupt: an I/O APIC. */
export type EndOfInterruptListener = (vector: number) => void;

export class ApicBus {
  private readonly targets: ApicTarget[] = [];
  private readonly listeners: EndOfInterruptListener[] = [];

  attach(target: ApicTarget): void {
    this.targets.push(target);
  }
  onEndOfInterrupt(listener: EndOfInterruptListener): void {
    this.listeners.push(listener);
  }

  /** Delivers to all that the destination names; lowest priority to one of them, ties to the lowest vCPU. */
  send(message: ApicMessage, wide = false): void {
    const named = this.targets.filter((target) => target.matches(message.destination, message.logical, wide));
    this.deliver(message, named);
  }
  /** Delivers to an explicit set: the shorthands of the ICR. */
  deliver(message: ApicMessage, named: readonly ApicTarget[]): void {
    if (message.delivery !== DELIVERY.lowestPriority) {
      for (const target of named) target.receive(message);
      return;
    }
    let best: ApicTarget | undefined;
    for (const target of named) {
      if (target.accepting && (best === undefined || target.arbitration < best.arbitration)) best = target;
    }
    best?.receive({ ...message, delivery: DELIVERY.fixed });
  }
  all(): readonly ApicTarget[] {
    return this.targets;
  }
  endOfInterrupt(vector: number): void {
    for (const listener of this.listeners) listener(vector);
  }
}
