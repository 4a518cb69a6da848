// The device status field: how far driver and device have come in getting to know each other (virtio 1.2, 2.1).
const FEATURES_OK = 8;
const DRIVER_OK = 4;
const DEVICE_NEEDS_RESET = 64;

export const NEEDS_RESET_TEXT = 'the device stands still until the guest resets it.';

export class DeviceStatus {
  private bits = 0;

  get value(): number {
    return this.bits;
  }
  /** Features are settled: later changes are ignored. */
  get featuresAgreed(): boolean {
    return (this.bits & FEATURES_OK) !== 0;
  }
  /** The driver is ready, and the device may work. */
  get live(): boolean {
    return (this.bits & (DRIVER_OK | FEATURES_OK | DEVICE_NEEDS_RESET)) === (DRIVER_OK | FEATURES_OK);
  }
  /** Takes a value of the driver's other than 0. Bits are never cleared, and FEATURES_OK only sticks if it can be met. */
  write(value: number, featuresAgreeable: boolean): void {
    let added = value & 0xff & ~DEVICE_NEEDS_RESET;
    if (!featuresAgreeable && !this.featuresAgreed) added &= ~FEATURES_OK;
    this.bits |= added;
  }
  needsReset(): void {
    this.bits |= DEVICE_NEEDS_RESET;
  }
  reset(): void {
    this.bits = 0;
  }
  restore(value: number): void {
    this.bits = value;
  }
}
