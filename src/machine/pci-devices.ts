// What sits on the PCI bus: the virtio devices that the machine's options ask for, each in the slot that it always has.
import type { GuestMemory, Timers } from './device.ts';
import type { MemoryMap } from './memory-map.ts';
import { PciBus } from './pci/bus.ts';
import { PCI_MEMORY_WINDOW, pciInterrupt } from './pci/layout.ts';
import type { VirtioBackend } from './virtio/backend.ts';
import { BlockDevice } from './virtio/block.ts';
import { ConsoleDevice } from './virtio/console.ts';
import type { DiskImage } from './virtio/disk-image.ts';
import { VIRTIO_WINDOW, VirtioPci } from './virtio/pci-transport.ts';
import { EntropyDevice } from './virtio/rng.ts';

const ENTROPY_SLOT = 2;
const CONSOLE_SLOT = 3;
const FIRST_DISK_SLOT = 4;
export const MAXIMUM_DISKS = 16;

export interface PciDeviceOptions {
  /** In the order of /dev/vda, /dev/vdb ... The guest's writes to images that are not writable stay in memory. */
  readonly disks?: readonly DiskImage[];
  /** Seed of the entropy device's numbers; undefined: there is no such device. */
  readonly entropySeed?: number;
  /** There is a virtio console (/dev/hvc0), the machine's second line to the host. */
  readonly port?: boolean;
}

/** The machine around the bus. */
export interface PciSurroundings {
  readonly memory: GuestMemory;
  readonly timers: Timers;
  readonly interruptLine: (interrupt: number, asserted: boolean) => void;
  readonly say: (text: string) => void;
  readonly portOutput: (bytes: Uint8Array) => void;
}

export class PciDevices {
  readonly bus: PciBus;
  /** In the order of their slots. */
  readonly devices: readonly VirtioPci[];
  private readonly port: { readonly transport: VirtioPci; readonly device: ConsoleDevice } | undefined;

  constructor(options: PciDeviceOptions, surroundings: PciSurroundings) {
    const { memory, timers, say } = surroundings;
    this.bus = new PciBus(surroundings.interruptLine);
    const devices: VirtioPci[] = [];
    const add = (slot: number, backend: VirtioBackend): VirtioPci => {
      const transport = new VirtioPci({
        backend,
        memory,
        timers,
        interruptPin: this.bus.interruptPin(slot),
        base: PCI_MEMORY_WINDOW.first + slot * VIRTIO_WINDOW,
        interrupt: pciInterrupt(slot, 0),
        say,
      });
      this.bus.attach(slot, transport);
      devices.push(transport);
      return transport;
    };
    if (options.entropySeed !== undefined) add(ENTROPY_SLOT, new EntropyDevice(options.entropySeed));
    if (options.port === true) {
      const device = new ConsoleDevice(surroundings.portOutput);
      this.port = { transport: add(CONSOLE_SLOT, device), device };
    }
    options.disks?.forEach((image, number) => add(FIRST_DISK_SLOT + number, new BlockDevice(number, image, say)));
    this.devices = devices;
  }
  /** Opens the devices' windows in the physical address space. Those attached before win where windows overlap. */
  attachTo(map: MemoryMap): void {
    for (const device of this.devices) map.attach(device, VIRTIO_WINDOW, () => device.window);
  }
  /** Input to the virtio console; nothing happens when there is none. */
  sendPort(bytes: Uint8Array): void {
    if (this.port === undefined || bytes.length === 0) return;
    this.port.device.send(bytes);
    this.port.transport.attend(this.port.device.inputQueue);
  }
}

/** What a snapshot has to agree with: the devices, and the sizes of the disks. */
export function describePciDevices({ disks = [], entropySeed, port = false }: PciDeviceOptions): string {
  const sizes = disks.map(({ size, writable }) => `${size}${writable ? ' writable' : ''}`).join(' + ');
  return `disks ${sizes || 'none'}, entropy ${entropySeed === undefined ? 'no' : 'yes'}, port ${port ? 'yes' : 'no'}`;
}
