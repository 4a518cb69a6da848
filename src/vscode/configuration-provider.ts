// Launch configurations: what F5 does without a launch.json, which kernels are offered, and what is wrong with what was written.
import * as vscode from 'vscode';
import { validateLaunch } from '../dap/configuration.ts';
import { findKernels, kernelAt, type FoundKernel } from './kernel-finder.ts';
import type { KernelKind } from './kernel-header.ts';
import type { Platform } from './platform.ts';

export const DEBUG_TYPE = 'trapline';
/** Tells the adapter that this extension shows the serial port itself. */
const OWN_SESSION = '__trapline';

/** What a kernel is, in the list that offers several. */
const DESCRIPTIONS: Readonly<Record<KernelKind, string>> = {
  bzImage: 'Linux kernel image',
  pvh: 'Linux, uncompressed (PVH)',
  elf64: 'ELF, 64-bit, Multiboot',
  elf32: 'ELF, 32-bit, Multiboot',
  multiboot: 'Multiboot',
};

/** What a kernel needs beside its file. */
function machineFor({ kind }: FoundKernel): object {
  if (kind !== 'bzImage' && kind !== 'pvh') return { machine: { cpus: 4, memory: '128M' }, stopOnEntry: true };
  return { cmdline: 'console=ttyS0', machine: { cpus: 2, memory: '512M' }, stopOnEntry: 'start_kernel' };
}

/** A configuration that boots a kernel; paths inside the folder are written with the variable for it. */
function configurationFor(kernel: FoundKernel, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration {
  const name = vscode.workspace.asRelativePath(kernel.uri, false);
  const written = (uri: vscode.Uri): string =>
    folder !== undefined && uri.path.startsWith(`${folder.uri.path}/`)
      ? `\${workspaceFolder}/${uri.path.slice(folder.uri.path.length + 1)}`
      : uri.fsPath;
  return {
    type: DEBUG_TYPE,
    request: 'launch',
    name: `Boot ${name}`,
    kernel: written(kernel.uri),
    ...(kernel.symbols === undefined ? {} : { symbols: [{ file: written(kernel.symbols) }] }),
    ...machineFor(kernel),
  };
}

/** The file of the active tab, whatever editor shows it: an ELF file is shown by none, or by a hex editor. */
function activeFile(): vscode.Uri | undefined {
  const input: unknown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (typeof input !== 'object' || input === null || !('uri' in input)) return undefined;
  return input.uri instanceof vscode.Uri ? input.uri : undefined;
}

export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Offers a configuration for each kernel in the folder. */
  async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
    const kernels = await findKernels(this.#platform, folder);
    return kernels.map((kernel) => configurationFor(kernel, folder));
  }

  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined | null> {
    if (configuration.type || configuration.request || configuration.name) {
      if (typeof configuration['kernel'] === 'string')
        return { ...configuration, request: configuration.request || 'launch' };
      // A snippet without its kernel: the check with all variables in place says what is missing.
      return configuration;
    }
    // F5 without a launch.json.
    const kernel = await this.#pickKernel(folder);
    if (kernel === undefined) return undefined;
    return kernel === 'none' ? null : configurationFor(kernel, folder);
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    if (configuration.request !== 'launch') {
      return this.#refuse(`"request" must be "launch", not "${String(configuration.request)}".`, folder);
    }
    const resolved = this.#absolute(folder, configuration);
    const checked = validateLaunch(resolved);
    if (!checked.ok) return this.#refuse(checked.problems[0]?.message ?? 'The configuration is not valid.', folder);
    const { kernel, console } = checked.configuration;
    try {
      await vscode.workspace.fs.stat(vscode.Uri.file(kernel));
    } catch {
      return this.#refuse(
        `The property 'kernel' names ${kernel}, and there is no such file. Is the kernel built?`,
        folder,
      );
    }
    return {
      ...resolved,
      console,
      [OWN_SESSION]: true,
      // The serial console is what there is to be seen; a person who wants the Debug Console says so.
      internalConsoleOptions:
        configuration['internalConsoleOptions'] ??
        (console === 'integratedTerminal' ? 'neverOpen' : 'openOnSessionStart'),
    };
  }

  /** Paths in launch.json are relative to the folder. */
  #absolute(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration {
    const base = folder?.uri.fsPath;
    if (base === undefined) return configuration;
    const resolve = (value: unknown): unknown =>
      typeof value === 'string' && value !== '' ? this.#platform.path.resolve(base, value) : value;
    const symbols: unknown = configuration['symbols'];
    return {
      ...configuration,
      kernel: resolve(configuration['kernel']),
      ...('initrd' in configuration ? { initrd: resolve(configuration['initrd']) } : {}),
      ...(Array.isArray(symbols)
        ? {
            symbols: symbols.map((one: unknown) =>
              typeof one === 'object' && one !== null && 'file' in one ? { ...one, file: resolve(one.file) } : one,
            ),
          }
        : {}),
    };
  }

  async #pickKernel(folder: vscode.WorkspaceFolder | undefined): Promise<FoundKernel | 'none' | undefined> {
    const open = activeFile();
    const shown = open === undefined ? undefined : await kernelAt(this.#platform, open);
    if (shown !== undefined) return shown;
    const kernels = await findKernels(this.#platform, folder);
    if (kernels.length === 0) {
      void vscode.window.showErrorMessage(
        'No kernel was found in this folder: no Linux kernel image (bzImage), no vmlinux with a PVH entry point, no file with a Multiboot header. Build one, or name it as "kernel" in launch.json.',
      );
      return 'none';
    }
    if (kernels.length === 1) return kernels[0];
    const items = kernels.map((kernel) => ({
      label: vscode.workspace.asRelativePath(kernel.uri),
      description: DESCRIPTIONS[kernel.kind],
      kernel,
    }));
    return (await vscode.window.showQuickPick(items, { title: 'Boot Which Kernel?', placeHolder: 'Kernel' }))?.kernel;
  }

  /** One clear message, with the place to mend it one click away. */
  async #refuse(message: string, folder: vscode.WorkspaceFolder | undefined): Promise<undefined> {
    const open = 'Open launch.json';
    const choices = folder === undefined ? [] : [open];
    const offer = async (): Promise<void> => {
      const choice = await vscode.window.showErrorMessage(message, ...choices);
      if (choice === open) await vscode.commands.executeCommand('workbench.action.debug.configure');
    };
    // Not awaited: the start of the session must not hang on a message that nobody closes.
    void offer();
    return undefined;
  }
}
