/** Fakes for unit tests: a guest whose memory is an ELF file's image and whose registers are a table. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { StateArea } from '../../src/core/state-area.generated.ts';
import { STATE_END } from '../../src/core/state-table.ts';
import { createLocalSymbols } from '../../src/symbols/index.ts';
import type { SymbolFile } from '../../src/symbols/index.ts';
import type { RegisterSlots } from '../../src/debugger/registers.ts';
import type { Target } from '../../src/debugger/target.ts';

const PAGE = 4096;

export class FakeTarget implements Target {
  readonly vcpus: number;
  private readonly pages = new Map<bigint, Uint8Array>();
  readonly slots: RegisterSlots;

  constructor(vcpus = 1) {
    this.vcpus = vcpus;
    const states = Array.from({ length: vcpus }, () => new StateArea(new DataView(new ArrayBuffer(STATE_END))));
    const state = (index: number): StateArea => {
      const found = states[index];
      if (found === undefined) throw new RangeError(`no vCPU ${index}`);
      return found;
    };
    this.slots = {
      vcpu: state,
      setFlags(value, vcpu) {
        state(vcpu).rflags = value;
      },
      modeChanged: () => undefined,
    };
    for (const each of states) {
      // 64-bit code: EFER.LMA and CS.L.
      each.efer = 0x500n;
      each.cs.attributes = 0xa09b;
    }
  }

  /** Makes [address, address + bytes) readable and fills it. */
  map(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = address + BigInt(done);
      const page = at / BigInt(PAGE);
      const start = Number(at % BigInt(PAGE));
      const piece = bytes.subarray(done, done + PAGE - start);
      const content = this.pages.get(page) ?? new Uint8Array(PAGE);
      content.set(piece, start);
      this.pages.set(page, content);
      done += piece.length;
    }
  }
  readLinear(_vcpu: number, address: bigint, size: number): Uint8Array {
    const bytes: number[] = [];
    for (let i = 0; i < size; i++) {
      const at = BigInt.asUintN(64, address + BigInt(i));
      const page = this.pages.get(at / BigInt(PAGE));
      if (page === undefined) break;
      bytes.push(page[Number(at % BigInt(PAGE))] ?? 0);
    }
    return Uint8Array.from(bytes);
  }
  writeLinear(_vcpu: number, address: bigint, bytes: Uint8Array): number {
    for (let i = 0; i < bytes.length; i++) {
      const at = BigInt.asUintN(64, address + BigInt(i));
      const page = this.pages.get(at / BigInt(PAGE));
      if (page === undefined) return i;
      page[Number(at % BigInt(PAGE))] = bytes[i] ?? 0;
    }
    return bytes.length;
  }
}

/** The sample guest's symbols, read in this thread. */
export function openSampleGuest(path: string): Promise<SymbolFile> {
  const symbols = createLocalSymbols({
    openFile(file) {
      const descriptor = openSync(file, 'r');
      const { size } = statSync(file);
      process.on('exit', () => closeSync(descriptor));
      return {
        size,
        read(offset, length) {
          const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
          readSync(descriptor, bytes, 0, bytes.length, offset);
          return bytes;
        },
      };
    },
  });
  return symbols.open({ kind: 'file', path }, path);
}

/** Maps the loadable segments of an ELF file into a fake guest's memory. */
export function mapImage(target: FakeTarget, file: SymbolFile, path: string): void {
  const bytes = readFileSync(path);
  for (const segment of file.elf.segments) {
    if (!segment.isLoad) continue;
    const content = new Uint8Array(Number(segment.memorySize));
    content.set(bytes.subarray(segment.fileOffset, segment.fileOffset + segment.fileSize));
    target.map(segment.virtualAddress, content);
  }
}
