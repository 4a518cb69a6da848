// Makes a case that differs as small as it gets: what is not needed for the difference is zero, or is not there.
import { decode } from '../../../src/core/disassembler/decode.ts';
import { bytesText } from '../../harness/bytes.ts';
import { type Comparison, type Difference, kindOfDifference } from './campaign.ts';
import { COMPARED_FLAGS } from './undefined.ts';
import { usesSelectors } from './selectors.ts';
import { type Case, INITIAL_X87, startOf } from './protocol.ts';

const withByte = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};

/** Cases that are each one step simpler, the largest steps first. */
function* simpler(item: Case): Generator<Case> {
  const { code, registers, flags, xmm, mxcsr, x87, patch } = item;

  if (xmm.some((byte) => byte !== 0)) yield { ...item, xmm: new Uint8Array(256) };
  if (patch.some((byte) => byte !== 0)) yield { ...item, patch: new Uint8Array(patch.length) };
  if (x87 !== INITIAL_X87) yield { ...item, x87: INITIAL_X87 };
  if (mxcsr !== 0x1f80) yield { ...item, mxcsr: 0x1f80 };
  if (flags !== 0n) yield { ...item, flags: 0n };
  for (let at = 0; at < code.length - 1; at++)
    yield { ...item, code: Uint8Array.from([...code.slice(0, at), ...code.slice(at + 1)]) };
  for (let i = 0; i < 16; i++) {
    const value = registers[i] ?? 0n;
    for (const better of [0n, 1n, value & 0xffffffffn, value & 0xffffn, value & 0xffn])
      if (better < value) yield { ...item, registers: registers.with(i, better) };
  }
  for (let bit = 1n; bit <= flags; bit <<= 1n) if ((flags & bit) !== 0n) yield { ...item, flags: flags & ~bit };
  for (let i = 0; i < 256; i += 8)
    if (xmm.subarray(i, i + 8).some((byte) => byte !== 0)) yield { ...item, xmm: xmm.slice().fill(0, i, i + 8) };
  for (let i = 0; i < patch.length; i += 2)
    if (patch.subarray(i, i + 2).some((byte) => byte !== 0)) yield { ...item, patch: patch.slice().fill(0, i, i + 2) };
  for (let i = 0; i < 128; i += 16)
    if (x87.registers.subarray(i, i + 16).some((byte) => byte !== 0))
      yield { ...item, x87: { ...x87, registers: x87.registers.slice().fill(0, i, i + 16) } };
  if (x87.tags !== 0) yield { ...item, x87: { ...x87, tags: 0 } };
  if (x87.status !== 0) yield { ...item, x87: { ...x87, status: 0 } };
  if (x87.control !== INITIAL_X87.control) yield { ...item, x87: { ...x87, control: INITIAL_X87.control } };
  for (let at = 1; at < code.length; at++) if ((code[at] ?? 0) !== 0) yield { ...item, code: withByte(code, at, 0) };
}

/** The smallest case that was found with a difference of the same kind. */
export function minimise(comparison: Comparison, found: Difference): Difference {
  // a far transfer with another selector, target or image of the flags (TF!) might not come back to the runner
  if (usesSelectors(found.decoded.row)) return found;
  const kind = kindOfDifference(found.item, found.decoded, found.lines);
  let best = found;
  for (let round = 0; round < 200; round++) {
    const candidates = [...simpler(best.item)].flatMap((item) => {
      const decoded = decode(item.code, startOf(item), item.codeSize);
      // the bytes still have to be all of an instruction of the same row
      return decoded?.row === found.decoded.row && decoded.length === item.code.length ? [{ item, decoded }] : [];
    });
    let better: Difference | undefined;
    comparison.run(candidates, (difference) => {
      if (better === undefined && kindOfDifference(difference.item, difference.decoded, difference.lines) === kind)
        better = difference;
    });
    if (better === undefined) return best;
    best = better;
  }
  return best;
}

