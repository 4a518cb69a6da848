/** The source-level debugger of one guest: the facade that front ends (DAP, command line) talk to. */
import { decode } from '../core/disassembler/decode.ts';
import type { GuestDebugApi, StopRecord, VcpuStatus } from '../guestdebug/api.ts';
import { isMachinery } from '../guestdebug/api.ts';
import type { MachineApi } from '../machine/api.ts';
import type { LocationWrite, SymbolFile } from '../symbols/index.ts';
import { fromLittleEndianBytes } from './bits.ts';
import { DebuggerError } from './errors.ts';
import type { CompiledExpression } from './expression/compile.ts';
import { compile } from './expression/compile.ts';
import type { FrameContext } from './expression/scope.ts';
import type { Frame, FrameExtras } from './frames.ts';
import { frameContext, frameExtras, liveContext, sourceFrames } from './frames.ts';
import type { LogLine } from './hit-filter.ts';
import { Module, ModuleSet } from './modules.ts';
import { ModuleScope } from './names.ts';
import type { Plan } from './plan.ts';
import { impossibleState } from './processor-state.ts';
import { unwindStack } from './stack/unwind.ts';
import { InstructionStep } from './steps/instruction-step.ts';
import type { LineStepKind } from './steps/line-step.ts';
import { LineStep } from './steps/line-step.ts';
import { StepOut } from './steps/step-out.ts';
import type { Target } from './target.ts';
import { machineTarget } from './target.ts';
import { readRegister, writeRegister } from './registers.ts';
import { withTypes } from './types.ts';
import { UserBreakpoints } from './user-breakpoints.ts';
import type { Value } from './value.ts';
import { encodeScalar, planStore, scalarKind, requireFit } from './value.ts';

export interface DebuggerParts {
  readonly machine: MachineApi;
  readonly api: GuestDebugApi;
  readonly onLog: (line: LogLine) => void;
}

/** Evaluation in a frame, ready for synchronous use. */
export interface FrameView {
  readonly frame: Frame;
  readonly extras: FrameExtras;
  readonly context: FrameContext;
  readonly scope: ModuleScope;
}

export class Debugger {
  readonly machine: MachineApi;
  readonly api: GuestDebugApi;
  readonly target: Target;
  readonly modules = new ModuleSet();
  readonly breakpoints: UserBreakpoints;
  /** Grows when the guest runs or is changed: what was computed before is stale. */
  private generation = 0;
  private readonly stacks = new Map<
    number,
    { readonly generation: number; readonly frames: Promise<readonly Frame[]> }
  >();
  private readonly views = new Map<string, { readonly generation: number; readonly view: Promise<FrameView> }>();

  constructor(parts: DebuggerParts) {
    this.machine = parts.machine;
    this.api = parts.api;
    this.target = machineTarget(parts.machine);
    const { target, modules, api } = this;
    this.breakpoints = new UserBreakpoints({ target, modules, api, onLog: parts.onLog });
  }

  addModule(name: string, file: SymbolFile, bias = 0n): Module {
    const module = new Module(name, file, bias);
    this.modules.add(module);
    return module;
  }

  /** Forgets stacks and views: the guest ran, or registers or memory were changed. */
  invalidate(): void {
    this.generation++;
    this.stacks.clear();
    this.views.clear();
  }
  get stamp(): number {
    return this.generation;
  }

  vcpus(): readonly VcpuStatus[] {
    return this.api.vcpus();
  }

  // ---- stacks and frames ----

  /** The call stack of a stopped vCPU. Cached until the guest runs. */
  stack(vcpu: number): Promise<readonly Frame[]> {
    const cached = this.stacks.get(vcpu);
    if (cached?.generation === this.generation) return cached.frames;
    const frames = unwindStack(this.target, this.modules, vcpu).then((physical) =>
      sourceFrames(this.modules, physical),
    );
    this.stacks.set(vcpu, { generation: this.generation, frames });
    return frames;
  }

  /** A frame with all that evaluation in it needs. */
  view(frame: Frame): Promise<FrameView> {
    const key = `${frame.vcpu}:${frame.index}`;
    const cached = this.views.get(key);
    if (cached?.generation === this.generation) return cached.view;
    const view = this.makeView(frame);
    this.views.set(key, { generation: this.generation, view });
    return view;
  }
  private async makeView(frame: Frame): Promise<FrameView> {
    const extras = await frameExtras(frame);
    const context = frameContext(this.target, frame.physical, extras, frame.caller);
    const { module, lookupPc } = frame.physical;
    const scopes = extras.scopes[frame.scopeIndex];
    const scope = new ModuleScope(this.modules, module === undefined ? undefined : { module, pc: lookupPc, scopes });
    return { frame, extras, context, scope };
  }

  // ---- expressions ----

  /** Compiles for a frame, or for globals and registers alone. */
  compile(text: string, view: FrameView | undefined): Promise<CompiledExpression> {
    return compile(text, view?.scope ?? new ModuleScope(this.modules, undefined));
  }

