import * as vscode from 'vscode';
import type { GuestSession } from './guest-session.ts';
import type { GuestSessions } from './guest-sessions.ts';
import type { LedgerView } from './ledger-view.ts';
import type { SerialConsoles } from './serial-console.ts';

const problem = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The thread that a command of the call stack's context menu was called on, else the selected one. */
function threadOf(argument: unknown): number | undefined {
  if (typeof argument === 'number') return argument;
  return vscode.debug.activeStackItem?.threadId;
}

/** One instruction of one vCPU, while the others stand still: VS Code itself never asks for `singleThread`. */
async function stepOnlyThisVcpu(session: GuestSession, argument: unknown): Promise<void> {
  const threadId = threadOf(argument);
  if (threadId === undefined) {
    void vscode.window.showInformationMessage('Select a vCPU in the Call Stack first.');
    return;
  }
  try {
    await session.session.customRequest('stepIn', { threadId, singleThread: true, granularity: 'instruction' });
  } catch (error) {
    void vscode.window.showErrorMessage(`Trapline: ${problem(error)}`);
  }
}

/** The address that an expression stands for, "0x…"; rejects with the adapter's sentence. */
async function addressOf(session: GuestSession, expression: string): Promise<string> {
  if (/^0x[0-9a-f]{1,16}$/i.test(expression)) return expression.toLowerCase();
  if (/^[0-9]{1,20}$/.test(expression)) return `0x${BigInt(expression).toString(16)}`;
  const item = vscode.debug.activeStackItem;
  const frameId = item instanceof vscode.DebugStackFrame ? item.frameId : undefined;
  const answer: unknown = await session.session.customRequest('evaluate', { expression, frameId, context: 'watch' });
  const { memoryReference, result } = (answer ?? {}) as { memoryReference?: unknown; result?: unknown };
  const value = typeof memoryReference === 'string' ? memoryReference : typeof result === 'string' ? result : '';
  const address = /0x[0-9a-f]{1,16}/i.exec(value)?.[0];
  if (address === undefined) throw new Error(`"${expression}" is no address.`);
  return address.toLowerCase();
}

/**
 * Stops at an address. Code: a function breakpoint "*0x…", which is seen in the Breakpoints view. Data: VS Code lets no extension
 * make a data breakpoint, so its own input box is shown.
 */
async function breakOnAddress(session: GuestSession): Promise<void> {
  const kinds = [
    {
      label: '$(debug-breakpoint-function) Code',
      detail: 'Stop when a vCPU is about to execute an address',
      code: true,
    },
    {
      label: '$(debug-breakpoint-data) Data',
      detail: 'Stop when a vCPU reads or writes bytes: "0x1000 + 8", or "0x1000 - 0x1008"',
      code: false,
    },
  ];
  const kind = await vscode.window.showQuickPick(kinds, { title: 'Break on Address', placeHolder: 'What is there?' });
  if (kind === undefined) return;
  if (!kind.code) {
    await vscode.commands.executeCommand('workbench.debug.viewlet.action.addDataBreakpointOnAddress');
    return;
  }
  const expression = await vscode.window.showInputBox({
    title: 'Break on Address',
    prompt: 'An address or an expression, such as 0x100000, $rip + 4 or &list_insert',
    validateInput: (text) => (text.trim() === '' ? 'Type an address or an expression.' : undefined),
  });
  if (expression === undefined) return;
  try {
    const address = await addressOf(session, expression.trim());
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(`*${address}`)]);
  } catch (error) {
    void vscode.window.showErrorMessage(`Trapline: ${problem(error)}`);
  }
}

async function copyLedger(ledger: LedgerView): Promise<void> {
  const rows = ledger.visibleRows;
  await vscode.env.clipboard.writeText(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  vscode.window.setStatusBarMessage(
    `Copied ${rows.length} row${rows.length === 1 ? '' : 's'} of the trap ledger`,
    4000,
  );
}

/** Registers the commands of package.json. */
export function registerCommands(
  sessions: GuestSessions,
  consoles: SerialConsoles,
  ledger: LedgerView,
): vscode.Disposable {
  const withSession =
    (work: (session: GuestSession, argument: unknown) => Promise<void>) =>
    async (argument: unknown): Promise<void> => {
      const session = sessions.current;
      if (session === undefined || session.ended) {
        void vscode.window.showInformationMessage('There is no Trapline debug session.');
      } else await work(session, argument);
    };
  const register = (name: string, work: (argument: unknown) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`trapline.${name}`, work);
  return vscode.Disposable.from(
    register('stepOnlyThisVcpu', withSession(stepOnlyThisVcpu)),
    register('breakOnAddress', withSession(breakOnAddress)),
    register('copyLedger', () => copyLedger(ledger)),
    register('clearLedgerFilter', () => ledger.clearFilter()),
    register('showSerialConsole', () => consoles.show()),
    register('focusVcpu', (threadId) => {
      if (typeof threadId === 'number') sessions.current?.bridge.focus(threadId);
    }),
  );
}
