// Processors and interrupt controllers: MADT (ACPI 6.5 ch. 5.2.12).
import { IOAPIC_BASE } from '../memory-map.ts';
import { SCI_INTERRUPT } from './fadt.ts';
import { buildTable, littleEndian } from './table.ts';

const LOCAL_APIC_BASE = 0xfee0_0000;
/** There are two 8259s too, which have to be masked (PCAT_COMPAT). */
const PC_COMPATIBLE = 1;
const ENABLED = 1;
// MPS INTI flags (table 5.26)
const CONFORMS_TO_BUS = 0;
const ACTIVE_HIGH_LEVEL = 0xd;
const ALL_PROCESSORS = 0xff;
const REVISION = 5;

/** An ISA interrupt that arrives at another pin, or with another shape, than the bus has by default. */
const override = (source: number, pin: number, flags: number): number[] => [
  2,
  10,
  0, // ISA
  source,
  ...littleEndian(4, pin),
  ...littleEndian(2, flags),
];

/** @param levelInterrupts ISA interrupts that are level-triggered and active high, besides the SCI: those of PCI. */
export function buildMadt(cpus: number, levelInterrupts: readonly number[] = []): Uint8Array {
  const processors = Array.from({ length: cpus }, (_, id) => [0, 8, id, id, ...littleEndian(4, ENABLED)]);
  const level = [...new Set([SCI_INTERRUPT, ...levelInterrupts])].sort((a, b) => a - b);
  return buildTable('APIC', REVISION, [
    ...littleEndian(4, LOCAL_APIC_BASE),
    ...littleEndian(4, PC_COMPATIBLE),
    ...processors.flat(),
    ...[1, 12, 0, 0, ...littleEndian(4, IOAPIC_BASE), ...littleEndian(4, 0)],
    ...override(0, 2, CONFORMS_TO_BUS),
    ...level.flatMap((irq) => override(irq, irq, ACTIVE_HIGH_LEVEL)),
    ...[4, 6, ALL_PROCESSORS, ...littleEndian(2, CONFORMS_TO_BUS), 1], // NMI at LINT1
  ]);
}
