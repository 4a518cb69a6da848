// PCI bus 0 behind the host bridge: configuration mechanism #1 (PCI 3.0, 3.2.2.3.2) and the wires of the INTx pins. The
// bridge calls itself an Intel 440FX, as QEMU's pc does: guests know that one.
import type { InterruptLine, PortDevice } from '../device.ts';
import type { StateReader, StateWriter } from '../state-stream.ts';
import { ConfigSpace } from './config-space.ts';
import { PCI_CONFIG_ADDRESS, PCI_CONFIG_DATA, PCI_DEVICES, PCI_INTERRUPTS, pciInterrupt } from './layout.ts';

const ENABLE = 0x8000_0000;
/** Enable bit, bus, device, function, register. */
const ADDRESS_BITS = 0x80ff_fffc;
const ALL_ONES = [0xff, 0xffff, 0, 0xffff_ffff] as const;

/** Function 0 of a device on the bus. It saves and restores itself. */
export interface PciFunction {
  readConfig(offset: number, size: number): number;
  writeConfig(offset: number, size: number, value: number): void;
}

export class PciBus implements PortDevice {
  readonly name = 'pci';
  // The byte between them, 0xCF9, is the reset control register's.
  readonly ports = [
    { first: PCI_CONFIG_ADDRESS, count: 1 },
    { first: PCI_CONFIG_ADDRESS + 2, count: 2 },
    { first: PCI_CONFIG_DATA, count: 4 },
  ];
  readonly portWidth = 4;
  private readonly bridge = new ConfigSpace({
    vendor: 0x8086,
    device: 0x1237,
    revision: 2,
    classCode: 0x06_0000,
    subsystemVendor: 0x1af4,
    subsystem: 0x1100,
    interruptPin: 0,
  });
  private readonly functions: (PciFunction | undefined)[] = Array.from({ length: PCI_DEVICES });
  private readonly interruptLine: (interrupt: number, asserted: boolean) => void;
  private address = 0;
  /** Bit per device: its INTA# is asserted. */
  private asserted = 0;

  /** @param interruptLine level of an interrupt of PCI_INTERRUPTS. */
  constructor(interruptLine: (interrupt: number, asserted: boolean) => void) {
    this.interruptLine = interruptLine;
    this.functions[0] = {
      readConfig: (offset, size) => this.bridge.read(offset, size),
      writeConfig: (offset, size, value) => this.bridge.write(offset, size, value),
    };
  }
  /** Puts a function into a slot. */
  attach(device: number, pciFunction: PciFunction): void {
    if (device < 0 || device >= PCI_DEVICES || this.functions[device] !== undefined) {
      throw new Error(`internal error: PCI device ${device} is taken or does not exist`);
    }
    this.functions[device] = pciFunction;
  }
  /** The INTA# wire of a slot. Lines are shared: an interrupt is asserted while any device asserts it. */
  interruptPin(device: number): InterruptLine {
    return (asserted) => {
      const before = this.asserted;
      this.asserted = asserted ? before | (1 << device) : before & ~(1 << device);
      if (this.asserted === before) return;
      const interrupt = pciInterrupt(device, 0);
      this.interruptLine(interrupt, this.isAsserted(interrupt));
    };
  }
  private isAsserted(interrupt: number): boolean {
    for (let device = 0; device < PCI_DEVICES; device++) {
      if ((this.asserted & (1 << device)) !== 0 && pciInterrupt(device, 0) === interrupt) return true;
    }
    return false;
  }

  private get selected(): PciFunction | undefined {
    if ((this.address & ENABLE) === 0) return undefined;
    const bus = (this.address >>> 16) & 0xff;
    const functionNumber = (this.address >>> 8) & 7;
    return bus === 0 && functionNumber === 0 ? this.functions[(this.address >>> 11) & 0x1f] : undefined;
  }
  readPort(port: number, size: number): number {
    if (port === PCI_CONFIG_ADDRESS && size === 4) return this.address;
    const all = ALL_ONES[size - 1] ?? 0xff;
    if (port < PCI_CONFIG_DATA || port + size > PCI_CONFIG_DATA + 4) return all;
    return this.selected?.readConfig((this.address & 0xfc) | (port & 3), size) ?? all;
  }
  writePort(port: number, size: number, value: number): void {
    if (port === PCI_CONFIG_ADDRESS && size === 4) this.address = (value & ADDRESS_BITS) >>> 0;
    if (port < PCI_CONFIG_DATA || port + size > PCI_CONFIG_DATA + 4) return;
    this.selected?.writeConfig((this.address & 0xfc) | (port & 3), size, value);
  }

  reset(): void {
    this.bridge.reset();
    this.address = 0;
    this.asserted = 0;
    for (const interrupt of PCI_INTERRUPTS) this.interruptLine(interrupt, false);
  }
  save(writer: StateWriter): void {
    this.bridge.save(writer);
    writer.u32(this.address);
    writer.u32(this.asserted >>> 0);
  }
  restore(reader: StateReader): void {
    this.bridge.restore(reader);
    this.address = (reader.u32() & ADDRESS_BITS) >>> 0;
    this.asserted = reader.u32() | 0;
  }
}
