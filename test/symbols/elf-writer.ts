/** ELF files and DWARF made by hand, for shapes that no compiler makes. */

/** Bytes in little-endian order, collected piece by piece. */
export class Bytes {
  #bytes = new Uint8Array(1 << 12);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  #room(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(...values: readonly number[]): this {
    for (const value of values) {
      const at = this.#room(1);
      this.#bytes[at] = value;
    }
    return this;
  }
  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
    return this;
  }
  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }
  u64(value: bigint | number): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }
  uleb(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.u8((rest % 128) | 0x80);
    return this.u8(rest);
  }
  text(value: string): this {
    return this.bytes(new TextEncoder().encode(value)).u8(0);
  }
  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }
  /** Overwrites four bytes that are there already. */
  setU32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }
  get all(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

export interface SectionToWrite {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `sh_type`; PROGBITS when left out. */
  readonly type?: number;
  /** `sh_flags` */
  readonly flags?: number;
  readonly address?: bigint;
  readonly link?: number;
  readonly entrySize?: number;
}

const HEADER = 64;
const SECTION_HEADER = 64;
const PROGRAM_HEADER = 56;

/** An ELF64 file for x86-64: these sections, a section of their names, and one PT_LOAD for each that is allocated. */
export function elfFile(sections: readonly SectionToWrite[], type = 2): Uint8Array {
  const loaded = sections.filter(({ flags = 0 }) => (flags & 2) !== 0);
  const names = new Bytes().u8(0);
  const nameAt = [...sections.map(({ name }) => name), '.shstrtab'].map((name) => {
    const at = names.length;
    names.text(name);
    return at;
  });
  const all = [...sections, { name: '.shstrtab', bytes: names.all, type: 3 }];
  const body = new Bytes().bytes(new Uint8Array(HEADER + PROGRAM_HEADER * loaded.length));
  const offsets = all.map(({ bytes }) => {
    while (body.length % 16 !== 0) body.u8(0);
    const at = body.length;
    body.bytes(bytes);
    return at;
  });
  while (body.length % 16 !== 0) body.u8(0);
  const table = body.length;
  body.bytes(new Uint8Array(SECTION_HEADER));
  all.forEach(({ type: kind = 1, flags = 0, address = 0n, link = 0, entrySize = 0, bytes }: SectionToWrite, index) => {
    body
      .u32(nameAt[index] ?? 0)
      .u32(kind)
      .u64(flags)
      .u64(address);
    body
      .u64(offsets[index] ?? 0)
      .u64(bytes.length)
      .u32(link)
      .u32(0)
      .u64(1)
      .u64(entrySize);
  });
  const head = new Bytes().u8(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0).u64(0);
  head.u16(type).u16(62).u32(1).u64(0).u64(HEADER).u64(table).u32(0);
  head.u16(HEADER).u16(PROGRAM_HEADER).u16(loaded.length).u16(SECTION_HEADER);
  head.u16(all.length + 1).u16(all.length);
  for (const section of loaded) {
    const { flags = 0, address = 0n, bytes } = section;
    const at = offsets[sections.indexOf(section)] ?? 0;
    head
      .u32(1)
      .u32((flags & 4) === 0 ? 6 : 5)
      .u64(at)
      .u64(address)
      .u64(address);
    head.u64(bytes.length).u64(bytes.length).u64(1);
  }
  const file = body.all.slice();
  file.set(head.all);
  return file;
}

/** A unit of .debug_info of DWARF 5: its header, and entries that `write` gives. */
export function unit(info: Bytes, abbreviations: number, write: (entries: Bytes) => void): void {
  const start = info.length;
  info.u32(0).u16(5).u8(1, 8).u32(abbreviations);
  write(info);
  info.setU32(start, info.length - start - 4);
}

/** A table of .debug_abbrev; each row is tag, whether there are children, and pairs of attribute and form. */
export function abbreviationTable(
  rows: readonly (readonly [tag: number, children: boolean, ...pairs: readonly (readonly [number, number])[]])[],
): Uint8Array {
  const table = new Bytes();
  rows.forEach(([tag, children, ...pairs], index) => {
    table
      .uleb(index + 1)
      .uleb(tag)
      .u8(children ? 1 : 0);
    for (const [attribute, form] of pairs) table.uleb(attribute).uleb(form);
    table.u8(0, 0);
  });
  return table.u8(0).all;
}
