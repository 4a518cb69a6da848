// System behaviour against QEMU: each snippet runs from reset on both processors, and everything that can be seen afterwards is
// compared. Where QEMU is known to be wrong, known-differences.ts says what and why.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assembleImage } from './image.ts';
import { KNOWN_DIFFERENCES, isKnown, type KnownDifference } from './known-differences.ts';
import { runOurs } from './ours.ts';
import { compareStates, type Difference } from './processor-state.ts';
import { Qemu, missingQemu } from './qemu.ts';

const skip = missingQemu() ?? false;
const image = skip === false ? assembleImage() : { snippets: [], stops: [] };
const asText = ({ what, ours, theirs }: Difference): string => `${what}: ${ours}, QEMU ${theirs}`;

describe('against QEMU', { skip }, () => {
  let qemu: Qemu | undefined;
  const seen = new Set<KnownDifference>();
  before(async () => {
    if (skip === false) qemu = await Qemu.start(image);
  });
  after(() => qemu?.stop());

  for (const { name, end, memory } of image.snippets) {
    it(name, async () => {
      const theirs = await qemu?.run(memory, end);
      const ours = runOurs(memory, [...image.stops, end]);
      assert.equal(ours === undefined, theirs === undefined, `${ours === undefined ? 'ours' : 'QEMU'} does not stop`);
      if (ours === undefined || theirs === undefined) return;
      const unexplained = compareStates(ours, theirs).filter((difference) => {
        const row = KNOWN_DIFFERENCES.find((known) => isKnown(known, name, difference));
        if (row !== undefined) seen.add(row);
        return row === undefined;
      });
      assert.deepEqual(unexplained.map(asText), []);
    });
  }
  it('every known difference was seen, and cites the manual', () => {
    const unseen = KNOWN_DIFFERENCES.filter((row) => !seen.has(row) || !row.citation.startsWith('SDM '));
    assert.deepEqual(
      unseen.map(({ reason }) => reason),
      [],
    );
  });
});
