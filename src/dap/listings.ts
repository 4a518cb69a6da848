/**
 * Source for code without source: a listing of the machine code of a function, as a virtual document. With a listing
 * every frame has a place that an editor can show.
 */
import type { Debugger } from '../debugger/debugger.ts';
import type { DisassembledInstruction } from '../debugger/disassembly.ts';
import { bytesText, Disassembly } from '../debugger/disassembly.ts';
import { decodeInstruction } from '../debugger/decode.ts';
import type { P } from './protocol.ts';

/** Language of the listings in editors. */
export const LISTING_MIME_TYPE = 'text/x-trapline-disassembly';
export const LISTING_EXTENSION = '.disasm';
/** Instructions shown where no symbol says how long the function is. */
const WITHOUT_END = 200;
/** Longer functions are cut: nobody reads them as a whole. */
const LONGEST = 0x10000n;

interface Listing {
  readonly reference: number;
  readonly name: string;
  readonly start: bigint;
  readonly vcpu: number;
  readonly bits: 16 | 32 | 64;
  readonly rows: readonly DisassembledInstruction[];
}

export class Listings {
  readonly disassembly: Disassembly;
  private readonly debugger: Debugger;
  private readonly byKey = new Map<string, Listing>();
  private readonly byReference = new Map<number, Listing>();
  private next = 1;

  constructor(debugger_: Debugger) {
    this.debugger = debugger_;
    this.disassembly = new Disassembly(debugger_.target, debugger_.modules, decodeInstruction);
  }

  /** Size of code on a vCPU, by its mode. */
  codeBits(vcpu: number): 16 | 32 | 64 {
    const mode = this.debugger.vcpus().find((status) => status.vcpu === vcpu)?.mode;
    if (mode === 'long' || mode === undefined) return 64;
    return mode === 'compatibility' || mode === 'protected32' ? 32 : 16;
  }

  /** The place of an address in the listing of the code around it. */
  async place(
    vcpu: number,
    address: bigint,
  ): Promise<{ readonly source: P.Source; readonly line: number; readonly reference: number }> {
    const listing = await this.listing(vcpu, address);
    const index = listing.rows.findIndex((row) => row.address >= address);
    return { source: this.source(listing), line: HEADER_LINES + 1 + Math.max(0, index), reference: listing.reference };
  }

  private source(listing: Listing): P.Source {
    const name = `${listing.name}${LISTING_EXTENSION}`;
    return {
      name,
      path: name,
      sourceReference: listing.reference,
      origin: 'machine code',
    };
  }

  private async listing(vcpu: number, address: bigint): Promise<Listing> {
    const bits = this.codeBits(vcpu);
    const { modules } = this.debugger;
    const hit = await modules.symbolAt(address);
    const start = hit === undefined || hit.offset > LONGEST ? address & ~0xffn : hit.module.run(hit.symbol.address);
    const size = hit === undefined ? 0n : hit.symbol.size;
    const key = `${start} ${bits}`;
    const known = this.byKey.get(key);
    // The same rows as long as the address is a row of them: code that changed or was cut is disassembled anew.
    if (known?.rows.some((row) => row.address === address) === true) return known;
    const make = (): readonly DisassembledInstruction[] => {
      // Thousands of rows that say the same help nobody.
      if (this.debugger.target.readLinear(vcpu, address, 1).length === 0)
        return this.disassembly.after(vcpu, address, 1, bits);
      const exact = size > 0n && size <= LONGEST && address < start + size;
      const rows = exact
        ? this.disassembly.range(vcpu, start, start + size, bits)
        : [
            ...this.disassembly.range(vcpu, start, address, bits),
            ...this.disassembly.after(vcpu, address, WITHOUT_END, bits),
          ];
      return rows.some((row) => row.address === address)
        ? rows
        : [...rows.filter((row) => row.address < address), ...this.disassembly.after(vcpu, address, WITHOUT_END, bits)];
    };
    const rows = await modules.withNames(make);
    const name = hit?.symbol.name ?? `0x${start.toString(16)}`;
    const listing: Listing = { reference: this.next++, name, start, vcpu, bits, rows };
    this.byKey.set(key, listing);
    this.byReference.set(listing.reference, listing);
    return listing;
  }

  /** Text of a listing; undefined when there is none of that number. */
  text(reference: number): string | undefined {
    const listing = this.byReference.get(reference);
    if (listing === undefined) return undefined;
    const label = `${listing.start.toString(16).padStart(16, '0')} <${listing.name}>:`;
    const lines = [`; machine code, ${listing.bits} bit, as it is in memory now`, label];
    for (const { address, bytes, text } of listing.rows) {
      lines.push(`${address.toString(16).padStart(16, '0')}: ${bytesText(bytes).padEnd(32)} ${text}`);
    }
    return `${lines.join('\n')}\n`;
  }

  /** Address of a line of a listing, for breakpoints in it; undefined where there is no instruction. */
  addressOfLine(reference: number, line: number): bigint | undefined {
    return this.byReference.get(reference)?.rows[line - 1 - HEADER_LINES]?.address;
  }
}

/** Lines before the first instruction. */
const HEADER_LINES = 2;
