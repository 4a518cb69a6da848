// The local APIC of one vCPU: xAPIC registers at a page of physical memory, x2APIC registers as MSRs (SDM 3A ch. 11).
import { ApicTimer } from './apic-timer.ts';
import { DELIVERY, type ApicBus, type ApicMessage, type ApicTarget, type VcpuSignals } from './apic-bus.ts';
import type { Device, Timers } from './device.ts';
import type { StateReader, StateWriter } from './state-stream.ts';
import { VectorSet } from './vector-set.ts';

// register numbers: xAPIC offset / 16 = x2APIC MSR - 800h (SDM 3A tables 11-1, 11-6)
const ID = 0x02;
const VERSION = 0x03;
const TPR = 0x08;
const APR = 0x09;
const PPR = 0x0a;
const EOI = 0x0b;
const LDR = 0x0d;
const DFR = 0x0e;
const SVR = 0x0f;
const ISR = 0x10;
const TMR = 0x18;
const IRR = 0x20;
const ESR = 0x28;
const ICR_LOW = 0x30;
const ICR_HIGH = 0x31;
const LVT_TIMER = 0x32; // then thermal, performance, LINT0, LINT1, error
const LVT_LINT0 = 0x35;
const LVT_ERROR = 0x37;
const TIMER_INITIAL = 0x38;
const TIMER_CURRENT = 0x39;
const TIMER_DIVIDE = 0x3e;
const SELF_IPI = 0x3f;

/** Version 14h, six LVT entries: what QEMU reports. */
const VERSION_VALUE = 0x0005_0014;
const MASKED = 0x1_0000;
const SOFTWARE_ENABLE = 0x100;
const ERROR_SEND_ILLEGAL = 1 << 5;
const ERROR_RECEIVE_ILLEGAL = 1 << 6;
const ERROR_ILLEGAL_REGISTER = 1 << 7;
/** Writable bits of the LVT entries from LVT_TIMER on. */
const LVT_BITS = [0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff];

// IA32_APIC_BASE (SDM 3A 11.4.4)
export const MSR_APIC_BASE = 0x1b;
export const MSR_TSC_DEADLINE = 0x6e0;
const BASE_BOOTSTRAP = 1n << 8n;
const BASE_X2APIC = 1n << 10n;
const BASE_ENABLE = 1n << 11n;
const BASE_ADDRESS = 0xf_ffff_f000n; // MAXPHYADDR 36 and up to 40 differ in nothing that RAM below 4 GiB shows
export const APIC_DEFAULT_BASE = 0xfee0_0000n;

export class LocalApic implements Device, ApicTarget {
  readonly name: string;
  readonly vcpu: number;
  private readonly bus: ApicBus;
  private readonly signals: VcpuSignals;
  private readonly timer: ApicTimer;
  private readonly requested = new VectorSet();
  private readonly inService = new VectorSet();
  private readonly levelTriggered = new VectorSet();
  private base = 0n;
  private taskPriority = 0;
  private logicalDestination = 0;
  private destinationFormat = 0xffff_ffff;
  private spurious = 0xff;
  private errors = 0;
  private errorStatus = 0;
  private command = 0n;
  private readonly lvt = new Uint32Array(6);
  /** The 8259's output, where this APIC's LINT0 is wired to it. */
  private externalLine = false;

  constructor(vcpu: number, bus: ApicBus, signals: VcpuSignals, timers: Timers) {
    this.name = `lapic${vcpu}`;
    this.vcpu = vcpu;
    this.bus = bus;
    this.signals = signals;
    this.timer = new ApicTimer(
      this.name,
      timers,
      () => signals.tscOffset(vcpu),
      () => this.local(LVT_TIMER),
    );
    bus.attach(this);
    this.reset();
  }

