/**
 * One debug session: what its request groups share. It owns the guest, runs it in slices, and says what happened. What may
 * happen when is the table's business (life.ts); what has to be let go of is written down in scopes (resource-scope.ts).
 * The handlers of requests are in requests/, one file for each group.
 */
import type { Debugger, FrameView } from '../debugger/debugger.ts';
import type { Backlog, Execution, RunOutcome } from '../debugger/execution.ts';
import type { Frame } from '../debugger/frames.ts';
import type { Plan } from '../debugger/plan.ts';
import { continuePlan } from '../debugger/plan.ts';
import type { StopRecord, VcpuStatus } from '../guestdebug/api.ts';
import { BreakpointIds } from './breakpoint-ids.ts';
import type { Client } from './client.ts';
import type { LaunchConfiguration } from './configuration.ts';
import { FIRST_THREAD_ID } from './custom.ts';
import { Dispatcher } from './dispatcher.ts';
import { ProtocolError, toProtocolError } from './errors.ts';
import { ExceptionFilters } from './exception-filters.ts';
import type { GuestOutput } from './guest-output.ts';
import type { AdapterHost } from './host.ts';
import { Life, type SessionState } from './life.ts';
import type { LinuxBoot } from './linux.ts';
import type { Listings } from './listings.ts';
import { freeOutlet, OutletBacklog, type Outlet } from './outlet.ts';
import type { P, Send } from './protocol.ts';
import { References } from './references.ts';
import { ResourceScope } from './resource-scope.ts';
import type { RunInProgress } from './run-in-progress.ts';
import type { SourcePaths } from './source-paths.ts';
import { Starts } from './starts.ts';
import { describeStop, stepReason } from './stop-words.ts';
import type { StopReason } from './stops.ts';
import { stoppedEvents, threadId } from './stops.ts';
import { namesOfCode } from './symbolic.ts';
import { endingSentence } from '../words/endings.ts';
import { pausedSentence, placesOf } from '../words/stops.ts';
import { english, type Translate } from '../words/translate.ts';

/** What exists once a launch succeeded. */
export interface Launched {
  readonly configuration: LaunchConfiguration;
  readonly debugger: Debugger;
  readonly execution: Execution;
  readonly paths: SourcePaths;
  readonly listings: Listings;
  readonly output: GuestOutput;
  readonly run: RunInProgress;
  /** How a compressed Linux kernel's symbols come to be known; undefined for other guests. */
  readonly linux: LinuxBoot | undefined;
  /** All that the machine holds: disks and their locks, symbol files, listeners, its run. */
  readonly scope: ResourceScope;
}

interface LastStop {
  readonly reason: StopReason;
  readonly record: StopRecord | undefined;
}

export class Session {
  readonly host: AdapterHost;
  readonly dispatcher: Dispatcher;
  readonly backlog: Backlog;
  readonly life = new Life();
  readonly references = new References();
  readonly breakpointIds = new BreakpointIds();
  readonly exceptionFilters = new ExceptionFilters();
  readonly starts = new Starts((what, error) => this.notReleased(what, error));
  /** What the session holds beside machines. */
  readonly scope = new ResourceScope((what, error) => this.notReleased(what, error));
  private guest: Launched | undefined;
  private stop: LastStop | undefined;
  /** The vCPU that the user asked to pause, until the guest stops. */
  private pauseWish: number | undefined;
  private terminatedSaid = false;
  /** The machine before this one is being released. */
  private leaving: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(host: AdapterHost, send: Send, outlet: Outlet = freeOutlet) {
    this.host = host;
    this.backlog = new OutletBacklog(outlet);
    this.dispatcher = new Dispatcher(send, host);
    this.scope.hold('The host', host, (one) => one.dispose());
    host.onTrouble((sentence) => this.output('important', sentence));
  }

  // ---- what there is ----

