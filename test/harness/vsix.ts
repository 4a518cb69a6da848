import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installVSCode } from '../../scripts/install-vscode.ts';
import { packExtension } from '../../scripts/package.ts';
import { runProgram } from '../../scripts/process.ts';

export interface InstalledVsix {
  /** The folder to give to the server as `extensionsDir`. */
  readonly extensionsDir: string;
  readonly remove: () => void;
}

/** Packs this checkout as it is built now and installs the .vsix into an empty folder of extensions. */
export async function installPackedExtension(): Promise<InstalledVsix> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-installed-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  try {
    const file = path.join(folder, 'trapline.vsix');
    const extensionsDir = path.join(folder, 'extensions');
    await packExtension(file);
    const vscode = await installVSCode(() => undefined);
    const server = [path.join(vscode, 'out/server-main.js'), '--accept-server-license-terms'];
    const places = ['--extensions-dir', extensionsDir, '--server-data-dir', path.join(folder, 'data')];
    const env = { ...process.env, EXTENSIONS_GALLERY: '{}' };
    const done = await runProgram(process.execPath, [...server, ...places, '--install-extension', file], { env });
    if (done.status !== 0) throw new Error(`installing the .vsix ended with status ${done.status}:\n${done.output}`);
    return { extensionsDir, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