  /** Power-on. */
  reset(): void {
    this.base = APIC_DEFAULT_BASE | BASE_ENABLE | (this.vcpu === 0 ? BASE_BOOTSTRAP : 0n);
    this.externalLine = false;
    this.initialise();
  }
  /** INIT and power-on leave the same registers, but for the base MSR (SDM 3A 11.4.7.3). */
  private initialise(): void {
    for (const set of [this.requested, this.inService, this.levelTriggered]) set.clearAll();
    this.taskPriority = 0;
    this.logicalDestination = 0;
    this.destinationFormat = 0xffff_ffff;
    this.spurious = 0xff;
    this.errors = 0;
    this.errorStatus = 0;
    this.command = 0n;
    this.lvt.fill(MASKED);
    // No firmware runs here, so the boot processor gets the virtual wire that firmware sets up (as QEMU does).
    if (this.vcpu === 0) this.lvt[LVT_LINT0 - LVT_TIMER] = DELIVERY.external << 8;
    this.timer.reset();
    this.update();
  }

  // ---- interrupts ----------------------------------------------------------------------------------------------------
  private get enabled(): boolean {
    return (this.base & BASE_ENABLE) !== 0n;
  }
  private get wide(): boolean {
    return (this.base & BASE_X2APIC) !== 0n;
  }
  get accepting(): boolean {
    return this.enabled && (this.spurious & SOFTWARE_ENABLE) !== 0;
  }
  get arbitration(): number {
    return this.processorPriority;
  }
  private get processorPriority(): number {
    const serviced = Math.max(this.inService.highest, 0);
    return serviced >> 4 > this.taskPriority >> 4 ? serviced & 0xf0 : this.taskPriority;
  }
  /** The vector that would be delivered now, or -1. */
  private get deliverable(): number {
    if (!this.enabled) return -1;
    const vector = this.requested.highest;
    return vector >> 4 > this.processorPriority >> 4 ? vector : -1;
  }
  private get external(): boolean {
    if (!this.externalLine) return false;
    const entry = this.entry(LVT_LINT0);
    return !this.enabled || ((entry & MASKED) === 0 && ((entry >> 8) & 7) === DELIVERY.external);
  }
  private update(): void {
    this.signals.setInterruptLine(this.vcpu, this.external || this.deliverable >= 0);
  }
  /** The 8259's INTR output, wired to LINT0. */
  setExternalLine(asserted: boolean): void {
    this.externalLine = asserted;
    this.update();
  }
  /** INTA cycle. `external` asks the 8259 for its vector. */
  acknowledge(external: () => number): number {
    const vector = this.deliverable;
    if (vector < 0) return this.external ? external() : this.spurious & 0xff;
    this.requested.clear(vector);
    this.inService.set(vector);
    this.update();
    return vector;
  }
  private request(vector: number, level: boolean): void {
    if (vector < 16) {
      this.raiseError(ERROR_RECEIVE_ILLEGAL);
      return;
    }
    this.requested.set(vector);
    if (level) this.levelTriggered.set(vector);
    else this.levelTriggered.clear(vector);
    this.update();
  }
  private endOfInterrupt(): void {
    const vector = this.inService.highest;
    if (vector < 0) return;
    this.inService.clear(vector);
    if (this.levelTriggered.has(vector)) this.bus.endOfInterrupt(vector);
    this.update();
  }
  receive({ delivery, vector, level }: Pick<ApicMessage, 'delivery' | 'vector' | 'level'>): void {
    if (!this.enabled) return;
    switch (delivery) {
      case DELIVERY.fixed:
      case DELIVERY.lowestPriority:
        if (this.accepting) this.request(vector, level);
        return;
      case DELIVERY.systemManagement:
        this.signals.systemManagement(this.vcpu);
        return;
      case DELIVERY.nonMaskable:
        this.signals.nonMaskable(this.vcpu);
        return;
      case DELIVERY.init:
        this.initialise();
        this.signals.init(this.vcpu);
        return;
      case DELIVERY.startup:
        this.signals.startup(this.vcpu, vector);
        return;
      default: // external interrupts come by the wire; reserved modes do nothing
    }
  }
  private entry(register: number): number {
    return this.lvt[register - LVT_TIMER] ?? MASKED;
  }
  /** An event of a local source. */
  private local(register: number): void {
    const entry = this.entry(register);
    if ((entry & MASKED) !== 0) return;
    const delivery = register === LVT_TIMER || register === LVT_ERROR ? DELIVERY.fixed : (entry >> 8) & 7;
    this.receive({ delivery, vector: entry & 0xff, level: false });
  }
  private raiseError(bit: number): void {
    const news = (this.errors & bit) === 0;
    this.errors |= bit;
    // An illegal vector in the error entry itself must not go round in circles.
    if (news && (this.entry(LVT_ERROR) & 0xff) >= 16) this.local(LVT_ERROR);
  }

