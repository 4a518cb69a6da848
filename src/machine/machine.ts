// The PC: engine, devices, clock and schedule put together. It holds no policy of its own but the wiring.
import { DEFAULT_RANDOM_SEED, Engine, type EngineHost, type EngineModules } from '../core/engine.ts';
import {
  ACTIVITY_WAIT_FOR_SIPI,
  ATTENTION_EVENT,
  ATTENTION_STOP,
  EVENT_INIT,
  EVENT_INTERRUPT,
  EVENT_NMI,
  EVENT_SIPI,
  EVENT_SMI,
} from '../core/state-values.ts';
import { lastDeliveries } from '../core/vector-chain.ts';
import { HOT_THRESHOLD, Jit, type JitStatistics } from '../jit/jit.ts';
import { AcpiPower } from './acpi-power.ts';
import { buildAcpiTables, type AcpiTables } from './acpi/tables.ts';
import type { MachineApi, MachineObserver, MachineOptions, MachineStop, Ticks, VectorAt } from './api.ts';
import { ApicBus, type VcpuSignals } from './apic-bus.ts';
import { BiosCalls } from './bios-calls.ts';
import { DebugConsole } from './debug-console.ts';
import type { Device, GuestMemory, PortDevice } from './device.ts';
import { FloatErrorLatch } from './float-error.ts';
import { FwCfg } from './fw-cfg.ts';
import { I8042 } from './i8042.ts';
import { InterruptWatch } from './interrupt-watch.ts';
import { IoApic } from './ioapic.ts';
import { IsaDebugExit } from './isa-debug-exit.ts';
import { LocalApic, MSR_APIC_BASE } from './lapic.ts';
import { restoreMemory, restoreVcpu, saveMemory, saveVcpu } from './machine-state.ts';
import { IOAPIC_BASE, MAXIMUM_RAM, MemoryMap } from './memory-map.ts';
import { Messages } from './messages.ts';
import { OutputBuffer } from './output-buffer.ts';
import { pciRootBridge } from './pci/acpi.ts';
import { PCI_INTERRUPTS } from './pci/layout.ts';
import { describePciDevices, MAXIMUM_DISKS, PciDevices } from './pci-devices.ts';
import { Pic } from './pic.ts';
import { Pit } from './pit.ts';
import { PortBus } from './port-bus.ts';
import { PostCode } from './post-code.ts';
import { ResetControl } from './reset-control.ts';
import { DEFAULT_RTC_SECONDS, Rtc } from './rtc.ts';
import { Scheduler, type RunCode, type RunResult } from './scheduler.ts';
import { BufferWriter, DigestWriter, SnapshotError, StateReader, type StateWriter } from './state-stream.ts';
import { Uart } from './uart.ts';
import { VirtualClock } from './virtual-clock.ts';

export const DEFAULT_QUANTUM: Ticks = 10_000;
const SNAPSHOT_FORMAT = 'trapline snapshot 3';
const PAGE = 4096;
const PAGE_MASK = BigInt(PAGE - 1);

const RFLAGS_IF = 1n << 9n;
/** An x87 exception is pending (SDM 1 8.1.3.3). */
const FSW_ES = 0x80;

const RUN_CODES: readonly RunCode[] = ['spent', 'halted', 'shutdown', 'observed', 'stop'];
const DELIVERY_KINDS = ['exception', 'softwareInterrupt', 'interrupt', 'nmi'] as const;

/** Options that no machine can be built with. */
export class MachineOptionError extends Error {
  override readonly name = 'MachineOptionError';
  readonly code = 'badOption';
  readonly option: string;

  constructor(option: string, sentence: string) {
    super(`${option}: ${sentence}`);
    this.option = option;
  }
}

