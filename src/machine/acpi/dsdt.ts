// The DSDT: what hardware there is that a guest cannot find by itself, and how it is switched off.
import { device, eisaId, integer, ioPorts, isaInterrupt, name, packageOf, resources, scope, type Aml } from './aml.ts';
import { buildTable } from './table.ts';

/** Integers are 64 bits wide from this revision on (ACPI 6.5 ch. 5.2.11.1). */
const REVISION = 2;
/** SLP_TYP of \_S5 that acpi-power.ts knows as soft off. */
const SOFT_OFF = 0;

/** A device of the system board: identity and resources. */
function boardDevice(path: string, hardwareId: string, uid: number | undefined, descriptors: readonly Aml[]): Aml {
  return device(path, [
    name('_HID', eisaId(hardwareId)),
    ...(uid === undefined ? [] : [name('_UID', integer(uid))]),
    name('_CRS', resources(descriptors)),
  ]);
}

/** @param more terms below \_SB that other devices of the machine bring. */
export function buildDsdt(more: readonly Aml[] = []): Uint8Array {
  const systemBus = scope('\\_SB', [
    boardDevice('COM1', 'PNP0501', 1, [ioPorts(0x3f8, 8), isaInterrupt(4)]),
    boardDevice('RTC', 'PNP0B00', undefined, [ioPorts(0x70, 2), isaInterrupt(8)]),
    ...more,
  ]);
  const softOff = name('\\_S5', packageOf([integer(SOFT_OFF), integer(SOFT_OFF), integer(0), integer(0)]));
  return buildTable('DSDT', REVISION, [...systemBus, ...softOff]);
}
