/**
 * A kernel's kallsyms as an ELF file in memory: a symbol table and the outlines of the image, as `nm` and the linker
 * would have left them in a stripped vmlinux. What reads ELF files then serves for both. (gABI, chapters 4 and 5)
 */
import { PT_LOAD, SHT_NOBITS, SHT_SYMTAB, SHN_ABS } from '../elf-constants.ts';
import { compareBigint } from '../search.ts';
import type { Kallsyms, KernelSymbol } from './kallsyms.ts';

const HEADER = 64;
const SEGMENT = 56;
const SECTION = 64;
const SYMBOL = 24;
const SHT_STRTAB = 3;
const SHF_WRITE = 1n;
const SHF_ALLOC = 2n;
const SHF_EXECINSTR = 4n;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;

const BORDER = /^_s?text$|^_e?(?:text|data|inittext)$|^_s(?:inittext|data)$|_(?:start|begin|end)$/;

/** A stretch of the image; the names are those of the section that lies there. */
interface Part {
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly executable: boolean;
}

/** @param slide run-time minus link-time address: the file says what the linker said. */
export function kallsymsElf(kallsyms: Kallsyms, slide: bigint): Uint8Array {
  const parts = partsOf(kallsyms).map((part) => ({ ...part, start: part.start - slide, end: part.end - slide }));
  const names = ['', ...parts.map(({ name }) => name), '.symtab', '.strtab', '.shstrtab'];
  const sectionNames = stringTable(names);
  const sorted = kallsyms.symbols.toSorted((a, b) => compareBigint(a.address, b.address));
  const symbolNames = stringTable(['', ...sorted.map(({ name }) => name)]);
  const symbolsAt = HEADER + SEGMENT * parts.length;
  const symbolsSize = SYMBOL * (sorted.length + 1);
  const stringsAt = symbolsAt + symbolsSize;
  const sectionNamesAt = stringsAt + symbolNames.bytes.length;
  const sectionsAt = (sectionNamesAt + sectionNames.bytes.length + 7) & ~7;
  const file = new Uint8Array(sectionsAt + SECTION * names.length);
  const view = new DataView(file.buffer);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(0x10, 2, true); // ET_EXEC
  view.setUint16(0x12, 62, true); // EM_X86_64
  view.setUint32(0x14, 1, true);
  view.setBigUint64(0x18, parts[0]?.start ?? 0n, true);
  view.setBigUint64(0x20, BigInt(HEADER), true);
  view.setBigUint64(0x28, BigInt(sectionsAt), true);
  [HEADER, SEGMENT, parts.length, SECTION, names.length, names.length - 1].forEach((value, index) =>
    view.setUint16(0x34 + 2 * index, value, true),
  );
  parts.forEach(({ start, end, executable }, index) => {
    const at = HEADER + SEGMENT * index;
    view.setUint32(at, PT_LOAD, true);
    view.setUint32(at + 4, executable ? 5 : 6, true);
    view.setBigUint64(at + 0x10, start, true);
    view.setBigUint64(at + 0x28, end - start, true);
  });

  const following = followingAddresses(sorted);
  sorted.forEach((symbol, index) => {
    const at = symbolsAt + SYMBOL * (index + 1);
    const linked = symbol.address - slide;
    const part = parts.findIndex(({ start, end }) => linked >= start && linked < end);
    const partEnd = parts[part]?.end ?? linked;
    const next = (following[index] ?? partEnd + slide) - slide;
    const isFunction = /^[tTwW]$/.test(symbol.type);
    // Borders that the linker script sets share an address with what begins there, which has the better name.
    const type = part < 0 || BORDER.test(symbol.name) ? STT_NOTYPE : isFunction ? STT_FUNC : STT_OBJECT;
    view.setUint32(at, symbolNames.offsets[index + 1] ?? 0, true);
    file[at + 4] = (bindingOf(symbol) << 4) | type;
    view.setUint16(at + 6, part < 0 ? SHN_ABS : part + 1, true);
    view.setBigUint64(at + 8, part < 0 ? symbol.address : linked, true);
    // Code reaches up to what follows; how large an object is, the table does not say.
    view.setBigUint64(at + 16, type === STT_FUNC ? (next < partEnd ? next : partEnd) - linked : 0n, true);
  });
  file.set(symbolNames.bytes, stringsAt);
  file.set(sectionNames.bytes, sectionNamesAt);

  const section = (index: number, type: number, place: readonly [offset: number, size: number], link = 0): void => {
    const at = sectionsAt + SECTION * index;
    view.setUint32(at, sectionNames.offsets[index] ?? 0, true);
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 0x18, BigInt(place[0]), true);
    view.setBigUint64(at + 0x20, BigInt(place[1]), true);
    view.setUint32(at + 0x28, link, true);
    if (type === SHT_SYMTAB) view.setBigUint64(at + 0x38, BigInt(SYMBOL), true);
  };
  parts.forEach(({ start, end, executable }, index) => {
    section(index + 1, SHT_NOBITS, [0, Number(end - start)]);
    const at = sectionsAt + SECTION * (index + 1);
    view.setBigUint64(at + 8, SHF_ALLOC | (executable ? SHF_EXECINSTR : SHF_WRITE), true);
    view.setBigUint64(at + 0x10, start, true);
  });
  const tables = parts.length + 1;
  section(tables, SHT_SYMTAB, [symbolsAt, symbolsSize], tables + 1);
  section(tables + 1, SHT_STRTAB, [stringsAt, symbolNames.bytes.length]);
  section(tables + 2, SHT_STRTAB, [sectionNamesAt, sectionNames.bytes.length]);
  return file;
}