/** Throws MachineOptionError unless a machine can be built with these options. */
export function checkMachineOptions(options: MachineOptions): void {
  const { cpus, memorySize, quantum = DEFAULT_QUANTUM, disks = [] } = options;
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > 16) {
    throw new MachineOptionError('cpus', `must be a whole number from 1 to 16, not ${cpus}.`);
  }
  if (!Number.isInteger(memorySize) || memorySize % 2 ** 20 !== 0 || memorySize < 2 ** 21 || memorySize > MAXIMUM_RAM) {
    throw new MachineOptionError('memory', 'must be whole MiB, from 2 MiB to 3 GiB.');
  }
  if (!Number.isInteger(quantum) || quantum < 1 || quantum > 2 ** 31) {
    throw new MachineOptionError('quantum', `must be a whole number from 1 to 2^31, not ${quantum}.`);
  }
  if (disks.length > MAXIMUM_DISKS) {
    throw new MachineOptionError('disks', `there can be ${MAXIMUM_DISKS} disks, not ${disks.length}.`);
  }
}

export class Machine implements MachineApi {
  readonly engine: Engine;
  readonly options: MachineOptions;
  /** What boot protocols tell the guest about this machine. */
  readonly acpi: AcpiTables;
  onSerial: (bytes: Uint8Array) => void = () => undefined;
  onDebugConsole: (bytes: Uint8Array) => void = () => undefined;
  onPort: (bytes: Uint8Array) => void = () => undefined;
  onMessage: (text: string) => void = () => undefined;

  private readonly virtualClock: VirtualClock;
  private readonly scheduler: Scheduler;
  private readonly ports: PortBus;
  private readonly memoryMap: MemoryMap;
  private readonly lapics: readonly LocalApic[];
  private readonly pic: Pic;
  private readonly ioapic: IoApic;
  private readonly uart: Uart;
  private readonly floatErrors: FloatErrorLatch;
  private readonly pci: PciDevices;
  /** All devices, in the order in which snapshots hold them. */
  private readonly devices: readonly Device[];
  private readonly messages = new Messages((text) => this.onMessage(text));
  private readonly serialOutput = new OutputBuffer((bytes) => this.onSerial(bytes));
  private readonly debugOutput = new OutputBuffer((bytes) => this.onDebugConsole(bytes));
  private readonly jit: Jit | undefined;
  private readonly interruptWatch: InterruptWatch;
  private observerOrNone: MachineObserver | undefined;
  private stopRequest: MachineStop | undefined;

