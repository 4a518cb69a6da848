// Faults of core and machine. Core ones are compiled in a hurry (scripts/build-core.ts --fast).
import type { Mutant } from './mutant.ts';

const system = 'src/core/assembly/system';
const guestdebug = ['passing', 'watch', 'events', 'vcpus', 'steps', 'slots'].map(
  (name) => `test/guestdebug/${name}.test.ts`,
);
const debugTests = ['test/core/guest-debug.test.ts', 'test/core/watch.test.ts', 'test/core/stepping.test.ts'];

export const coreMutants: readonly Mutant[] = [
  {
    file: `${system}/memory/debug.ts`,
    find: 'CAUSE_BD | CAUSE_BS | CAUSE_BT)));',
    replace: 'CAUSE_BD | CAUSE_BS)));',
    why: 'DR6.BT is never reported: a task switch with the T bit looks like no cause at all',
    tests: ['test/core/task-switch.test.ts'],
    quick: true,
  },
  {
    file: `${system}/memory/debug.ts`,
    find: `    if (linear - a < length || a - linear < <u64>size) bits |= 1 << i;
  }
  return bits;
}
function matchPort`,
    replace: `    if (linear - a < length || a - linear <= <u64>size) bits |= 1 << i;
  }
  return bits;
}
function matchPort`,
    why: 'an access that ends just below a slot hits it',
    tests: ['test/core/watch.test.ts', ...guestdebug],
  },
  {
    file: `${system}/memory/debug.ts`,
    find: '(typeOf(dr7, i) == WRITE && !(kind & 2))) continue;',
    replace: '(typeOf(dr7, i) == WRITE && kind == 3)) continue;',
    why: 'a write watch stops at reads, and misses read-modify-write',
    tests: ['test/core/watch.test.ts'],
  },
  {
    file: `${system}/memory/debug.ts`,
    find: 'load<u64>(L.RFLAGS) & FLAG_RF || load<u32>(L.REP_ACTIVE)) return 0;',
    replace: 'load<u32>(L.REP_ACTIVE)) return 0;',
    why: "a guest's own breakpoint hits again and again, since RF no longer lets it pass",
    tests: debugTests,
  },
  {
    file: `${system}/memory/debug.ts`,
    find: 'if (load<u32>(e, 56) == vcpu) continue;',
    replace: 'if (load<u32>(e, 56) != vcpu) continue;',
    why: "reporting one vCPU's hits throws away those of the others",
    tests: guestdebug,
  },
  {
    file: `${system}/memory/debug.ts`,
    find: 'load<u64>(L.MSR_DEBUGCTL) & ~(<u64>3));',
    replace: 'load<u64>(L.MSR_DEBUGCTL) & ~(<u64>1));',
    why: 'BTF survives a #DB: the handler steps by branches without asking for it',
    tests: [...debugTests, 'test/core/last-branch.test.ts'],
  },
  {
    file: `${system}/memory/debug.ts`,
    find: 'const LOCAL: u64 = 0x55; // L0-L3',
    replace: 'const LOCAL: u64 = 0x15; // L0-L3',
    why: 'the local breakpoint of slot 3 outlives its task',
    tests: ['test/core/task-switch.test.ts'],
  },
  {
    file: `${system}/memory/debug.ts`,
    find: 'return load<u64>(L.PASS_CR3) == load<u64>(L.CR3) && load<u64>(L.PASS_RSP) == load<u64>(L.RSP);',
    replace: 'return load<u64>(L.PASS_CR3) == load<u64>(L.CR3);',
    why: 'a pass token lets another frame of the same function through: a recursive or interrupting call passes unseen',
    tests: ['test/core/guest-debug.test.ts', ...guestdebug],
  },
  {
    file: `${system}/boundary.ts`,
    find: 'if (!load<u32>(L.SPLIT_COUNT) || load<u32>(L.REP_ACTIVE)) return 0;',
    replace: 'if (!load<u32>(L.SPLIT_COUNT)) return 0;',
    why: 'a REP instruction with a breakpoint stops at every iteration',
    tests: guestdebug,
  },
  {
    file: `${system}/boundary.ts`,
    find: 'if (!load<u32>(L.FIRST_HOLD) || load<u32>(L.ACTIVITY)) return false;',
    replace: 'return false;',
    why: 'the first-instruction hold never holds: an interrupt is taken in front of the instruction that was to be passed',
    tests: guestdebug,
  },
  {
    file: `${system}/boundary.ts`,
    find: 'if (vector < 256) deliver(vector, INTERRUPT, -1, load<u64>(L.RIP));',
    replace: 'if (vector < 256) { store<u32>(L.PASS_TOKEN, 0); deliver(vector, INTERRUPT, -1, load<u64>(L.RIP)); }',
    why: 'an interrupt in front of a passed breakpoint drops the token: the breakpoint hits twice',
    tests: guestdebug,
  },
  {
    file: `${system}/boundary.ts`,
    find: 'if (load<u32>(L.TF_AT_START) && shadow != MOV_SS &&',
    replace: 'if (load<u32>(L.TF_AT_START) &&',
    why: 'a single step behind MOV SS is postponed where it has to be dropped',
    tests: debugTests,
  },
  {
    file: `${system}/boundary.ts`,
    find: '!load<u32>(L.NMI_BLOCKED) && load<u32>(L.SHADOW) != MOV_SS',
    replace: 'load<u32>(L.SHADOW) != MOV_SS',
    why: 'an NMI interrupts the handler of an NMI',
    tests: ['test/core/events.test.ts'],
  },
  {
    file: `${system}/boundary.ts`,
    find: '(load<u64>(L.RFLAGS) & FLAG_IF) != 0 && !load<u32>(L.SHADOW)\n',
    replace: '(load<u64>(L.RFLAGS) & FLAG_IF) != 0\n',
    why: 'an interrupt comes between STI and the instruction behind it',
    tests: ['test/core/events.test.ts', 'test/core/stepping.test.ts'],
  },
];

