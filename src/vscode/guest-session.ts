// One debug session as the views see it: what was last told about the machine. Events keep it up to date; only a
// machine that runs is asked now and then, for its clock and counters.
import * as vscode from 'vscode';
import type { DebugRegistersBody, MachineBody } from '../dap/custom.ts';
import type { AdapterBridge } from './adapter-bridge.ts';
import { customEvent, RESTARTED, type AdapterEvent } from './adapter-channel.ts';
import { LedgerRows } from './ledger-rows.ts';

/** Changes that come in one burst (four stopped events, say) are one refresh. */
const SETTLE_MILLISECONDS = 30;
/** Between two looks at a machine that runs. */
const RUNNING_MILLISECONDS = 1000;
/** Rows of the ledger in one answer: dap/custom.ts allows 2,000. */
const LEDGER_PAGE = 2000;

export class GuestSession implements vscode.Disposable {
  readonly session: vscode.DebugSession;
  readonly bridge: AdapterBridge;
  readonly ledger = new LedgerRows();
  machine: MachineBody | undefined;
  registers: DebugRegistersBody | undefined;
  running = true;
  /** The guest or the session has ended; the last rows stay. */
  ended = false;
  /** What the adapter said of the guest's end: isa-debug-exit and the like. */
  exitCode: number | undefined;

  readonly #changed = new vscode.EventEmitter<void>();
  readonly #ledgerGrew = new vscode.EventEmitter<void>();
  readonly #ledgerCleared = new vscode.EventEmitter<void>();
  readonly #listener: vscode.Disposable;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading = false;
  #readAgain = false;
  /** Counts restarts: an answer of the life before is thrown away. */
  #life = 0;

  /** `machine`, `registers`, `running` or `ended` is new. */
  readonly onDidChange = this.#changed.event;
  /** The ledger has new rows. */
  readonly onLedger = this.#ledgerGrew.event;
  /** The ledger begins anew: the machine was restarted. */
  readonly onLedgerCleared = this.#ledgerCleared.event;

  constructor(session: vscode.DebugSession, bridge: AdapterBridge) {
    this.session = session;
    this.bridge = bridge;
    this.#listener = bridge.onEvent((event) => this.#follow(event));
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listener.dispose();
    this.#changed.dispose();
    this.#ledgerGrew.dispose();
    this.#ledgerCleared.dispose();
  }

  #follow(event: AdapterEvent): void {
    if (customEvent(event, 'trapline/ledgerAppended') !== undefined) void this.#readLedger();
    const changed = customEvent(event, 'trapline/machineChanged');
    if (changed !== undefined) {
      this.running = changed.running;
      this.#refreshSoon();
    }
    switch (event.event) {
      case 'stopped':
        this.running = false;
        this.#refreshSoon();
        void this.#readLedger();
        break;
      case RESTARTED:
        this.#life += 1;
        this.ledger.clear();
        this.#ledgerCleared.fire();
        this.#refreshSoon();
        break;
      case 'continued':
        this.running = true;
        this.#refreshSoon();
        break;
      case 'exited': {
        const { exitCode } = (event.body ?? {}) as { exitCode?: unknown };
        if (typeof exitCode === 'number') this.exitCode = exitCode;
        break;
      }
      case 'terminated':
        this.#end();
        break;
      default:
    }
  }

  /** The last look, while the adapter still answers: VS Code sends it away when it has seen the event. */
  #end(): void {
    this.ended = true;
    this.running = false;
    clearTimeout(this.#timer);
    void this.#refresh();
    void this.#readLedger();
  }

  #refreshSoon(milliseconds = SETTLE_MILLISECONDS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(), milliseconds);
  }

  async #refresh(): Promise<void> {
    try {
      [this.machine, this.registers] = await Promise.all([
        this.bridge.request('trapline/machine'),
        this.bridge.request('trapline/debugRegisters'),
      ]);
      if (this.running) this.#refreshSoon(RUNNING_MILLISECONDS); // unless an event comes before
    } catch {
      // Not launched yet, or over: what was known last stays.
    }
    this.#changed.fire();
  }

  /** Reads the rows that are new, page by page; a call while one is under way makes it look once more. */
  async #readLedger(): Promise<void> {
    this.#readAgain = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#readAgain) {
        this.#readAgain = false;
        const life = this.#life;
        const page = await this.bridge.request('trapline/ledger', { from: this.ledger.next, count: LEDGER_PAGE });
        if (life !== this.#life) this.#readAgain = true;
        if (life !== this.#life || page.rows.length === 0) continue;
        this.ledger.add(page.rows);
        this.#ledgerGrew.fire();
        if (this.ledger.next < page.size) this.#readAgain = true;
      }
    } catch {
      // Not launched yet, or over: the rows that are there stay.
    } finally {
      this.#reading = false;
    }
  }
}
