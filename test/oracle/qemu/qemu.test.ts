// System behaviour against QEMU: each snippet runs from reset on both processors, and everything that can be seen afterwards is
// compared. Where QEMU is known to be wrong, known-differences.ts says what and why.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assembleImage } from './image.ts';
import { isFlagsWithoutRf, KNOWN_DIFFERENCES, listedDifferences, type ListedDifference } from './known-differences.ts';
import { runOurs } from './ours.ts';
import { compareStates, named, type Difference } from './processor-state.ts';
import { Qemu, missingQemu } from './qemu.ts';

const skip = missingQemu() ?? false;
const image = skip === false ? assembleImage() : { snippets: [], stops: [] };
const asText = ({ what, ours, theirs }: Difference): string => `${what}: ${ours}, QEMU ${theirs}`;

describe('against QEMU', { skip }, () => {
  let qemu: Qemu | undefined;
  const listed = listedDifferences();
  const seen = new Set<ListedDifference>();
  let flags = 0;
  before(async () => {
    if (skip === false) qemu = await Qemu.start(image);
  });
  after(() => qemu?.stop());

  for (const { name, end, nameOf, memory } of image.snippets) {
    it(name, async () => {
      const theirs = await qemu?.run(memory, end);
      const ours = runOurs(memory, [...image.stops, end]);
      assert.equal(ours === undefined, theirs === undefined, `${ours === undefined ? 'ours' : 'QEMU'} does not stop`);
      if (ours === undefined || theirs === undefined) return;
      const unexplained = compareStates(ours, theirs)
        .map((difference) => named(difference, nameOf))
        .filter((difference) => {
          if (isFlagsWithoutRf(difference)) flags += 1;
          const known = listed.get(name)?.find((one) => asText(one) === asText(difference));
          if (known !== undefined) seen.add(known);
          return known === undefined && !isFlagsWithoutRf(difference);
        });
      assert.deepEqual(unexplained.map(asText), []);
    });
  }
  it('every known difference was seen, and cites the manual', () => {
    const unseen = [...listed].flatMap(([name, differences]) =>
      differences.filter((one) => !seen.has(one)).map((one) => `${name}: ${asText(one)}: ${one.row.reason}`),
    );
    assert.deepEqual(unseen, []);
    assert.ok(flags > 50, `only ${flags} frames showed RF`);
    for (const { citation } of KNOWN_DIFFERENCES) assert.match(citation, /^SDM /);
  });
});
