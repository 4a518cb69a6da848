/** For tests: a kernel image that holds nothing but a kallsyms table, as scripts/kallsyms.c would have written it. */
import type { KernelSymbol } from './kallsyms.ts';

/** 6.1: no order by name; 6.2: with kallsyms_seqs_of_names; 6.4: offsets and base behind the token index. */
export type KallsymsLayout = '6.1' | '6.2' | '6.4';

export function buildKallsyms(symbols: readonly KernelSymbol[], base: bigint, layout: KallsymsLayout): Uint8Array {
  const bytes: number[] = Array.from({ length: 4096 }, (_, index) => (index * 37) & 0xff);
  const align = (): void => {
    while (bytes.length % 8 !== 0) bytes.push(0);
  };
  const number = (value: bigint, size: number): void => {
    for (let i = 0; i < size; i++) bytes.push(Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn));
  };
  const values = (): void => {
    align();
    for (const { address } of symbols) number(address >= base ? base - 1n - address : address, 4);
    align();
    number(base, 8);
  };

  // Printable characters are their own tokens; one more stands for a word.
  const word = 'function_';
  const tokens = Array.from({ length: 256 }, (_, code) =>
    code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '',
  );
  tokens[1] = word;
  const encode = (text: string): readonly number[] =>
    text.split(word).flatMap((part, index) => [...(index > 0 ? [1] : []), ...new TextEncoder().encode(part)]);

  if (layout !== '6.4') values();
  align();
  number(BigInt(symbols.length), 4);
  align();
  const names = bytes.length;
  const markers: number[] = [];
  symbols.forEach(({ type, name }, index) => {
    if (index % 256 === 0) markers.push(bytes.length - names);
    const code = encode(type + name);
    if (code.length < 0x80) bytes.push(code.length);
    else bytes.push(0x80 | (code.length & 0x7f), code.length >> 7);
    bytes.push(...code);
  });
  align();
  for (const marker of markers) number(BigInt(marker), 4);
  align();
  if (layout === '6.2') symbols.forEach((_, index) => number(BigInt(index), 3));
  align();
  const table = bytes.length;
  const offsets = tokens.map((token) => {
    const offset = bytes.length - table;
    bytes.push(...new TextEncoder().encode(token), 0);
    return offset;
  });
  align();
  for (const offset of offsets) number(BigInt(offset), 2);
  if (layout === '6.4') values();
  bytes.push(...Array.from({ length: 4096 }, (_, index) => (index * 91) & 0xff));
  return Uint8Array.from(bytes);
}
