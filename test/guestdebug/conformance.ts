// The conformance cases of the guest-debug specification (section 6) as data: what is set up, what has to come of it, and
// what is not built. conformance.test.ts holds tests and table to each other; scripts/generate-conformance.ts makes
// docs/guest-debug.md of it. A case's tests are those whose names hold its id.

export interface ConformanceCase {
  readonly id: string;
  readonly setUp: string;
  readonly expected: string;
  /** Nothing of the case is there; why. */
  readonly notBuilt?: string;
  /** The case is there but for this. */
  readonly missing?: string;
}
export interface ConformanceSection {
  readonly title: string;
  readonly cases: readonly ConformanceCase[];
}

type Gap = Pick<ConformanceCase, 'notBuilt' | 'missing'>;
const row = (id: string, setUp: string, expected: string, gap: Gap = {}): ConformanceCase => ({
  id: `T-${id}`,
  setUp,
  expected,
  ...gap,
});
const PLANTED: Gap = { notBuilt: 'Breakpoints that a client plants as CC bytes are not built: overlays need no byte.' };
const BUS = 'Watches of physical memory and of the bus (page walks, DMA) are not built.';
const SOFTWARE = 'Software watchpoints are not built.';

export const sections: readonly ConformanceSection[] = [
  {
    title: 'What the guest sees of its own debug registers',
    cases: [
      row('01', 'ring 0: locked exchange across a 64-byte line', 'no #AC, no #DB, the value is exchanged'),
      row('02', 'the same in ring 3', 'the same'),
      row('03', 'CR4.DE clear: write DR6, read DR4', 'DR4 is DR6, no #UD'),
      row('04', 'CR4.DE set: read DR4', '#UD at the instruction'),
      row('05', 'CC', '#BP behind it, DR6 unchanged, no stop'),
      row('06', 'execution slot; the handler sets RF', 'one #DB at the instruction, its slot in DR6'),
      row('07', 'the same, with BS and another slot in DR6 before', 'the old slot is gone, BS stays'),
      row('08', 'TF by POPF, AND, PUSH, POPF that clears it', 'three single-step traps'),
      row('09', 'TF over seven different instructions', 'seven traps, each behind its instruction'),
      row('10', 'TF, then STI', 'the shadow of STI holds no debug trap'),
      row('11', 'TF, then MOV SS', 'no trap between MOV SS and the next instruction'),
      row('12', 'TF, MOV SS, ICEBP, ICEBP', 'ICEBP leaves no cause in DR6 and no BS behind it'),
      row('13', 'DR7.GD, TF, MOV SS, MOV DR6', '#DB by general detect in the shadow; GD is clear afterwards'),
      row('14', 'timer armed, TF, STI, HLT', 'the trap wakes the processor; the machine does not hang'),
      row('15', 'write slot, DR6.BS set before, 8-byte store', 'one #DB behind it with BS and the slot'),
      row('16', 'the same with DR6 cleared before', 'the slot alone'),
      row('17', 'ICEBP', '#DB behind it without a cause'),
      row('18', 'MOV SS from watched memory, then prefixed ICEBP', 'exactly one #DB'),
      row('19', 'MOV SS from watched memory, then INT 1', 'vector 1 by the instruction, and one #DB in its handler'),
      row('1A', 'MOV SS from watched memory, then a 12-byte INT3', 'one #DB, one #BP with the right length'),
      row('1B', 'execution slot behind MOV SS and POP SS', 'Intel: no #DB; AMD: one'),
      row('1C', 'write 0 to DR6 and read it', 'the fixed ones; RTM and BLD as the profile has them'),
      row('1D', 'TF, SYSCALL that masks it, SYSRET with TF', 'no trap at the kernel, one at the user return'),
      row('1E', 'MOV SS from watched memory, NOP, TF', 'one #DB with BS and the slot, behind the NOP'),
      row('1F', 'the same with WBINVD', 'the same'),
    ],
  },
  {
    title: 'The raw control call',
    cases: [
      row('20', 'overlay on a NOP', 'stop in front of it; the byte is unchanged'),
      row('21', 'planted CC, registered', 'stop at the CC', PLANTED),
      ...['22', '23', '24', '25'].map((id, index) =>
        row(id, `raw run, execution slot ${index} where the guest stands`, 'hit at once, nothing executed'),
      ),
      ...['26', '27', '28', '29'].map((id, index) =>
        row(id, `slot ${index}, 4-byte write watch, 8-byte store`, 'stop behind the store, the slot in DR6'),
      ),
      ...[
        ['30', 'STI'],
        ['31', 'XOR'],
        ['32', 'CPUID'],
        ['33', 'MOV imm'],
        ['34', 'WRMSR of TSC_DEADLINE'],
        ['35', 'CLI'],
      ].map(([id = '', instruction]) =>
        row(id, `step over ${instruction} with an interrupt held`, 'stop behind it; the interrupt is still held', {
          missing: 'The stop says that an interrupt is held, not its vector.',
        }),
      ),
      row('36', 'host general detect, MOV from DR0', 'stop in front of it, the guest untouched'),
      row('37', 'control word 0, resume', 'no stop; what was held is delivered'),
      row('38', 'unknown control bit', 'EINVAL, the former setting stays'),
      row('39', 'pad, reserved registers, malformed slots', 'EINVAL each, with the slot named'),
      row('3A', 'both injections at once', 'EINVAL'),
      row('3B', 'INJECT_DB while an exception is pending', 'EBUSY'),
      row('3C', 'INJECT_BP while an exception is half delivered', 'EBUSY', {
        missing: 'Deliveries are never half done at a stop here: that state is made by hand, pending traps are real.',
      }),
      row('3D', 'INJECT_DB with causes', 'the guest gets them at its RIP'),
      row('3E', 'INJECT_BP after a caught CD 03', 'the frame points behind it'),
      row('3F', 'a call on a running vCPU', 'EBUSY'),
    ],
  },
  {
    title: 'Whose trap it is, and both at one place',
    cases: [
      row('40', "the guest's own CC", 'no stop, #BP to the guest'),
      row('41', "overlay on the guest's own CC", 'host first, then the guest, once each'),
      row('42', 'planted CC over a CC', 'the same', PLANTED),
      row('43', 'CD 03, #BP exceptions caught', 'no stop'),
      row('44', 'CD 03, both caught', 'stop in front of it, then delivered'),
      row('45', 'CC in ring 3, gate of ring 0', '#GP with the error code of the gate'),
      row('46', 'CC with prefixes', 'the frame points behind all of it'),
      row('47', 'host and guest execution slot at one address', 'host stop, then one #DB, then it runs'),
      row(
        '48',
        'the same, the handler clears its slot instead of setting RF',
        'a second host stop is allowed, none is lost',
      ),
      row('49', 'host and guest watch on the same bytes', 'host stop, then the #DB with the slot of the guest alone'),
      row('4A', 'host step with TF of the guest', 'host stop, then the trap of the guest'),
      row('4B', 'the same, then a step again', 'it ends in the handler, nothing executed'),
      row('4C', 'the guest reads DR0 to DR7', 'its own values'),
      row('4D', 'the guest writes DR7 while host slots are armed', 'both work'),
      row('4E', 'DR6 of the guest after host stops of all kinds', 'unchanged'),
      row('4F', 'a #DB that no rule claims', 'one internal error, the world stops, the emulator lives'),
    ],
  },
  {
    title: 'Stepping every awkward instruction, by the host and by the guest itself',
    cases: [
      row('50', 'PUSHF', 'the image has no TF of the host; the guest sees its own'),
      row('51', 'POPF that sets TF', 'no trap yet'),
      row('52', 'POPF that clears TF', 'one last trap'),
      row('53', 'IRET to a frame with TF', 'the trap comes behind the first instruction there'),
      row('54', 'SYSCALL that masks TF', 'ends at the entry, no trap'),
      row('55', 'SYSCALL that does not', 'the trap comes at the entry'),
      row('56', 'SYSRET with TF', 'the trap comes at the user return'),
      row('57', 'SYSENTER with TF', 'the trap comes at the entry'),
      row('58', 'INT n', 'ends at the handler, no trap'),
      row('59', 'INT3 of the guest', 'ends at the handler, no trap'),
      row('5A', 'ICEBP', 'ends at the handler, no cause in DR6'),
      row('5B', 'HLT', 'ends behind it, halted; a trap of the guest wakes it'),
      row('5C', 'a step while halted with interrupts held', 'kind halted, at once'),
      row('5D', 'CLI, STI', 'ends behind it, the shadow is told'),
      row('5E', 'MOV SS', 'ends behind it; the guest gets no trap there'),
      row('5F', 'INT3 in the shadow of an SS load', 'ends at the handler'),
      row('60', 'an instruction that page-faults', 'ends at the handler; RF in the frame, no trap of the faulted try'),
      row('61', '#GP', 'ends at the handler'),
      row('62', '#UD', 'ends at the handler, no hang'),
      row('63', 'a fault while delivering a fault', '#DF, then shutdown'),
      row('64', 'REP MOVSB', 'one step an iteration; RF in the frames between'),
      row('65', 'the same as one step', 'one stop behind it'),
      row('66', 'REP with nothing to do', 'one stop'),
      row('67', 'IN and OUT', 'ends behind it'),
      row('68', 'memory-mapped device', 'ends behind it'),
      row('69', 'MOV CR8 that lets an interrupt in', 'ends behind it; trap of the guest, then the interrupt'),
      row('6A', 'locked exchange that splits a line', 'ends behind it'),
      row('6B', 'task switch to a TSS with its T bit', 'the new task, the trap pending'),
      row('6C', 'IRET to a task with TF', 'the trap comes behind its first instruction'),
      row('6D', 'RSM', 'the resumed place, TF as it was saved'),
      row('6E', 'branch step over straight code and a taken jump', 'one stop at the target'),
      row('6F', 'branch step over a jump not taken', 'no stop there'),
    ],
  },
  {
    title: 'Watches of data and ports',
    cases: [
      row('70', 'REP MOVSQ into a watched byte', 'stop behind the iteration, exact access, no second hit'),
      row('71', 'the same with a slot of the guest', '#DB between iterations, RF in the frame, RCX as at that moment'),
      row('72', 'a store across a page boundary', 'a hit that names its first byte', {
        missing: 'The access names one physical address, not both pages.',
      }),
      row('73', 'the same, second page missing', '#PF first, one hit after it is mapped'),
      row('74', 'a range across the boundary', 'two slots; a store to each side hits once'),
      row('75', 'an access beside the range', 'no stop, counted as filtered'),
      row('76', 'a compare-exchange that fails', 'a hit, old and new equal'),
      row('77', 'a read on a write slot, a write on a read-write slot', 'none; a hit'),
      row('78', 'masked vector store', 'only elements that are stored hit', { notBuilt: 'The processor has no AVX.' }),
      row('79', 'PUSH, CALL, ENTER, PUSHA, XSAVE, FXSAVE', 'one hit each'),
      row('7A', 'BTS with a bit index that reaches the byte', 'a hit'),
      row('7B', 'an event delivery that pushes onto it', 'a hit, with the delivery'),
      row('7C', 'an instruction that hits and then faults', 'no hit; one after its restart'),
      row('7D', 'a page walk that sets an accessed bit there', 'linear: none; bus: a hit', { missing: BUS }),
      row('7E', 'DMA that writes there', 'linear: none; bus: a hit that blames no vCPU', { notBuilt: BUS }),
      row('7F', 'the debugger writes there', 'never'),
      row('70a', 'host watch of a port, CR4.DE clear', 'stop behind the OUT, sent once'),
      row('70b', 'port slot of the guest, CR4.DE clear and set', 'clear: none, and a warning; set: #DB'),
      row('70c', 'REP OUTSB', 'a hit an iteration'),
      row('70d', 'a write through another alias of the frame', 'linear: none; physical: a hit', { missing: BUS }),
      row('70e', 'a disabled slot of the guest matches, too', 'both in DR6'),
      row('70f', 'an unaligned slot of the guest', 'matches its aligned block, with a warning'),
    ],
  },
  {
    title: 'Host slots',
    cases: [
      row('90', 'five 8-byte watches', 'four verified, the fifth refused with the list'),
      row('91', 'the same where software watchpoints may follow', 'the fifth is one', { notBuilt: SOFTWARE }),
      row('92', '8 bytes at an odd address: windows, exact', '2 slots, 4 slots'),
      row('93', '33 bytes', 'refused: 5 slots'),
      row('94', '32 bytes aligned, and one byte further', '4 slots; refused'),
      row('95', 'the same watch twice', 'one slot, two references'),
      row('96', 'one slot left, two needed', 'nothing is allocated'),
      row('97', 'reads alone, exact', 'refused with a reason'),
      row('98', 'a list replaced but for one entry', 'it keeps slot and hits'),
      row('99', 'a vCPU that comes up later', 'it has the slots before its first instruction'),
      row('9A', 'raw slots over those of breakpoints', 'ENOSPC'),
      row('9B', 'the guest writes an execution slot of length 4', 'accepted, never matches, one warning'),
      row('9C', 'the guest writes the upper half of DR7', '#GP, unchanged'),
      row('9D', 'MOV DR in ring 3 with GD', '#GP, GD stays'),
      row('9E', 'a task switch of the guest', 'its local enables go, host slots stay'),
      row('9F', 'INIT', "the guest's bank is reset, the host's stays"),
    ],
  },
  {
    title: 'Transparent memory',
    cases: [
      row('80', 'the guest sums a page with overlays', 'the sum is as without'),
      row('81', 'the code is paged out and back to another frame', 'the overlay fires', {
        notBuilt: 'There is no test of it.',
      }),
      row('82', 'the old frame is used for data', 'no effect', {
        notBuilt: 'There is no test of it; overlays of physical addresses are not built.',
      }),
      row('83', 'an overlay before the code is loaded there', 'it fires when executed'),
      row('84', 'DMA overwrites the page', 'the overlay stays, the stop notes that code changed', {
        notBuilt: 'A stop does not tell that code changed since.',
      }),
      row('85', "a store into the breakpoint's own instruction", 'it fires before the new one'),
      row('86', 'another address space, a remapped page', 'scoped: its own; unscoped: all'),
      row('87', 'a page that is not present', 'it fires after the page fault was served'),
      row('88', 'the middle of an instruction', 'it fires if executed from there, else not'),
      row('89', 'an instruction that crosses a page', 'it fires at the first byte'),
      row('8A', 'real mode', 'by linear address'),
      row('8B', 'code that ran already', 'it fires the next time'),
      row('8C', 'the debugger reads there', 'the original bytes', { missing: 'Planted breakpoints are not built.' }),
    ],
  },
  {
    title: 'Several vCPUs',
    cases: [
      row('A0', 'four vCPUs reach one overlay in one slice', 'four stops in order, nothing executed between'),
      row('A1', 'it is deleted after the first', 'no further stop, three discarded'),
      row('A2', 'and set again at once', 'three discarded, three fresh hits'),
      row('A3', 'coalesced reporting', 'one stop that names the others'),
      row('A4', 'one steps off while another runs into it', 'neither is lost'),
      row('A5', '100,000 hits by 8 vCPUs', 'as many as the guest executed'),
      row('A6', 'an interrupt pending at a resume', 'one instruction, its handler, no repeated stop'),
      row('A7', 'the instruction under the breakpoint page-faults', 'one stop'),
      row('A8', 'the handler comes to the function anew', 'a stop: a new visit'),
      row('A9', 'an NMI while interrupts are held', 'it comes afterwards'),
      row('AA', 'a level interrupt withdrawn while held', 'not delivered', { notBuilt: 'There is no test of it.' }),
      row('AB', 'an SMI while held; INIT during a step', 'the SMI later; kind reset'),
      row('AC', 'a vCPU that waits for SIPI', 'not started by continue; a SIPI starts it at its vector', {
        missing: 'A SIPI that comes while the world is stopped is taken when it goes on.',
      }),
      row('AD', 'a halted vCPU', 'halted after stop and continue; its interrupt wakes it'),
      row('AE', 'pause twice', 'one stop'),
      row('AF', 'a watch on one vCPU, a step on another', 'the first is reported, the other is not lost'),
      row('B0', 'set while running', 'no vCPU passes unseen'),
      row('B1', 'inserted twice, removed three times', 'success each'),
      row('B2', 'the breakpoint a vCPU is parked on is removed', 'it runs on'),
      row('B3', 'set where a vCPU stands', 'stops at the next visit'),
      row('B4', 'RIP set by hand onto it', 'stops at the next visit'),
      row('B5', 'non-stop: only the vCPU with the event stops', 'the others run on', {
        notBuilt: 'Non-stop mode is not built.',
      }),
      row('B6', 'attach to a running machine', 'one entry stop'),
      row('B7', 'a step that starts on a breakpoint', 'executes it, one stop'),
      row('B8', 'a second client', 'refused, the first is unharmed'),
    ],
  },
  {
    title: 'Detach, snapshots, determinism',
    cases: [
      row('C0', 'detach with everything set', "all gone; the guest's own registers and pending #DB stay", {
        missing: `Planted breakpoints are not built. ${SOFTWARE}`,
      }),
      row('C1', 'detach after the guest overwrote a planted byte', 'the byte stays', PLANTED),
      row('C2', 'detach twice, client gone in a step', 'nothing the second time'),
      row('C3', 'detach that leaves the world stopped', 'everything removed, stopped'),
      row('C4', 'snapshot with a pending trap in a shadow', 'the same #DB after restoring'),
      row('C5', 'snapshot while a vector is held', 'pending after restoring'),
      row('C6', 'a boot with overlays, stops and steps', 'the digest of a run without', {
        missing: 'Fewer steps than a million.',
      }),
      row('C7', "the guest's own debugger tests under host breakpoints", 'the same results', {
        missing: "By the sample guest's tests and a ptrace exercise on Linux; Linux's own suite is not run.",
      }),
      row('C8', 'the layer attached and unused', 'the same digest', { missing: 'Its time is not measured.' }),
      row('C9', 'TF and a data hit in one instruction', 'one #DB, and progress'),
      row('CA', 'an interrupt with a watch hit', 'stop first, exactly behind it'),
      row('CB', 'the clock while stopped', 'stands still'),
    ],
  },
];
