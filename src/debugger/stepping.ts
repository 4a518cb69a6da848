/**
 * Steps as plans over leases (one instruction of one vCPU, everything else runs as it would have) and breakpoints
 * of their own. A place in another frame is recognised by its stack pointer, on any vCPU, since a task may migrate.
 */
import type { GuestDebugApi, HitFilter, Resume, StopRecord } from '../guestdebug/api.ts';
import { isMachinery } from '../guestdebug/api.ts';
import type { AddressRange, LineLocation, StepRanges } from '../symbols/index.ts';
import { dwarfRegisters } from '../symbols/index.ts';
import { fromLittleEndianBytes } from './bits.ts';
import type { PhysicalFrame } from './frames.ts';
import { unwindStack } from './frames.ts';
import type { Module, ModuleSet } from './modules.ts';
import type { Plan, PlanAnswer } from './plan.ts';
import { isLongCode, linearPc, pageTableBase } from './registers.ts';
import type { Target } from './target.ts';
import { readExactly } from './target.ts';

export interface StepHost {
  readonly target: Target;
  readonly modules: ModuleSet;
  readonly api: Pick<GuestDebugApi, 'set' | 'remove' | 'visit' | 'stoppers'>;
}

const LONGEST_INSTRUCTION = 15n;

interface Spot {
  readonly pc: bigint;
  readonly rsp: bigint;
  readonly cpl: number;
}

/** What all steps share: leases, temporary places, running through what is not of interest. */
abstract class StepPlan implements Plan {
  protected readonly host: StepHost;
  /** The vCPU that the step follows; changes when the task goes on elsewhere. */
  protected vcpu: number;
  /** Ids of the step's own breakpoints. */
  private readonly temporary: number[] = [];
  private awaited: ((record: StopRecord) => Promise<PlanAnswer>) | undefined;
  protected before: Spot;
  private readonly mode: 'insn' | 'insn-whole';

  constructor(host: StepHost, vcpu: number, mode: 'insn' | 'insn-whole') {
    this.host = host;
    this.vcpu = vcpu;
    this.mode = mode;
    this.before = this.spot();
  }

  abstract start(): Promise<PlanAnswer>;
  /** The lease ended on an ordinary instruction of the flow that is followed. */
  protected abstract stepped(record: StopRecord): Promise<PlanAnswer>;

  protected spot(): Spot {
    const { slots } = this.host.target;
    const { vcpu } = this;
    const { rsp, cpl } = slots.vcpu(vcpu);
    return { pc: linearPc(slots, vcpu), rsp, cpl };
  }

  protected lease(): PlanAnswer {
    this.before = this.spot();
    return { kind: 'resume', how: this.leaseHow() };
  }
  protected leaseHow(): Resume {
    return { kind: 'step', vcpu: this.vcpu, mode: this.mode };
  }
  protected done(): PlanAnswer {
    return { kind: 'done', vcpu: this.vcpu };
  }

  /** Runs freely until a vCPU arrives at one of the addresses with that stack pointer; then `then` decides. */
  protected runTo(
    addresses: readonly bigint[],
    isFrame: (rsp: bigint) => boolean,
    then: () => Promise<PlanAnswer>,
  ): PlanAnswer {
    this.clear();
    const { target, api } = this.host;
    const { slots } = target;
    const user = this.before.cpl === 3 ? pageTableBase(slots, this.vcpu) : undefined;
    const filter: HitFilter = ({ vcpu }) => {
      if (!isFrame(slots.vcpu(vcpu).rsp)) return 'noHit';
      // A kernel stack is nobody else's; a user stack's address may be another process's too.
      const mine = user === undefined || pageTableBase(slots, vcpu) === user;
      return mine ? 'stop' : 'noHit';
    };
    for (const linear of new Set(addresses)) {
      const result = api.set({ kind: 'execution', linear, owner: 'step', filter });
      if (result.verified) this.temporary.push(result.id);
    }
    this.awaited = (record) => {
      this.vcpu = record.vcpu;
      this.clear();
      return then();
    };
    return { kind: 'resume', how: { kind: 'continue' } };
  }

  private clear(): void {
    for (const id of this.temporary.splice(0)) this.host.api.remove(id);
    this.awaited = undefined;
  }
  dispose(): void {
    this.clear();
  }

  async stopped(record: StopRecord): Promise<PlanAnswer> {
    const { api } = this.host;
    if (record.kind === 'bp') {
      const stoppers = api.stoppers(record);
      const mine = stoppers.some((id) => this.temporary.includes(id));
      // A breakpoint of the user at the same place is the better reason.
      if (!mine || !stoppers.every(isMachinery) || this.awaited === undefined) return { kind: 'report' };
      return this.awaited(record);
    }
    // A step into HLT (spec STEP-5) is a step too: the flow goes on when the vCPU wakes.
    if (record.vcpu !== this.vcpu || record.kind !== 'step') return { kind: 'report' };
    if (record.causes.some(({ cause, owner }) => owner === 'host' && cause !== 'step')) return { kind: 'report' };
    // The lease suppressed line 9 of the boundary table here: ask the breakpoints that the step runs over.
    if (record.pc !== this.before.pc && api.visit(record.vcpu, 'users').length > 0) return { kind: 'report' };
    const through = record.delivery === undefined ? undefined : this.through(record);
    return through ?? this.stepped(record);
  }

