// The ACPI tables: judged byte by byte here, by iasl in test/machine/acpi-tables.test.ts, and by Linux when it boots.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eisaId, integer, nameString, scope } from './aml.ts';
import { buildAcpiTables, type AcpiTables } from './tables.ts';

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
const signature = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 4));
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function tableAt({ tables }: AcpiTables, physical: number): Uint8Array {
  const found = tables.find((table) => table.physical === physical);
  assert.ok(found !== undefined, `a table at 0x${physical.toString(16)}`);
  return found.bytes;
}
function rootTables(acpi: AcpiTables): Uint8Array[] {
  const xsdt = tableAt(acpi, Number(viewOf(tableAt(acpi, acpi.rsdp)).getBigUint64(24, true)));
  assert.equal(signature(xsdt), 'XSDT');
  const count = (xsdt.length - 36) / 8;
  return Array.from({ length: count }, (_, i) => tableAt(acpi, Number(viewOf(xsdt).getBigUint64(36 + i * 8, true))));
}

test('checksums, lengths and places, for any number of processors', () => {
  for (let cpus = 1; cpus <= 16; cpus++) {
    const acpi = buildAcpiTables(cpus);
    let end = 0xe_0000;
    for (const { physical, bytes } of acpi.tables) {
      assert.ok(physical >= end && physical + bytes.length <= 0x10_0000, 'in order, below 1 MiB');
      end = physical + bytes.length;
      if (physical === acpi.rsdp) {
        assert.deepEqual([sum(bytes.subarray(0, 20)), sum(bytes), bytes.length], [0, 0, 36]);
      } else {
        assert.equal(viewOf(bytes).getUint32(4, true), bytes.length, signature(bytes));
        if (signature(bytes) !== 'FACS') assert.equal(sum(bytes), 0, signature(bytes));
      }
    }
    assert.equal(acpi.rsdp % 16, 0, 'where guests look for it');
    assert.deepEqual(rootTables(acpi).map(signature), ['FACP', 'APIC']);
  }
});

test('RSDT and XSDT name the same tables', () => {
  const acpi = buildAcpiTables(2);
  const rsdp = viewOf(tableAt(acpi, acpi.rsdp));
  const rsdt = tableAt(acpi, rsdp.getUint32(16, true));
  const pointers = Array.from({ length: (rsdt.length - 36) / 4 }, (_, i) => viewOf(rsdt).getUint32(36 + i * 4, true));
  assert.deepEqual(
    pointers.map((at) => tableAt(acpi, at)),
    rootTables(acpi),
  );
});

test('MADT: one local APIC a processor, one I/O APIC, the overrides', () => {
  const [, madt = new Uint8Array()] = rootTables(buildAcpiTables(16, { levelInterrupts: [11, 10] }));
  const view = viewOf(madt);
  const found: number[][] = [];
  for (let at = 44; at < madt.length; at += view.getUint8(at + 1)) {
    found.push([...madt.subarray(at, at + view.getUint8(at + 1))]);
  }
  const of = (type: number): number[][] => found.filter((entry) => entry[0] === type);
  assert.deepEqual(
    of(0).map(([, , processor, apic, enabled]) => [processor, apic, enabled]),
    Array.from({ length: 16 }, (_, i) => [i, i, 1]),
  );
  assert.equal(of(1).length, 1);
  assert.deepEqual(
    of(2).map(([, , , source, pin, , , , flags]) => [source, pin, flags]),
    [[0, 2, 0], ...[9, 10, 11].map((irq) => [irq, irq, 0xd])],
  );
});

test('FADT: the ports of the devices, both as 32-bit and as generic addresses', () => {
  const acpi = buildAcpiTables(1);
  const [fadt = new Uint8Array()] = rootTables(acpi);
  const view = viewOf(fadt);
  const extended = (at: number): number[] => [view.getUint8(at), Number(view.getBigUint64(at + 4, true))];
  assert.deepEqual([view.getUint32(56, true), ...extended(148)], [0x600, 1, 0x600]);
  assert.deepEqual([view.getUint32(64, true), ...extended(172)], [0x604, 1, 0x604]);
  assert.deepEqual([view.getUint32(76, true), ...extended(208)], [0x608, 1, 0x608]);
  assert.deepEqual([...extended(116), view.getUint8(128)], [1, 0xcf9, 6]);
  assert.equal(signature(tableAt(acpi, view.getUint32(36, true))), 'FACS');
  assert.equal(signature(tableAt(acpi, view.getUint32(40, true))), 'DSDT');
});

test('AML: names, integers, EISA ids, and lengths of one to three bytes', () => {
  assert.deepEqual([...nameString('\\_S5')], [0x5c, 0x5f, 0x53, 0x35, 0x5f]);
  assert.throws(() => nameString('TOOLONG'), RangeError);
  assert.deepEqual(
    [...integer(0), ...integer(1), ...integer(200), ...integer(0x1234)],
    [0, 1, 10, 200, 11, 0x34, 0x12],
  );
  assert.deepEqual([...eisaId('PNP0501')], [0x0c, 0x41, 0xd0, 0x05, 0x01]);
  const head = (size: number): number[] => [...scope('A', [Array.from({ length: size - 4 }, () => 0)])].slice(0, 4);
  assert.deepEqual(head(62).slice(0, 2), [0x10, 63]);
  assert.deepEqual(head(63).slice(0, 3), [0x10, 0x41, 0x04]); // 65 = 63 + two bytes of length
  assert.deepEqual(head(0x1000), [0x10, 0x83, 0x00, 0x01]);
});
