// The memory image that both processors run: assembled by gas from snippets/*.S, one snippet a symbol.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes from physical 0 on that are loaded and compared. */
export const IMAGE_SIZE = 0x24000;
/** Where the reset vector jumps to. */
export const START = 0x7c00;
/** u32: address of the snippet; u32: address of the code that sets its mode up. */
const ENTRY = 0x600;
const MODES = ['real', 'prot', 'page32', 'pae', 'long'] as const;

export interface Snippet {
  readonly name: string;
  /** Address behind it, where it stops when nothing faults. */
  readonly end: number;
  /** An address in it, or at the start of the other task, by name: `start+1a`, `end`, `task`; undefined: it is neither. */
  readonly nameOf: (address: number) => string | undefined;
  /** The image with this snippet chosen. */
  readonly memory: Uint8Array;
}
export interface Image {
  readonly snippets: readonly Snippet[];
  /** Addresses where any snippet stops: the stubs of the event handlers. */
  readonly stops: readonly number[];
}

function tool(program: string, args: readonly string[]): string {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
  return done.stdout;
}

export function assembleImage(): Image {
  const folder = mkdtempSync(join(tmpdir(), 'trapline-image-'));
  try {
    const path = (name: string): string => join(folder, name);
    const sources = join(import.meta.dirname, 'snippets');
    tool('as', ['--64', '-I', sources, '-o', path('image.o'), join(sources, 'image.S')]);
    tool('ld', ['-m', 'elf_x86_64', '-Ttext=0', '-e', '0', '-o', path('image.elf'), path('image.o')]);
    tool('objcopy', ['-O', 'binary', '-j', '.text', path('image.elf'), path('image.bin')]);
    const binary = readFileSync(path('image.bin'));
    if (binary.length > IMAGE_SIZE) throw new Error(`the image has ${binary.length} bytes, more than ${IMAGE_SIZE}`);
    const symbols = new Map<string, number>();
    for (const line of tool('nm', [path('image.elf')]).split('\n')) {
      const [address = '', , name = ''] = line.split(' ');
      if (name !== '') symbols.set(name, Number.parseInt(address, 16));
    }
    return { snippets: findSnippets(binary, symbols), stops: findStops(symbols) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const symbol = (symbols: ReadonlyMap<string, number>, name: string): number => {
  const address = symbols.get(name);
  if (address === undefined) throw new Error(`the image has no symbol ${name}`);
  return address;
};
function findSnippets(binary: Uint8Array, symbols: ReadonlyMap<string, number>): Snippet[] {
  const snippets: Snippet[] = [];
  for (const [full, address] of symbols) {
    const mode = MODES.find((known) => full.startsWith(`${known}__`));
    if (mode === undefined) continue;
    const name = full.slice(mode.length + 2);
    const memory = new Uint8Array(IMAGE_SIZE);
    memory.set(binary);
    const view = new DataView(memory.buffer);
    view.setUint32(ENTRY, address, true);
    view.setUint32(ENTRY + 4, symbol(symbols, `mode_${mode}`), true);
    const end = symbol(symbols, `end__${name}`);
    const nameOf = namesOf(address, end, symbol(symbols, 'task_start'));
    snippets.push({ name: `${mode}: ${name.replaceAll('_', ' ')}`, end, nameOf, memory });
  }
  return snippets.toSorted((a, b) => a.name.localeCompare(b.name));
}
/** Bytes of the other task's code. */
const TASK_SIZE = 16;
function namesOf(start: number, end: number, task: number): Snippet['nameOf'] {
  const name = (base: string, offset: number): string => (offset === 0 ? base : `${base}+${offset.toString(16)}`);
  return (address) => {
    if (address === end) return 'end';
    if (address >= start && address < end) return name('start', address - start);
    return address >= task && address < task + TASK_SIZE ? name('task', address - task) : undefined;
  };
}
function findStops(symbols: ReadonlyMap<string, number>): number[] {
  const first = symbol(symbols, 'stubs');
  return Array.from({ length: 64 }, (_, vector) => first + vector * 2);
}
