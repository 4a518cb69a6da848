/**
 * Linux's own symbol table, found in the bytes of an unpacked kernel. scripts/kallsyms.c writes
 *
 *     kallsyms_offsets         s32 each; below zero: relative_base - 1 - offset, else an absolute (per-CPU) value
 *     kallsyms_relative_base   u64, relocated with the kernel
 *     kallsyms_num_syms        u32
 *     kallsyms_names           for each symbol a length and its tokens: letter of the type and name
 *     kallsyms_markers         u32 each: where every 256th name begins
 *     kallsyms_seqs_of_names   three bytes each: the symbols in order of name (Linux 6.2, and 6.1 of Debian)
 *     kallsyms_token_table     256 strings
 *     kallsyms_token_index     256 u16: where each of them begins
 *
 * one behind the other, each aligned to 8 bytes, without any header; from Linux 6.4 on, offsets and base are behind the
 * index. The token table gives itself away: each digit is its own token. All of it is the guest's to forge, so every
 * read is checked and all work is bounded.
 */

export interface KernelSymbol {
  readonly name: string;
  /** As `nm` writes it: t, T code; d, D, b, B, r, R data; a, A absolute; w, W, v, V weak. */
  readonly type: string;
  /** As the kernel runs: with the slide of KASLR. */
  readonly address: bigint;
}

export interface Kallsyms {
  /** `kallsyms_relative_base`: run-time address of the first byte of the image. */
  readonly relativeBase: bigint;
  /** In order of address, as the table has them. */
  readonly symbols: readonly KernelSymbol[];
}

/** More symbols than any kernel has: a table that claims more is not one. */
const SYMBOL_LIMIT = 1 << 20;
const TOKENS = 256;
const TOKEN_LIMIT = 128;
const NAMES_PER_MARKER = 256;
/** How many places that look like the number of symbols are tried in earnest. */
const CANDIDATE_LIMIT = 64;
/** How many rows of digits are looked at. */
const PLACE_LIMIT = 64;
/** How many token tables are tried: a kernel has one. */
const TABLE_LIMIT = 4;
/** __START_KERNEL_map (Documentation/x86/x86_64/mm.rst) */
const KERNEL_MAP = 0xffff_ffff_8000_0000n;

const align8 = (value: number): number => (value + 7) & ~7;

/** Finds and decodes the table. Undefined: there is none that holds together. Never throws. */
export function readKallsyms(image: Uint8Array): Kallsyms | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  let tables = 0;
  let places = 0;
  for (let digits = findDigits(image, 0); digits >= 0; digits = findDigits(image, digits + 1)) {
    if (++places > PLACE_LIMIT) return undefined;
    const tokens = readTokens(image, view, digits);
    if (tokens === undefined) continue;
    const found = readTable(image, view, tokens);
    if (found !== undefined || ++tables === TABLE_LIMIT) return found;
  }
  return undefined;
}

/** Offset of "0\0" "1\0" ... "9\0" at or behind `from`, or -1. */
function findDigits(image: Uint8Array, from: number): number {
  const isDigits = (at: number): boolean => {
    for (let digit = 0; digit < 10; digit++) {
      if (image[at + 2 * digit] !== 0x30 + digit || image[at + 2 * digit + 1] !== 0) return false;
    }
    return true;
  };
  for (let at = image.indexOf(0x30, from); at >= 0; at = image.indexOf(0x30, at + 1)) {
    if (image[at + 1] === 0 && image[at + 2] === 0x31 && isDigits(at)) return at;
  }
  return -1;
}

interface Tokens {
  /** Offset of the token table. */
  readonly start: number;
  /** Behind the token index. */
  readonly end: number;
  readonly texts: readonly string[];
}

/** The token table around the token of the digit 0, which is number 48: the index behind it has to agree. */
function readTokens(image: Uint8Array, view: DataView, digits: number): Tokens | undefined {
  const lowest = Math.max(0, digits - 48 * TOKEN_LIMIT);
  let terminators = 0;
  let at = digits - 1;
  // In front of number 48 there are 48 strings; the first one begins somewhere before the terminator that is met last.
  for (; at >= lowest && terminators < 48; at--) if (image[at] === 0) terminators++;
  if (terminators < 48) return undefined;
  const first = at + 1;
  for (let start = first & ~7; start >= Math.max(0, first - TOKEN_LIMIT); start -= 8) {
    const tokens = tokensAt(image, view, start);
    if (tokens !== undefined) return tokens;
  }
  return undefined;
}

