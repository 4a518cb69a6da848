/**
 * One debug session: what its request groups share. It owns the guest, runs it in slices, and says what happened.
 * The handlers of requests are in requests/, one file for each group.
 */
import type { LogLine } from '../debugger/breakpoints.ts';
import type { Debugger, FrameView } from '../debugger/debugger.ts';
import type { Execution, RunOutcome } from '../debugger/execution.ts';
import type { Frame } from '../debugger/frames.ts';
import type { Plan } from '../debugger/plan.ts';
import { continuePlan } from '../debugger/plan.ts';
import type { GuestDebugApi, StopRecord, VcpuStatus } from '../guestdebug/api.ts';
import type { LaunchConfiguration } from './configuration.ts';
import { FIRST_THREAD_ID } from './custom.ts';
import { Dispatcher } from './dispatcher.ts';
import { ProtocolError } from './errors.ts';
import type { AdapterHost } from './host.ts';
import type { LinuxBoot } from './linux.ts';
import type { Listings } from './listings.ts';
import type { P, Send } from './protocol.ts';
import { kernelExceptionSentence } from './kernel-exceptions.ts';
import { References } from './references.ts';
import type { SerialOutput } from './serial.ts';
import type { SourcePaths } from './source-paths.ts';
import type { StopReason } from './stops.ts';
import { accessSentence, reasonOf, stoppedEvents, threadId } from './stops.ts';

/** What exists once a launch succeeded. */
export interface Launched {
  readonly configuration: LaunchConfiguration;
  readonly debugger: Debugger;
  readonly execution: Execution;
  readonly paths: SourcePaths;
  readonly listings: Listings;
  readonly serial: SerialOutput;
  /** How a compressed Linux kernel's symbols come to be known; undefined for other guests. */
  readonly linux: LinuxBoot | undefined;
  /** Lets go of the files that the machine has open. */
  readonly release: () => void;
}

export type SessionState = 'new' | 'launched' | 'stopped' | 'running' | 'ended' | 'closed';

/** Ledger events are sent at most this often, in milliseconds. */
const LEDGER_PACE = 100;

export class Session {
  readonly host: AdapterHost;
  readonly dispatcher: Dispatcher;
  readonly references = new References();
  /** Names of data breakpoints by their DAP id, for reasons of stops. */
  readonly labels = new Map<number, string>();
  readonly instructionIds = new Set<number>();
  readonly functionIds = new Set<number>();
  state: SessionState = 'new';
  /** Called after the answer to `disconnect` is on its way. */
  onDisconnect: () => void = () => undefined;
  client: P.InitializeRequestArguments | undefined;
  focus = 0;
  /** The client is our own extension: its terminal takes the serial port as bytes. */
  ownExtension = false;
  /** The vCPU that the user asked to pause. */
  pauseWish: number | undefined;
  /** Exception filters as they were set last. */
  catching: Parameters<GuestDebugApi['setCatch']>[0] = { bp: 'off', db: false };
  /** Whether a triple fault stops, or ends the session as a reset does. */
  catchShutdown = true;
  /** Exception filters that are breakpoints: the filter of each breakpoint's id. */
  readonly filterIds = new Map<number, string>();
  private parts: Launched | undefined;
  private ledgerSaid = 0;
  private ledgerSaidAt = -Infinity;
  /** What is awaited when the session ends: the run loop in progress. */
  private runningLoop: Promise<void> = Promise.resolve();
  private readonly pendingLog: LogLine[] = [];
  lastStop: { readonly reason: StopReason; readonly record: StopRecord | undefined } | undefined;

  constructor(host: AdapterHost, send: Send) {
    this.host = host;
    this.dispatcher = new Dispatcher(send);
  }

  /** The guest and its debugger. Throws when there is none (yet). */
  get launched(): Launched {
    if (this.parts === undefined)
      throw new ProtocolError('notLaunched', 'No guest is running: a launch request comes first.');
    return this.parts;
  }
  get isLaunched(): boolean {
    return this.parts !== undefined;
  }
  get debugger(): Debugger {
    return this.launched.debugger;
  }