  /** An exception was delivered: its handler runs unseen, and the step goes on where it returns to. */
  protected through(record: StopRecord): PlanAnswer | undefined {
    const { target } = this.host;
    if (record.delivery === undefined || !isLongCode(target.slots, this.vcpu)) return undefined;
    const { rsp } = this.spot();
    const frame = rsp + (record.delivery.errorCode === undefined ? 0n : 8n);
    const saved = readExactly(target, this.vcpu, frame, 40);
    if (saved === undefined) return undefined;
    const returnPc = fromLittleEndianBytes(saved.subarray(0, 8));
    const returnRsp = fromLittleEndianBytes(saved.subarray(24, 32));
    // A #BP handler may take the instruction pointer back to the instruction that it restored.
    return this.runTo(
      [returnPc, this.before.pc],
      (at) => at === returnRsp,
      () => this.resumed(),
    );
  }

  /** Back from a handler or a call: where does the flow stand? */
  protected abstract resumed(): Promise<PlanAnswer>;

  /** The return address, when the instruction that was stepped called something. */
  protected calledFrom(): { readonly returnPc: bigint; readonly rsp: bigint } | undefined {
    const { target } = this.host;
    const now = this.spot();
    const { before } = this;
    const behind = (address: bigint): boolean => address > before.pc && address <= before.pc + LONGEST_INSTRUCTION;
    if (behind(now.pc)) return undefined;
    // SYSCALL (SDM 2B): no stack is used, RCX holds the address of the next instruction.
    if (before.cpl === 3 && now.cpl === 0) {
      const rcx = target.slots.vcpu(this.vcpu).rcx;
      return now.rsp === before.rsp && rcx === before.pc + 2n ? { returnPc: rcx, rsp: before.rsp } : undefined;
    }
    const word = isLongCode(target.slots, this.vcpu) ? 8 : 4;
    if (now.rsp !== before.rsp - BigInt(word)) return undefined;
    const bytes = readExactly(target, this.vcpu, now.rsp, word);
    const returnPc = bytes === undefined ? undefined : fromLittleEndianBytes(bytes);
    return returnPc !== undefined && behind(returnPc) ? { returnPc, rsp: before.rsp } : undefined;
  }
}

/** One instruction; `over` runs a call as one. */
export class InstructionStep extends StepPlan {
  private readonly over: boolean;

  constructor(host: StepHost, vcpu: number, over: boolean) {
    super(host, vcpu, over ? 'insn-whole' : 'insn');
    this.over = over;
  }
  start(): Promise<PlanAnswer> {
    return Promise.resolve(this.lease());
  }
  /** Into an exception's handler goes only who steps in. */
  protected override through(record: StopRecord): PlanAnswer | undefined {
    return this.over ? super.through(record) : undefined;
  }
  protected stepped(): Promise<PlanAnswer> {
    const call = this.over ? this.calledFrom() : undefined;
    if (call === undefined) return Promise.resolve(this.done());
    return Promise.resolve(
      this.runTo(
        [call.returnPc],
        (rsp) => rsp === call.rsp,
        () => this.resumed(),
      ),
    );
  }
  protected resumed(): Promise<PlanAnswer> {
    return Promise.resolve(this.done());
  }
}

interface Origin {
  readonly module: Module;
  readonly ranges: StepRanges;
  readonly functionId: number | undefined;
  readonly frame: PhysicalFrame;
  readonly caller: PhysicalFrame | undefined;
}

export type LineStepKind = 'in' | 'over' | 'outOfInlined';

/** Step by line: until another statement begins, in this frame or (step in) in one that it calls. */
export class LineStep extends StepPlan {
  private readonly kind: LineStepKind;
  private origin: Origin | undefined;
  /** Where leases go on without looking: the rows of the line, then of what lies between two statements. */
  private inside: readonly AddressRange[] = [];

  constructor(host: StepHost, vcpu: number, kind: LineStepKind) {
    super(host, vcpu, 'insn-whole');
    this.kind = kind;
  }

  async start(): Promise<PlanAnswer> {
    const { modules, target } = this.host;
    const { pc } = this.spot();
    const module = modules.at(pc);
    const ranges = await module?.file.stepRanges(module.link(pc));
    // Without lines there is nothing but instructions to step by.
    if (module === undefined || ranges === null || ranges === undefined) return this.lease();
    const stack = await unwindStack(target, modules, this.vcpu, 2);
    const frame = stack[0];
    if (frame === undefined) return this.lease();
    const found = await module.file.functionAt(module.link(pc));
    this.origin = { module, ranges, functionId: found?.function.id, frame, caller: stack[1] };
    this.inside = this.kind === 'outOfInlined' ? ranges.functionRanges : ranges.ranges;
    return this.lease();
  }

  protected stepped(): Promise<PlanAnswer> {
    const call = this.calledFrom();
    return call === undefined ? this.arrived() : this.called(call);
  }
  protected resumed(): Promise<PlanAnswer> {
    return this.arrived();
  }

