// QEMU (TCG) as the judge: one process for all snippets, driven over its gdb stub. Its ROM is ours: the reset vector jumps to
// the image, so no BIOS runs.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GdbClient } from './gdb-client.ts';
import { IMAGE_SIZE, START, type Image } from './image.ts';
import { GENERAL, SEGMENTS, type ProcessorState, type SegmentState, type TableState } from './processor-state.ts';

/** The stub takes packets of up to 4096 characters. */
const CHUNK = 0x400;
const RESET_VECTOR = 0xfffffff0;
const PATIENCE = 5000;
const ROM_SIZE = 0x10000;

/** Why QEMU cannot be asked here; undefined: it can. */
export function missingQemu(): string | undefined {
  for (const program of ['qemu-system-x86_64', 'as', 'ld', 'nm']) {
    if (spawnSync(program, ['--version']).status !== 0) return `needs ${program}`;
  }
  return undefined;
}

export class Qemu {
  private readonly folder: string;
  private readonly process: ChildProcess;
  private readonly gdb: GdbClient;
  private readonly breakpoints = new Set<number>();
  /** What QEMU's memory holds. */
  private memory = new Uint8Array(IMAGE_SIZE);

  private constructor(folder: string, process: ChildProcess, gdb: GdbClient) {
    this.folder = folder;
    this.process = process;
    this.gdb = gdb;
  }
  static async start(image: Image): Promise<Qemu> {
    const folder = mkdtempSync(join(tmpdir(), 'trapline-qemu-'));
    const rom = new Uint8Array(ROM_SIZE).fill(0xf4);
    rom.set([0xea, START & 0xff, START >> 8, 0, 0], RESET_VECTOR & (ROM_SIZE - 1)); // jmp 0:START
    writeFileSync(join(folder, 'rom'), rom);
    const socket = join(folder, 'gdb');
    const child = spawn(
      'qemu-system-x86_64',
      ['-M', 'pc,accel=tcg', '-cpu', 'max,phys-bits=40', '-m', '8', '-nodefaults', '-display', 'none', '-S'].concat([
        '-bios',
        join(folder, 'rom'),
        '-gdb',
        `unix:${socket},server=on,wait=off`,
      ]),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => (complaint += data.toString()));
    for (let attempt = 0; ; attempt++) {
      try {
        const gdb = await GdbClient.open(socket);
        const qemu = new Qemu(folder, child, gdb);
        await gdb.ask('?');
        await gdb.insertBreakpoint(RESET_VECTOR);
        for (const address of image.stops) await gdb.insertBreakpoint(address);
        return qemu;
      } catch (error) {
        if (child.exitCode !== null || attempt === 100) {
          child.kill('SIGKILL');
          throw new Error(`QEMU does not start: ${complaint}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }
  stop(): void {
    this.gdb.close();
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
  /** Runs the image from reset to one of its stops; undefined: it never got there (or the processor shut down). */
  async run(memory: Uint8Array, end: number): Promise<ProcessorState | undefined> {
    const { gdb } = this;
    await this.reset();
    for (let at = 0; at < IMAGE_SIZE; at += CHUNK) {
      const chunk = memory.subarray(at, at + CHUNK);
      if (Buffer.compare(chunk, this.memory.subarray(at, at + CHUNK)) !== 0) await gdb.writeMemory(at, chunk);
    }
    for (const address of [...this.breakpoints]) {
      await gdb.removeBreakpoint(address);
      this.breakpoints.delete(address);
    }
    await gdb.insertBreakpoint(end);
    this.breakpoints.add(end);
    await gdb.step();
    const stop = await gdb.go(PATIENCE);
    const text = await gdb.monitor('info registers');
    const file = join(this.folder, 'memory');
    await gdb.monitor(`pmemsave 0 ${IMAGE_SIZE} "${file}"`);
    this.memory = new Uint8Array(readFileSync(file));
    const state = parseRegisters(text, this.memory);
    const atReset = state.plain.get('RIP') === 0xfff0n && state.segments.get('CS')?.selector === 0xf000;
    return stop === undefined || atReset ? undefined : state;
  }
  private async reset(): Promise<void> {
    await this.gdb.ask('Qqemu.PhyMemMode:1'); // memory packets mean physical addresses
    await this.gdb.monitor('system_reset');
    for (let attempt = 0; attempt < 500; attempt++) {
      const text = await this.gdb.monitor('info registers');
      if (/IP=0*fff0 .*CS =f000/s.test(text)) return;
      await sleep(2);
    }
    throw new Error('QEMU does not come to its reset vector');
  }
}

/** Takes the text of `info registers` apart (target/i386/cpu-dump.c). */
function parseRegisters(text: string, memory: Uint8Array): ProcessorState {
  const numbers = new Map<string, bigint>();
  for (const [, name = '', value = '0'] of text.matchAll(/\b([A-Z][A-Z0-9]+) *=([0-9a-f]+)/g)) {
    numbers.set(name, BigInt(`0x${value}`));
  }
  const wide = numbers.has('RAX');
  const general = new Map<string, bigint>();
  for (const name of wide ? GENERAL : GENERAL.slice(0, 8)) {
    general.set(name, numbers.get(wide ? name : `E${name.slice(1)}`) ?? -1n);
  }
  const plain = new Map<string, bigint>();
  plain.set('RIP', numbers.get(wide ? 'RIP' : 'EIP') ?? -1n);
  plain.set('EFL', numbers.get(wide ? 'RFL' : 'EFL') ?? -1n);
  for (const name of ['CPL', 'CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'DR6', 'DR7'])
    plain.set(name, numbers.get(name) ?? -1n);
  const segments = new Map<string, SegmentState>();
  for (const name of SEGMENTS) {
    const found = new RegExp(`^${name} *=([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)`, 'm').exec(text);
    const [, selector = '0', base = '0', limit = '0', flags = '0'] = found ?? [];
    // QEMU's copy of TR keeps the type that the descriptor had before LTR made it busy; nothing shows that copy to software
    const rights = ((Number.parseInt(flags, 16) >>> 8) & 0xf0ff) | (name === 'TR' ? 2 : 0);
    segments.set(name, {
      selector: Number.parseInt(selector, 16),
      base: BigInt(`0x${base}`),
      limit: Number.parseInt(limit, 16),
      rights,
    });
  }
  const tables = new Map<string, TableState>();
  for (const name of ['GDT', 'IDT']) {
    const [, base = '0', limit = '0'] = new RegExp(`^${name}= *([0-9a-f]+) ([0-9a-f]+)`, 'm').exec(text) ?? [];
    tables.set(name, { base: BigInt(`0x${base}`), limit: Number.parseInt(limit, 16) });
  }
  return { general, plain, segments, tables, memory };
}
