import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DebugRegisterRow, MachineBody, MachineVcpu } from '../dap/custom.ts';
import { LedgerRows } from './ledger-rows.ts';
import { jitRow } from './jit-row.ts';
import { machineRows, machineSummary, stopSentence } from './machine-rows.ts';
import { registerRows, slotsInUse } from './register-rows.ts';

const vcpu: MachineVcpu = {
  vcpu: 0,
  threadId: 1,
  state: 'reporting',
  activity: 'active',
  badge: 'wrote magic',
  sentence: 'list->magic was written by vCPU 0: 1 -> 2',
  reporting: true,
  ring: 0,
  mode: 'long',
  pc: '0x100010',
  symbol: 'main+16',
};
const machine: MachineBody = {
  running: false,
  ended: false,
  clock: '21187000',
  instructions: '21000000',
  memory: 128 << 20,
  profile: 'intel',
  vcpus: [
    vcpu,
    {
      ...vcpu,
      vcpu: 1,
      threadId: 2,
      state: 'offline',
      activity: 'waitSipi',
      badge: 'offline',
      reporting: false,
      sentence: '',
    },
  ],
};

test('a vCPU says why it stands still, where, in which ring and mode', () => {
  const [first, second] = machineRows(machine);
  assert.equal(first?.description, 'wrote magic · main+16');
  assert.equal(first?.expanded, true);
  assert.deepEqual(
    first?.children.map((child) => `${child.label}: ${child.description}`),
    ['Reason: list->magic was written by vCPU 0: 1 -> 2', 'At: main+16 (0x100010)', 'Mode: ring 0, long mode'],
  );
  assert.equal(second?.accessible, 'vCPU 1, not started, offline');
  assert.equal(machineSummary(machine), 'stopped · 21.187 ms · 128 MiB');
  assert.equal(stopSentence(machine), vcpu.sentence);
  assert.equal(stopSentence({ ...machine, running: true }), '');
});

test('a guest that hangs with interrupts off is told from an idle one', () => {
  const running = { ...machine, running: true };
  const of = (change: Partial<MachineVcpu>): MachineVcpu => ({
    ...vcpu,
    state: 'run',
    badge: '',
    sentence: '',
    reporting: false,
    ...change,
  });
  const halted = of({ state: 'halted', activity: 'halted' });
  const dead = of({ state: 'halted', activity: 'halted', interruptsOffFor: '0' });
  const critical = of({ interruptsOffFor: '40000' });
  const spinning = of({ vcpu: 1, interruptsOffFor: '1500000000' });
  const words = (...vcpus: MachineVcpu[]): string[] => [
    ...machineRows({ ...running, vcpus })
      .slice(0, vcpus.length)
      .map(({ description }) => description),
    machineSummary({ ...running, vcpus }).split(' · ')[0] ?? '',
  ];
  assert.deepEqual(words(halted), ['halted, waits for an interrupt · ring 0', 'idle']);
  assert.deepEqual(words(critical, halted), ['running · ring 0', 'halted, waits for an interrupt · ring 0', 'running']);
  assert.deepEqual(words(dead, spinning), [
    'halted, interrupts off · ring 0',
    'spinning, interrupts off · ring 0',
    'hangs: interrupts are off on every vCPU',
  ]);
  assert.deepEqual(words(dead, critical).at(-1), 'running');
  const offline = of({ state: 'offline', activity: 'waitSipi', interruptsOffFor: '9000000000' });
  assert.equal(words(dead, offline).at(-1), 'hangs: interrupts are off on every vCPU');
  const [row] = machineRows({ ...running, vcpus: [spinning] });
  assert.ok(row?.children.some((child) => child.label === 'Interrupts' && child.description === 'off for 1.500000 s'));
});

