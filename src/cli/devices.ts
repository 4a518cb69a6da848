// The devices of `trapline run` that have files behind them: disks, and the virtio console's output.
import type { PciDeviceOptions } from '../machine/pci-devices.ts';
import type { OpenDisk } from '../machine/virtio/disk-image.ts';
import type { RunEnvironment } from './environment.ts';
import { UsageError } from './exit-status.ts';
import type { RunOptions } from './run-options.ts';

export interface RunDevices {
  readonly options: PciDeviceOptions;
  /** What the guest sends to its virtio console. */
  readonly portOutput: (bytes: Uint8Array) => void;
  /** Lets go of all files. */
  close(): void;
}

function attempt<Result>(action: () => Result, option?: string): Result {
  try {
    return action();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(option === undefined ? message : `${option}: ${message}`, { cause: error });
  }
}

/** Opens all files, or none. Throws UsageError. */
export function openDevices(
  { disks, entropySeed, portFile, portInputFile }: RunOptions,
  environment: RunEnvironment,
): RunDevices {
  let opened: readonly OpenDisk[] = [];
  const closeDisks = (): void => opened.forEach((disk) => disk.close());
  try {
    opened = attempt(() => environment.openDisks(disks));
    const sink = portFile === undefined ? undefined : attempt(() => environment.createByteFile(portFile), '--port');
    return {
      options: {
        disks: opened,
        port: sink !== undefined || portInputFile !== undefined,
        ...(entropySeed === undefined ? {} : { entropySeed }),
      },
      portOutput: (bytes) => sink?.write(bytes),
      close: () => {
        closeDisks();
        sink?.close();
      },
    };
  } catch (error) {
    closeDisks();
    throw error;
  }
}
