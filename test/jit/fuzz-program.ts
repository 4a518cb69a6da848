// Random guest programs as lists of pieces that can be left out one by one: places are named by pieces, not by addresses.
import type { Random } from '../harness/random.ts';

export const CODE = 0x20000;
export const CODE_END = 0x50000;
export const DATA = 0x100000;
export const STACK = 0x180000;
/** A page that is not there until the #PF handler maps it; one that never is; one for the kernel alone; one to read only. */
export const LATE_PAGE = 0x190000;
export const NO_PAGE = 0x1a0000;
export const KERNEL_PAGE = 0x1b0000;
export const READ_ONLY_PAGE = 0x1c0000;
export const PAGE_TABLE = 0x13000;
/** The code once more, with other operands: page-table entries may lead there. */
export const OTHER_CODE = 0x1d0000;
/** INT that changes between ring 0 and ring 3. */
export const CHANGE_RING = 0x80;

/** Where in a piece's bytes 32 bits depend on the place of another piece. */
interface Fixup {
  readonly at: number;
  readonly piece: number;
  readonly how: 'relative' | 'absolute' | 'entry' | 'pageEntry' | 'otherPageEntry' | 'absentEntry';
  readonly plus: number;
}
export interface Piece {
  readonly bytes: readonly number[];
  readonly fixups: readonly Fixup[];
  /** The code goes on at this offset within a page. */
  readonly skipTo?: number;
  /** Byte that the program may write to while it runs: an immediate operand. */
  readonly patch?: number;
}
export interface Layout {
  readonly code: Uint8Array;
  /** The same with other operands at the patches. */
  readonly other: Uint8Array;
  readonly places: readonly number[];
}

export const imm32 = (value: number): number[] => [
  value & 255,
  (value >> 8) & 255,
  (value >> 16) & 255,
  (value >>> 24) & 255,
];
const plain = (...bytes: number[]): Piece => ({ bytes, fixups: [] });
const modrm = (mod: number, r: number, rm: number): number => (mod << 6) | (r << 3) | rm;

/** Places the pieces; those that are not kept take no room, and what leads to them leads to the next one. */
export function layOut(pieces: readonly Piece[], kept: readonly boolean[]): Layout {
  const places: number[] = [];
  let at = CODE;
  pieces.forEach((piece, i) => {
    if (kept[i] !== false && piece.skipTo !== undefined)
      at += piece.bytes.length + skip(at + piece.bytes.length, piece.skipTo);
    places.push(at);
    if (kept[i] !== false && piece.skipTo === undefined) at += piece.bytes.length;
  });
  places.push(at);
  if (at + 16 > CODE_END) throw new RangeError('the program is too long');
  const code = new Uint8Array(CODE_END - CODE).fill(0x90);
  const view = new DataView(code.buffer);
  const other: number[] = [];
  let from = CODE;
  pieces.forEach((piece, i) => {
    if (kept[i] === false) return;
    const place = places[i] ?? CODE;
    if (piece.skipTo !== undefined) {
      code.set([0xe9, ...imm32(place - from - 5)], from - CODE);
      from = place;
      return;
    }
    code.set(piece.bytes, place - CODE);
    for (const { at: offset, piece: to, how, plus } of piece.fixups) {
      const target = (places[to] ?? CODE) + plus;
      const entry = PAGE_TABLE + (target >> 12) * 8;
      const page = target & ~0xfff;
      const value = {
        relative: target - (place + offset + 4),
        absolute: target,
        entry,
        pageEntry: page | 7,
        otherPageEntry: (page - CODE + OTHER_CODE) | 7,
        absentEntry: page | 6,
      }[how];
      view.setInt32(place - CODE + offset, value, true);
    }
    if (piece.patch !== undefined) other.push(place - CODE + piece.patch);
    from = place + piece.bytes.length;
  });
  code.set([0xe9, ...imm32(CODE - at - 5)], at - CODE); // over and over
  const copy = code.slice();
  for (const offset of other) copy[offset] = (copy[offset] ?? 0) ^ 0x15;
  return { code, other: copy, places };
}
/** Bytes from an address to the next place with this offset in its page. */
function skip(from: number, offset: number): number {
  return (offset - (from & 0xfff)) & 0xfff;
}

