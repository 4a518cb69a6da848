/** The ELF symbol table: by address, by name, by prefix. */

import type { ElfSymbol, SymbolHit } from './api.ts';
import { lastNotAbove } from './search.ts';
import { SHN_ABS, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, SHT_DYNSYM, SHT_SYMTAB } from './elf-constants.ts';
import type { ElfFile } from './elf.ts';
import { StringSection } from './string-section.ts';

const kinds = ['none', 'object', 'function', 'section', 'file', 'other', 'tls'] as const;
const kindRank: Record<ElfSymbol['kind'], number> = {
  function: 0,
  object: 1,
  tls: 2,
  none: 3,
  other: 4,
  section: 5,
  file: 6,
};
const bindingRank: Record<ElfSymbol['binding'], number> = { global: 0, weak: 1, local: 2 };

export class SymbolTable {
  /** Sorted by address. */
  readonly all: readonly ElfSymbol[];
  /** Those that can name an address, sorted by address. */
  readonly #located: readonly ElfSymbol[];
  /** reach[i]: greatest end of #located[0..i]; says when looking further down cannot help. */
  readonly #reach: readonly bigint[];
  /** Ends of sections with addresses, by name. */
  readonly #sectionEnds: ReadonlyMap<string, bigint>;
  #byName: Map<string, ElfSymbol[]> | null = null;
  #names: readonly string[] | null = null;

  constructor(elf: ElfFile) {
    this.all = readSymbols(elf).toSorted((a, b) => compare(a.address, b.address));
    this.#located = this.all.filter(({ kind }) => kind !== 'file' && kind !== 'section' && kind !== 'tls');
    this.#sectionEnds = new Map(
      elf.sections
        .filter(({ address }) => address !== 0n)
        .map((section) => [section.name, section.address + BigInt(section.size)]),
    );
    let reach = 0n;
    this.#reach = this.#located.map(({ address, size }) => {
      if (address + size > reach) reach = address + size;
      return reach;
    });
  }

  at(address: bigint): SymbolHit | null {
    const last = lastNotAbove(this.#located, address, (symbol) => symbol.address);
    let best: ElfSymbol | null = null;
    let nearest: ElfSymbol | null = null;
    for (let index = last; index >= 0; index--) {
      const symbol = this.#located[index];
      if (symbol === undefined) break;
      if (nearest === null || (symbol.address === nearest.address && better(symbol, nearest))) {
        if (symbol.section !== '*ABS*') nearest = symbol;
      }
      if (symbol.size > 0n && address < symbol.address + symbol.size && symbol.section !== '*ABS*') {
        // The innermost one wins; among equals in address the better kind.
        if (best === null || (symbol.address === best.address && better(symbol, best))) best = symbol;
      }
      if (best !== null && symbol.address < best.address) break;
      if (best === null && (this.#reach[index] ?? 0n) <= address && nearest !== null) {
        if (symbol.address < nearest.address) break;
      }
    }
    // A label without a size that lies closer than the covering symbol's start belongs to it; otherwise it stands alone.
    const symbol =
      best ?? (nearest !== null && nearest.size === 0n && this.#inSection(nearest, address) ? nearest : null);
    return symbol === null ? null : { symbol, offset: address - symbol.address };
  }

  /** A label reaches no further than its section. */
  #inSection(symbol: ElfSymbol, address: bigint): boolean {
    const end = this.#sectionEnds.get(symbol.section);
    return end === undefined || address < end;
  }

  named(name: string): readonly ElfSymbol[] {
    return this.#index().get(name) ?? [];
  }

  byPrefix(prefix: string, limit: number): readonly ElfSymbol[] {
    const index = this.#index();
    this.#names ??= [...index.keys()].toSorted();
    const found: ElfSymbol[] = [];
    for (let at = firstNotBelow(this.#names, prefix); at < this.#names.length && found.length < limit; at++) {
      const name = this.#names[at] ?? '';
      if (!name.startsWith(prefix)) break;
      const symbol = index.get(name)?.[0];
      if (symbol !== undefined) found.push(symbol);
    }
    return found;
  }

  #index(): Map<string, ElfSymbol[]> {
    if (this.#byName !== null) return this.#byName;
    const byName = new Map<string, ElfSymbol[]>();
    for (const symbol of this.#located) {
      const same = byName.get(symbol.name);
      if (same === undefined) byName.set(symbol.name, [symbol]);
      else same.push(symbol);
    }
    for (const same of byName.values()) same.sort((a, b) => bindingRank[a.binding] - bindingRank[b.binding]);
    this.#byName = byName;
    return byName;
  }
}

function firstNotBelow(sorted: readonly string[], value: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function better(a: ElfSymbol, b: ElfSymbol): boolean {
  const byKind = kindRank[a.kind] - kindRank[b.kind];
  return byKind !== 0 ? byKind < 0 : bindingRank[a.binding] < bindingRank[b.binding];
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readSymbols(elf: ElfFile): ElfSymbol[] {
  const table =
    elf.sections.find(({ type }) => type === SHT_SYMTAB) ?? elf.sections.find(({ type }) => type === SHT_DYNSYM);
  if (table === undefined) return [];
  const strings = elf.sections[table.link];
  const names = new StringSection(elf.bytes, strings?.fileOffset ?? 0, strings?.size ?? 0);
  const entrySize = elf.class === 64 ? 24 : 16;
  const stride = Math.max(table.entrySize, entrySize);
  const count = Math.floor(table.size / stride);
  const reader = elf.reader(table.fileOffset, table.size, 'the symbol table', table.name);
  const symbols: ElfSymbol[] = [];
  for (let index = 1; index < count; index++) {
    const entry = reader.at(index * stride);
    const nameOffset = entry.u32();
    let address = 0n;
    let size = 0n;
    if (elf.class === 32) {
      address = BigInt(entry.u32());
      size = BigInt(entry.u32());
    }
    const info = entry.u8();
    entry.u8();
    const sectionIndex = entry.u16();
    if (elf.class === 64) {
      address = entry.u64();
      size = entry.u64();
    }
    if (sectionIndex === SHN_UNDEF) continue;
    const binding = info >> 4;
    const kind = kinds[info & 15] ?? 'other';
    const section =
      sectionIndex === SHN_ABS
        ? '*ABS*'
        : sectionIndex >= SHN_LORESERVE && sectionIndex !== SHN_XINDEX
          ? '*COM*'
          : (elf.sections[sectionIndex]?.name ?? '');
    symbols.push({
      name: names.at(nameOffset),
      address,
      size,
      // STT_GNU_IFUNC is a function for everyone who looks at addresses.
      kind: (info & 15) === 10 ? 'function' : kind,
      binding: binding === 0 ? 'local' : binding === 2 ? 'weak' : 'global',
      section,
    });
  }
  return symbols;
}