/** The image by the linker script's own symbols (arch/x86/kernel/vmlinux.lds.S); code and what lies between. */
function partsOf({ relativeBase, symbols }: Kallsyms): readonly Part[] {
  const wanted = new Set(['_etext', '_sinittext', '__init_end', '_end']);
  const found = new Map<string, bigint>();
  for (const { name, address } of symbols) if (wanted.has(name)) found.set(name, address);
  const last = symbols.reduce((high, { address }) => (address > high ? address : high), relativeBase);
  const end = found.get('_end') ?? last + 1n;
  // Without the borders everything is taken for code: names go before precision.
  const textEnd = found.get('_etext') ?? end;
  const initStart = found.get('_sinittext') ?? end;
  const initEnd = found.get('__init_end') ?? initStart;
  const parts: readonly Part[] = [
    { name: '.text', start: relativeBase, end: textEnd, executable: true },
    { name: '.data', start: textEnd, end: initStart, executable: false },
    { name: '.init.text', start: initStart, end: initEnd, executable: true },
    { name: '.bss', start: initEnd, end, executable: false },
  ];
  // A forged table may have them in any order.
  return parts.filter((part) => part.start < part.end && part.start >= relativeBase && part.end <= end);
}

/** For each symbol the lowest address above its own at which another one lies. */
function followingAddresses(sorted: readonly KernelSymbol[]): readonly (bigint | undefined)[] {
  const following: (bigint | undefined)[] = [];
  for (let index = sorted.length - 1; index >= 0; index--) {
    const next = sorted[index + 1]?.address;
    following[index] = next === sorted[index]?.address ? following[index + 1] : next;
  }
  return following;
}

function bindingOf({ type }: KernelSymbol): number {
  if (/^[wWvV]$/.test(type)) return 2;
  return type === type.toUpperCase() ? 1 : 0;
}

function stringTable(texts: readonly string[]): { readonly bytes: Uint8Array; readonly offsets: readonly number[] } {
  const offsets: number[] = [];
  let length = 0;
  for (const text of texts) {
    offsets.push(length);
    length += text.length + 1;
  }
  // kallsyms has bytes, not characters: each became one code unit.
  const bytes = new Uint8Array(length);
  texts.forEach((text, index) => {
    const start = offsets[index] ?? 0;
    for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i);
  });
  return { bytes, offsets };
}
