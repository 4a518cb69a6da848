import * as vscode from 'vscode';
import { AdapterBridge } from './adapter-bridge.ts';
import { registerCommands } from './commands.ts';
import { ConfigurationProvider, DEBUG_TYPE } from './configuration-provider.ts';
import { GuestSessions } from './guest-sessions.ts';
import { LedgerView } from './ledger-view.ts';
import { machineRows, machineSummary, stopSentence } from './machine-rows.ts';
import { showAddress } from './places.ts';
import type { Platform } from './platform.ts';
import { registerRows } from './register-rows.ts';
import { SerialConsoles } from './serial-console.ts';
import { StatusBar } from './status-bar.ts';
import { NOTHING, RowTreeView } from './tree-view.ts';

/** Puts the extension together. */
export function activateOn(platform: Platform, context: vscode.ExtensionContext): void {
  const sessions = new GuestSessions();
  const provider = new ConfigurationProvider(platform);
  const factory: vscode.DebugAdapterDescriptorFactory = {
    createDebugAdapterDescriptor: (session) => {
      const bridge = new AdapterBridge(platform.startAdapter(vscode.l10n.bundle));
      sessions.add(session, bridge);
      return new vscode.DebugAdapterInlineImplementation(bridge);
    },
  };
  const consoles = new SerialConsoles(sessions);
  const ledger = new LedgerView(context.extensionUri, sessions, (row) => {
    const session = sessions.current;
    if (session !== undefined) void showAddress(session, row.rip, true);
  });
  context.subscriptions.push(
    sessions,
    consoles,
    ledger,
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider),
    vscode.debug.registerDebugConfigurationProvider(
      DEBUG_TYPE,
      { provideDebugConfigurations: (folder) => provider.provideDebugConfigurations(folder) },
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
    vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, factory),
    new RowTreeView('trapline.machine', sessions, ({ machine }) =>
      machine === undefined
        ? NOTHING
        : { rows: machineRows(machine), summary: machineSummary(machine), message: stopSentence(machine) },
    ),
    new RowTreeView('trapline.debugRegisters', sessions, ({ registers }) =>
      registers === undefined ? NOTHING : { rows: registerRows(registers), summary: `policy: ${registers.policy}` },
    ),
    new StatusBar(sessions),
    registerCommands(sessions, consoles, ledger),
  );
}