function tokensAt(image: Uint8Array, view: DataView, start: number): Tokens | undefined {
  const offsets: number[] = [];
  const texts: string[] = [];
  let at = start;
  for (let token = 0; token < TOKENS; token++) {
    offsets.push(at - start);
    const end = image.indexOf(0, at);
    if (end < 0 || end - at > TOKEN_LIMIT) return undefined;
    texts.push(String.fromCharCode(...image.subarray(at, end)));
    at = end + 1;
  }
  const index = align8(at);
  if (index + 2 * TOKENS > image.length) return undefined;
  const agrees = offsets.every((offset, token) => view.getUint16(index + 2 * token, true) === offset);
  return agrees ? { start, end: index + 2 * TOKENS, texts } : undefined;
}

/** Everything else, by its distance from the token table: older kernels have it in front, newer ones partly behind. */
function readTable(image: Uint8Array, view: DataView, tokens: Tokens): Kallsyms | undefined {
  let candidates = 0;
  for (let numberAt = (tokens.start - 16) & ~7; numberAt >= 8; numberAt -= 8) {
    const symbols = view.getUint32(numberAt, true);
    if (symbols === 0 || symbols > SYMBOL_LIMIT) continue;
    for (const values of valuesOf(view, numberAt, symbols, tokens)) {
      if (!isImageBase(view.getBigUint64(values.base, true))) continue;
      if (++candidates > CANDIDATE_LIMIT) return undefined;
      const found = decode(image, view, tokens, { names: numberAt + 8, symbols, ...values });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Where offsets and relative_base may lie, for a number of symbols at `numberAt`; both inside the image. */
function valuesOf(view: DataView, numberAt: number, symbols: number, tokens: Tokens): readonly Values[] {
  const inFront = { offsets: numberAt - 8 - align8(4 * symbols), base: numberAt - 8 };
  const behind = { offsets: tokens.end, base: tokens.end + align8(4 * symbols) };
  return [inFront, behind].filter(({ offsets, base }) => offsets >= 0 && base + 8 <= view.byteLength);
}

/** The image's first byte is mapped into the topmost 2 GiB, at a multiple of CONFIG_PHYSICAL_ALIGN (2 MiB at least). */
function isImageBase(address: bigint): boolean {
  return address >= KERNEL_MAP && (address & 0x1f_ffffn) === 0n;
}

interface Values {
  readonly offsets: number;
  readonly base: number;
}
interface Place extends Values {
  readonly names: number;
  readonly symbols: number;
}

function decode(image: Uint8Array, view: DataView, tokens: Tokens, place: Place): Kallsyms | undefined {
  const { names, symbols, offsets } = place;
  const markers = align8(endOfNames(image, names, symbols, tokens.start));
  const behind = align8(markers + 4 * Math.ceil(symbols / NAMES_PER_MARKER));
  // Linux 6.2 and its backports have kallsyms_seqs_of_names, three bytes a symbol, in between.
  if (behind !== tokens.start && align8(behind + 3 * symbols) !== tokens.start) return undefined;
  const relativeBase = view.getBigUint64(place.base, true);
  const addresses = readAddresses(view, offsets, symbols, relativeBase);
  const found: KernelSymbol[] = [];
  let at = names;
  for (const [index, address] of addresses.entries()) {
    const marker = markers + Math.floor(index / NAMES_PER_MARKER) * 4;
    if (index % NAMES_PER_MARKER === 0 && view.getUint32(marker, true) !== at - names) return undefined;
    const { start, end } = nameAt(image, at);
    let text = '';
    for (at = start; at < end; at++) text += tokens.texts[image[at] ?? 0] ?? '';
    found.push({ name: text.slice(1), type: text.charAt(0), address });
  }
  return { relativeBase, symbols: found };
}

/** A length (KSYM_NAME_LEN: two bytes of seven bits each from 128 on) and as many tokens. */
function nameAt(image: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const low = image[at] ?? 0;
  if (low < 0x80) return { start: at + 1, end: at + 1 + low };
  return { start: at + 2, end: at + 2 + ((low & 0x7f) | ((image[at + 1] ?? 0) << 7)) };
}

/** Where the names end; beyond `limit` when they do not fit. */
function endOfNames(image: Uint8Array, names: number, symbols: number, limit: number): number {
  let at = names;
  for (let index = 0; index < symbols && at <= limit; index++) at = nameAt(image, at).end;
  return at;
}

/** With CONFIG_KALLSYMS_ABSOLUTE_PERCPU offsets below zero are relative, the others absolute; without it all are relative. */
function readAddresses(view: DataView, at: number, symbols: number, base: bigint): readonly bigint[] {
  const offsets = Array.from({ length: symbols }, (_, index) => view.getInt32(at + 4 * index, true));
  const absolutePerCpu = offsets.some((offset) => offset < 0);
  return offsets.map((offset) => {
    if (!absolutePerCpu) return BigInt.asUintN(64, base + BigInt(offset));
    return offset < 0 ? BigInt.asUintN(64, base - 1n - BigInt(offset)) : BigInt(offset);
  });
}
