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

function attempt<Result>(option: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Opens all files, or none. Throws UsageError. */
export function openDevices(
  { disks, entropySeed, portFile, portInputFile }: RunOptions,
  environment: RunEnvironment,
): RunDevices {
  const opened: OpenDisk[] = [];
  const closeDisks = (): void => opened.forEach((disk) => disk.close());
  try {
    for (const { file, writable } of disks) {
      opened.push(attempt('--disk', () => environment.openDisk(file, writable)));
    }
    const sink = portFile === undefined ? undefined : attempt('--port', () => environment.createByteFile(portFile));
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