const hex = (value: bigint | number): string =>
  typeof value === 'bigint' ? `0x${value.toString(16)}n` : `0x${value.toString(16)}`;

/** The case as a test for test/oracle/regressions.test.ts, with what the processor answered. */
export function asRegression({ item, decoded, processor, lines }: Difference): string {
  const start: string[] = [];
  const registers = item.registers.flatMap((value, i) => (value === 0n ? [] : [`${i}: ${hex(value)}`]));
  if (registers.length > 0) start.push(`registers: { ${registers.join(', ')} }`);
  const vectors = Array.from({ length: 16 }, (_, i) => [i, item.xmm.subarray(i * 16, i * 16 + 16)] as const)
    .filter(([, bytes]) => bytes.some((byte) => byte !== 0))
    .map(([i, bytes]) => `${i}: '${bytesText(bytes)}'`);
  if (vectors.length > 0) start.push(`xmm: { ${vectors.join(', ')} }`);
  if (item.flags !== 0n) start.push(`flags: ${hex(item.flags)}`);
  if (item.mxcsr !== 0x1f80) start.push(`mxcsr: ${hex(item.mxcsr)}`);
  if (item.x87 !== INITIAL_X87) {
    const { control, status, tags } = item.x87;
    const values = Array.from(
      { length: 8 },
      (_, i) => `'${bytesText(item.x87.registers.subarray(i * 16, i * 16 + 10))}'`,
    );
    start.push(
      `x87: { control: ${hex(control)}, status: ${hex(status)}, tags: ${hex(tags)}, registers: [${values.join(', ')}] }`,
    );
  }
  if (decoded.memory !== undefined || item.patch.some((byte) => byte !== 0))
    start.push(`memory: { at: ${hex(item.patchOffset)}, bytes: '${bytesText(item.patch)}' }`);
  if (item.codeSize !== 64)
    start.push(`kind: '${item.codeSize}${item.codeSize === 32 && item.segmented ? ' segmented' : ''}'`);
  const asserts = [`assert.equal(result.vector, ${processor.vector});`];
  if (lines.some((line) => line.startsWith('flags')))
    asserts.push(
      `assert.equal(result.flags & ${hex(BigInt(COMPARED_FLAGS))}, ${hex(processor.flags & BigInt(COMPARED_FLAGS))});`,
    );
  if (lines.some((line) => line.startsWith('mxcsr')))
    asserts.push(`assert.equal(result.mxcsr, ${hex(processor.mxcsr)});`);
  if (lines.some((line) => line.startsWith('x87 status')))
    asserts.push(`assert.equal(result.x87.status, ${hex(processor.x87.status)});`);
  processor.registers.forEach((value, i) => {
    if (value !== item.registers[i] && processor.vector === 1)
      asserts.push(`assert.equal(result.registers[${i}], ${hex(value)});`);
  });
  for (let i = 0; i < 16; i++) {
    const bytes = processor.xmm.subarray(i * 16, i * 16 + 16);
    if (lines.some((line) => line.startsWith(`xmm${i}:`)))
      asserts.push(`assert.equal(vector(result, ${i}), '${bytesText(bytes)}');`);
    const extended = processor.x87.registers.subarray(i * 16, i * 16 + 10);
    if (lines.some((line) => line.startsWith(`st${i}:`)))
      asserts.push(`assert.equal(extended(result, ${i}), '${bytesText(extended)}');`);
  }
  if (lines.some((line) => line.startsWith('memory')))
    for (const [at, value] of processor.changes)
      asserts.push(`assert.equal(result.changes.get(${hex(at)}), ${hex(value)});`);
  return [
    `  it('${decoded.row.mnemonic.toLowerCase()}: ${lines.map((line) => line.replace(/:.*/, '')).join(', ')}', () => {`,
    `    const result = run('${bytesText(item.code)}', { ${start.join(', ')} });`,
    ...asserts.map((line) => `    ${line}`),
    '  });',
  ].join('\n');
}
