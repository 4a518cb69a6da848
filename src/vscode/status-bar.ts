import * as vscode from 'vscode';
import { virtualTime } from '../words/ledger.ts';
import type { GuestSessions } from './guest-sessions.ts';
import { slotsInUse } from './register-rows.ts';

/** vCPUs, virtual time and debug registers of the machine, while there is one. A click shows the Machine view. */
export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  readonly #sessions: GuestSessions;
  readonly #listener: vscode.Disposable;

  constructor(sessions: GuestSessions) {
    this.#sessions = sessions;
    this.#item = vscode.window.createStatusBarItem('trapline.machine', vscode.StatusBarAlignment.Left, 0);
    this.#item.name = 'Trapline Machine';
    this.#item.command = 'trapline.machine.focus';
    this.#listener = sessions.onDidChange(() => this.#refresh());
  }

  dispose(): void {
    this.#listener.dispose();
    this.#item.dispose();
  }

  #refresh(): void {
    const session = this.#sessions.current;
    const { machine, registers } = session ?? {};
    if (session === undefined || session.ended || machine === undefined) {
      this.#item.hide();
      return;
    }
    const vcpus = `${machine.vcpus.length} vCPU${machine.vcpus.length === 1 ? '' : 's'}`;
    const slots = registers === undefined ? 0 : slotsInUse(registers);
    // The time of a running machine would be wrong at once, and nobody polls it.
    const state = session.running ? 'running' : virtualTime(machine.clock);
    this.#item.text = `$(chip) ${vcpus} · ${state} · DR ${slots}/4`;
    this.#item.tooltip = [
      `${session.session.name}: ${vcpus}, ${session.running ? 'running' : `stopped at ${virtualTime(machine.clock)} of virtual time`}`,
      `${Number(machine.instructions).toLocaleString('en')} instructions so far`,
      `${slots} of 4 debug registers in use by the debugger`,
    ].join('\n');
    this.#item.accessibilityInformation = {
      label: `Trapline: ${vcpus}, ${state}, ${slots} of 4 debug registers in use`,
    };
    this.#item.show();
  }
}