const MAXIMUM_SKIPS = 10;

/** A program of about `instructions` instructions: a main part in an endless loop, and functions that it calls. */
export function randomPieces(random: Random, instructions: number): Piece[] {
  const reg = (): number => [0, 1, 2, 3, 6, 7][random(6)] ?? 0; // RSP and RBP point to memory, R8.. are left for loops
  const wide = (): number[] => [[], [0x48], [0x66]][random(3)] ?? [];
  const memory = (r: number): number[] => [modrm(2, r, 5), ...imm32(random(0x3800) - 0x1000)]; // [rbp + disp32]
  const absolute = (r: number, address: number): number[] => [modrm(0, r, 4), 0x25, ...imm32(address)];
  const count = Math.max(12, Math.floor(instructions / 2)); // a piece has two instructions on the average
  const functions = 1 + random(4);
  const heads = [0, ...Array.from({ length: functions }, (_, i) => Math.floor(((i + 1) * count) / (functions + 1)))];
  const partOf = (i: number): number => heads.findLastIndex((head) => head <= i);
  const endOf = (part: number): number => heads[part + 1] ?? count;
  const fixed = (bytes: number[], ...fixups: Fixup[]): Piece => ({ bytes, fixups });
  const to = (at: number, piece: number, how: Fixup['how'] = 'relative', plus = 0): Fixup => ({ at, piece, how, plus });
  const pieces: Piece[] = [];
  const patches: number[] = [];
  let skips = 0;
  const here = (): number => pieces.length;
  const forward = (): number => Math.min(here() + 1 + random(6), endOf(partOf(here())) - 1);
  const callee = (): number | undefined => {
    const part = partOf(here());
    return part < functions ? heads[part + 1 + random(functions - part)] : undefined;
  };
  /** In front of what may fault: where the handler goes on. */
  const recover = (): { bytes: number[]; fixup: Fixup } => ({
    bytes: [0x41, 0xbf, 0, 0, 0, 0],
    fixup: to(2, here() + 1, 'absolute'),
  });
  const faulting = (...bytes: number[]): Piece => {
    const { bytes: first, fixup } = recover();
    return fixed([...first, ...bytes], fixup);
  };
  const patchable = (piece: Piece, patch: number): Piece => {
    patches.push(here());
    return { ...piece, patch };
  };
  const patchTarget = (): { piece: number; byte: number } | undefined => {
    const piece = patches[random(Math.max(1, patches.length))];
    return piece === undefined ? undefined : { piece, byte: pieces[piece]?.patch ?? 0 };
  };
  const strange = (): number => [LATE_PAGE, NO_PAGE, KERNEL_PAGE, READ_ONLY_PAGE][random(4)] ?? NO_PAGE;
  const straight: (() => Piece | undefined)[] = [
    () => plain(...wide(), 1 + 8 * random(8), modrm(3, reg(), reg())), // ALU r/m, r
    () => plain(8 * random(8), modrm(3, random(8) & 3, random(8))), // ALU r/m8, r8: AL to BH
    () => plain(...wide(), 3 + 8 * random(8), ...memory(reg())), // ALU r, m
    () => plain(...wide(), 1 + 8 * random(8), ...memory(reg())), // ALU m, r
    () => plain(0x48, 0x81, modrm(3, random(8), reg()), ...imm32(random(2 ** 31))),
    () => plain(0x48, 0xc1, modrm(3, [0, 1, 4, 5, 7][random(5)] ?? 4, reg()), random(70)),
    () => plain(0x48, 0xd3, modrm(3, [0, 1, 4, 5, 7][random(5)] ?? 4, reg())),
    () => plain(...wide(), 0x89, ...memory(reg())),
    () => plain(...wide(), 0x8b, ...memory(reg())),
    () => plain(0x88 + 2 * random(2), ...memory(random(8))),
    () => plain(0x48, 0x0f, 0x40 + random(16), modrm(3, reg(), reg())),
    () => plain(0x0f, 0x90 + random(16), modrm(3, 0, random(4))),
    () => plain(0x48, 0x0f, 0xaf, modrm(3, reg(), reg())),
    () => plain(0x48, 0xf7, modrm(3, [2, 3, 4, 5][random(4)] ?? 2, reg())),
    () => plain(0x48, 0x0f, [0xa3, 0xab, 0xb3, 0xbb][random(4)] ?? 0xa3, modrm(3, reg(), reg())),
    () => plain(0x48, 0x0f, [0xb6, 0xb7, 0xbe, 0xbf][random(4)] ?? 0xb6, modrm(3, reg(), reg())),
    () => plain(0x0f, [0xb6, 0xb7, 0xbe, 0xbf][random(4)] ?? 0xb6, ...memory(reg())),
    () => plain(0x48, 0x63, ...memory(reg())), // MOVSXD
    () => plain(0x48, 0x8d, modrm(1, reg(), 4), (random(4) << 6) | (reg() << 3) | reg(), random(128)),
    () => plain(0x25, ...imm32(0x1ff8), 0x48, 0x8b, modrm(0, reg(), 4) | 0x40, (random(3) << 6) | 5, random(128)), // and eax; mov r, [rbp + rax*s + d8]
    () => plain(0x25, ...imm32(0x1fff), 0x48, 0x01, modrm(0, reg(), 4) | 0x40, (random(2) << 6) | 5, random(128)),
    () => plain(0x50 + reg(), 0x58 + reg()),
    () => plain(0xf0, 0x48, 0x0f, [0xc1, 0xb1][random(2)] ?? 0xc1, ...memory(reg())), // LOCK XADD, CMPXCHG
    () => plain(0x66, 0x0f, [0xfe, 0xef, 0xd4, 0xfa, 0x62, 0xdb][random(6)] ?? 0xfe, modrm(3, random(8), random(8))),
    () => plain(0xf3, 0x0f, [0x6f, 0x7f][random(2)] ?? 0x6f, ...memory(random(8))),
    () =>
      plain(
        0x48,
        0x8d,
        0x7d,
        random(128),
        0xb9,
        ...imm32(random(24)),
        0xf3,
        [0xaa, 0xa4, 0xab, 0xae][random(4)] ?? 0xaa,
      ),
    () => plain(0xfc + random(2)), // CLD, STD
    () => plain(0x9c, 0x9d), // PUSHF, POPF
    () => plain(0xfa + random(2)), // CLI, STI (a fault in ring 3)
    () => plain(0x0f, 0x31), // RDTSC
    () => plain(...wide(), 0x98 + random(2)), // CBW, CWDE, CDQE; CWD, CDQ, CQO
    () => patchable(plain(0xb0 + random(4), random(256)), 1),
    () => patchable(plain(0x05, ...imm32(random(2 ** 31))), 1 + random(4)),
    () => patchable(plain(0x48, 0x83, modrm(3, random(8), reg()), random(128)), 3),
  ];
  const special: (() => Piece | undefined)[] = [
    // faults
    () => faulting(0x31, 0xc9, 0xf7, 0xf1), // DIV by zero
    () => faulting(0x48, 0xf7, modrm(3, 6 + random(2), reg())), // DIV, IDIV: sometimes #DE
    () => faulting(0x0f, 0x0b), // UD2
    () =>
      faulting(...wide(), [0x89, 0x8b, 0x01, 0x03][random(4)] ?? 0x89, ...absolute(reg(), strange() + random(0x1000))),
    () => faulting(0x48, [0x89, 0x8b][random(2)] ?? 0x89, ...absolute(reg(), strange() - 4)), // over a page's edge
    () => faulting(0x48, 0xc7, 0xc0, ...imm32(random(2 ** 31)), 0x48, 0xc1, 0xe0, 32, 0x48, 0x8b, 0x18), // not canonical
    () => faulting(0xcd, CHANGE_RING),
    () => faulting(0xcd, 0x30 + random(4)), // no such gate
    // paging: the page of some piece of code leads elsewhere, is there or not
    () => {
      const target = patchTarget();
      if (target === undefined) return undefined;
      const { bytes, fixup } = recover();
      const how = (['pageEntry', 'otherPageEntry', 'absentEntry'] as const)[random(3)] ?? 'pageEntry';
      const write = [0x48, 0xc7, 0x04, 0x25, 0, 0, 0, 0, 0, 0, 0, 0];
      const entry = bytes.length + 4;
      const flush = random(8) === 0 ? [] : [0x0f, 0x01, 0x3c, 0x25, 0, 0, 0, 0];
      const fixups = [fixup, to(entry, target.piece, 'entry'), to(entry + 4, target.piece, how)];
      if (flush.length > 0) fixups.push(to(bytes.length + write.length + 4, target.piece, 'absolute'));
      return fixed([...bytes, ...write, ...flush], ...fixups);
    },
    () => {
      const entry = PAGE_TABLE + (LATE_PAGE >> 12) * 8;
      return faulting(0x80, 0x24, 0x25, ...imm32(entry), 0xfe, 0x0f, 0x01, 0x3c, 0x25, ...imm32(LATE_PAGE)); // gone again
    },
    () => faulting(0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8), // MOV CR3: the TLB is flushed
    // stores into code
    () => {
      const target = patchTarget();
      if (target === undefined) return undefined;
      return fixed([0xc6, 0x04, 0x25, 0, 0, 0, 0, random(256)], to(4, target.piece, 'absolute', target.byte));
    },
    () => {
      const target = patchTarget();
      if (target === undefined) return undefined;
      return fixed([0x88, modrm(0, random(4), 4), 0x25, 0, 0, 0, 0], to(3, target.piece, 'absolute', target.byte));
    },
  ];
  const control: (() => Piece | undefined)[] = [
    () => fixed([0x0f, 0x80 + random(16), 0, 0, 0, 0], to(2, forward())),
    () => fixed([0x0f, 0x80 + random(16), 0, 0, 0, 0], to(2, forward())),
    () => fixed([0xe9, 0, 0, 0, 0], to(1, forward())),
    () =>
      fixed(
        [0xb8, 0, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0x0f, 0x40 + random(16), 0xc1, 0xff, 0xe0],
        to(1, forward(), 'absolute'),
        to(6, forward(), 'absolute'),
      ),
    () => {
      const head = callee();
      return head === undefined ? undefined : fixed([0xe8, 0, 0, 0, 0], to(1, head));
    },
    () => {
      const [one, two] = [callee(), callee()];
      if (one === undefined || two === undefined) return undefined;
      const select = [0x0f, 0x40 + random(16), 0xc1, 0xff, 0xd0];
      return fixed([0xb8, 0, 0, 0, 0, 0xb9, 0, 0, 0, 0, ...select], to(1, one, 'absolute'), to(6, two, 'absolute'));
    },
    // the code goes on elsewhere, in the next page or over its edge
    () =>
      skips++ < MAXIMUM_SKIPS
        ? { bytes: [0xe9, 0, 0, 0, 0], fixups: [], skipTo: random(3) === 0 ? 0xff8 + random(8) : random(0x1000) }
        : undefined,
  ];
  let loop: { start: number; counter: number } | undefined;
  while (here() < count) {
    const i = here();
    const part = partOf(i);
    if (i === 0) {
      pieces.push(plain(0xbc, ...imm32(STACK))); // RSP: what a lost call left there is forgotten
      continue;
    }
    if (i === heads[part] && random(2) === 0) {
      pieces.push({ bytes: [0xe9, 0, 0, 0, 0], fixups: [], skipTo: random(0x1000) }); // a function in another page
      continue;
    }
    if (i === endOf(part) - 1) {
      loop = undefined;
      pieces.push(part === 0 ? fixed([0xe9, 0, 0, 0, 0], to(1, 0)) : plain(0xc3));
      continue;
    }
    if (loop !== undefined && (random(8) === 0 || i === endOf(part) - 2)) {
      const { start, counter } = loop;
      loop = undefined;
      pieces.push(fixed([0x49, 0xff, 0xc8 + counter, 0x0f, 0x85, 0, 0, 0, 0], to(5, start))); // DEC; JNZ
      continue;
    }
    if (loop === undefined && random(10) === 0) {
      const counter = part % 6; // R8 to R13: a function that is called in a loop has another counter
      loop = { start: i + 1, counter };
      pieces.push(plain(0x41, 0xb8 + counter, ...imm32(2 + random(30))));
      continue;
    }
    const kind = random(16);
    const list = kind === 0 ? special : kind < 5 ? control : straight;
    const piece = list[random(list.length)]?.();
    if (piece !== undefined) pieces.push(piece);
  }
  return pieces;
}
