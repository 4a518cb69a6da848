import * as vscode from 'vscode';
import type { LedgerRow } from '../words/ledger.ts';
import { isEmptyFilter, matcher, noFilter } from '../webview/ledger-filter.ts';
import { readFromLedger, type LedgerFilter, type ToLedger } from '../webview/protocol.ts';
import type { GuestSession } from './guest-session.ts';
import type { GuestSessions } from './guest-sessions.ts';

/** Rows in one message: small enough that none of them holds a window up. */
const ROWS_PER_MESSAGE = 1000;

/** The Trap Ledger: a webview that gets the rows it has not got yet. */
export class LedgerView implements vscode.WebviewViewProvider, vscode.Disposable {
  static readonly id = 'trapline.ledger';
  readonly #extension: vscode.Uri;
  readonly #sessions: GuestSessions;
  readonly #open: (row: LedgerRow) => void;
  readonly #disposables: vscode.Disposable[] = [];
  #view: vscode.WebviewView | undefined;
  #ready = false;
  #shown: GuestSession | undefined;
  #growth: vscode.Disposable | undefined;
  #sent = 0;
  #toldEnded = false;
  #filter: LedgerFilter = noFilter;

  /** `open` shows the place of a row that was chosen. */
  constructor(extension: vscode.Uri, sessions: GuestSessions, open: (row: LedgerRow) => void) {
    this.#extension = extension;
    this.#sessions = sessions;
    this.#open = open;
    this.#disposables.push(
      sessions.onDidChange(() => this.#follow()),
      vscode.window.registerWebviewViewProvider(LedgerView.id, this),
    );
  }

  dispose(): void {
    this.#growth?.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    this.#ready = false;
    const { webview } = view;
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(this.#extension, 'dist/webview')],
    };
    webview.onDidReceiveMessage((message: unknown) => this.#receive(message));
    view.onDidChangeVisibility(() => {
      // A hidden webview loses its page; it says when it has one again.
      if (!view.visible) this.#ready = false;
    });
    view.onDidDispose(() => {
      if (this.#view === view) this.#view = undefined;
      this.#ready = false;
    });
    webview.html = this.#page(webview);
    this.#describe();
  }

  /** Rows that pass the filter. */
  get visibleRows(): readonly LedgerRow[] {
    return (this.#sessions.current?.ledger.all ?? []).filter(matcher(this.#filter));
  }

  clearFilter(): void {
    this.#useFilter(noFilter);
    this.#post({ type: 'clearFilter' });
  }

  #follow(): void {
    const session = this.#sessions.current;
    if (session !== this.#shown) {
      this.#growth?.dispose();
      this.#shown = session;
      this.#growth =
        session === undefined
          ? undefined
          : vscode.Disposable.from(
              session.onLedger(() => this.#sendRows()),
              session.onLedgerCleared(() => this.#sendAll()),
            );
      if (this.#ready) this.#sendAll();
    }
    if (session?.ended === true && !this.#toldEnded) {
      this.#toldEnded = true;
      this.#post({ type: 'ended' });
    }
  }

  #receive(value: unknown): void {
    const message = readFromLedger(value);
    switch (message?.type) {
      case 'ready':
        this.#ready = true;
        this.#shown = this.#sessions.current;
        this.#sendAll();
        break;
      case 'filter':
        this.#useFilter(message.filter);
        break;
      case 'open': {
        const row = this.#sessions.current?.ledger.since(message.sequence)[0];
        if (row !== undefined) this.#open(row);
        break;
      }
      default:
    }
  }

  #useFilter(filter: LedgerFilter): void {
    this.#filter = filter;
    void vscode.commands.executeCommand('setContext', 'trapline.ledgerFiltered', !isEmptyFilter(filter));
  }

  #sendAll(): void {
    const session = this.#sessions.current;
    this.#sent = 0;
    this.#toldEnded = session?.ended === true;
    const state = session === undefined ? 'none' : session.ended ? 'ended' : 'live';
    this.#post({ type: 'session', state });
    this.#sendRows();
  }

  #sendRows(): void {
    const session = this.#sessions.current;
    if (session === undefined) return;
    this.#describe();
    if (session.ledger.next > 0) void vscode.commands.executeCommand('setContext', 'trapline.hasLedger', true);
    if (!this.#ready) return;
    const rows = session.ledger.since(this.#sent);
    this.#sent = session.ledger.next;
    for (let at = 0; at < rows.length; at += ROWS_PER_MESSAGE) {
      this.#post({ type: 'rows', rows: rows.slice(at, at + ROWS_PER_MESSAGE) });
    }
  }

  #describe(): void {
    if (this.#view === undefined) return;
    const rows = this.#sessions.current?.ledger.all.length ?? 0;
    this.#view.description = rows === 0 ? '' : rows.toLocaleString('en');
  }

  #post(message: ToLedger): void {
    if (this.#ready) void this.#view?.webview.postMessage(message);
  }

  #page(webview: vscode.Webview): string {
    const file = (name: string): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(this.#extension, 'dist/webview', name)).toString();
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<link rel="stylesheet" href="${file('ledger.css')}">
<title>Trap Ledger</title>
</head>
<body>
<div class="filters" role="search">
<input id="text" type="text" placeholder="Filter by symbol, cause, rule..." aria-label="Filter the trap ledger" spellcheck="false">
<select id="owner" aria-label="Owner"><option value="">All owners</option><option value="host">Host-owned</option><option value="guest">Guest-owned</option></select>
<select id="vector" aria-label="Vector"><option value="">All traps</option></select>
<select id="vcpu" aria-label="vCPU"><option value="">All vCPUs</option></select>
</div>
<div id="empty" class="empty" role="status"></div>
<div id="list" class="list" role="listbox" tabindex="0" aria-label="Debug traps, oldest first" hidden><div id="space" class="space"></div></div>
<div class="foot"><span id="count" role="status"></span><button id="newest" type="button" hidden>Newest</button></div>
<script nonce="${nonce}" src="${file('ledger.js')}"></script>
</body>
</html>`;
  }
}
