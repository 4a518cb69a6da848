// Writes the rows of the trap ledger: whose trap, what was decided, under which rule; and remembers each vCPU's last.
import type { Cause, Disposition, LedgerEntry, Owner } from './api.ts';
import { isMachinery } from './api.ts';
import { GUEST_ROWS, HOST_ROWS } from './ownership.ts';
import type { Parts } from './parts.ts';
import { hostDr6 } from './stop-record.ts';

export interface TrapNote {
  readonly vcpu: number;
  readonly vector: number;
  readonly owner: Owner;
  readonly disposition: Disposition;
  readonly rule: string;
  readonly cause: string;
  readonly rip?: bigint;
  readonly dr6Host?: bigint;
  readonly dr6Guest?: bigint;
}
const RULES: Readonly<Record<Cause['cause'], string>> = {
  bp: HOST_ROWS.overlay.rule,
  hwx: HOST_ROWS.slotExecute.rule,
  watch: HOST_ROWS.watch.rule,
  io: HOST_ROWS.io.rule,
  step: HOST_ROWS.step.rule,
  branchStep: HOST_ROWS.branchStep.rule,
  bd: HOST_ROWS.generalDetect.rule,
  bt: GUEST_ROWS.taskSwitch.rule,
  icebp: GUEST_ROWS.icebp.rule,
  int3: GUEST_ROWS.int3.rule,
  guestDb: '2.4 guest #DB',
};
const VECTOR_BP = 3;
const VECTOR_DB = 1;

type LogParts = Pick<Parts, 'ledger' | 'state' | 'machine' | 'register'>;

export class TrapLog {
  private readonly parts: LogParts;
  private readonly last = new Map<number, LedgerEntry>();

  constructor(parts: LogParts) {
    this.parts = parts;
  }
  note(trap: TrapNote): void {
    const { vcpu } = trap;
    const { ledger, machine, state } = this.parts;
    const entry = ledger.add({
      clock: machine.clock,
      vcpu,
      vector: trap.vector,
      rip: trap.rip ?? state.pc(vcpu),
      cause: trap.cause,
      owner: trap.owner,
      disposition: trap.disposition,
      dr6Host: trap.dr6Host ?? hostDr6([]),
      dr6Guest: trap.dr6Guest ?? state.guestDr6(vcpu),
      rule: trap.rule,
    });
    this.last.set(vcpu, entry);
  }
  /** One row for the host causes of one boundary. */
  host(vcpu: number, causes: readonly Cause[], disposition: Disposition, rule?: string): void {
    const [first] = causes;
    if (first === undefined) return;
    this.note({
      vcpu,
      vector: first.cause === 'bp' ? VECTOR_BP : VECTOR_DB,
      owner: 'host',
      disposition,
      rule: rule ?? RULES[first.cause],
      cause: causes.map((cause) => this.causeText(cause)).join(', '),
      dr6Host: hostDr6(causes),
    });
  }
  /** "watch H1 #7": the cause, the slot, the user's breakpoints; "bp step": what the debugger put there for itself. */
  private causeText({ cause, slot, ownerIds }: Cause): string {
    const owners = ownerIds.map((id) => (isMachinery(id) ? (this.parts.register.get(id)?.owner ?? '') : `#${id}`));
    return [cause, ...(slot === undefined ? [] : [`H${slot}`]), ...owners].join(' ');
  }
  lastOf(vcpu: number): LedgerEntry | undefined {
    return this.last.get(vcpu);
  }
}
