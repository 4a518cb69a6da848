/**
 * A line that goes round and round (`while (!flag) cpu_relax();`) would take a lease for each of its instructions. Once
 * it has taken many, it runs freely instead, with breakpoints of the step on every way out of it: what the line costs is then
 * what the guest needs for it, other vCPUs included.
 */
import { disassemble } from '../../core/disassembler/index.ts';
import type { AddressRange, UnwindRow } from '../../symbols/index.ts';
import { liveContext } from '../frames.ts';
import type { Module } from '../modules.ts';
import { stackWord } from '../registers.ts';
import { readExactly } from '../target.ts';
import type { IsFlow, StepHost } from './step-plan.ts';

/** Leases before a line counts as busy. */
const PATIENCE = 64;
/** Bytes of a line's code beyond which it is not looked through. */
const CODE_LIMIT = 0x4000n;

export interface Exits {
  readonly addresses: readonly bigint[];
  readonly isFlow: IsFlow;
}

/** Instructions that go where no one can see from their bytes: calls, returns, traps, computed jumps. */
interface Ways {
  /** Addresses outside of the line that it jumps or falls to. */
  readonly out: ReadonlySet<bigint>;
  /** Addresses of instructions in the line that need a lease of their own. */
  readonly leased: ReadonlySet<bigint>;
}

export class BusyLine {
  private readonly host: Pick<StepHost, 'target'>;
  private leases = 0;
  private known: { readonly inside: readonly AddressRange[]; readonly ways: Ways | undefined } | undefined;

  constructor(host: Pick<StepHost, 'target'>) {
    this.host = host;
  }

  /**
   * The ways out of `inside` (link-time ranges of a line) for the activation with the canonical frame address `cfa`.
   * @returns undefined when the next instruction is to be leased: the line is not busy yet, or it needs a look itself.
   */
  async exits(
    vcpu: number,
    pc: bigint,
    module: Module,
    inside: readonly AddressRange[],
    cfa: bigint | undefined,
  ): Promise<Exits | undefined> {
    if (++this.leases < PATIENCE || cfa === undefined) return undefined;
    if (this.known?.inside !== inside) this.known = { inside, ways: this.waysOf(vcpu, module, inside) };
    const { ways } = this.known;
    if (ways === undefined || ways.leased.has(pc)) return undefined;
    const addresses = [...ways.out, ...ways.leased];
    const rows = new Map<bigint, UnwindRow>();
    for (const address of addresses) {
      const row = await module.file.unwindRowAt(module.link(address));
      // Without call-frame information an inner activation could not be told from this one.
      if (row === null) return undefined;
      rows.set(address, row);
    }
    const { target } = this.host;
    return {
      addresses,
      isFlow: (at, address) => {
        const row = rows.get(address) ?? null;
        return liveContext(target, at, { row, frameBase: null, loadBias: module.bias }).cfa === cfa;
      },
    };
  }

  private waysOf(vcpu: number, module: Module, inside: readonly AddressRange[]): Ways | undefined {
    if (inside.reduce((sum, { start, end }) => sum + (end - start), 0n) > CODE_LIMIT) return undefined;
    const isInside = (address: bigint): boolean => {
      const linked = module.link(address);
      return inside.some(({ start, end }) => linked >= start && linked < end);
    };
    const out = new Set<bigint>();
    const leased = new Set<bigint>();
    const bits = ({ 2: 16, 4: 32, 8: 64 } as const)[stackWord(this.host.target.slots, vcpu)];
    for (const { start, end } of inside) {
      const bytes = readExactly(this.host.target, vcpu, module.run(start), Number(end - start));
      if (bytes === undefined) return undefined;
      for (let offset = 0; offset < bytes.length;) {
        const address = module.run(start) + BigInt(offset);
        const { length, valid, target, endsBlock, isCall, mnemonic } = disassemble(
          bytes.subarray(offset, offset + 15),
          address,
          bits,
        );
        if (!valid) return undefined;
        offset += length;
        const next = address + BigInt(length);
        const isString = mnemonic.startsWith('rep');
        if (isCall || /^(int|ud|syscall|sysenter|into)/.test(mnemonic)) leased.add(address);
        else if (target !== undefined) {
          if (!isInside(target)) out.add(target);
        } else if (endsBlock && !isString && mnemonic !== 'hlt') leased.add(address);
        if (mnemonic !== 'jmp' && !isInside(next)) out.add(next);
      }
    }
    return { out, leased };
  }
}
