import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';

describe('the extension', () => {
  it('is known to VS Code', () => {
    const extension = vscode.extensions.getExtension('trapline.trapline');
    assert.ok(extension, 'trapline.trapline is installed');
  });

  it('runs in a window that has the sample guest open', () => {
    assert.deepEqual(
      vscode.workspace.workspaceFolders?.map((folder) => folder.name),
      ['smp'],
    );
  });
});
