// All ACPI tables of a machine, laid out where a PC's firmware leaves them: between 0xE0000 and 0xFFFFF, where guests look
// for the RSDP (ACPI 6.5 ch. 5.2.5.1). The memory map that guests get says that the range is reserved.
import { BIOS_HANDLERS } from '../bios-calls.ts';
import { buildDsdt } from './dsdt.ts';
import { buildFacs, buildFadt } from './fadt.ts';
import { buildMadt } from './madt.ts';
import { buildRsdp, buildTable, littleEndian } from './table.ts';
import type { Aml } from './aml.ts';

const TABLES_START = 0xe_0000;
/** FACS must lie on a 64-byte boundary; so do all. */
const ALIGNMENT = 64;

/** What the machine has beyond processors, interrupt controllers, COM1 and clock. */
export interface AcpiExtras {
  /** AML of devices below \_SB. */
  readonly devices?: readonly Aml[];
  /** ISA interrupts that PCI uses: level-triggered, active high. */
  readonly levelInterrupts?: readonly number[];
  /** Further complete tables, such as MCFG. */
  readonly tables?: readonly Uint8Array[];
}
export interface PlacedTable {
  readonly physical: number;
  readonly bytes: Uint8Array;
}
export interface AcpiTables {
  /** Physical address of the RSDP. */
  readonly rsdp: number;
  readonly tables: readonly PlacedTable[];
}

export function buildAcpiTables(cpus: number, extras: AcpiExtras = {}): AcpiTables {
  const placed: PlacedTable[] = [];
  let next = TABLES_START;
  const place = (bytes: Uint8Array): number => {
    const physical = next;
    placed.push({ physical, bytes });
    next = Math.ceil((physical + bytes.length) / ALIGNMENT) * ALIGNMENT;
    if (next > BIOS_HANDLERS) throw new RangeError('the ACPI tables do not fit in front of the BIOS handlers');
    return physical;
  };
  // The RSDP comes first, so that its address does not depend on the number of processors.
  const rsdpSize = 36;
  next += Math.ceil(rsdpSize / ALIGNMENT) * ALIGNMENT;
  const facs = place(buildFacs());
  const dsdt = place(buildDsdt(extras.devices));
  const roots = [buildFadt(facs, dsdt), buildMadt(cpus, extras.levelInterrupts), ...(extras.tables ?? [])].map(place);
  const rsdt = place(
    buildTable(
      'RSDT',
      1,
      roots.flatMap((at) => littleEndian(4, at)),
    ),
  );
  const xsdt = place(
    buildTable(
      'XSDT',
      1,
      roots.flatMap((at) => littleEndian(8, at)),
    ),
  );
  placed.unshift({ physical: TABLES_START, bytes: buildRsdp(rsdt, xsdt) });
  return { rsdp: TABLES_START, tables: placed };
}