  /** Builds the machine in its power-on state. Throws MachineOptionError. */
  constructor(modules: EngineModules, options: MachineOptions) {
    checkMachineOptions(options);
    this.options = options;
    this.interruptWatch = new InterruptWatch(options.cpus);
    this.acpi = buildAcpiTables(options.cpus, { devices: [pciRootBridge()], levelInterrupts: PCI_INTERRUPTS });
    const { cpus, memorySize, profile = 'intel', randomSeed = DEFAULT_RANDOM_SEED, busLockDetection = false } = options;
    this.memoryMap = new MemoryMap((physical, write) => this.messages.unknownMemory(physical, write));
    this.ports = new PortBus((port, write) => this.messages.unknownPort(port, write));
    const processor = { profile, randomSeed, busLockDetection };
    this.engine = new Engine({ modules, host: this.host(), vcpus: cpus, memorySize, ...processor });
    this.jit =
      options.jit === false || modules.coreBytes === undefined
        ? undefined
        : new Jit(modules.coreBytes, this.engine, {
            now: modules.now,
            refused: (reason) => this.messages.notCompiled(reason),
          });
    this.engine.hotThreshold =
      this.jit === undefined ? 0 : typeof options.jit === 'number' ? options.jit : HOT_THRESHOLD;
    this.engine.onHot = (block) => this.jit?.hot(block);
    const clock = new VirtualClock(() => this.engine.ticksLeft());
    clock.onEarlier = () => this.endRun();
    this.virtualClock = clock;
    const processors = {
      count: cpus,
      run: (vcpu: number, ticks: Ticks, end: bigint) => this.runVcpu(vcpu, ticks, end),
    };
    this.scheduler = new Scheduler(processors, clock, options.quantum ?? DEFAULT_QUANTUM);

    const bus = new ApicBus();
    const signals = this.signals();
    this.lapics = Array.from({ length: cpus }, (_, vcpu) => new LocalApic(vcpu, bus, signals, clock));
    this.ioapic = new IoApic(bus);
    this.pic = new Pic((asserted) => this.lapics[0]?.setExternalLine(asserted));
    this.uart = new Uart('uart1', 0x3f8, this.isaLine(4), (byte) => this.serialOutput.put(byte));
    this.floatErrors = new FloatErrorLatch(this.isaLine(13), {
      pending: () => (this.engine.vcpu(0).fsw & FSW_ES) !== 0,
      ignore: () => {
        this.engine.vcpu(0).ignne = 1;
      },
    });
    const requestReset = (source: string): void => this.requestStop({ kind: 'reset', source });
    this.pci = new PciDevices(options, {
      memory: this.guestMemory(),
      timers: clock,
      interruptLine: (interrupt, asserted) => this.isaLine(interrupt)(asserted),
      say: (text) => this.messages.once(text, text),
      portOutput: (bytes) => this.onPort(bytes),
    });
    const portDevices: PortDevice[] = [
      this.pic,
      new Pit(clock, this.isaLine(0)),
      new Rtc(clock, this.isaLine(8), options.rtcSeconds ?? DEFAULT_RTC_SECONDS, memorySize, cpus),
      this.uart,
      new I8042(requestReset),
      new ResetControl(requestReset),
      new AcpiPower(clock, () => this.requestStop({ kind: 'powerOff' })),
      new IsaDebugExit((value) => this.requestStop({ kind: 'exit', value, status: ((value << 1) | 1) & 0xff })),
      new DebugConsole((byte) => this.debugOutput.put(byte)),
      new FwCfg(this.guestMemory(), cpus),
      new PostCode(),
      this.floatErrors,
      this.pci.bus,
    ];
    for (const device of portDevices) this.ports.attach(device);
    this.ports.attach(new BiosCalls((cause, text) => this.messages.once(cause, text))); // no state: not among the devices
    this.devices = [...this.lapics, this.ioapic, ...portDevices, ...this.pci.devices];
    this.memoryMap.attach(this.currentApicWindow(), PAGE, () => {
      const window = this.currentApic.window;
      return window === undefined ? undefined : Number(window);
    });
    this.memoryMap.attach(this.ioapic, PAGE, () => IOAPIC_BASE);
    this.pci.attachTo(this.memoryMap);
  }

  get jitStatistics(): JitStatistics | undefined {
    return this.jit?.statistics();
  }

