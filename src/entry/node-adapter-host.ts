// What the debug adapter needs of the world, on Node.
import { access } from 'node:fs/promises';
import path from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import type { AdapterHost, Guest } from '../dap/host.ts';
import type { LaunchConfiguration } from '../dap/configuration.ts';
import type { ResourceScope } from '../dap/resource-scope.ts';
import { GuestDebug } from '../guestdebug/guest-debug.ts';
import { loadKernel } from '../machine/boot/load-kernel.ts';
import { Machine } from '../machine/machine.ts';
import { loadEngineModules } from './node-files.ts';
import { createNodeSymbols, type SymbolWorkerOptions } from './node-symbols.ts';
import { KERNEL_LIMIT, readWholeFile } from './regular-file.ts';
import { SharedDisks } from './shared-disks.ts';

async function createGuest(
  configuration: LaunchConfiguration,
  shared: SharedDisks,
  scope: ResourceScope,
): Promise<Guest> {
  const { kernel, initrd, cmdline, machine: options } = configuration;
  const kernelPath = path.resolve(kernel);
  const bytes = await property('kernel', readWholeFile(kernelPath, KERNEL_LIMIT));
  const initrdFile =
    initrd === undefined
      ? undefined
      : { name: initrd, bytes: await property('initrd', readWholeFile(path.resolve(initrd), options.memory)) };
  const modules = await loadEngineModules();
  scope.check('The kernel');
  const { cpus, memory, profile, busLockDetection, rtc, rngSeed } = options;
  // Nothing is awaited from here on: the scope, which is open, takes all of them.
  const disks = shared.openAll(
    options.disks.map(({ file, writable }) => ({ file: path.resolve(file), writable })),
    (index) => `machine.disks[${index}]`,
  );
  for (const disk of disks) scope.hold(`The disk ${disk.name}`, disk, (open) => open.close());
  const machine = new Machine(modules, {
    cpus,
    memorySize: memory,
    profile,
    busLockDetection,
    rtcSeconds: rtc,
    disks,
    ...(rngSeed === undefined ? {} : { entropySeed: rngSeed }),
  });
  const protocol = loadKernel(machine, {
    kernel: { name: kernelPath, bytes },
    initrd: initrdFile,
    append: cmdline,
    programName: kernel,
  });
  const { coverPolicy, stepIrq, reporting } = configuration;
  const debug = new GuestDebug(machine, { coverPolicy, stepIrq, reporting });
  return { machine, debug, protocol };
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

/**
 * The host of one debug session. `dispose` ends its symbol worker.
 * @param symbolWorker another symbol worker than the bundled one; for tests
 */
export function createNodeAdapterHost(symbolWorker?: SymbolWorkerOptions): AdapterHost {
  let tell: (sentence: string) => void = () => undefined;
  const symbols = createNodeSymbols((sentence) => tell(sentence), symbolWorker);
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
    createGuest: (configuration, scope) => createGuest(configuration, disks, scope),
    version: packageFile.version,
    onTrouble: (listener) => {
      tell = listener;
    },
    dispose: () => symbols.dispose(),
  };
}
