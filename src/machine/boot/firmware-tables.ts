// What a PC's firmware leaves in low memory and what kernels look for there: an interrupt table, the ACPI tables, the size of conventional
// memory and the place of the extended BIOS data area (BIOS data area, 40Eh and 413h).
import type { Engine } from '../../core/engine.ts';
import type { AcpiTables } from '../acpi/tables.ts';
import { BIOS_HANDLERS, buildHandlers, buildInterruptTable } from '../bios-calls.ts';
import { LOW_MEMORY_END } from '../memory-map.ts';
import { whole } from './boot-file.ts';
import { writeMemory } from './entry-state.ts';

const BIOS_DATA = 0x400;
const COM1 = 0x3f8;

export function writeFirmwareTables(engine: Engine, { tables }: AcpiTables): void {
  const biosData = new Uint8Array(0x100);
  const view = new DataView(biosData.buffer);
  view.setUint16(0x00, COM1, true);
  view.setUint16(0x0e, LOW_MEMORY_END >> 4, true); // segment of the EBDA
  view.setUint16(0x13, LOW_MEMORY_END >> 10, true); // KiB
  const extended = Uint8Array.from([1]); // its size in KiB
  writeMemory(engine, [
    whole(0, buildInterruptTable()),
    whole(BIOS_HANDLERS, buildHandlers()),
    whole(BIOS_DATA, biosData),
    whole(LOW_MEMORY_END, extended),
    ...tables.map(({ physical, bytes }) => whole(physical, bytes)),
  ]);
}