  // ---- messages ------------------------------------------------------------------------------------------------------
  matches(destination: number, logical: boolean, wide: boolean): boolean {
    if (destination === (wide ? 0xffff_ffff : 0xff)) return true;
    if (!logical) return destination === this.vcpu;
    if (this.wide) {
      const [cluster, members] = wide ? [destination >>> 16, destination & 0xffff] : [0, destination & 0xff];
      return cluster === this.vcpu >> 4 && ((members >> (this.vcpu & 15)) & 1) !== 0;
    }
    const own = this.logicalDestination >>> 24;
    if (this.destinationFormat >>> 28 === 0xf) return (own & destination & 0xff) !== 0;
    return ((own ^ destination) & 0xf0) === 0 && (own & destination & 0x0f) !== 0;
  }
  private sendCommand(): void {
    const low = Number(this.command & 0xffff_ffffn);
    const delivery = (low >> 8) & 7;
    const asserted = (low & (1 << 14)) !== 0;
    const level = (low & (1 << 15)) !== 0;
    if (delivery === DELIVERY.init && level && !asserted) return; // INIT level de-assert only synchronised P5 APICs
    const vector = low & 0xff;
    if (vector < 16 && (delivery === DELIVERY.fixed || delivery === DELIVERY.lowestPriority)) {
      this.raiseError(ERROR_SEND_ILLEGAL);
      return;
    }
    const destination = Number(this.wide ? this.command >> 32n : this.command >> 56n);
    // An IPI is edge triggered whatever the bit says, but for INIT.
    const message = { delivery, vector, level: false, logical: (low & (1 << 11)) !== 0, destination };
    const shorthand = (low >> 18) & 3;
    if (shorthand === 0) {
      this.bus.send(message, this.wide);
      return;
    }
    const all = this.bus.all();
    this.bus.deliver(
      message,
      all.filter((target) => shorthand === 2 || (target === this) === (shorthand === 1)),
    );
  }

