// What the debug adapter needs of the world, on Node.
import { existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import packageFile from '../../package.json' with { type: 'json' };
import type { AdapterHost, Guest } from '../dap/host.ts';
import type { DiskSetting, LaunchConfiguration } from '../dap/configuration.ts';
import { GuestDebug } from '../guestdebug/guest-debug.ts';
import { loadKernel } from '../machine/boot/load-kernel.ts';
import { Machine } from '../machine/machine.ts';
import { createLocalSymbols, createSymbolClient } from '../symbols/index.ts';
import type { Symbols } from '../symbols/index.ts';
import type { OpenDisk } from '../machine/virtio/disk-image.ts';
import { loadEngineModules, readWholeFile } from './node-files.ts';
import { nodeSymbolHost, symbolPort } from './node-symbol-host.ts';
import { SharedDisks } from './shared-disks.ts';

/** Symbols in a worker of their own where the bundle has one; in this thread when run from sources. */
export function createNodeSymbols(): Symbols {
  const script = new URL('./symbols-worker.js', import.meta.url);
  if (!existsSync(fileURLToPath(script))) return createLocalSymbols(nodeSymbolHost);
  const worker = new Worker(script);
  // The worker alone does not keep the process alive.
  worker.unref();
  const client = createSymbolClient(symbolPort(worker));
  return {
    open: (source, name) => client.open(source, name),
    dispose: () => {
      client.dispose();
      void worker.terminate();
    },
  };
}

async function createGuest(configuration: LaunchConfiguration, shared: SharedDisks): Promise<Guest> {
  const { kernel, initrd, cmdline, machine: options } = configuration;
  const kernelPath = path.resolve(kernel);
  const bytes = await property('kernel', readWholeFile(kernelPath));
  const initrdFile =
    initrd === undefined
      ? undefined
      : { name: initrd, bytes: await property('initrd', readWholeFile(path.resolve(initrd))) };
  const modules = await loadEngineModules();
  const { cpus, memory, profile, rtc, rngSeed } = options;
  const disks = openDisks(options.disks, shared);
  const release = (): void => disks.forEach((disk) => disk.close());
  try {
    const machine = new Machine(modules, {
      cpus,
      memorySize: memory,
      profile,
      rtcSeconds: rtc,
      disks,
      ...(rngSeed === undefined ? {} : { entropySeed: rngSeed }),
    });
    const kernelFile = { name: kernelPath, bytes };
    const protocol = loadKernel(machine, {
      kernel: kernelFile,
      initrd: initrdFile,
      append: cmdline,
      programName: kernel,
    });
    const { coverPolicy, stepIrq, reporting } = configuration;
    const debug = new GuestDebug(machine, { coverPolicy, stepIrq, reporting });
    return { machine, debug, protocol, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Opens all disks, or none. */
function openDisks(settings: readonly DiskSetting[], shared: SharedDisks): OpenDisk[] {
  const opened: OpenDisk[] = [];
  settings.forEach(({ file, writable }, index) => {
    try {
      opened.push(shared.open(path.resolve(file), writable));
    } catch (error) {
      opened.forEach((disk) => disk.close());
      throw new Error(`machine.disks[${index}]: ${messageOf(error)}`, { cause: error });
    }
  });
  return opened;
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Names the property of launch.json in front of what is wrong with its file. */
async function property<Result>(name: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** The host of one debug session. `dispose` ends its symbol worker. */
export function createNodeAdapterHost(): AdapterHost & { dispose(): void } {
  const symbols = createNodeSymbols();
  const disks = new SharedDisks();
  return {
    files: {
      read: readWholeFile,
      exists: (file) =>
        access(file).then(
          () => true,
          () => false,
        ),
      resolve: (file) => path.resolve(file),
    },
    symbols,
    scheduler: {
      yield: () => new Promise((resolve) => setImmediate(resolve)),
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    },
    now: () => performance.now(),
    createGuest: (configuration) => createGuest(configuration, disks),
    version: packageFile.version,
    dispose: () => symbols.dispose(),
  };
}