test('the JIT: off, or how much it does, and why regions end', () => {
  const rows = machineRows(machine);
  assert.deepEqual(
    rows.map(({ label }) => label),
    ['vCPU 0', 'vCPU 1', 'JIT'],
  );
  assert.equal(rows.at(-1)?.description, 'off');
  const jit = { share: 0.98765, regions: 1234, modules: 1, compileMs: 87, exits: {}, failures: {} };
  assert.equal(jitRow({ jit }).description, '98.8 % · 1 234 regions · 87 ms');
  assert.deepEqual(machineRows({ ...machine, running: true, jit }).at(-1), jitRow({ jit }));
  assert.equal(jitRow({ jit: { ...jit, regions: 1, compileMs: 1520 } }).description, '98.8 % · 1 region · 1.5 s');
  const exits = { elsewhere: 20, 'system.store': 1_000_000, 'system.raise': 0, 'system.unheardOf': 1 };
  const { children, tooltip } = jitRow({ jit: { ...jit, exits, failures: { 'too many locals': 2 } } });
  assert.deepEqual(
    children.map(({ label, description }) => `${label}: ${description}`),
    [
      'Compiled: 98.8 % of the instructions',
      'Regions: 1 234 compiled, 1 module alive',
      'Compile time: 87 ms',
      'Exits: 1 000 021 exits',
      'Refused: 2 regions: too many locals',
    ],
  );
  const causes = [
    'slow memory writes: 1 000 000',
    'jumps out of the region: 20',
    'system.unheardOf: 1', // a cause without words is shown by its name
  ];
  assert.deepEqual(
    children[3]?.children.map(({ label, description }) => `${label}: ${description}`),
    causes,
  );
  assert.equal(children[3]?.tooltip, causes.join('\n'));
  assert.match(tooltip, /Exits: 1 000 021 exits/);
});

const free: DebugRegisterRow = {
  bank: 'host',
  index: 0,
  enabled: false,
  owner: 'free',
  address: '0x0',
  length: 1,
  type: 'execute',
  hits: 0,
  filteredHits: 0,
  references: 0,
};

test('debug registers: the account, then four of the host and four of the guest', () => {
  const rows: DebugRegisterRow[] = [0, 1, 2, 3].flatMap((index) => [
    { ...free, bank: 'guest', owner: 'guest', index },
    { ...free, index },
  ]);
  const used: DebugRegisterRow = {
    ...free,
    enabled: true,
    owner: 'list->magic',
    address: '0x189088',
    symbol: 'shared_list+72',
    length: 8,
    type: 'write',
    hits: 1,
    references: 1,
  };
  rows[1] = used;
  const body = { policy: 'hardware', vcpus: [{ vcpu: 0, threadId: 1, hostInUse: 1, guestInUse: 0, rows }] } as const;
  const [row] = registerRows(body);
  assert.equal(row?.description, 'host 1 of 4 in use · guest 0 of 4');
  assert.deepEqual(
    row?.children.map((child) => child.label),
    ['Host DR0', 'Host DR1', 'Host DR2', 'Host DR3', 'Guest DR0', 'Guest DR1', 'Guest DR2', 'Guest DR3'],
  );
  assert.equal(row?.children[0]?.accessible, 'Host DR0: list->magic, 0x189088 <shared_list+72>, 8 bytes, write, 1 hit');
  assert.equal(row?.children[1]?.description, 'free');
  assert.equal(row?.children[4]?.description, 'off');
  assert.equal(slotsInUse(body), 1);
});

test('ledger rows: none twice, asked for by sequence number, gaps allowed', () => {
  const ledger = new LedgerRows();
  const make = (sequence: number): Parameters<LedgerRows['add']>[0][number] => ({
    sequence,
    clock: '0',
    vcpu: 0,
    vector: 3,
    rip: '0x0',
    causes: [{ cause: 'int3', breakpoints: [], machinery: [] }],
    owner: 'guest',
    disposition: 'reinjected',
    dr6Host: '0x0',
    dr6Guest: '0x0',
    rule: 'int3',
  });
  assert.equal(ledger.next, 0);
  ledger.add([make(5), make(6), make(9)]);
  ledger.add([make(9), make(10)]);
  assert.equal(ledger.next, 11);
  assert.deepEqual(
    ledger.since(7).map((row) => row.sequence),
    [9, 10],
  );
});
