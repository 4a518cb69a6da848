// What ACPI says about the PCI bus: the host bridge's windows and the wires of the interrupts (ACPI 6.5 ch. 6.2.13 and
// 6.4.3.5). A guest finds the devices themselves by configuration space.
import { device, eisaId, integer, ioPorts, name, packageOf, resources, type Aml } from '../acpi/aml.ts';
import { littleEndian } from '../acpi/table.ts';
import {
  PCI_BUSES,
  PCI_CONFIG_ADDRESS,
  PCI_INTERRUPT_ROUTES,
  PCI_IO_WINDOWS,
  PCI_MEMORY_WINDOW,
  type AddressWindow,
} from './layout.ts';

// address space descriptors: large resource items, kinds of range
const WORD_DESCRIPTOR = 0x88;
const DWORD_DESCRIPTOR = 0x87;
const MEMORY = 0;
const IO = 1;
const BUS_NUMBERS = 2;
/** Both ends are fixed; the bridge produces the range for the devices behind it. */
const FIXED_ENDS = 0x0c;
const ENTIRE_IO_RANGE = 3;
const READ_WRITE = 1;
/** All functions of a device, as _PRT names them. */
const ANY_FUNCTION = 0xffff;

function addressSpace(width: 2 | 4, kind: number, specific: number, { first, last }: AddressWindow): Aml {
  const number = (value: number): Aml => littleEndian(width, value);
  const [none, length] = [number(0), number(last - first + 1)];
  const body = [kind, FIXED_ENDS, specific, ...none, ...number(first), ...number(last), ...none, ...length];
  return [width === 2 ? WORD_DESCRIPTOR : DWORD_DESCRIPTOR, ...littleEndian(2, body.length), ...body];
}

/** The device PCI0, to be put below \_SB. */
export function pciRootBridge(): Aml {
  const windows = [
    addressSpace(2, BUS_NUMBERS, 0, PCI_BUSES),
    ioPorts(PCI_CONFIG_ADDRESS, 8),
    ...PCI_IO_WINDOWS.map((window) => addressSpace(2, IO, ENTIRE_IO_RANGE, window)),
    addressSpace(4, MEMORY, READ_WRITE, PCI_MEMORY_WINDOW),
  ];
  const routes = PCI_INTERRUPT_ROUTES.map((route) =>
    packageOf([
      integer(route.device * 0x1_0000 + ANY_FUNCTION),
      integer(route.pin),
      integer(0), // no interrupt link device: the next element is the interrupt itself
      integer(route.gsi),
    ]),
  );
  return device('PCI0', [
    name('_HID', eisaId('PNP0A03')),
    name('_UID', integer(0)),
    name('_BBN', integer(PCI_BUSES.first)),
    name('_CRS', resources(windows)),
    name('_PRT', packageOf(routes)),
  ]);
}
