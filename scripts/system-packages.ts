import { findOnPath, runProgram } from './process.ts';

/** A program of the operating system that tests call, and the Debian package that brings it. */
interface SystemTool {
  readonly program: string;
  readonly debianPackage: string;
  readonly usedFor: string;
}

export const systemTools: readonly SystemTool[] = [
  { program: 'qemu-system-x86_64', debianPackage: 'qemu-system-x86', usedFor: 'the comparison with QEMU' },
  { program: 'gdb', debianPackage: 'gdb', usedFor: 'the comparison with gdb' },
  { program: 'iasl', debianPackage: 'acpica-tools', usedFor: 'the check of the ACPI tables' },
  { program: 'gcc', debianPackage: 'gcc', usedFor: 'building guests anew' },
  { program: 'ld', debianPackage: 'binutils', usedFor: 'building guests anew' },
  { program: 'make', debianPackage: 'make', usedFor: 'building guests anew' },
  { program: 'mke2fs', debianPackage: 'e2fsprogs', usedFor: 'disks that survive a kill' },
  { program: 'script', debianPackage: 'bsdutils', usedFor: 'a terminal that a signal gives back' },
  { program: 'rg', debianPackage: 'ripgrep', usedFor: 'file search in the VS Code that the tests drive' },
  { program: 'chromium', debianPackage: 'chromium', usedFor: 'the tests that drive a real VS Code' },
];

/** The machine that the tests run on, as far as it matters here. */
export interface Host {
  readonly isRoot: boolean;
  /** Where a program is, or undefined. */
  readonly find: (program: string) => string | undefined;
  readonly run: (program: string, args: readonly string[]) => Promise<{ status: number; output: string }>;
}

const thisHost: Host = {
  isRoot: process.getuid?.() === 0,
  find: findOnPath,
  run: (program, args) => runProgram(program, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }),
};

export interface SystemPackages {
  /** What is left out for want of which tool, and why it was not installed, in words. */
  readonly leftOut: readonly string[];
  /** Set when packages should have been installed and could not be. */
  readonly fault?: string;
}

function describe(tools: readonly SystemTool[], reason: string): string[] {
  return tools.map((tool) => `${tool.usedFor}: ${tool.program} is not installed, and ${reason}`);
}

/**
 * Installs through apt-get what the tests need and the machine lacks. Only as root on a Debian system: elsewhere nothing is
 * touched and what is missing is reported.
 */
export async function installSystemPackages(
  log: (line: string) => void,
  host: Host = thisHost,
): Promise<SystemPackages> {
  const missingTools = (): SystemTool[] => systemTools.filter((tool) => host.find(tool.program) === undefined);
  const missing = missingTools();
  if (missing.length === 0) return { leftOut: [] };
  const names = [...new Set(missing.map((tool) => tool.debianPackage))];
  if (host.find('apt-get') === undefined) {
    return { leftOut: describe(missing, 'this is not a Debian system') };
  }
  if (!host.isRoot) return { leftOut: describe(missing, 'only root may install it') };

  const options = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300'];
  const install = (): Promise<{ status: number; output: string }> =>
    host.run('apt-get', ['install', ...options, '--no-install-recommends', ...names]);
  log(`  installing ${names.join(', ')} ...`);
  let done = await install();
  if (done.status !== 0) {
    // Most often the package lists are missing, or too old to name files that still exist.
    const update = await host.run('apt-get', ['update', ...options]);
    done = update.status === 0 ? await install() : update;
  }
  const stillMissing = missingTools();
  if (done.status === 0 && stillMissing.length === 0) return { leftOut: [] };
  const lastLines = done.output.trimEnd().split('\n').slice(-8).join('\n');
  return {
    leftOut: describe(stillMissing, 'apt-get could not install it'),
    fault: `apt-get install ${names.join(' ')} ended with status ${done.status}:\n${lastLines}`,
  };
}