  /** Evaluates in a frame; without one, on vCPU `vcpu` (globals and registers alone). Rejects with `DebuggerError`. */
  async evaluate(text: string, view: FrameView | undefined, vcpu = 0): Promise<Value> {
    const compiled = await this.compile(text, view);
    const context = view?.context ?? liveContext(this.target, vcpu, { row: null, frameBase: null, loadBias: 0n });
    return withTypes(() => compiled.evaluate(context));
  }

  /** Stores the value of an expression to an object, converted as C's assignment does. */
  async assign(object: Value, text: string, view: FrameView | undefined, vcpu: number): Promise<void> {
    const kind = await withTypes(() => scalarKind(object.store, object.type));
    if (kind === undefined) {
      const name = object.store.nameOf(object.type);
      throw new DebuggerError('notAssignable', `A whole '${name}' cannot be assigned; change its members one by one.`);
    }
    const compiled = await this.compile(await this.enumeratorAware(text, object), view);
    const context = view?.context ?? liveContext(this.target, vcpu, { row: null, frameBase: null, loadBias: 0n });
    const scalar = await withTypes(() => compiled.scalar(context));
    requireFit(object, kind, scalar);
    const writes = planStore(object, encodeScalar(kind, scalar));
    for (const write of writes) this.write(write, vcpu, view?.frame);
    this.invalidate();
  }
  /** Booleans may be written by name although C's header is not there. */
  private enumeratorAware(text: string, object: Value): Promise<string> {
    const type = object.store.strip(object.type);
    const boolean = type.kind === 'base' && type.encoding === 'boolean';
    return Promise.resolve(
      boolean ? text.replace(/^\s*(true|false)\s*$/, (word) => (word.trim() === 'true' ? '1' : '0')) : text,
    );
  }

  private write(write: LocationWrite, vcpu: number, frame: Frame | undefined): void {
    if (write.kind === 'memory') {
      const written = this.target.writeLinear(vcpu, write.address, write.bytes);
      if (written < write.bytes.length) {
        const at = write.address + BigInt(written);
        throw new DebuggerError(
          'notAvailable',
          `Memory at 0x${at.toString(16)} cannot be written: it is not mapped to RAM.`,
        );
      }
      return;
    }
    if (frame !== undefined && frame.physical.level > 0 && write.register <= 16) {
      throw new DebuggerError(
        'notAssignable',
        'It is in a register of an outer frame; select the innermost frame to change registers.',
      );
    }
    const old = readRegister(this.target.slots, vcpu, write.register) ?? 0n;
    const keep = (old >> BigInt(write.bytes.length * 8)) << BigInt(write.bytes.length * 8);
    this.setRegister(vcpu, write.register, keep | fromLittleEndianBytes(write.bytes));
  }

  /** Stores a whole register by number (registers.ts). */
  setRegister(vcpu: number, number: number, value: bigint): void {
    const problem = impossibleState(this.target.slots, vcpu, number, value);
    if (problem !== undefined) throw new DebuggerError('notAssignable', problem);
    if (!writeRegister(this.target.slots, vcpu, number, value)) {
      throw new DebuggerError('notAssignable', 'The register cannot be written.');
    }
    this.invalidate();
  }

  // ---- plans ----

  /** Bytes of the instruction at a linear address; undefined for bytes that are none. `word`: what a push takes there. */
  instructionLength(vcpu: number, linear: bigint, word: 2 | 4 | 8): number | undefined {
    const bits = ({ 2: 16, 4: 32, 8: 64 } as const)[word];
    return decode(this.target.readLinear(vcpu, linear, 15), linear, bits)?.length;
  }

  // `alone`: the vCPU executes while all others stand still; it walks through what it calls.

  stepInstruction(vcpu: number, over: boolean, alone = false): Plan {
    return new InstructionStep(this, vcpu, over, alone);
  }
  async stepLine(vcpu: number, kind: 'in' | 'over', alone = false): Promise<Plan> {
    const top = (await this.stack(vcpu))[0];
    // Without lines a step by line is a step by instruction.
    if (top?.source === undefined) return new InstructionStep(this, vcpu, kind === 'over', alone);
    const line: LineStepKind = kind;
    return new LineStep(this, vcpu, line, alone);
  }
  async stepOut(vcpu: number, alone = false): Promise<Plan> {
    const top = (await this.stack(vcpu))[0];
    if (top?.inlined === true) return new LineStep(this, vcpu, 'outOfInlined', alone);
    const stack = await unwindStack(this.target, this.modules, vcpu, 2);
    if (stack[1] === undefined) {
      throw new DebuggerError(
        'notAvailable',
        'There is no caller to step out to: this is the outermost frame that is known.',
      );
    }
    const remark = stack[1].guess
      ? `The caller of ${top?.name ?? 'this code'} is a guess: there is no call-frame information here, and the stack has been used since the call.`
      : undefined;
    return new StepOut(this, vcpu, { alone, remark });
  }

  /** Ids of the user's breakpoints behind a stop. */
  hitBreakpoints(record: StopRecord): readonly number[] {
    return this.api.stoppers(record).filter((id) => !isMachinery(id));
  }
}