  private async called(call: { readonly returnPc: bigint; readonly rsp: bigint }): Promise<PlanAnswer> {
    const over = this.runTo(
      [call.returnPc],
      (rsp) => rsp === call.rsp,
      () => this.arrived(),
    );
    if (this.kind !== 'in') return over;
    const into = await this.enter();
    // Places of the step in replace those of the step over.
    return (
      into ??
      this.runTo(
        [call.returnPc],
        (rsp) => rsp === call.rsp,
        () => this.arrived(),
      )
    );
  }

  /** Into the function at the pc, behind its prologue. Undefined when it has no lines. */
  private async enter(): Promise<PlanAnswer | undefined> {
    const { pc, rsp } = this.spot();
    const module = this.host.modules.at(pc);
    if (module === undefined) return undefined;
    const linked = module.link(pc);
    const [found, line, end] = await Promise.all([
      module.file.functionAt(linked),
      module.file.lineAt(linked),
      module.file.prologueEnd(linked),
    ]);
    if (found === null || line === null || line.line === 0) return undefined;
    if (end === null || end <= linked) return this.done();
    return this.runTo(
      [module.run(end)],
      (at) => at <= rsp,
      () => Promise.resolve(this.done()),
    );
  }

  /** The flow stands at a place that is not a call's: is it where the user wants to be? */
  private async arrived(): Promise<PlanAnswer> {
    const { origin } = this;
    if (origin === undefined) return this.done();
    const { pc, rsp } = this.spot();
    const linked = origin.module.link(pc);
    const { cfa } = origin.frame;
    // The return address is below the CFA: a stack pointer at the CFA has left the frame.
    const returned = cfa !== undefined && rsp >= cfa;
    if (!returned && contains(this.inside, linked)) return this.lease();
    const module = this.host.modules.at(pc);
    const [found, ranges, line] =
      module === undefined
        ? [null, null, null]
        : await Promise.all([
            module.file.functionAt(module.link(pc)),
            module.file.stepRanges(module.link(pc)),
            module.file.lineAt(module.link(pc)),
          ]);
    const sameFunction = module === origin.module && found !== null && found.function.id === origin.functionId;
    // Back in the caller, in the middle of its line: that is where the call returns to.
    if (returned) return this.done();
    if (!sameFunction) return this.leftSideways();
    if (ranges === null || line === null || line.line === 0) return this.lease();
    const depth = ranges.inlineDepth;
    const startDepth = origin.ranges.inlineDepth;
    if (this.kind === 'outOfInlined') {
      if (depth >= startDepth) return this.lease();
      return this.atStatement(line, linked);
    }
    // A step over treats an inlined call like a call.
    if (depth > startDepth && this.kind === 'over') {
      this.inside = [...origin.ranges.ranges, ...ranges.functionRanges];
      return this.lease();
    }
    const sameLine = line.line === origin.ranges.line && line.file.id === origin.ranges.file.id && depth === startDepth;
    if (sameLine) {
      this.inside = ranges.ranges;
      return this.lease();
    }
    return this.atStatement(line, linked);
  }

  /** Stops at the beginning of a statement; from the middle of one it goes on. */
  private atStatement(line: LineLocation, linked: bigint): PlanAnswer {
    if (line.isStmt && line.start === linked) return this.done();
    this.inside = [{ start: linked, end: line.end }];
    return this.lease();
  }

  /** A jump into another function: a tail call, or code without lines. */
  private async leftSideways(): Promise<PlanAnswer> {
    const { origin } = this;
    if (this.kind === 'in') {
      const into = await this.enter();
      if (into !== undefined) return into;
    }
    const cfa = origin?.frame.cfa;
    const caller = origin?.caller;
    if (cfa === undefined || caller === undefined) return this.done();
    const rsp = stackPointerOf(caller);
    return this.runTo(
      [caller.pc],
      (at) => at === rsp,
      () => Promise.resolve(this.done()),
    );
  }
}

/** Runs until the function of the innermost physical frame has returned. */
export class StepOut extends StepPlan {
  constructor(host: StepHost, vcpu: number) {
    super(host, vcpu, 'insn-whole');
  }
  async start(): Promise<PlanAnswer> {
    const stack = await unwindStack(this.host.target, this.host.modules, this.vcpu, 2);
    const caller = stack[1];
    if (caller === undefined) return { kind: 'report' };
    const rsp = stackPointerOf(caller);
    return this.runTo(
      [caller.pc],
      (at) => at === rsp,
      () => Promise.resolve(this.done()),
    );
  }
  protected stepped(): Promise<PlanAnswer> {
    return Promise.resolve(this.done());
  }
  protected resumed(): Promise<PlanAnswer> {
    return Promise.resolve(this.done());
  }
}

function stackPointerOf(frame: PhysicalFrame): bigint | undefined {
  return frame.registers.get(dwarfRegisters(frame.machine).stackPointer);
}

function contains(ranges: readonly AddressRange[], address: bigint): boolean {
  return ranges.some(({ start, end }) => address >= start && address < end);
}