  // ---- registers -----------------------------------------------------------------------------------------------------
  private read(register: number): number {
    if (register >= ISR && register < TMR) return this.inService.word(register - ISR);
    if (register >= TMR && register < IRR) return this.levelTriggered.word(register - TMR);
    if (register >= IRR && register < ESR) return this.requested.word(register - IRR);
    if (register >= LVT_TIMER && register <= LVT_ERROR) return this.entry(register);
    switch (register) {
      case ID:
        return this.wide ? this.vcpu : (this.vcpu << 24) >>> 0;
      case VERSION:
        return VERSION_VALUE;
      case TPR:
        return this.taskPriority;
      case APR:
      case PPR:
        return this.processorPriority;
      case LDR:
        return this.wide ? ((this.vcpu >> 4) << 16) | (1 << (this.vcpu & 15)) : this.logicalDestination;
      case DFR:
        return this.destinationFormat;
      case SVR:
        return this.spurious;
      case ESR:
        return this.errorStatus;
      case ICR_LOW:
        return Number(this.command & 0xffff_ffffn);
      case ICR_HIGH:
        return Number(this.command >> 32n);
      case TIMER_INITIAL:
        return this.timer.initialCount;
      case TIMER_CURRENT:
        return this.timer.current;
      case TIMER_DIVIDE:
        return this.timer.divideConfiguration;
      case EOI:
        return 0;
      default:
        this.raiseError(ERROR_ILLEGAL_REGISTER);
        return 0;
    }
  }
  private write(register: number, value: number): void {
    if (register >= LVT_TIMER && register <= LVT_ERROR) {
      this.writeLvt(register, value);
      return;
    }
    switch (register) {
      case TPR:
        this.taskPriority = value & 0xff;
        break;
      case EOI:
        this.endOfInterrupt();
        break;
      case LDR:
        this.logicalDestination = (value & 0xff00_0000) >>> 0;
        break;
      case DFR:
        this.destinationFormat = (value | 0x0fff_ffff) >>> 0;
        break;
      case SVR:
        this.spurious = value & 0x3ff;
        // While the APIC is off by software, the LVT entries are masked (SDM 3A 11.4.7.2).
        if ((value & SOFTWARE_ENABLE) === 0) for (let i = 0; i < 6; i++) this.lvt[i] = (this.lvt[i] ?? 0) | MASKED;
        break;
      case ESR:
        this.errorStatus = this.errors; // a write latches what was collected since the last
        this.errors = 0;
        break;
      case ICR_LOW:
        this.command = (this.command & ~0xffff_ffffn) | BigInt((value & 0x000c_cfff) >>> 0);
        this.sendCommand();
        break;
      case ICR_HIGH:
        this.command = (this.command & 0xffff_ffffn) | (BigInt((value & 0xff00_0000) >>> 0) << 32n);
        break;
      case TIMER_INITIAL:
        this.timer.initialCount = value;
        break;
      case TIMER_DIVIDE:
        this.timer.divideConfiguration = value;
        break;
      default:
        this.raiseError(ERROR_ILLEGAL_REGISTER);
    }
    this.update();
  }
  private writeLvt(register: number, value: number): void {
    const index = register - LVT_TIMER;
    let entry = value & (LVT_BITS[index] ?? 0);
    if ((this.spurious & SOFTWARE_ENABLE) === 0) entry |= MASKED;
    this.lvt[index] = entry;
    if (register === LVT_TIMER) this.timer.setMode((value >> 17) & 3);
    this.update();
  }

  // ---- xAPIC page ----------------------------------------------------------------------------------------------------
  /** Where the page is now, or undefined while the APIC is off or in x2APIC mode. */
  get window(): bigint | undefined {
    return this.enabled && !this.wide ? this.base & BASE_ADDRESS : undefined;
  }
  /** Registers are 32 bits at 16-byte strides; a read of another shape sees the bytes it covers, zero in the gaps. */
  readMemory(offset: number, size: number): bigint {
    if (size === 8) return this.readMemory(offset, 4) | (this.readMemory(offset + 4, 4) << 32n);
    if ((offset & 0xf) >= 4) return 0n;
    const value = this.read((offset >> 4) & 0xff) >>> ((offset & 3) * 8);
    return BigInt(size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0);
  }
  /** Only aligned 32-bit writes count (SDM 3A 11.4.1); of a 64-bit write, the low half. */
  writeMemory(offset: number, size: number, value: bigint): void {
    if ((offset & 0xf) !== 0 || size < 4) return;
    const register = (offset >> 4) & 0xff;
    // read-only registers ignore writes; the ID of this APIC is its number and stays so
    if (register === ID || register === VERSION || register === PPR || register === APR) return;
    if (register === TIMER_CURRENT || (register >= ISR && register < ESR) || register === SELF_IPI) return;
    this.write(register, Number(value & 0xffff_ffffn));
  }

