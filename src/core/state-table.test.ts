import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessorName, generatedStateFiles, readGenerated } from '../../scripts/generate-state.ts';
import * as L from './layout.ts';
import { SharedArea, StateArea } from './state-area.generated.ts';
import { array, elementSize, rowSize, tableFaults, u32, u64, type Row, type StateRange } from './state-row.ts';
import { STATE_END, STATE_GUEST_END, guestRows, hostRows, sharedRows, stateRanges } from './state-table.ts';

const range = (rows: readonly Row[]): readonly StateRange[] => [{ name: 'guest', start: 0x200, end: 0x300, rows }];

describe('state table', () => {
  test('no two rows overlap, each is in its part and aligned, each name is said once', () => {
    assert.deepEqual(tableFaults(stateRanges), []);
    const { start, end } = stateRanges.reduce((before, next) => {
      assert.equal(next.start, before.end, `${next.name} begins where ${before.name} ends`);
      return next;
    });
    assert.deepEqual([start, end], [STATE_END, 0x10000]);
  });
  test('the guest part ends in front of STATE_GUEST_END, the host part begins behind it', () => {
    for (const row of guestRows) assert.ok(row.at + rowSize(row) <= STATE_GUEST_END, row.name);
    for (const row of hostRows) assert.ok(row.at >= STATE_GUEST_END && row.at + rowSize(row) <= STATE_END, row.name);
  });
  test('the generated files are what the table says', async () => {
    for (const [file, content] of await generatedStateFiles())
      assert.equal(readGenerated(file), content, `${file}: run npm run build`);
  });

  const faults: readonly (readonly [string, readonly Row[], string])[] = [
    [
      'an overlap',
      [u64(0x200, 'RAX', ''), u32(0x204, 'CPL', '')],
      'CPL (0x204 to 0x207) overlaps RAX (0x200 to 0x207): give one of them another address.',
    ],
    [
      'an overlap with an array',
      [array(0x200, 'DR', 'u64', 4, ''), u64(0x218, 'DR6', '')],
      'DR6 (0x218 to 0x21f) overlaps DR (0x200 to 0x21f): give one of them another address.',
    ],
    [
      'rows that are not sorted',
      [u64(0x210, 'RAX', ''), u64(0x200, 'RCX', '')],
      'RCX (0x200 to 0x207) stands behind RAX (0x210 to 0x217): sort the rows by address.',
    ],
    [
      'a row that crosses the end of its part',
      [array(0x2f0, 'DR', 'u64', 4, '')],
      'DR (0x2f0 to 0x30f) is not within the guest part, 0x200 to 0x2ff: move it.',
    ],
    ['a value that is not aligned', [u64(0x204, 'RAX', '')], 'RAX (0x204 to 0x20b) has to be at a multiple of 8.'],
    [
      'a name that two rows have',
      [array(0x200, 'REGS', 'u64', ['RAX', 'RCX'], ''), u64(0x210, 'RCX', '')],
      'RCX is said by REGS (0x200 to 0x20f) and by RCX (0x210 to 0x217): rename one of them.',
    ],
    [
      'a record whose members overlap',
      [
        {
          ...{ at: 0x200, name: 'CS', says: '' },
          type: {
            ...{ name: 'Segment', size: 16, says: '' },
            members: [
              { offset: 0, type: 'u64', name: 'base', says: '' },
              { offset: 4, type: 'u32', name: 'limit', says: '' },
            ],
          },
        },
      ],
      'CS: Segment.limit overlaps the member in front of it.',
    ],
  ];
  for (const [what, rows, sentence] of faults)
    test(`${what} is refused and named`, () => assert.deepEqual(tableFaults(range(rows)), [sentence]));
});

/** The bytes of `memory` that are not 0: from, to. */
function touched(memory: Uint8Array): readonly [number, number] {
  return [memory.findIndex((byte) => byte !== 0), memory.findLastIndex((byte) => byte !== 0) + 1];
}

describe('state accessors', () => {
  const constants: Readonly<Record<string, unknown>> = L;
  for (const shift of [0, 0x3e00]) {
    test(`each writes and reads exactly its row's bytes, ${shift === 0 ? 'running' : 'parked'}`, () => {
      const memory = new Uint8Array(0x3000 + shift);
      const view = new DataView(memory.buffer);
      const areas: readonly (readonly [StateArea | SharedArea, readonly Row[]])[] = [
        [new StateArea(view, shift), [...guestRows, ...hostRows]],
        [new SharedArea(view, shift), sharedRows],
      ];
      let looked = 0;
      const check = (holder: object, key: string, at: number, size: number): void => {
        memory.fill(0, at + shift - 64, at + shift + size + 64);
        const value: unknown = Reflect.get(holder, key);
        assert.equal(typeof value, size === 8 ? 'bigint' : 'number', key);
        assert.ok(Reflect.set(holder, key, size === 8 ? -1n : -1), key);
        const [from, to] = touched(memory);
        assert.deepEqual([from - shift, to - shift], [at, at + size], key);
        const signed: unknown = Reflect.get(holder, key);
        const all = size === 8 ? (1n << 64n) - 1n : 2 ** (8 * size) - 1;
        assert.ok(signed === all || signed === -1 || signed === -1n, key);
        memory.fill(0);
        looked++;
      };
      for (const [area, rows] of areas) {
        for (const row of rows) {
          const { type, at, count, elements, name } = row;
          if (type === 'bytes') continue;
          assert.equal(constants[name], at, `constant ${name}`);
          for (let index = 0; index < (count ?? 1); index++) {
            const element = at + index * elementSize(row);
            const key = accessorName(elements?.[index] ?? name);
            if (elements !== undefined) assert.equal(constants[elements[index] ?? ''], element);
            if (typeof type !== 'string') {
              const call: unknown = Reflect.get(area, accessorName(name));
              const holder: unknown = typeof call === 'function' ? call.call(area, index) : call;
              assert.ok(typeof holder === 'object' && holder !== null);
              if (elements !== undefined) assert.equal(Reflect.get(area, key), holder);
              for (const member of type.members)
                check(
                  holder,
                  member.name,
                  element + member.offset,
                  { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 }[member.type],
                );
            } else if (count === undefined || elements !== undefined) {
              check(area, key, element, elementSize(row));
            } else {
              const [get, set] = [accessorName(name), `set${accessorName(name).replace(/^./, (c) => c.toUpperCase())}`];
              const proxy = {
                get value(): unknown {
                  return Reflect.apply(Reflect.get(area, get) as () => unknown, area, [index]);
                },
                set value(value: unknown) {
                  Reflect.apply(Reflect.get(area, set) as () => unknown, area, [index, value]);
                },
              };
              check(proxy, 'value', element, elementSize(row));
            }
          }
        }
      }
      assert.ok(looked > 400, `${looked} values looked at`);
    });
  }
  test('an element outside of an array is refused', () => {
    const area = new StateArea(new DataView(new ArrayBuffer(0x3000)));
    assert.throws(() => area.dr(4), RangeError);
    assert.throws(() => area.setDr(-1, 0n), RangeError);
    assert.throws(() => area.xmm(16), RangeError);
    assert.throws(() => area.pdpte(Number.NaN), RangeError);
  });
  test('a value that is wider than its slot is cut, as the processor would', () => {
    const area = new StateArea(new DataView(new ArrayBuffer(0x3000)));
    area.rax = (1n << 64n) + 5n;
    area.cpl = 2 ** 32 + 3;
    assert.deepEqual([area.rax, area.rcx, area.cpl, area.activity], [5n, 0n, 3, 0]);
  });
});
