// Where PCI is in this machine: windows of the address spaces and wires of the interrupts. The bus, the ACPI tables and
// whoever sets up devices before the guest runs read the same numbers here.
//
// Interrupts go as on QEMU's pc: the four lines end at ISA interrupts 10 and 11, level-triggered and active high, on both
// the I/O APIC and the 8259s. A guest that reads no ACPI finds the number in the interrupt line register.

/** Addresses first .. last. */
export interface AddressWindow {
  readonly first: number;
  readonly last: number;
}

/** What the bridge passes on to the bus; below it ends RAM at the latest, behind it lie the APICs. */
export const PCI_MEMORY_WINDOW: AddressWindow = { first: 0xe000_0000, last: 0xfebf_ffff };
/** All of the I/O space but the configuration mechanism's own ports. */
export const PCI_IO_WINDOWS: readonly AddressWindow[] = [
  { first: 0x0000, last: 0x0cf7 },
  { first: 0x0d00, last: 0xffff },
];
/** CONFIG_ADDRESS and CONFIG_DATA (PCI 3.0, 3.2.2.3.2). */
export const PCI_CONFIG_ADDRESS = 0xcf8;
export const PCI_CONFIG_DATA = 0xcfc;
/** What the bridge's configuration mechanism can name, as on QEMU's pc; there is one bus. */
export const PCI_BUSES = { first: 0, last: 255 } as const;
export const PCI_DEVICES = 32;

/** Global system interrupts of the lines that devices' pins are wired to. */
const LINES = [10, 11, 10, 11] as const;
/** The interrupts among them, each once. */
export const PCI_INTERRUPTS: readonly number[] = [...new Set<number>(LINES)];

/** The interrupt of a device's pin (0: INTA# to 3: INTD#): neighbours use different lines, as on real boards. */
export function pciInterrupt(device: number, pin: number): number {
  return LINES[(device + pin) % LINES.length] ?? LINES[0];
}

/** One element of _PRT (ACPI 6.5 ch. 6.2.13). */
export interface PciInterruptRoute {
  readonly device: number;
  /** 0: INTA#, 3: INTD#. */
  readonly pin: number;
  /** Global system interrupt: the I/O APIC's pin, and the ISA interrupt of the same number. */
  readonly gsi: number;
}
/** All pins of all devices but the bridge, which has none. */
export const PCI_INTERRUPT_ROUTES: readonly PciInterruptRoute[] = Array.from(
  { length: (PCI_DEVICES - 1) * 4 },
  (_, i) => ({ device: 1 + (i >> 2), pin: i & 3, gsi: pciInterrupt(1 + (i >> 2), i & 3) }),
);