  /** Says sentences in the user's language. */
  get t(): Translate {
    return this.host.translate ?? english;
  }
  get state(): SessionState {
    return this.life.state;
  }
  /** The guest and its debugger. Throws when there is none (yet). */
  get launched(): Launched {
    if (this.guest !== undefined) return this.guest;
    this.life.require('use');
    throw new ProtocolError('notLaunched', 'No guest is running.');
  }
  get isLaunched(): boolean {
    return this.guest !== undefined;
  }
  get client(): Client {
    return this.dispatcher.client;
  }
  get debugger(): Debugger {
    return this.launched.debugger;
  }
  /** The vCPU of the last stop: where addresses are looked at when a request names none. */
  get focus(): number {
    return this.stop?.reason.vcpu ?? 0;
  }
  /** Why the guest stopped last. */
  get lastStop(): LastStop | undefined {
    return this.stop;
  }
  /** Whether a machine is still the one that is debugged: a restart or the end may have come while something was awaited. */
  isCurrent(guest: Launched): boolean {
    return this.guest === guest && !this.life.isOver;
  }

  /** A new machine takes the place of the one before, if any; answers that one, which is being released. */
  adopt(parts: Launched): Launched | undefined {
    const before = this.guest;
    this.leaving = before?.scope.release();
    this.guest = parts;
    this.references.clear();
    this.stop = undefined;
    this.pauseWish = undefined;
    this.terminatedSaid = false;
    return before;
  }

  // ---- to the client ----

