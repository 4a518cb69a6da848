import * as vscode from 'vscode';
import { customEvent, RESTARTED } from './adapter-channel.ts';
import type { GuestSession } from './guest-session.ts';
import type { GuestSessions } from './guest-sessions.ts';
import { SerialText, toBase64 } from './serial-text.ts';

const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

/** One terminal: the serial line of the sessions of one name, one after the other. */
class SerialConsole implements vscode.Disposable {
  readonly name: string;
  readonly #text = new SerialText();
  readonly #write = new vscode.EventEmitter<string>();
  #terminal: vscode.Terminal | undefined;
  #opened = false;
  #session: GuestSession | undefined;

  constructor(name: string) {
    this.name = `Serial console: ${name}`;
  }

  dispose(): void {
    this.#terminal?.dispose();
    this.#write.dispose();
  }

  get busy(): boolean {
    return this.#session !== undefined;
  }

  owns(terminal: vscode.Terminal): boolean {
    return terminal === this.#terminal;
  }

  /** The line now belongs to this session, until its end. */
  connect(session: GuestSession): void {
    this.#session = session;
    if (this.#text.kept !== '') this.#mark('machine started');
    const listener = session.bridge.onEvent((event) => {
      const serial = customEvent(event, 'trapline/serial');
      if (serial !== undefined) this.#show(this.#text.decode(serial.data));
      else if (event.event === RESTARTED) this.#mark('machine restarted');
      else if (event.event === 'terminated') {
        listener.dispose();
        this.end(session);
      }
    });
  }

  end(session: GuestSession): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    const status = session.exitCode === undefined ? '' : `, exit status ${session.exitCode}`;
    this.#mark(`machine stopped${status}`);
  }

  /** Shows the terminal, without taking the focus unless asked to. */
  reveal(preserveFocus: boolean): void {
    this.#terminal ??= this.#makeTerminal();
    this.#terminal.show(preserveFocus);
  }

  closed(): void {
    this.#terminal = undefined;
    this.#opened = false;
  }

  #makeTerminal(): vscode.Terminal {
    const pty: vscode.Pseudoterminal = {
      onDidWrite: this.#write.event,
      // What is written before a terminal is open is lost, so it is all written now.
      open: () => {
        this.#opened = true;
        this.#write.fire(this.#text.kept);
      },
      close: () => {
        this.#opened = false;
      },
      handleInput: (data) => {
        void this.#session?.bridge.request('trapline/serialInput', { data: toBase64(data) }).catch(() => undefined);
      },
    };
    return vscode.window.createTerminal({ name: this.name, pty, iconPath: new vscode.ThemeIcon('chip') });
  }

  /** A line of our own between what the guest says. */
  #mark(words: string): void {
    this.#show(this.#text.add(`${this.#text.atLineStart ? '' : '\n'}${dim(`--- ${words} ---`)}\n`));
  }

  #show(text: string): void {
    if (this.#opened) this.#write.fire(text);
  }
}

/** The serial consoles of this window: one terminal for each configuration's name; it outlives its sessions. */
export class SerialConsoles implements vscode.Disposable {
  readonly #consoles: SerialConsole[] = [];
  readonly #disposables: vscode.Disposable[] = [];
  #latest: SerialConsole | undefined;

  constructor(sessions: GuestSessions) {
    this.#disposables.push(
      sessions.onDidStart((session) => this.#await(session)),
      sessions.onDidEnd((session) => {
        for (const console of this.#consoles) console.end(session);
      }),
      vscode.window.onDidCloseTerminal((terminal) => {
        for (const console of this.#consoles) if (console.owns(terminal)) console.closed();
      }),
    );
  }

  dispose(): void {
    for (const disposable of [...this.#disposables, ...this.#consoles]) disposable.dispose();
  }

  show(): void {
    this.#latest?.reveal(false);
  }

  /** A launch may be refused, and then there is no serial line: the terminal comes when the machine is there. */
  #await(session: GuestSession): void {
    if (session.session.configuration['console'] !== 'integratedTerminal') return;
    const listener = session.bridge.onEvent(({ event }) => {
      // The adapter says so when the launch has succeeded, before the guest executes anything.
      if (event !== 'initialized') return;
      listener.dispose();
      this.#connect(session);
    });
  }

  #connect(session: GuestSession): void {
    const { name } = session.session.configuration;
    let console = this.#consoles.find((one) => !one.busy && one.name === `Serial console: ${name}`);
    if (console === undefined) {
      console = new SerialConsole(name);
      this.#consoles.push(console);
    }
    this.#latest = console;
    console.connect(session);
    console.reveal(true);
    void vscode.commands.executeCommand('setContext', 'trapline.hasSerialConsole', true);
  }
}
