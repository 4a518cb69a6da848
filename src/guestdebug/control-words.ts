// What the raw control call and the catch filters have switched on, for each vCPU (guest-debug-spec 2.1).
import * as V from '../core/state-values.ts';
import { catchBits, controlHas } from './control-request.ts';
import * as P from './policy.ts';

export class ControlWords {
  private readonly words: number[];
  private readonly catches: number[];
  private managerCatch = 0;

  constructor(vcpus: number) {
    this.words = Array.from({ length: vcpus }, () => 0);
    this.catches = Array.from({ length: vcpus }, () => 0);
  }
  /** Stores the control word of a vCPU; answers the one before. */
  store(vcpu: number, word: number): number {
    const before = this.words[vcpu] ?? 0;
    this.words[vcpu] = word;
    this.catches[vcpu] = catchBits(word);
    return before;
  }
  singleStep(vcpu: number): boolean {
    return controlHas(this.words[vcpu] ?? 0, P.CONTROL_SINGLE_STEP);
  }
  blocksInterrupts(vcpu: number): boolean {
    return controlHas(this.words[vcpu] ?? 0, P.CONTROL_BLOCK_INTERRUPTS);
  }
  /** A raw client that enabled the layer without USE_SW_BP does not want overlays to stop this vCPU. */
  overlaysStop(vcpu: number): boolean {
    const word = this.words[vcpu] ?? 0;
    return !controlHas(word, P.CONTROL_ENABLE) || controlHas(word, P.CONTROL_SOFTWARE_BREAKPOINTS);
  }
  /** The CATCH_* bits of a vCPU: the raw client's and the user's. */
  catchBits(vcpu: number): number {
    return (this.catches[vcpu] ?? 0) | this.managerCatch;
  }
  /** The user's catch filters, for all vCPUs. */
  setManagerCatch(filters: { readonly bp: 'off' | 'exception' | 'both'; readonly db: boolean }): void {
    let bits = 0;
    if (filters.bp !== 'off') bits |= V.CATCH_BP;
    if (filters.bp === 'both') bits |= V.CATCH_BP_SOFTWARE_INTERRUPT;
    if (filters.db) bits |= V.CATCH_DB | V.CATCH_ICEBP | V.CATCH_TASK_SWITCH;
    this.managerCatch = bits;
  }
  /** Detach: nothing of any client is left. */
  clear(): void {
    this.words.fill(0);
    this.catches.fill(0);
    this.managerCatch = 0;
  }
}
