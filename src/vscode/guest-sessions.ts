import * as vscode from 'vscode';
import type { AdapterBridge } from './adapter-bridge.ts';
import { GuestSession } from './guest-session.ts';

/** The Trapline sessions of this window, and the one that the views show. */
export class GuestSessions implements vscode.Disposable {
  readonly #sessions = new Map<string, GuestSession>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #started = new vscode.EventEmitter<GuestSession>();
  readonly #ended = new vscode.EventEmitter<GuestSession>();
  readonly #disposables: vscode.Disposable[] = [];
  #current: GuestSession | undefined;

  /** Another session is shown, or what is known of it is new. */
  readonly onDidChange = this.#changed.event;
  readonly onDidStart = this.#started.event;
  /** The session is over for VS Code; what is known of it stays. */
  readonly onDidEnd = this.#ended.event;

  constructor() {
    this.#disposables.push(
      vscode.debug.onDidTerminateDebugSession((session) => this.#terminated(session)),
      vscode.debug.onDidChangeActiveDebugSession((session) => this.#show(session)),
    );
  }

  /** The session whose machine is shown: the active one, else the last one, also after its end. */
  get current(): GuestSession | undefined {
    return this.#current;
  }

  /** Sessions that have not ended. */
  get live(): readonly GuestSession[] {
    return [...this.#sessions.values()];
  }

  add(session: vscode.DebugSession, bridge: AdapterBridge): void {
    const guest = new GuestSession(session, bridge);
    this.#sessions.set(session.id, guest);
    guest.onDidChange(() => {
      if (guest === this.#current) this.#changed.fire();
    });
    this.#started.fire(guest);
    this.#use(guest);
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
    for (const guest of this.#sessions.values()) guest.dispose();
    this.#current?.dispose();
    this.#changed.dispose();
    this.#started.dispose();
    this.#ended.dispose();
  }

  #show(session: vscode.DebugSession | undefined): void {
    const guest = session === undefined ? undefined : this.#sessions.get(session.id);
    if (guest !== undefined) this.#use(guest);
  }

  #use(guest: GuestSession): void {
    if (guest === this.#current) return;
    const before = this.#current;
    this.#current = guest;
    if (before !== undefined && before.ended && !this.#sessions.has(before.session.id)) before.dispose();
    this.#changed.fire();
  }

  #terminated(session: vscode.DebugSession): void {
    const guest = this.#sessions.get(session.id);
    if (guest === undefined) return;
    this.#sessions.delete(session.id);
    guest.ended = true;
    guest.running = false;
    this.#ended.fire(guest);
    if (guest === this.#current) this.#changed.fire();
    else guest.dispose();
  }
}