  /** Takes over a guest that was just powered on. */
  adopt(parts: Launched): void {
    this.parts = parts;
    this.state = 'launched';
    parts.debugger.api.onLedger = () => undefined;
    parts.debugger.machine.onSerial = (bytes) => parts.serial.push(bytes);
    parts.debugger.machine.onDebugConsole = (bytes) => parts.serial.pushDebugConsole(bytes);
    parts.debugger.machine.onMessage = (text) => this.output('console', text);
  }

  /** A line in the Debug Console. */
  output(
    category: 'console' | 'important' | 'stderr' | 'stdout',
    text: string,
    place?: { source: P.Source; line: number },
  ): void {
    this.dispatcher.event('output', { category, output: `${text}\n`, ...place });
  }

  logged(line: LogLine): void {
    this.pendingLog.push(line);
  }
  private flushLog(): void {
    for (const { text } of this.pendingLog.splice(0)) this.output('console', text);
  }

  // ---- arguments ----

  requireStopped(): void {
    void this.launched;
    if (this.state === 'ended')
      throw new ProtocolError('ended', 'The machine has stopped for good; there is nothing left to look at.');
    if (this.state !== 'stopped') throw new ProtocolError('notStopped', 'notStopped');
  }
  /** vCPU of a thread id. */
  vcpuOf(id: unknown): number {
    const vcpus = this.debugger.target.vcpus;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < FIRST_THREAD_ID || id >= FIRST_THREAD_ID + vcpus) {
      throw new ProtocolError(
        'unknownThread',
        `Thread ${String(id)} does not exist: vCPUs are threads ${FIRST_THREAD_ID} to ${FIRST_THREAD_ID + vcpus - 1}.`,
      );
    }
    return id - FIRST_THREAD_ID;
  }
  /** The frame of an id with all that evaluation needs; without an id, the focused vCPU's innermost frame. */
  async viewOf(frameId: number | undefined): Promise<FrameView | undefined> {
    if (this.state !== 'stopped') return undefined;
    const frame: Frame | undefined =
      frameId === undefined ? (await this.debugger.stack(this.focus))[0] : this.references.frame(frameId);
    return frame === undefined ? undefined : this.debugger.view(frame);
  }

  // ---- running ----

  /** Lets the guest go under a plan. The response of the request was sent already. */
  run(plan: Plan, onDone?: (vcpu: number) => StopReason): void {
    if (this.state === 'closed' || this.state === 'ended') return;
    this.state = 'running';
    this.references.clear();
    this.debugger.invalidate();
    this.dispatcher.event('trapline/machineChanged', { running: true });
    this.runningLoop = this.runLoop(plan, onDone);
  }

  private async runLoop(plan: Plan, onDone: ((vcpu: number) => StopReason) | undefined): Promise<void> {
    try {
      const outcome = await this.launched.execution.run(plan);
      await this.conclude(outcome, onDone);
    } catch (error) {
      // A fault of ours must not leave a session that looks as if it ran.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.output('important', `Internal error of the debug adapter while the guest ran: ${text}`);
      if (this.state === 'running')
        this.stopped({ vcpu: this.focus, reason: 'exception', badge: 'internal err', text }, undefined);
    }
  }

  /** Called between slices: what has gathered goes out at a bearable pace. */
  pace(): void {
    const { parts } = this;
    if (parts === undefined) return;
    this.flushLog();
    parts.serial.pace();
    const now = this.host.now();
    const size = parts.debugger.api.ledgerSize;
    if (size !== this.ledgerSaid && now - this.ledgerSaidAt >= LEDGER_PACE) this.sayLedger(size, now);
  }
  private sayLedger(size: number, now: number): void {
    this.ledgerSaid = size;
    this.ledgerSaidAt = now;
    this.dispatcher.event('trapline/ledgerAppended', { size });
  }
  private flush(): void {
    const { parts } = this;
    if (parts === undefined) return;
    this.flushLog();
    parts.serial.flush();
    const size = parts.debugger.api.ledgerSize;
    if (size !== this.ledgerSaid) this.sayLedger(size, this.host.now());
  }

  private async conclude(outcome: RunOutcome, onDone: ((vcpu: number) => StopReason) | undefined): Promise<void> {
    if (this.state === 'closed') return;
    this.flush();
    switch (outcome.kind) {
      case 'abandoned':
        return;
      case 'stepped':
        await this.stopped(onDone?.(outcome.vcpu) ?? this.stepReason(outcome.vcpu), this.recordOf(outcome.vcpu));
        return;
      case 'paused': {
        const vcpu = this.pauseWish ?? outcome.vcpu;
        await this.stopped(
          { vcpu, reason: 'pause', badge: 'paused', text: `vCPU ${vcpu} was paused in the middle of a step.` },
          undefined,
        );
        return;
      }
      case 'stopped':
        if (outcome.record.kind === 'shutdown' && !this.catchShutdown) {
          // The machine has nothing left to run: acknowledging the event ends it.
          await this.conclude(await this.launched.execution.run(continuePlan), undefined);
          return;
        }
        await this.stopped(await this.describeStop(outcome.record), outcome.record);
        return;
      case 'ended':
        this.state = 'ended';
        this.output('console', outcome.text);
        this.dispatcher.event('trapline/machineChanged', { running: false });
        this.dispatcher.event('exited', { exitCode: outcome.status });
        this.dispatcher.event('terminated', {});
    }
  }
  private stepReason(vcpu: number): StopReason {
    const status = this.status(vcpu);
    const at = status === undefined ? '' : ` to 0x${status.pc.toString(16)}`;
    const halted = status?.activity === 'halted' ? ' and is halted' : '';
    return { vcpu, reason: 'step', badge: 'step', text: `vCPU ${vcpu} stepped${at}${halted}.` };
  }
  private recordOf(vcpu: number): StopRecord | undefined {
    return this.debugger.vcpus().find((status) => status.vcpu === vcpu)?.record;
  }

  /** The reason of a stop in the user's words. */
  private async describeStop(record: StopRecord): Promise<StopReason> {
    const ids = this.debugger.hitBreakpoints(record);
    const filters = ids.map((id) => this.filterIds.get(id)).filter((filter) => filter !== undefined);
    if (filters[0] !== undefined && filters.length === ids.length) return this.kernelException(record, filters[0]);
    const symbol = await this.debugger.modules.describe(record.causePc);
    const first = ids[0];
    let reason = reasonOf(record.kind);
    let badge: string | undefined;
    let text = await this.withSymbols(record.sentence);
    // A step that came past a breakpoint stops for it.
    if ((record.kind === 'bp' || record.kind === 'step') && first !== undefined) {
      reason = 'breakpoint';
      text = await this.withSymbols(
        `vCPU ${record.vcpu} is at the breakpoint at 0x${record.pc.toString(16)}; its instruction has not run.`,
      );
      if (this.instructionIds.has(first)) reason = 'instruction breakpoint';
      else if (this.functionIds.has(first)) reason = 'function breakpoint';
    }
    if (record.kind === 'watch') {
      const label = first === undefined ? undefined : this.labels.get(first);
      const access = record.causes.find((cause) => cause.access !== undefined)?.access;
      const verb = access?.kind === 'r' ? 'read' : 'wrote';
      const name = label?.replace(/^.*(?:->|\.)/, '') ?? '';
      if (name !== '' && `${verb} ${name}`.length <= 12) badge = `${verb} ${name}`;
      const sentence = accessSentence(record, label);
      if (sentence !== undefined) text = `${sentence}${symbol === undefined ? '' : ` at ${symbol}`}`;
      this.output('console', text);
    } else if (reason === 'exception') {
      this.output('console', text);
    } else if (ids.length > 0) {
      badge = 'breakpoint';
    }
    if (record.kind === 'pause') return this.pauseReason(record);
    return { vcpu: record.vcpu, reason, badge, text, hitBreakpointIds: ids };
  }

  /** A filter of the Breakpoints view is behind the stop: the kernel itself gives up. */
  private kernelException(record: StopRecord, filter: string): StopReason {
    const { vcpu } = record;
    const text = kernelExceptionSentence(this.debugger.target, vcpu, filter);
    this.output('important', text);
    return { vcpu, reason: 'exception', badge: filter, text };
  }

  /** The focus goes to the vCPU that was asked to pause; one that has not been started is of no interest. */
  private pauseReason(record: StopRecord): StopReason {
    const candidates = [this.pauseWish, record.vcpu, ...this.debugger.vcpus().map(({ vcpu }) => vcpu)];
    const online = (vcpu: number | undefined): boolean =>
      vcpu !== undefined && this.status(vcpu)?.activity !== 'waitSipi';
    const vcpu = candidates.find(online) ?? record.vcpu;
    const text = vcpu === record.vcpu ? record.sentence : this.status(vcpu)?.sentence;
    return { vcpu, reason: 'pause', badge: 'paused', text };
  }

  /** The world stands still: says so for every vCPU. */
  async stopped(reason: StopReason, record: StopRecord | undefined): Promise<void> {
    this.debugger.invalidate();
    this.flush();
    const statuses: VcpuStatus[] = [];
    for (const status of this.debugger.vcpus())
      statuses.push({ ...status, sentence: await this.withSymbols(status.sentence) });
    const text = reason.text === undefined ? undefined : await this.withSymbols(reason.text);
    // The client may have gone while names were looked up.
    if (this.state === 'closed') return;
    this.state = 'stopped';
    this.focus = reason.vcpu;
    this.lastStop = { reason: { ...reason, text }, record };
    for (const body of stoppedEvents(statuses, { ...reason, text })) this.dispatcher.event('stopped', body);
    this.dispatcher.event('trapline/machineChanged', { running: false });
  }

  /** Adds names behind the addresses of code in a sentence: `at 0x102a29 <worker_run+57>`. */
  async withSymbols(sentence: string): Promise<string> {
    const parts: string[] = [];
    for (const part of sentence.split(/(0x[0-9a-f]{4,16}\b)(?! <)/)) {
      parts.push(part);
      if (!/^0x[0-9a-f]{4,16}$/.test(part)) continue;
      const address = BigInt(part);
      const name =
        this.debugger.modules.at(address)?.hasCodeAt(address) === true
          ? await this.debugger.modules.describe(address)
          : undefined;
      if (name !== undefined) parts.push(` <${name}>`);
    }
    return parts.join('');
  }

  /** Registers or memory were changed by the user: views of values are stale. */
  changed(): void {
    this.debugger.invalidate();
    this.dispatcher.event('invalidated', { areas: ['variables'] });
    this.dispatcher.event('trapline/machineChanged', { running: false });
  }

  status(vcpu: number): VcpuStatus | undefined {
    return this.debugger.vcpus().find((status) => status.vcpu === vcpu);
  }
  /** The event of step requests: every vCPU ran. */
  continued(vcpu: number): void {
    this.dispatcher.event('continued', { threadId: threadId(vcpu), allThreadsContinued: true });
  }

  /** Ends the session: the guest forgets the debugger, nothing is reported any more. Idempotent. */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    await this.leave();
  }

  /** Leaves the machine: the guest forgets the debugger. */
  async leave(): Promise<void> {
    const { parts } = this;
    if (parts === undefined) return;
    parts.execution.abandon();
    await this.runningLoop;
    parts.serial.flush();
    parts.debugger.api.detach(false);
    for (const module of parts.debugger.modules.all) await module.file.close().catch(() => undefined);
    parts.release();
    this.references.clear();
    this.parts = undefined;
  }
}