  /** A line in the Debug Console. */
  output(
    category: 'console' | 'important' | 'stderr' | 'stdout',
    text: string,
    place?: { source: P.Source; line: number },
  ): void {
    this.dispatcher.event('output', { category, output: `${text}\n`, ...place });
  }
  /** The event of step requests. @param alone the others stand still */
  continued(vcpu: number, alone = false): void {
    this.dispatcher.event('continued', { threadId: threadId(vcpu), allThreadsContinued: !alone });
  }
  /** Registers or memory were changed by the user: views of values are stale. */
  changed(): void {
    this.debugger.invalidate();
    this.dispatcher.event('invalidated', { areas: ['variables'] });
    this.dispatcher.event('trapline/machineChanged', { running: false });
  }
  /** Once for each machine. */
  sayTerminated(): void {
    if (this.terminatedSaid) return;
    this.terminatedSaid = true;
    this.dispatcher.event('terminated', {});
  }
  private notReleased(what: string, error: unknown): void {
    this.output(
      'important',
      `${what} could not be released: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  // ---- arguments ----

  requireStopped(): void {
    this.life.require('inspect');
  }
  /** vCPU of a thread id. */
  vcpuOf(id: number): number {
    const vcpus = this.debugger.target.vcpus;
    if (id < FIRST_THREAD_ID || id >= FIRST_THREAD_ID + vcpus) {
      throw new ProtocolError(
        'unknownThread',
        `Thread ${id} does not exist: vCPUs are threads ${FIRST_THREAD_ID} to ${FIRST_THREAD_ID + vcpus - 1}.`,
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
  status(vcpu: number): VcpuStatus | undefined {
    return this.debugger.vcpus().find((status) => status.vcpu === vcpu);
  }

  // ---- running ----

  /** Asks the guest to stop, with this vCPU in the focus. One that is about to start stops before its first instruction. */
  pause(vcpu: number): void {
    this.life.request('pause');
    if (this.state === 'running') this.launched.execution.pause();
    if (this.state === 'running' || this.state === 'starting') this.pauseWish = vcpu;
  }

  /** Lets a guest go under a plan, unless it was overtaken. The response of the request was sent already. */
  run(guest: Launched, plan: Plan, onDone?: (vcpu: number) => Promise<StopReason>): void {
    const early = this.state === 'starting' && this.pauseWish !== undefined;
    if (!this.isCurrent(guest) || !this.life.take('run')) return;
    this.references.clear();
    guest.debugger.invalidate();
    this.dispatcher.event('trapline/machineChanged', { running: true });
    if (early) guest.execution.pause();
    guest.run.follow(this.runLoop(guest, plan, onDone));
  }

  private async runLoop(
    guest: Launched,
    plan: Plan,
    onDone: ((vcpu: number) => Promise<StopReason>) | undefined,
  ): Promise<void> {
    try {
      await this.conclude(guest, await guest.execution.run(plan), onDone);
    } catch (error) {
      if (!this.isCurrent(guest)) return;
      // A fault of ours, or names that could not be looked up, must not leave a session that looks as if it ran.
      const { message: text } = toProtocolError(error);
      this.output('important', `The guest was stopped. ${text}`);
      await this.stopped(guest, { vcpu: this.focus, reason: 'exception', badge: 'internal err', text }, undefined);
    }
  }

  private async conclude(
    guest: Launched,
    outcome: RunOutcome,
    onDone: ((vcpu: number) => Promise<StopReason>) | undefined,
  ): Promise<void> {
    if (!this.isCurrent(guest)) return;
    const { debugger: debugger_, execution, output } = guest;
    output.flush();
    switch (outcome.kind) {
      case 'abandoned':
        return;
      case 'stepped': {
        const record = debugger_.vcpus().find(({ vcpu }) => vcpu === outcome.vcpu)?.record;
        const reason = await (onDone?.(outcome.vcpu) ?? stepReason(debugger_, outcome.vcpu, this.t));
        await this.stopped(guest, reason, record);
        return;
      }
      case 'paused': {
        const vcpu = this.pauseWish ?? outcome.vcpu;
        const text = pausedSentence(vcpu, debugger_.machine.instructions === 0n ? 'atReset' : 'inStep', this.t);
        await this.stopped(guest, { vcpu, reason: 'pause', badge: 'paused', text }, undefined);
        return;
      }
      case 'stopped': {
        if (outcome.record.kind === 'shutdown' && !this.exceptionFilters.stopAtShutdown) {
          // The machine has nothing left to run: acknowledging the event ends it.
          await this.conclude(guest, await execution.run(continuePlan), undefined);
          return;
        }
        const words = await describeStop(debugger_, this.breakpointIds, outcome.record, this.pauseWish, this.t);
        if (!this.isCurrent(guest)) return;
        if (words.say !== undefined) this.output(words.say.category, words.say.text);
        await this.stopped(guest, words.reason, outcome.record);
        return;
      }
      case 'ended':
        if (!this.life.take('end')) return;
        this.output('console', endingSentence(outcome.ending, this.t));
        this.dispatcher.event('trapline/machineChanged', { running: false });
        this.dispatcher.event('exited', { exitCode: outcome.status });
        this.sayTerminated();
    }
  }

  /** The world stands still: says so for every vCPU, unless the guest was overtaken. */
  async stopped(guest: Launched, reason: StopReason, record: StopRecord | undefined): Promise<void> {
    if (!this.isCurrent(guest)) return;
    const { debugger: debugger_, output } = guest;
    debugger_.invalidate();
    output.flush();
    const statuses = debugger_.vcpus();
    const nameOf = await namesOfCode(debugger_.modules, statuses.flatMap(placesOf));
    // The client may have gone, or restarted the guest, while names were looked up.
    if (!this.isCurrent(guest) || !this.life.take('stop')) return;
    this.pauseWish = undefined;
    this.stop = { reason, record };
    for (const body of stoppedEvents(statuses, reason, this.client.keepsFocus, nameOf, this.t))
      this.dispatcher.event('stopped', body);
    this.dispatcher.event('trapline/machineChanged', { running: false });
  }

  // ---- the end ----

  /**
   * Ends the session: the guest forgets the debugger, everything is released, nothing is reported any more. Resolves when it
   * is; never rejects. Idempotent.
   */
  close(event: 'terminate' | 'disconnect' | 'vanish' = 'vanish'): Promise<void> {
    this.life.take(event);
    this.closing ??= this.releaseAll();
    return this.closing;
  }
  private async releaseAll(): Promise<void> {
    await Promise.all([this.starts.abort(), this.leaving, this.guest?.scope.release()]);
    this.guest = undefined;
    this.references.clear();
    await this.scope.release();
    this.life.take('released');
  }
}
