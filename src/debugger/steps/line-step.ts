/** Step by line: until another statement begins, in this frame or (step in) in one that it calls. */
import type { AddressRange, FunctionAtPc, LineLocation, StepRanges } from '../../symbols/index.ts';
import type { PhysicalFrame } from '../stack/unwind.ts';
import { unwindStack } from '../stack/unwind.ts';
import type { Module } from '../modules.ts';
import type { PlanAnswer } from '../plan.ts';
import { linearStackPointer } from '../registers.ts';
import { BusyLine } from './busy-line.ts';
import type { Return } from './flow.ts';
import { sameTask } from './flow.ts';
import type { StepHost } from './step-plan.ts';
import { StepPlan } from './step-plan.ts';
import { returnTo } from './step-out.ts';

interface Origin {
  readonly module: Module;
  readonly ranges: StepRanges;
  readonly functionId: number | undefined;
  /** The canonical frame address, when call-frame information says it: a stack pointer there has left the frame. */
  readonly cfa: bigint | undefined;
  readonly caller: PhysicalFrame | undefined;
}

/** What the symbols say about a place. */
interface Place {
  readonly module: Module | undefined;
  readonly found: FunctionAtPc | null;
  readonly ranges: StepRanges | null;
  readonly line: LineLocation | null;
}

export type LineStepKind = 'in' | 'over' | 'outOfInlined';

/** Instructions of code without a name that a step goes through before it takes it for somebody else's. */
const NAMELESS_LIMIT = 10_000;

export class LineStep extends StepPlan {
  private readonly kind: LineStepKind;
  private origin: Origin | undefined;
  /** Where leases go on without looking: the rows of the line, then of what lies between two statements. */
  private inside: readonly AddressRange[] = [];
  private readonly busy: BusyLine;
  private nameless = 0;

  constructor(host: StepHost, vcpu: number, kind: LineStepKind, alone = false) {
    super(host, vcpu, 'insn-whole', alone);
    this.kind = kind;
    this.busy = new BusyLine(host);
  }

  async start(): Promise<PlanAnswer> {
    const { modules, target } = this.host;
    const { pc } = this.spot();
    const module = modules.at(pc);
    const ranges = await module?.file.stepRanges(module.link(pc));
    // Without lines there is nothing but instructions to step by.
    if (module === undefined || ranges === null || ranges === undefined) return this.lease();
    const [frame, caller] = await unwindStack(target, modules, this.vcpu, 2);
    if (frame === undefined) return this.lease();
    const found = await module.file.functionAt(module.link(pc));
    // Without call-frame information the frame's end is a guess, and no step relies on one.
    const cfa = frame.row === null ? undefined : frame.cfa;
    this.origin = { module, ranges, functionId: found?.function.id, cfa, caller };
    this.inside = this.kind === 'outOfInlined' ? ranges.functionRanges : ranges.ranges;
    return this.lease();
  }

  protected stepped(): Promise<PlanAnswer> {
    const call = this.call();
    return call === undefined ? this.arrived() : this.called(call);
  }
  protected resumed(): Promise<PlanAnswer> {
    return this.arrived();
  }

  private async called(call: Return): Promise<PlanAnswer> {
    const into = this.kind === 'in' ? await this.enter() : undefined;
    return into ?? this.runToReturn(call, () => this.arrived());
  }

  /** Into the function at the pc, behind its prologue. Undefined when it has no lines. */
  private async enter(): Promise<PlanAnswer | undefined> {
    const { pc, stackPointer } = this.spot();
    const { slots } = this.host.target;
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
    const isMine = sameTask(this.host.target, this.vcpu, this.before);
    return this.runTo(
      [module.run(end)],
      (vcpu) => linearStackPointer(slots, vcpu) <= stackPointer && isMine(vcpu),
      () => Promise.resolve(this.done()),
    );
  }

  /** The flow stands at a place that is not a call's: is it where the user wants to be? */
  private async arrived(): Promise<PlanAnswer> {
    const { origin } = this;
    if (origin === undefined) return this.done();
    const { pc, stackPointer } = this.spot();
    const linked = origin.module.link(pc);
    // The return address is below the CFA: a stack pointer at the CFA has left the frame.
    const returned = origin.cfa !== undefined && stackPointer >= origin.cfa;
    if (!returned && contains(this.inside, linked)) return this.goOnInside(origin);
    // Back in the caller, in the middle of its line: that is where the call returns to.
    if (returned) return this.done();
    const place = await this.placeOf(pc);
    const { found, ranges, line } = place;
    const sameFunction = place.module === origin.module && found !== null && found.function.id === origin.functionId;
    if (!sameFunction) return this.elsewhere(place, pc);
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

  /** One more instruction of the line; a line that goes round and round runs freely until it is left. */
  private async goOnInside({ module, cfa }: Origin): Promise<PlanAnswer> {
    const exits = await this.busy.exits(this.vcpu, this.spot().pc, module, this.inside, cfa);
    return exits === undefined ? this.lease() : this.runTo(exits.addresses, exits.isFlow, () => this.arrived());
  }

  private async placeOf(pc: bigint): Promise<Place> {
    const module = this.host.modules.at(pc);
    if (module === undefined) return { module, found: null, ranges: null, line: null };
    const linked = module.link(pc);
    const [found, ranges, line] = await Promise.all([
      module.file.functionAt(linked),
      module.file.stepRanges(linked),
      module.file.lineAt(linked),
    ]);
    return { module, found, ranges, line };
  }

  /** Stops at the beginning of a statement; from the middle of one it goes on. */
  private atStatement(line: LineLocation, linked: bigint): PlanAnswer {
    if (line.isStmt && line.start === linked) return this.done();
    this.inside = [{ start: linked, end: line.end }];
    return this.lease();
  }

  /** The flow has jumped out of the function that it was in. */
  private async elsewhere({ module, found, line }: Place, pc: bigint): Promise<PlanAnswer> {
    const { origin } = this;
    // Assembly whose functions the debugging information does not describe: a jump is a jump, and every line counts.
    if (found === null && origin?.functionId === undefined && module !== undefined && line !== null && line.line !== 0)
      return this.atStatement(line, module.link(pc));
    // Code that has neither lines nor a name belongs to whoever jumped there (alternatives, fixups, cold parts).
    if (found === null && (line === null || line.line === 0) && !(await this.hasName(pc))) {
      if (++this.nameless < NAMELESS_LIMIT) return this.lease();
    }
    return this.leftSideways();
  }
  private async hasName(pc: bigint): Promise<boolean> {
    return (await this.host.modules.describe(pc)) !== undefined;
  }

  /** A jump into another function: a tail call. It returns to where this one would have. */
  private async leftSideways(): Promise<PlanAnswer> {
    const { origin } = this;
    if (this.kind === 'in') {
      const into = await this.enter();
      if (into !== undefined) return into;
    }
    const caller = origin?.cfa === undefined ? undefined : returnTo(origin.caller);
    return caller === undefined ? this.done() : this.runToReturn(caller, () => Promise.resolve(this.done()));
  }
}

function contains(ranges: readonly AddressRange[], address: bigint): boolean {
  return ranges.some(({ start, end }) => address >= start && address < end);
}