  // ---- wiring --------------------------------------------------------------------------------------------------------
  private apic(vcpu: number): LocalApic {
    const apic = this.lapics[vcpu];
    if (apic === undefined) throw new RangeError(`there is no vCPU ${vcpu}`);
    return apic;
  }
  /** The local APIC of the vCPU that runs: each sees its own at the same address. */
  private get currentApic(): LocalApic {
    return this.apic(this.engine.current);
  }
  private currentApicWindow() {
    return {
      name: 'lapic',
      reset: () => undefined,
      save: () => undefined,
      restore: () => undefined,
      readMemory: (offset: number, size: number) => this.currentApic.readMemory(offset, size),
      writeMemory: (offset: number, size: number, value: bigint) => this.currentApic.writeMemory(offset, size, value),
    };
  }
  /** An ISA interrupt reaches both controllers; IRQ 0 is pin 2 of the I/O APIC, as everywhere since the PIIX. */
  private isaLine(irq: number): (asserted: boolean) => void {
    return (asserted) => {
      this.pic.setLine(irq, asserted);
      this.ioapic.setLine(irq === 0 ? 2 : irq, asserted);
    };
  }
  private host(): EngineHost {
    return {
      mmioRead: (physical, size) => this.memoryMap.read(physical, size),
      mmioWrite: (physical, size, value) => this.memoryMap.write(physical, size, value),
      portRead: (port, size) => this.ports.read(port, size),
      portWrite: (port, size, value) => this.ports.write(port, size, value),
      acknowledgeInterrupt: () => {
        this.interruptWatch.note(this.engine.current, this.clock);
        return this.currentApic.acknowledge(() => this.pic.acknowledge());
      },
      msrKnown: (index, write) => this.currentApic.msrKnown(index, write),
      msrRead: (index) => this.currentApic.msrRead(index),
      msrWrite: (index, value) => {
        const done = this.currentApic.msrWrite(index, value);
        if (done && index === MSR_APIC_BASE) this.engine.vcpu().msrApicBase = value; // CPUID shows parts of it
        return done;
      },
      taskPriorityRead: () => this.currentApic.cr8,
      taskPriorityWrite: (value) => {
        this.currentApic.cr8 = value;
      },
      log: (code, a, b) => {
        this.messages.engine(code, this.engine.current, a, b);
        this.observerOrNone?.onLog(code, this.engine.current, a, b);
      },
      delivered: (vector, kind, error, rip) => this.delivered(vector, kind, error, rip),
      splitAt: (linear) => this.observerOrNone?.splitAt(linear) ?? false,
      splitCount: () => this.observerOrNone?.splitCount() ?? 0,
      woken: (vcpu) => this.scheduler.wake(vcpu),
      floatError: () => {
        if (this.engine.current === 0) this.floatErrors.assert();
      },
    };
  }
  private delivered(vector: number, kind: number, error: number, rip: bigint): void {
    this.observerOrNone?.onDelivery({
      vcpu: this.engine.current,
      vector,
      kind: DELIVERY_KINDS[kind] ?? 'exception',
      rip,
      ...(error >= 0 ? { errorCode: error } : {}),
      ...(vector === 1 ? { dr6: this.engine.vcpu().dr6 } : {}),
    });
  }
  private signals(): VcpuSignals {
    const raise = (vcpu: number, bit: number): void => {
      this.engine.vcpu(vcpu).events |= bit;
      this.engine.attend(vcpu, ATTENTION_EVENT);
      this.scheduler.wake(vcpu);
    };
    return {
      setInterruptLine: (vcpu, asserted) => {
        const state = this.engine.vcpu(vcpu);
        if (((state.events & EVENT_INTERRUPT) !== 0) === asserted) return;
        if (asserted) raise(vcpu, EVENT_INTERRUPT);
        else state.events &= ~EVENT_INTERRUPT;
      },
      nonMaskable: (vcpu) => raise(vcpu, EVENT_NMI),
      systemManagement: (vcpu) => raise(vcpu, EVENT_SMI),
      init: (vcpu) => raise(vcpu, EVENT_INIT),
      startup: (vcpu, vector) => {
        const state = this.engine.vcpu(vcpu);
        if (state.activity !== ACTIVITY_WAIT_FOR_SIPI && (state.events & EVENT_INIT) === 0) return;
        state.eventVector = vector;
        raise(vcpu, EVENT_SIPI);
      },
      tscOffset: (vcpu) => this.engine.vcpu(vcpu).tscOffset,
    };
  }
  private guestMemory(): GuestMemory {
    return {
      size: this.options.memorySize,
      read: (physical, size) =>
        this.engine.isRam(physical, size) ? this.engine.ramView(physical, size).slice() : undefined,
      write: (physical, data) => {
        if (!this.engine.isRam(physical, data.length)) return false;
        this.engine.writePhysical(physical, data);
        return true;
      },
    };
  }
  interrupt(): void {
    this.requestStop({ kind: 'spent' });
  }
  private requestStop(stop: MachineStop): void {
    this.stopRequest ??= stop;
    this.endRun();
  }
  /** Makes the running vCPU come back after its current instruction. */
  private endRun(): void {
    this.engine.attend(this.engine.current, ATTENTION_STOP);
  }

