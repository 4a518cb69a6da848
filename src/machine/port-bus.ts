// The I/O port space: who decodes which port. Ports nobody decodes read all-ones, as on a bus with pull-ups.
import type { PortDevice } from './device.ts';

export class PortBus {
  private readonly owners: (PortDevice | undefined)[] = Array.from({ length: 0x10000 });
  private readonly unknown: (port: number, write: boolean) => void;

  /** @param unknown is told of each access to a port that no device decodes. */
  constructor(unknown: (port: number, write: boolean) => void) {
    this.unknown = unknown;
  }
  attach(device: PortDevice): void {
    for (const { first, count } of device.ports) {
      for (let port = first; port < first + count; port++) {
        const other = this.owners[port];
        if (other !== undefined) throw new Error(`internal error: ${device.name} and ${other.name} share port ${port}`);
        this.owners[port] = device;
      }
    }
  }

  /** Reads 1, 2 or 4 bytes; an access wider than the device, or across devices, becomes single bytes. */
  read(port: number, size: number): number {
    const device = this.owners[port];
    if (size === 1 || (device !== undefined && size <= device.portWidth)) {
      if (device === undefined) {
        this.unknown(port, false);
        return 0xff;
      }
      return device.readPort(port, size);
    }
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.read((port + i) & 0xffff, 1) << (8 * i);
    return value >>> 0;
  }
  write(port: number, size: number, value: number): void {
    const device = this.owners[port];
    if (size === 1 || (device !== undefined && size <= device.portWidth)) {
      if (device === undefined) this.unknown(port, true);
      else device.writePort(port, size, size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0);
      return;
    }
    for (let i = 0; i < size; i++) this.write((port + i) & 0xffff, 1, (value >>> (8 * i)) & 0xff);
  }
}
