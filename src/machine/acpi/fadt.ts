// The fixed hardware: FADT (ACPI 6.5 ch. 5.2.9) and FACS (5.2.10). The ports are acpi-power.ts's and reset-control.ts's.
import { buildTable, fixedText, ioAddress, littleEndian } from './table.ts';

const PM1A_EVENT = 0x600;
const PM1A_CONTROL = 0x604;
const PM_TIMER = 0x608;
const RESET_PORT = 0xcf9;
/** SYS_RST and RST_CPU: a hard reset (PIIX3 4.1.4). */
const RESET_VALUE = 6;
export const SCI_INTERRUPT = 9;
const CENTURY_REGISTER = 0x32;
const ISA_AND_SERIAL = 1 << 0; // IAPC_BOOT_ARCH: LEGACY_DEVICES
const NO_VGA = 1 << 2;
const NO_LATENCY = 0xffff; // no C2 and no C3 state

// flags (table 5.10)
const WBINVD = 1 << 0;
const PROC_C1 = 1 << 2;
const NO_POWER_BUTTON = 1 << 4; // not a fixed feature
const NO_SLEEP_BUTTON = 1 << 5;
const RTC_WAKE_ELSEWHERE = 1 << 6;
const RESET_REGISTER = 1 << 10;
const USE_PLATFORM_CLOCK = 1 << 15;
const FLAGS =
  WBINVD | PROC_C1 | NO_POWER_BUTTON | NO_SLEEP_BUTTON | RTC_WAKE_ELSEWHERE | RESET_REGISTER | USE_PLATFORM_CLOCK;

/** The tables' own revision and minor revision: ACPI 6.3, the last one that iasl of Debian 12 reads without remarks. */
const REVISION = 6;
const MINOR_REVISION = 3;

/** FADT that points to FACS and DSDT. There is no SMI command port: ACPI is always on. */
export function buildFadt(facs: number, dsdt: number): Uint8Array {
  const none = ioAddress(0, 1);
  return buildTable('FACP', REVISION, [
    ...littleEndian(4, facs),
    ...littleEndian(4, dsdt),
    0, // reserved, INT_MODEL of ACPI 1.0
    0, // preferred profile: unspecified
    ...littleEndian(2, SCI_INTERRUPT),
    ...littleEndian(4, 0), // SMI_CMD, and the four values for it
    0,
    0,
    0,
    0,
    ...littleEndian(4, PM1A_EVENT),
    ...littleEndian(4, 0), // PM1b_EVT_BLK
    ...littleEndian(4, PM1A_CONTROL),
    ...littleEndian(4, 0), // PM1b_CNT_BLK
    ...littleEndian(4, 0), // PM2_CNT_BLK
    ...littleEndian(4, PM_TIMER),
    ...littleEndian(4, 0), // GPE0_BLK
    ...littleEndian(4, 0), // GPE1_BLK
    4, // PM1_EVT_LEN
    2, // PM1_CNT_LEN
    0, // PM2_CNT_LEN
    4, // PM_TMR_LEN
    0, // GPE0_BLK_LEN
    0, // GPE1_BLK_LEN
    0, // GPE1_BASE
    0, // CST_CNT
    ...littleEndian(2, NO_LATENCY),
    ...littleEndian(2, NO_LATENCY),
    ...littleEndian(2, 0), // FLUSH_SIZE, FLUSH_STRIDE: WBINVD works
    ...littleEndian(2, 0),
    0, // DUTY_OFFSET, DUTY_WIDTH: no throttling
    0,
    0, // DAY_ALRM, MON_ALRM: the clock has no such alarms
    0,
    CENTURY_REGISTER,
    ...littleEndian(2, ISA_AND_SERIAL | NO_VGA),
    0, // reserved
    ...littleEndian(4, FLAGS),
    ...ioAddress(RESET_PORT, 1),
    RESET_VALUE,
    ...littleEndian(2, 0), // ARM_BOOT_ARCH
    MINOR_REVISION,
    ...littleEndian(8, 0), // X_FIRMWARE_CTRL: the 32-bit one is used
    ...littleEndian(8, dsdt),
    ...ioAddress(PM1A_EVENT, 4),
    ...none,
    ...ioAddress(PM1A_CONTROL, 2),
    ...none,
    ...none,
    ...ioAddress(PM_TIMER, 4),
    ...none,
    ...none,
    ...none, // SLEEP_CONTROL_REG and SLEEP_STATUS_REG: of reduced hardware alone
    ...none,
    ...fixedText('TRAPLINE', 8), // hypervisor vendor identity
  ]);
}

/** FACS: without sleeping states but S5 nobody wakes through it, but guests expect it. It has no checksum. */
export function buildFacs(): Uint8Array {
  const facs = new Uint8Array(64);
  facs.set(fixedText('FACS', 4));
  facs.set(littleEndian(4, 64), 4);
  facs[32] = 2; // version
  return facs;
}