  // ---- running -------------------------------------------------------------------------------------------------------
  get clock(): bigint {
    return this.virtualClock.now;
  }
  get instructions(): bigint {
    return this.scheduler.ticks;
  }
  get turn(): number {
    return this.scheduler.turn;
  }
  get nextDeadline(): bigint | undefined {
    return this.virtualClock.next;
  }
  skipIdle(until: bigint): void {
    this.virtualClock.skipTo(until);
  }
  get observer(): MachineObserver | undefined {
    return this.observerOrNone;
  }
  set observer(observer: MachineObserver | undefined) {
    this.observerOrNone = observer;
    const vectors = observer === undefined ? 0 : ((observer.observedVectors ?? 0) | (1 << 1) | (1 << 3)) >>> 0;
    for (let vcpu = 0; vcpu < this.options.cpus; vcpu++) this.engine.vcpu(vcpu).observeVectors = vectors;
    this.engine.system.observerChanged();
  }

  run(ticks: Ticks, how: { readonly only?: number; readonly idleJumps?: boolean } = {}): MachineStop {
    try {
      const stop = this.scheduler.run({
        ticks,
        only: how.only,
        idleJumps: how.idleJumps ?? true,
        interrupted: () => this.stopRequest !== undefined,
        resumeObserved: (vcpu) => this.observerOrNone?.onObserved(vcpu, this.engine.vcpu().observed) !== 'stop',
      });
      if (stop.kind === 'shutdown') return this.describeShutdown(stop.vcpu);
      if (stop.kind !== 'interrupted') return stop;
      const request = this.stopRequest ?? { kind: 'spent' };
      this.stopRequest = undefined;
      return request;
    } finally {
      this.lookAtInterrupts();
      this.serialOutput.flush();
      this.debugOutput.flush();
    }
  }
  private interruptible(vcpu: number): boolean {
    return (this.engine.vcpu(vcpu).rflags & RFLAGS_IF) !== 0n;
  }
  private lookAtInterrupts(): void {
    for (let vcpu = 0; vcpu < this.options.cpus; vcpu++) {
      const waits = this.engine.vcpu(vcpu).activity === ACTIVITY_WAIT_FOR_SIPI;
      if (waits || this.interruptible(vcpu)) this.interruptWatch.note(vcpu, this.clock);
    }
  }
  interruptsOffFor(vcpu: number): bigint | undefined {
    return this.interruptible(vcpu) ? undefined : this.interruptWatch.shutFor(vcpu, this.clock);
  }
  private runVcpu(vcpu: number, ticks: Ticks, end: bigint): RunResult {
    const { engine } = this;
    engine.select(vcpu);
    const state = engine.vcpu(vcpu);
    state.attention &= ~ATTENTION_STOP;
    if ((state.events & EVENT_SIPI) !== 0) this.observerOrNone?.onStartup(vcpu);
    const { code, used } = engine.run(ticks, end);
    const yields = state.yield !== 0;
    state.yield = 0;
    return { code: RUN_CODES[code] ?? 'stop', used, yields };
  }
  private describeShutdown(vcpu: number): MachineStop {
    this.engine.select(vcpu);
    const state = this.engine.vcpu(vcpu);
    const chain: VectorAt[] = [];
    for (const { vector, rip } of lastDeliveries(state)) {
      // deliveries that failed one inside the other all came from one place
      if (chain[0] !== undefined && chain[0].rip !== rip) break;
      chain.unshift({ vector, rip });
    }
    const rip = chain[0]?.rip ?? state.rip + state.cs.base;
    return { kind: 'shutdown', vcpu, rip, chain };
  }
  sendSerial(bytes: Uint8Array): void {
    this.uart.send(bytes);
  }
  sendPort(bytes: Uint8Array): void {
    this.pci.sendPort(bytes);
  }

