// Lines of the kernel's log in which a machine of ours may differ from QEMU's pc. A line that matches is left out of the
// comparison on both sides; everything else has to be the same, in the same order.

interface Allowed {
  readonly why: string;
  readonly lines: readonly RegExp[];
}

export const ALLOWED: readonly Allowed[] = [
  {
    why: 'memory map: QEMU takes 128 KiB at the top for its tables, and its ROM is smaller than our reserved range',
    lines: [
      /^BIOS-e820: /,
      /^last_pfn = /,
      /^RAMDISK: /,
      /^Faking a node /,
      /^NODE_DATA\(0\) allocated /,
      /^ {2}DMA32 {4}\[mem /,
      /^ {2}node {3}0: \[mem /,
      /^Initmem setup node 0 /,
      /^On node 0, zone DMA32: /,
      /^\[mem 0x\w+-0x\w+\] available for PCI devices$/,
      /^PM: hibernation: Registered nosave memory: /,
      /^Built 1 zonelists, /,
      /^Memory: \d+K\//,
      /^node 0 deferred pages initialised in /,
    ],
  },
  {
    why: 'firmware: other ACPI tables, no SMBIOS; QEMU has sleeping states, hot-plug, and leaves the MTRRs of APs blank',
    lines: [
      /^DMI/,
      /^SMBIOS /,
      /^ACPI: (?:RSDP|RSDT|XSDT|FACP|DSDT|FACS|APIC|WAET|Reserving \w+ table) /,
      /^ACPI: INT_SRC_OVR \(bus 0 bus_irq 5 /,
      /^ACPI: PM: \(supports S0 /,
      /^ACPI: Enabled 2 GPEs /,
      /^acpiphp: /,
      /^mtrr: /,
    ],
  },
  {
    why: 'clock: ours is told by CPUID and starts at 0; QEMU measures, on a host that has other things to do',
    lines: [
      /^tsc: /,
      /^TSC deadline timer available$/,
      /^\.\.TIMER: /,
      /^clocksource: (?:tsc|Switched to|timekeeping watchdog|Long readout| {2})/,
      /^Calibrating delay loop /,
      /^smpboot: Total of \d+ processors activated /,
      /^APIC (?:calibration|delta) /,
      /^sched_clock: Marking /,
      /^audit: type=2000 /,
      /^hrtimer: interrupt took /,
      /^Unstable clock detected, /,
      /^If you want to keep using the local clock, /,
      /^ {2}"trace_clock=local"$/,
      /^on the kernel command line$/,
      /^(?:perf: )?interrupt took too long/,
      /^random: crng init done$/,
    ],
  },
  {
    why: 'processor: name, page sizes, and that ours has none of the weaknesses of speculation',
    lines: [
      /^Using GB pages for direct mapping$/,
      /^Kernel\/User page tables isolation: enabled$/,
      /^x86\/mm: Check(?:ing user|ed W\+X)/,
      /^x2apic: IRQ remapping doesn't support X2APIC mode$/,
      /^(?:Spectre V[12]|Speculative Store Bypass|MDS|MMIO Stale Data|L1TF|ITS) *: /,
      /^x86\/cpu: User Mode Instruction Prevention \(UMIP\) activated$/,
      /^Performance Events: /,
      /^smpboot: CPU0: /,
      /^process: using mwait in idle threads$/,
      /^HugeTLB: (?:registered 1\.00 GiB|16380 KiB vmemmap)/,
      /^x86\/fpu: /,
      /^x86\/split lock detection: /,
      /^signal: max sigframe size: /,
    ],
  },
  {
    why: 'devices: QEMU has IDE, a keyboard and PIIX bridges; the windows of the PCI root differ',
    lines: [
      /^Console: colour /,
      /^ACPI: PCI Root Bridge /,
      /^ACPI: PCI: Interrupt link /,
      /^pci_bus 0000:00: (?:root bus )?resource /,
      /^pci 0000:00:0\d\.\d: /,
      /^pnp: PnP ACPI: found /,
      /^\d\d:\d\d: ttyS0 at I\/O 0x3f8 \(irq = 4, base_baud = 115200\) is a 16550A$/,
      /^i8042: /,
      /^serio: /,
      /^input: /,
      /^rtc_cmos /,
    ],
  },
];

/** Written by a worker beside the other initialisation, now here, now there: these are compared behind the others. */
const MOVABLE = [/^Trying to unpack rootfs image as initramfs/, /^Freeing initrd memory: /];

const TIME_STAMP = /^\[ *\d+\.\d+\] /;

/** A console log as it is compared: without carriage returns, time stamps and allowed lines. */
export function comparableLog(log: string): string[] {
  const lines = log
    .replaceAll('\r', '')
    .split('\n')
    .map((line) => line.replace(TIME_STAMP, '').trimEnd());
  const matches = (patterns: readonly RegExp[], line: string): boolean =>
    patterns.some((pattern) => pattern.test(line));
  const kept = lines.filter((line) => !ALLOWED.some(({ lines: patterns }) => matches(patterns, line)));
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
