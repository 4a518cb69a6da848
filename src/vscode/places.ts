import * as vscode from 'vscode';
import type { GuestSession } from './guest-session.ts';

/** Shows where an address is: its source line, or the machine code around it. */
export async function showAddress(session: GuestSession, address: string, preserveFocus: boolean): Promise<void> {
  if (session.ended) {
    void vscode.window.showInformationMessage(
      `The machine has ended, and its memory with it: ${address} cannot be shown any more. Start it again to look there.`,
    );
    return;
  }
  try {
    const place = await session.bridge.request('trapline/place', { address });
    if (place === null) {
      void vscode.window.showInformationMessage(`Nothing is mapped at ${address} now.`);
      return;
    }
    const uri =
      place.path === undefined
        ? vscode.debug.asDebugSourceUri(
            { name: `${address}.disasm`, path: `${address}.disasm`, sourceReference: place.sourceReference ?? 0 },
            session.session,
          )
        : vscode.Uri.file(place.path);
    const line = new vscode.Position(Math.max(0, place.line - 1), 0);
    await vscode.window.showTextDocument(uri, {
      selection: new vscode.Range(line, line),
      preserveFocus,
      preview: true,
    });
  } catch (error) {
    void vscode.window.showErrorMessage(`Trapline: ${error instanceof Error ? error.message : String(error)}`);
  }
}