  // ---- snapshots -----------------------------------------------------------------------------------------------------
  /** The options that decide how a run goes on: a snapshot goes into a machine that has the same. */
  private get description(): string {
    const { cpus, memorySize, profile = 'intel', quantum = DEFAULT_QUANTUM, randomSeed } = this.options;
    const seed = (randomSeed ?? DEFAULT_RANDOM_SEED).toString(16);
    const devices = describePciDevices(this.options);
    const busLocks = this.options.busLockDetection === true ? ' with bus-lock detection' : '';
    return `cpus ${cpus}, memory ${memorySize}, profile ${profile}${busLocks}, quantum ${quantum}, random seed ${seed}, ${devices}`;
  }
  private writeState(writer: StateWriter): void {
    const { engine } = this;
    const selected = engine.current;
    const { cpus } = this.options;
    writer.text(SNAPSHOT_FORMAT);
    writer.text(this.description);
    this.virtualClock.save(writer);
    this.scheduler.save(writer);
    for (const device of this.devices) {
      writer.text(device.name);
      device.save(writer);
    }
    for (let vcpu = 0; vcpu < cpus; vcpu++) saveVcpu(engine, vcpu, writer);
    engine.select(selected);
    saveMemory(engine, writer);
  }
  save(): Uint8Array {
    const writer = new BufferWriter();
    this.writeState(writer);
    return writer.finish();
  }
  digest(): string {
    const writer = new DigestWriter();
    this.writeState(writer);
    return writer.finish();
  }
  restore(snapshot: Uint8Array): void {
    const reader = new StateReader(snapshot);
    const { engine } = this;
    const { cpus } = this.options;
    reader.expect(SNAPSHOT_FORMAT, 'the format');
    reader.expect(this.description, 'the machine');
    this.virtualClock.restore(reader);
    this.scheduler.restore(reader);
    for (const device of this.devices) {
      reader.expect(device.name, 'a device');
      device.restore(reader);
    }
    for (let vcpu = 0; vcpu < cpus; vcpu++) restoreVcpu(engine, vcpu, reader);
    restoreMemory(engine, reader);
    if (!reader.atEnd) throw new SnapshotError('format', reader.offset, 'there are bytes behind its end.');
    engine.flushBlocks();
    for (let vcpu = 0; vcpu < cpus; vcpu++) {
      engine.select(vcpu);
      engine.system.resetTags();
    }
    engine.select(this.scheduler.turn);
    engine.system.observerChanged();
    this.stopRequest = undefined;
    this.interruptWatch.forget(this.clock);
  }

  // ---- the debugger's access to memory -------------------------------------------------------------------------------
  readPhysical(physical: bigint, size: number): Uint8Array {
    const bytes = new Uint8Array(size).fill(0xff);
    const { memorySize } = this.options;
    if (physical < 0n || physical >= BigInt(memorySize)) return bytes;
    const start = Number(physical);
    bytes.set(this.engine.ramView(start, Math.min(size, memorySize - start)));
    return bytes;
  }
  writePhysical(physical: bigint, data: Uint8Array): void {
    const { memorySize } = this.options;
    if (physical < 0n || physical >= BigInt(memorySize)) return;
    const start = Number(physical);
    this.engine.writePhysical(start, data.subarray(0, memorySize - start));
  }
  readLinear(vcpu: number, linear: bigint, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    const read = this.walk(vcpu, linear, size, (physical, at, length) => {
      bytes.set(this.engine.ramView(physical, length), at);
    });
    return bytes.subarray(0, read);
  }
  writeLinear(vcpu: number, linear: bigint, data: Uint8Array): number {
    return this.walk(vcpu, linear, data.length, (physical, at, length) => {
      this.engine.writePhysical(physical, data.subarray(at, at + length));
    });
  }
  /** Visits the RAM behind a linear range page by page; answers how many bytes were reached. */
  private walk(
    vcpu: number,
    linear: bigint,
    size: number,
    visit: (physical: number, at: number, length: number) => void,
  ): number {
    const selected = this.engine.current;
    this.engine.select(vcpu);
    let at = 0;
    while (at < size) {
      const address = BigInt.asUintN(64, linear + BigInt(at));
      const length = Math.min(size - at, PAGE - Number(address & PAGE_MASK));
      const physical = this.engine.translate(address);
      if (physical === undefined || !this.engine.isRam(Number(physical), length)) break;
      visit(Number(physical), at, length);
      at += length;
    }
    this.engine.select(selected);
    return at;
  }
}
