// VS Code's end of the adapter worker: an inline debug adapter that hands every message on. The machine runs in the worker, so
// that the extension host stays responsive whatever the guest does.
import * as vscode from 'vscode';
import { AdapterChannel, type AdapterEvent, type Message } from './adapter-channel.ts';
import type { AdapterWorker } from './platform.ts';

export class AdapterBridge implements vscode.DebugAdapter {
  readonly #messages = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  readonly #events = new vscode.EventEmitter<AdapterEvent>();
  readonly #channel: AdapterChannel;

  readonly onDidSendMessage = this.#messages.event;
  /** Every event of the adapter, before VS Code sees it. */
  readonly onEvent = this.#events.event;

  constructor(worker: AdapterWorker) {
    this.#channel = new AdapterChannel(worker, {
      send: (message: Message) => this.#messages.fire(message),
      onEvent: (event) => this.#events.fire(event),
      // A command of the window's own: it comes back behind all that was sent to the window before.
      settled: async () => {
        await vscode.commands.executeCommand('setContext', 'trapline.taken', true);
      },
      showError: (text) => void vscode.window.showErrorMessage(`Trapline: ${text}`),
    });
  }

  handleMessage(message: vscode.DebugProtocolMessage): void {
    this.#channel.handle(message);
  }

  /** Asks the adapter something of our own (dap/custom.ts). */
  readonly request: AdapterChannel['request'] = (...asked) => this.#channel.request(...asked);

  /** Makes VS Code select a stopped thread; answers whether it is one. */
  focus(threadId: number): boolean {
    return this.#channel.focus(threadId);
  }

  dispose(): void {
    this.#channel.close();
    this.#messages.dispose();
    this.#events.dispose();
  }
}