export const machineMutants: readonly Mutant[] = [
  {
    file: 'src/machine/ioapic.ts',
    find: '(entry & (MASKED | REMOTE_IRR)) !== 0',
    replace: '(entry & MASKED) !== 0',
    why: 'a level interrupt is sent again before its EOI: an interrupt storm',
    tests: ['src/machine/interrupt-controllers.test.ts'],
    quick: true,
  },
  {
    file: 'src/machine/ioapic.ts',
    find: 'this.lines = reader.u32();',
    replace: 'reader.u32();',
    why: 'the levels of the lines are lost in a snapshot: an edge fires that never was',
    tests: ['src/machine/interrupt-controllers.test.ts'],
    quick: true,
  },
  {
    file: 'src/machine/ioapic.ts',
    find: 'const rises = asserted && (this.lines & bit) === 0;',
    replace: 'const rises = asserted;',
    why: 'an edge pin fires as long as it is up',
    tests: ['src/machine/interrupt-controllers.test.ts'],
  },
  {
    file: 'src/machine/lapic.ts',
    find: 'return vector >> 4 > this.processorPriority >> 4 ? vector : -1;',
    replace: 'return vector >> 4 >= this.processorPriority >> 4 ? vector : -1;',
    why: 'an interrupt of the same class interrupts its own handler',
    tests: ['src/machine/lapic.test.ts'],
  },
  {
    file: 'src/machine/lapic.ts',
    find: 'if (this.levelTriggered.has(vector)) this.bus.endOfInterrupt(vector);',
    replace: 'if (!this.levelTriggered.has(vector)) this.bus.endOfInterrupt(vector);',
    why: 'the EOI of a level interrupt never reaches the I/O APIC: the device is dead after its first interrupt',
    tests: ['src/machine/lapic.test.ts', 'src/machine/interrupt-controllers.test.ts'],
  },
  {
    file: 'src/machine/scheduler.ts',
    find: 'this.quantumLeft = yields ? 0 : quantumLeft - used;',
    replace: 'this.quantumLeft = yields ? 0 : this.quantum - used;',
    why: "a quantum that a host slice cut is given out anew: the host's slices show in the guest",
    tests: ['src/machine/scheduler.test.ts'],
  },
  {
    file: 'src/machine/scheduler.ts',
    find: 'this.quantumLeft = Math.min(reader.u32(), this.quantum);',
    replace: 'reader.u32();',
    why: 'a snapshot forgets what is left of the quantum: the run goes on differently',
    tests: ['src/machine/scheduler.test.ts', 'test/machine/machine.test.ts'],
  },
  {
    file: 'src/machine/virtual-clock.ts',
    find: 'if (timer.at === undefined || timer.at > this.time) continue;',
    replace: 'if (timer.at === undefined) continue;',
    why: 'a timer that another one has put off fires all the same',
    tests: ['src/machine/virtual-clock.test.ts'],
  },
  {
    file: 'src/machine/virtual-clock.ts',
    find: 'if (changed.at !== undefined && changed.at <= this.now) changed.at = this.now + 1n;',
    replace: '',
    why: 'a timer armed for the past fires twice in one instant, and for ever',
    tests: ['src/machine/virtual-clock.test.ts'],
  },
  {
    file: 'src/machine/virtio/overlay.ts',
    find: 'if (keep) fresh.set(this.base.read(at * GRANULE, length));',
    replace: '',
    why: 'the first small write to a block wipes the rest of it: data loss on every disk',
    tests: ['src/machine/virtio/block.test.ts'],
    quick: true,
  },
  {
    file: 'src/machine/virtio/overlay.ts',
    find: 'bytes.set(granule.subarray(start - at * GRANULE, end - at * GRANULE), start - offset);',
    replace: 'bytes.set(granule.subarray(0, end - start), start - offset);',
    why: 'a read inside of a block answers its beginning',
    tests: ['src/machine/virtio/block.test.ts'],
  },
  {
    file: 'src/machine/virtio/queue.ts',
    find: "if (address + length > this.memory.size) return this.fail('a buffer is outside RAM');",
    replace: '',
    why: 'a hostile driver reaches what is behind RAM',
    tests: ['src/machine/virtio/queue.test.ts', 'test/machine/hostile-virtio.test.ts'],
  },
  {
    file: 'src/machine/virtio/queue.ts',
    find: 'return (flags & NO_INTERRUPT) === 0;',
    replace: 'return true;',
    why: 'a driver that wants no interrupt gets one',
    tests: ['src/machine/virtio/queue.test.ts'],
  },
  {
    file: 'src/machine/pit.ts',
    find: 'this.latched ??= this.count(now);',
    replace: 'this.latched = this.count(now);',
    why: 'a second latch command changes a count that was latched and not read',
    tests: ['src/machine/pit.test.ts'],
  },
  {
    file: 'src/machine/uart.ts',
    find: 'if (identification === 2) {',
    replace: 'if (identification === 6) {',
    why: "reading IIR does not acknowledge the transmitter's interrupt: Linux' console hangs in its handler",
    tests: ['src/machine/uart.test.ts'],
  },
];