  // ---- MSRs ----------------------------------------------------------------------------------------------------------
  /** Whether an MSR of the APIC exists now; x2APIC registers only in x2APIC mode (SDM 3A table 11-6). */
  msrKnown(index: number, write: boolean): boolean {
    if (index === MSR_APIC_BASE || index === MSR_TSC_DEADLINE) return true;
    if (!this.wide || index < 0x800 || index > 0x83f) return false;
    const register = index - 0x800;
    if (register === EOI || register === SELF_IPI) return write;
    if (register >= LVT_TIMER && register <= LVT_ERROR) return true;
    if ([TPR, SVR, ESR, ICR_LOW, TIMER_INITIAL, TIMER_DIVIDE].includes(register)) return true;
    return !write && ([ID, VERSION, PPR, LDR, TIMER_CURRENT].includes(register) || (register >= ISR && register < ESR));
  }
  msrRead(index: number): bigint {
    if (index === MSR_APIC_BASE) return this.base;
    if (index === MSR_TSC_DEADLINE) return this.timer.deadline;
    return index === 0x800 + ICR_LOW ? this.command : BigInt(this.read(index - 0x800) >>> 0);
  }
  /** False: #GP(0). */
  msrWrite(index: number, value: bigint): boolean {
    if (index === MSR_APIC_BASE) return this.writeBase(value);
    if (index === MSR_TSC_DEADLINE) {
      this.timer.deadline = value;
      return true;
    }
    const register = index - 0x800;
    if (register === ICR_LOW) {
      if ((value & 0xfff3_3000n) !== 0n) return false;
      this.command = value;
      this.sendCommand();
      return true;
    }
    if (value >> 32n !== 0n) return false;
    const low = Number(value);
    if ((register === EOI || register === ESR) && low !== 0) return false;
    if (register === TPR && low > 0xff) return false;
    if (register === SELF_IPI) {
      if (low > 0xff) return false;
      if (low < 16) this.raiseError(ERROR_SEND_ILLEGAL);
      else this.receive({ delivery: DELIVERY.fixed, vector: low, level: false });
      return true;
    }
    this.write(register, low);
    return true;
  }
  private writeBase(value: bigint): boolean {
    if ((value & ~(BASE_ADDRESS | BASE_BOOTSTRAP | BASE_X2APIC | BASE_ENABLE)) !== 0n) return false;
    const wasWide = this.wide;
    const wasEnabled = this.enabled;
    const wide = (value & BASE_X2APIC) !== 0n;
    const enabled = (value & BASE_ENABLE) !== 0n;
    // the transitions of SDM 3A figure 11-27 that #GP
    if (wide && (!enabled || !wasEnabled)) return false;
    if (wasWide && enabled && !wide) return false;
    this.base = value;
    if (wasEnabled && !enabled) this.initialise();
    if (wide && !wasWide) this.command = 0n;
    this.update();
    return true;
  }
  /** CR8: bits 7:4 of the task priority (SDM 3A 11.8.6.1). */
  get cr8(): number {
    return this.taskPriority >> 4;
  }
  set cr8(value: number) {
    this.taskPriority = (value & 0xf) << 4;
    this.update();
  }

  save(writer: StateWriter): void {
    writer.u64(this.base);
    writer.u32(this.taskPriority);
    writer.u32(this.logicalDestination);
    writer.u32(this.destinationFormat);
    writer.u32(this.spurious);
    writer.u32(this.errors);
    writer.u32(this.errorStatus);
    writer.u64(this.command);
    writer.bool(this.externalLine);
    for (const entry of this.lvt) writer.u32(entry);
    for (const set of [this.requested, this.inService, this.levelTriggered]) set.save(writer);
    this.timer.save(writer);
  }
  restore(reader: StateReader): void {
    this.base = reader.u64();
    this.taskPriority = reader.u32();
    this.logicalDestination = reader.u32();
    this.destinationFormat = reader.u32();
    this.spurious = reader.u32();
    this.errors = reader.u32();
    this.errorStatus = reader.u32();
    this.command = reader.u64();
    this.externalLine = reader.bool();
    for (let i = 0; i < 6; i++) this.lvt[i] = reader.u32();
    for (const set of [this.requested, this.inService, this.levelTriggered]) set.restore(reader);
    this.timer.restore(reader);
  }
}
