// Writes the rows of the trap ledger: whose trap, what was decided, under which rule; and remembers each vCPU's last.
import type { Cause, CauseKind, Disposition, LedgerCause, LedgerEntry, Owner, Rule } from './api.ts';
import { isMachinery } from './api.ts';
import { GUEST_ROWS, HOST_ROWS } from './ownership.ts';
import type { Parts } from './parts.ts';
import { hostDr6 } from './stop-record.ts';

export interface TrapNote {
  readonly vcpu: number;
  readonly vector: number;
  readonly owner: Owner;
  readonly disposition: Disposition;
  readonly rule: Rule;
  readonly causes: readonly LedgerCause[];
  readonly rip?: bigint;
  readonly dr6Host?: bigint;
  readonly dr6Guest?: bigint;
}
const RULES: Readonly<Record<CauseKind, Rule>> = {
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
  guestDb: 'guestDebug',
};
const VECTOR_BP = 3;
const VECTOR_DB = 1;

/** A cause that is of the guest's own doing: no slot and no breakpoint of the debugger's. */
export const guestCause = (cause: CauseKind): LedgerCause => ({ cause, breakpoints: [], machinery: [] });

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
      causes: trap.causes,
      owner: trap.owner,
      disposition: trap.disposition,
      dr6Host: trap.dr6Host ?? hostDr6([]),
      dr6Guest: trap.dr6Guest ?? state.guestDr6(vcpu),
      rule: trap.rule,
    });
    this.last.set(vcpu, entry);
  }
  /** One row for the host causes of one boundary. */
  host(vcpu: number, causes: readonly Cause[], disposition: Disposition, rule?: Rule): void {
    const [first] = causes;
    if (first === undefined) return;
    this.note({
      vcpu,
      vector: first.cause === 'bp' ? VECTOR_BP : VECTOR_DB,
      owner: 'host',
      disposition,
      rule: rule ?? RULES[first.cause],
      causes: causes.map((cause) => this.kept(cause)),
      dr6Host: hostDr6(causes),
    });
  }
  private kept({ cause, slot, ownerIds }: Cause): LedgerCause {
    const machinery = ownerIds.filter(isMachinery).map((id) => this.parts.register.get(id)?.owner);
    return {
      ...guestCause(cause),
      ...(slot === undefined ? {} : { slot }),
      breakpoints: ownerIds.filter((id) => !isMachinery(id)),
      machinery: machinery.filter((owner) => owner !== undefined),
    };
  }
  lastOf(vcpu: number): LedgerEntry | undefined {
    return this.last.get(vcpu);
  }
}
