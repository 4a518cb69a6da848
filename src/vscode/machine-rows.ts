// The Machine view's rows in words, without VS Code.
import type { MachineBody, MachineVcpu } from '../dap/custom.ts';
import { dispositionText, ownerWord, placeOf, virtualTime, type LedgerRow } from '../words/ledger.ts';
import { vectorName } from '../words/vectors.ts';
import { jitRow } from './jit-row.ts';
import { leaf, type TreeRow } from './tree-row.ts';

const MODES: Readonly<Record<MachineVcpu['mode'], string>> = {
  real: 'real mode',
  protected16: 'protected mode, 16-bit',
  protected32: 'protected mode, 32-bit',
  compatibility: 'compatibility mode',
  long: 'long mode',
};

/** Interrupts off for so long, in nanoseconds of virtual time, is no critical section any more. */
const HUNG_AFTER = 1_000_000_000n;

const isStarted = (vcpu: MachineVcpu): boolean => vcpu.activity !== 'waitSipi' && vcpu.state !== 'offline';

/** Nothing but an NMI or a reset gets this vCPU on: halted with interrupts off, or spinning with interrupts off for long. */
export function isHung(vcpu: MachineVcpu): boolean {
  if (vcpu.interruptsOffFor === undefined || !isStarted(vcpu)) return false;
  return vcpu.activity !== 'active' || BigInt(vcpu.interruptsOffFor) >= HUNG_AFTER;
}
const halted = (vcpu: MachineVcpu) =>
  isHung(vcpu)
    ? { words: 'halted, interrupts off', icon: 'error', color: 'charts.red' }
    : { words: 'halted, waits for an interrupt', icon: 'watch' };

/** What a vCPU is doing, in words, with an icon. */
export function runState(vcpu: MachineVcpu): {
  readonly words: string;
  readonly icon: string;
  readonly color?: string;
} {
  if (vcpu.activity === 'waitSipi' || vcpu.state === 'offline') return { words: 'not started', icon: 'circle-outline' };
  if (vcpu.activity === 'shutdown') return { words: 'shut down', icon: 'error', color: 'charts.red' };
  if (vcpu.reporting) return { words: 'stopped here', icon: 'debug-stackframe-focused', color: 'charts.yellow' };
  switch (vcpu.state) {
    case 'run':
      if (isHung(vcpu)) return { words: 'spinning, interrupts off', icon: 'error', color: 'charts.red' };
      return { words: 'running', icon: 'play', color: 'charts.green' };
    case 'halted':
      return halted(vcpu);
    case 'stopping':
      return { words: 'stopping', icon: 'debug-pause' };
    case 'stepping':
      return { words: 'stepping', icon: 'debug-step-over' };
    case 'pending':
      return { words: 'stopped, event waiting', icon: 'bell-dot' };
    case 'reporting':
    case 'parked':
      return vcpu.activity === 'halted' ? halted(vcpu) : { words: 'stopped', icon: 'debug-pause' };
  }
}

/** A vCPU's last debug trap, whose it was first: "#BP guest-owned, re-injected, at patient+0x4". */
export const trapInWords = (row: LedgerRow): string =>
  `${vectorName(row.vector)} ${ownerWord(row)}, ${dispositionText(row.disposition)}, at ${placeOf(row)}`;

function vcpuRow(vcpu: MachineVcpu): TreeRow {
  const id = `vcpu${vcpu.vcpu}`;
  const state = runState(vcpu);
  const stopped = vcpu.badge !== '';
  const where = vcpu.symbol ?? vcpu.pc;
  const started = isStarted(vcpu);
  const children: TreeRow[] = [];
  if (vcpu.sentence !== '') children.push(leaf(`${id}.reason`, 'Reason', vcpu.sentence));
  if (started) {
    if (stopped)
      children.push(leaf(`${id}.at`, 'At', vcpu.symbol === undefined ? vcpu.pc : `${vcpu.symbol} (${vcpu.pc})`));
    children.push(leaf(`${id}.mode`, 'Mode', `ring ${vcpu.ring}, ${MODES[vcpu.mode]}`));
    if (vcpu.interruptsOffFor !== undefined) {
      children.push(leaf(`${id}.interrupts`, 'Interrupts', `off for ${virtualTime(vcpu.interruptsOffFor)}`));
    }
  }
  if (vcpu.lastTrap !== undefined) children.push(leaf(`${id}.trap`, 'Last trap', trapInWords(vcpu.lastTrap)));
  const reason = stopped ? vcpu.badge : state.words;
  const ring = started ? ` · ring ${vcpu.ring}` : '';
  const description = stopped && started ? `${reason} · ${where}` : `${reason}${ring}`;
  return {
    id,
    label: `vCPU ${vcpu.vcpu}`,
    description,
    tooltip: [
      `vCPU ${vcpu.vcpu}: ${state.words}`,
      ...(vcpu.sentence === '' ? [] : [vcpu.sentence]),
      ...(started ? [`ring ${vcpu.ring}, ${MODES[vcpu.mode]}`] : []),
      ...(vcpu.lastTrap === undefined ? [] : [`last trap: ${trapInWords(vcpu.lastTrap)}`]),
    ].join('\n'),
    accessible: `vCPU ${vcpu.vcpu}, ${state.words}, ${vcpu.sentence || description}`,
    icon: state.icon,
    ...(state.color === undefined ? {} : { color: state.color }),
    expanded: vcpu.reporting,
    children,
    threadId: vcpu.threadId,
  };
}

/** One row for each vCPU, and one for the JIT. */
export const machineRows = (machine: MachineBody): readonly TreeRow[] => [
  ...machine.vcpus.map(vcpuRow),
  jitRow(machine),
];

const memorySize = (bytes: number): string =>
  bytes % (1 << 30) === 0 ? `${bytes / (1 << 30)} GiB` : `${bytes / (1 << 20)} MiB`;

/** Why the machine stopped, whole: the sentence of the vCPU that reports. Empty while it runs. */
export const stopSentence = (machine: MachineBody): string =>
  machine.running ? '' : (machine.vcpus.find((vcpu) => vcpu.reporting)?.sentence ?? '');

/** While it runs: a guest that hangs with interrupts off everywhere, or one that is merely idle, is no ordinary running. */
function runningInWords({ vcpus }: MachineBody): string {
  const started = vcpus.filter(isStarted);
  if (started.length > 0 && started.every(isHung)) return 'hangs: interrupts are off on every vCPU';
  return started.length > 0 && started.every(({ activity }) => activity === 'halted') ? 'idle' : 'running';
}

/** The line beside the view's name. */
export function machineSummary(machine: MachineBody): string {
  const state = machine.ended ? 'ended' : machine.running ? runningInWords(machine) : 'stopped';
  return `${state} · ${virtualTime(machine.clock)} · ${memorySize(machine.memory)}`;
}
