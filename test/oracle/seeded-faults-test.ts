// The proof of the oracles: a fault in a handler is found by the oracle that is named for it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { unavailable } from './cpu/processor.ts';
import { missingQemu } from './qemu/qemu.ts';
import { SeedBed } from './seeding.ts';
import { QEMU, type SeededFault } from './seeded-faults.ts';

const oracleName = ({ oracle }: SeededFault): string =>
  oracle === 'iced' ? 'iced-x86' : 'cpu' in oracle ? `the processor (${oracle.cpu})` : oracle.test;

const needsQemu = ({ oracle }: SeededFault): boolean => oracle !== 'iced' && 'test' in oracle && oracle.test === QEMU;

export function describeSeededFaults(faults: readonly SeededFault[]): void {
  describe('seeded faults are found', { skip: unavailable() ?? false }, () => {
    let bed: SeedBed | undefined;
    before(() => {
      bed = new SeedBed();
    });
    after(() => bed?.dispose());
    for (const fault of faults) {
      const skip = needsQemu(fault) ? (missingQemu() ?? false) : false;
      it(`${fault.name}: by ${oracleName(fault)}`, { skip }, () => {
        assert.ok(bed !== undefined);
        const { found, output } = bed.judge(fault);
        assert.ok(found, `not found:\n${output}`);
        // a complaint about the fault, not about something that could not run
        assert.match(output, /differences? of|differences, such as|: .*, QEMU /);
      });
    }
  });
}
