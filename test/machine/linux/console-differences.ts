// Lines of the kernel's log in which a machine of ours may differ from QEMU's pc. A line that matches is left out of the
// comparison on both sides; everything else has to be the same, in the same order. A pattern without which the logs would be the same
// is one too many: see `unneeded`.

export interface Allowed {
  readonly line: RegExp;
  /** What is different, and why it stays so. */
  readonly why: string;
  /** measured: a time or a count that may happen to be the same; rare: not said in every run. Without it the lines have to differ. */
  readonly when?: 'measured' | 'rare';
}

export const ALLOWED: readonly Allowed[] = [
  // memory map and firmware
  {
    line: /^BIOS-e820: \[mem 0x0{11}(?:9fc00|f0000)-0x0{11}(?:9ffff|fffff)\] reserved$/,
    why: 'QEMU leaves a hole from A0000h to EFFFFh, for ROMs of cards; here the ACPI tables lie there, reserved',
  },
  {
    line: /^Memory: \d+K\//,
    why: 'how far a worker has got with giving memory free, at that moment',
    when: 'measured',
  },
  { line: /^node 0 deferred pages initialised in /, why: 'a time', when: 'measured' },
  { line: /^(?:DMI|SMBIOS)[ :]/, why: 'we have no SMBIOS tables: no guest needs them' },
  { line: /^ACPI: (?:RSDP|RSDT|XSDT|FACP|DSDT|FACS|APIC|WAET|Reserving \w+ table) /, why: 'tables of our own' },
  { line: /^ACPI: INT_SRC_OVR \(bus 0 bus_irq 5 /, why: 'no PCI line of ours can be led to interrupt 5' },
  { line: /^ACPI: Enabled \d GPEs /, why: "QEMU's hot-plug of processors; we have no general-purpose events" },
  { line: /^mtrr: /, why: "SeaBIOS leaves the APs' MTRRs blank; ours are set" },
  // clock: ours is told by CPUID and the same in every run; QEMU's is measured, on a host that has other things to do
  { line: /^tsc: /, why: 'frequency and how it was found' },
  { line: /^TSC deadline timer available$/, why: 'QEMU cannot emulate it' },
  { line: /^\.\.TIMER: /, why: 'not tried when the TSC frequency is known from CPUID' },
  {
    line: /^clocksource: (?:tsc|Switched to|timekeeping watchdog|Long readout| {2})/,
    why: 'frequency; QEMU may lose its trust',
  },
  { line: /^Calibrating delay loop /, why: 'follows from the frequency', when: 'measured' },
  { line: /^smpboot: Total of \d+ processors activated /, why: 'follows from the frequency', when: 'measured' },
  { line: /^APIC (?:calibration|delta) /, why: 'QEMU may measure it, and say by how much it is off', when: 'rare' },
  { line: /^sched_clock: Marking /, why: 'times', when: 'measured' },
  { line: /^audit: type=2000 /, why: 'a time', when: 'measured' },
  { line: /^(?:hrtimer: |perf: )?interrupt took /, why: 'the host let QEMU wait', when: 'rare' },
  {
    line: /^(?:Unstable clock detected, |If you want to keep using the local clock, | {2}"trace_clock=local"$|on the kernel command line$)/,
    why: 'one message of four lines, when QEMU has lost its trust in the TSC',
    when: 'rare',
  },
  // processor
  { line: /^x2apic: IRQ remapping doesn't support X2APIC mode$/, why: 'QEMU 7.2 cannot emulate an x2APIC' },
  { line: /^process: using mwait in idle threads$/, why: "QEMU's MWAIT has no sub-states" },
  { line: /^(?:x86\/fpu|signal: max sigframe size): /, why: 'XSAVE: with it on this processor QEMU 7.2 hangs' },
  // devices
  { line: /^Console: colour /, why: "QEMU's boot loader has set a text mode, on a machine without a screen" },
  { line: /^pci_bus 0000:00: (?:root bus )?resource /, why: 'windows of the PCI root' },
  {
    line: /^(?:pci 0000:00:01\.\d: |ACPI: PCI: Interrupt link LNK)/,
    why: 'bridges, IDE and interrupt router of a PIIX3',
  },
  {
    line: /^(?:pnp: PnP ACPI: found|\d\d:\d\d: ttyS0 at|rtc_cmos) /,
    why: 'numbers of ACPI devices; QEMU has 242 bytes of CMOS',
  },
  { line: /^i8042: /, why: 'ours says by ACPI that there is no keyboard controller behind the reset port' },
];

/** Written by a worker beside the other initialisation, now here, now there: these are compared behind the others. */
const MOVABLE = [/^Trying to unpack rootfs image as initramfs/, /^Freeing initrd memory: /];

const TIME_STAMP = /^\[ *\d+\.\d+\] /;

const linesOf = (log: string): string[] =>
  log
    .replaceAll('\r', '')
    .split('\n')
    .map((line) => line.replace(TIME_STAMP, '').trimEnd());

/** Patterns that no pair of logs needed: their lines were the same on both sides, or there were none. */
export function unneeded(runs: readonly { readonly ours: string; readonly theirs: string }[]): readonly Allowed[] {
  const pairs = runs.map(({ ours, theirs }) => [linesOf(ours), linesOf(theirs)] as const);
  return ALLOWED.filter(({ line, when }) => {
    const matched = pairs.map((pair) => pair.map((lines) => lines.filter((text) => line.test(text)).join('\n')));
    if (when === 'rare') return false;
    return !matched.some(([ours, theirs]) => ours !== theirs || (when === 'measured' && ours !== ''));
  });
}

/** A console log as it is compared: without carriage returns, time stamps and allowed lines. */
export function comparableLog(log: string): string[] {
  const lines = linesOf(log);
  const matches = (patterns: readonly RegExp[], line: string): boolean =>
    patterns.some((pattern) => pattern.test(line));
  const kept = lines.filter((text) => !ALLOWED.some(({ line }) => line.test(text)));
  const movable = kept.filter((line) => matches(MOVABLE, line));
  return [...kept.filter((line) => !matches(MOVABLE, line)), ...movable];
}

/** What two comparable logs differ in, in words; empty when they are the same. */
export function differenceOf(ours: readonly string[], theirs: readonly string[]): string {
  const missing = (from: readonly string[], among: readonly string[]): string[] => {
    const rest = [...among];
    return from.filter((line) => {
      const at = rest.indexOf(line);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  const only = [
    ...missing(ours, theirs).map((line) => `only in Trapline: ${line}`),
    ...missing(theirs, ours).map((line) => `only in QEMU:     ${line}`),
  ];
  if (only.length > 0) return only.join('\n');
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  return at < 0 ? '' : `another order from here on: Trapline has "${ours[at]}", QEMU has "${theirs[at]}"`;
}
