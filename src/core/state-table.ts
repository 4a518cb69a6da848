// The state table: every slot of the engine's state area and of what the vCPUs share, once. scripts/generate-state.ts makes
// of it the constants that AssemblyScript and the JIT read (state-layout.generated.ts) and the typed accessors for
// everything else (state-area.generated.ts), and refuses a table whose rows overlap.
//
// To add a slot: write a row where its address belongs (rows are sorted, holes are free), in guestRows when the guest could
// tell the difference, else in hostRows; run `npm run build`. AssemblyScript then has it as L.NAME, TypeScript as
// engine.vcpu(n).name. A row of the guest part is in every snapshot and digest at its address: adding one into a hole
// keeps old snapshots readable (they hold 0 there), moving one needs another SNAPSHOT_FORMAT (src/machine/machine.ts).
import {
  array,
  bytes,
  i32,
  i64,
  record,
  u16,
  u32,
  u64,
  type RecordType,
  type Row,
  type StateRange,
} from './state-row.ts';

const TRANSIENT = { transient: true } as const;

const SEGMENT: RecordType = {
  name: 'SegmentRegister',
  size: 32,
  sizeName: 'SEGMENT_SIZE',
  says: 'A segment register with its hidden part (SDM 3A 3.4.3).',
  members: [
    { offset: 0, type: 'u64', name: 'base', says: 'Linear address.' },
    { offset: 8, type: 'u32', name: 'limit', says: 'Last offset, in bytes: granularity is applied.' },
    {
      offset: 12,
      type: 'u32',
      name: 'attributes',
      says:
        'Bits 0-3 type, 4 S, 5-6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G, 16 unusable: ' +
        'the access-rights format of VMX (SDM 3C 25.4.1).',
    },
    { offset: 16, type: 'u32', name: 'selector', says: 'The visible part.' },
  ],
};
const DESCRIPTOR_TABLE: RecordType = {
  name: 'DescriptorTableRegister',
  size: 16,
  says: 'GDTR or IDTR (SDM 3A 2.4).',
  members: [
    { offset: 0, type: 'u64', name: 'base', says: 'Linear address.' },
    { offset: 8, type: 'u32', name: 'limit', says: 'Last byte.' },
  ],
};
const XMM_REGISTER: RecordType = {
  name: 'XmmRegister',
  size: 16,
  says: 'An XMM register (SDM 1 10.2.2).',
  members: [
    { offset: 0, type: 'u64', name: 'low', says: 'Bits 63:0.' },
    { offset: 8, type: 'u64', name: 'high', says: 'Bits 127:64.' },
  ],
};
const X87_REGISTER: RecordType = {
  name: 'X87Register',
  size: 16,
  says: 'A physical x87 register, 80 bits (SDM 1 8.1.2). MMX registers are the significands.',
  members: [
    { offset: 0, type: 'u64', name: 'significand', says: 'With the explicit integer bit.' },
    { offset: 8, type: 'u16', name: 'signExponent', says: 'Bit 15 sign, 14-0 biased exponent.' },
  ],
};
const CHAIN_ENTRY: RecordType = {
  name: 'DeliveredVector',
  size: 16,
  says: 'An event whose delivery began.',
  members: [
    { offset: 0, type: 'u32', name: 'vector', says: '0 to 255.' },
    { offset: 4, type: 'i32', name: 'errorCode', says: '-1: none.' },
    {
      offset: 8,
      type: 'u64',
      name: 'rip',
      says: 'Linear address of the instruction in front of which or in which it came.',
    },
  ],
};
const HIT: RecordType = {
  name: 'WatchHit',
  size: 64,
  sizeName: 'HIT_SIZE',
  says: 'An access that matched a watched place.',
  members: [
    { offset: 0, type: 'u64', name: 'linear', says: 'Linear address of its first byte, or the port.' },
    { offset: 8, type: 'u64', name: 'physical', says: 'Physical address of its first byte.' },
    { offset: 16, type: 'u32', name: 'size', says: 'Bytes.' },
    { offset: 20, type: 'u32', name: 'kind', says: 'HIT_* bits.' },
    { offset: 24, type: 'u32', name: 'hostSlots', says: 'Bit n: host slot n matched.' },
    { offset: 28, type: 'u32', name: 'guestSlots', says: 'Bit n: DRn of the guest matched.' },
    { offset: 32, type: 'u64', name: 'old', says: 'Value before.' },
    { offset: 40, type: 'u64', name: 'value', says: 'Value after.' },
    { offset: 48, type: 'u64', name: 'rip', says: 'Linear address of the instruction that made it.' },
    { offset: 56, type: 'u32', name: 'vcpu', says: 'Who made it.' },
  ],
};
const BOUNCE: RecordType = {
  name: 'BouncedAccess',
  size: 64,
  sizeName: 'BOUNCE_SIZE',
  says: 'A read-modify-write access that waits for its commit; 16 bytes of data at +32, of old data at +48.',
  members: [
    { offset: 0, type: 'u64', name: 'linear', says: 'Linear address of its first byte.' },
    { offset: 8, type: 'u32', name: 'size', says: 'Bytes.' },
    { offset: 16, type: 'u64', name: 'physical', says: 'Physical address on the first page.' },
    { offset: 24, type: 'u64', name: 'physical2', says: 'Physical address on the second page.' },
  ],
};
const STACK_SIZE: RecordType = {
  name: 'StackArithmetic',
  size: 16,
  says: 'How a stack pointer is computed: RSP = (RSP & keep) | (new & mask).',
  members: [
    { offset: 0, type: 'u64', name: 'mask', says: 'Bits that change.' },
    { offset: 8, type: 'u64', name: 'keep', says: 'Bits that stay.' },
  ],
};

/** The state area of the running vCPU: at constant addresses, so that one compiled region serves every vCPU. */
export const STATE = 0x200;
/** End of the guest part: what a snapshot and the digest cover of a vCPU's state area. */
export const STATE_GUEST_END = 0xa00;
/** End of the state area. */
export const STATE_END = 0xc00;

const GENERAL = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'];
for (let n = 8; n < 16; n++) GENERAL.push(`R${n}`);

/** What the guest can tell: saved in snapshots, covered by the digest. */
export const guestRows: readonly Row[] = [
  u64(0x200, 'FIP', 'Offset of the last x87 instruction (SDM 1 8.1.8); FOP, FCS and FDS stand behind FTW.'),
  u64(0x208, 'FDP', 'Offset of the memory operand of the last x87 instruction that had one (SDM 1 8.1.8).'),
  u32(0x210, 'SMBASE', 'Base of SMRAM: handler at +8000h, state save area to +FFFFh (SDM 3C 31.4).'),
  u32(0x214, 'IN_SMM', '1 from the delivery of an SMI to RSM.'),
  u32(0x218, 'IGNNE', '1 while IGNNE# is asserted: until no x87 exception is pending any more (SDM 1 D.2.1.2).'),
  array(
    0x220,
    'LBR_FROM',
    'u64',
    4,
    'Last-branch records (SDM 3B 17.4), the newest at index LBR_TOP; AMD has one, at 0.',
  ),
  array(0x240, 'LBR_TO', 'u64', 4, 'Where those branches went.'),
  u32(0x260, 'LBR_TOP', 'Index of the newest last-branch record.'),
  u64(0x268, 'LER_FROM', 'The last branch before the last exception or interrupt (SDM 3B 17.4).'),
  u64(0x270, 'LER_TO', 'Where that branch went.'),
  array(0x280, 'PDPTE', 'u64', 4, 'The page-directory-pointer registers of PAE paging (SDM 3A 4.4.1).'),
  u64(0x2a0, 'MONITOR_LINE', 'Physical address of the 64-byte line that MONITOR armed (SDM 3A 9.10.4).'),
  u32(0x2a8, 'MONITOR_ARMED', '1 armed, 2 MWAIT waits for it.'),
  u64(0x380, 'RANDOM', 'Counter of the source of RDRAND and RDSEED (system/operations/random.ts).'),
  array(0x400, 'REGS', 'u64', GENERAL, "General registers in the encoding's order (SDM 2A table 2-2)."),
  record(0x480, 'ZERO', SEGMENT, 'Always zero: "no base", "no index", and the segment whose base a flat access adds.'),
  u64(0x4a0, 'RIP', "Offset within CS of the next instruction (a block's first while the block runs)."),
  // Arithmetic flags as plain values. ZF = F_ZERO==0; SF = F_SIGN<0; PF = even parity of F_SIGN's low byte; CF = F_CF;
  // OF = F_LT ^ SF; AF = bit 4 of F_AF. Two result slots rather than one, because POPF, SAHF and IRET may load ZF and SF
  // that no single result has.
  i64(0x4a8, 'F_ZERO', 'ZF is set when this is 0.'),
  i64(0x4b0, 'F_SIGN', 'SF is set when this is negative; PF: even parity of its low byte.'),
  i32(0x4b8, 'F_CF', 'CF: 0 or 1.'),
  i32(0x4bc, 'F_LT', '"Signed less than", SF != OF: 0 or 1.'),
  i32(0x4c0, 'F_AF', 'AF is bit 4.'),
  u32(0x4c4, 'SHADOW', 'What the previous instruction inhibits at this boundary (SDM 3A 6.8.3): SHADOW_* values.'),
  u64(0x4c8, 'RFLAGS', 'RFLAGS without CF PF AF ZF SF OF (those bits are 0 here); bit 1 is set.'),
  u32(0x4d0, 'CPL', 'Current privilege level, 0 to 3.'),
  u32(0x4d4, 'ACTIVITY', 'ACTIVITY_* values.'),
  u32(0x4d8, 'REP_ACTIVE', '1 between two iterations of a REP string instruction (an event there pushes RF=1).'),
  u32(0x4dc, 'NMI_BLOCKED', '1 from NMI delivery to the next IRET (SDM 3A 6.7.1).'),
  u32(
    0x4e0,
    'PENDING_DEBUG',
    'Pending guest debug causes (PGD), DR6 positions; bit 4: at least one enabled slot matched.',
  ),
  u32(0x4e4, 'EVENTS', 'Pending events: EVENT_* bits.'),
  u32(0x4e8, 'EVENT_VECTOR', 'Vector of the pending SIPI.'),
  u64(0x4f0, 'CR0', 'Control register 0 (SDM 3A 2.5).'),
  u64(0x4f8, 'CR2', 'Linear address of the last page fault.'),
  u64(0x500, 'CR3', 'Base of the paging structures, PCID or PWT and PCD.'),
  u64(0x508, 'CR4', 'Control register 4.'),
  u64(0x510, 'EFER', 'IA32_EFER (SDM 3A 2.2.1).'),
  u64(0x518, 'XCR0', 'Enabled state components (SDM 1 13.3).'),
  array(0x520, 'XMM', XMM_REGISTER, 16, 'XMM0 to XMM15.'),
  array(
    0x620,
    'SEGMENTS',
    SEGMENT,
    ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'],
    "Segment registers in the encoding's order, then LDTR and TR.",
  ),
  record(0x720, 'GDTR', DESCRIPTOR_TABLE, 'Global descriptor table.'),
  record(0x730, 'IDTR', DESCRIPTOR_TABLE, 'Interrupt descriptor table; in real mode the interrupt vectors.'),
  array(0x740, 'DR', 'u64', ['DR0', 'DR1', 'DR2', 'DR3'], "The guest's breakpoint addresses (SDM 3B 18.2.1)."),
  u64(0x760, 'DR6', 'Debug status (SDM 3B 18.2.3).'),
  u64(0x768, 'DR7', 'Debug control (SDM 3B 18.2.4).'),
  // MSRs that are plain vCPU state (SDM 4)
  u64(0x770, 'MSR_STAR', 'IA32_STAR: selectors of SYSCALL and SYSRET.'),
  u64(0x778, 'MSR_LSTAR', 'IA32_LSTAR: RIP of SYSCALL in 64-bit mode.'),
  u64(0x780, 'MSR_CSTAR', 'IA32_CSTAR.'),
  u64(0x788, 'MSR_SFMASK', 'IA32_FMASK: flags that SYSCALL clears.'),
  u64(0x790, 'MSR_KERNEL_GS_BASE', 'IA32_KERNEL_GS_BASE: what SWAPGS swaps with.'),
  u64(0x798, 'MSR_TSC_AUX', 'IA32_TSC_AUX: what RDTSCP and RDPID answer.'),
  u64(0x7a0, 'MSR_APIC_BASE', 'IA32_APIC_BASE, for CPUID; the local APIC has its own.'),
  u64(0x7a8, 'MSR_PAT', 'IA32_PAT (SDM 3A 12.12).'),
  u64(0x7b0, 'MSR_SYSENTER_CS', 'IA32_SYSENTER_CS.'),
  u64(0x7b8, 'MSR_SYSENTER_ESP', 'IA32_SYSENTER_ESP.'),
  u64(0x7c0, 'MSR_SYSENTER_EIP', 'IA32_SYSENTER_EIP.'),
  u64(0x7c8, 'MSR_DEBUGCTL', 'IA32_DEBUGCTL (SDM 3B 18.4.1).'),
  u64(0x7d0, 'TSC_OFFSET', 'TSC = virtual clock + this (IA32_TSC_ADJUST and writes to IA32_TIME_STAMP_COUNTER).'),
  u64(0x7d8, 'MSR_MISC_ENABLE', 'IA32_MISC_ENABLE.'),
  u64(0x7e0, 'MSR_MTRR_DEF_TYPE', 'IA32_MTRR_DEF_TYPE (SDM 3A 12.11.2.1).'),
  u32(0x7e8, 'MXCSR', 'SSE control and status (SDM 1 10.2.3).'),
  u16(0x7ec, 'FCW', 'x87 control word (SDM 1 8.1.5).'),
  u16(0x7ee, 'FSW', 'x87 status word (SDM 1 8.1.3).'),
  u16(0x7f0, 'FTW', 'x87 tag word: a tag is 3 (empty) or not; the others are told apart when the word is stored.'),
  u16(0x7f2, 'FOP', 'Opcode of the last x87 instruction, 11 bits (SDM 1 8.1.9).'),
  u16(0x7f4, 'FCS', 'Selector of its code.'),
  u16(0x7f6, 'FDS', 'Selector of its operand.'),
  array(0x800, 'X87', X87_REGISTER, 8, "The physical registers. Never in a compiled region's locals."),
  u64(0x880, 'RETIRED', 'Instructions retired plus events delivered by this vCPU since reset.'),
  // memory type range registers: stored, without effect (there are no caches to control), SDM 3A 12.11
  array(0x890, 'MSR_MTRR_FIXED', 'u64', 11, 'Fixed-range MTRRs: 250h, 258h, 259h, 268h-26Fh.'),
  array(0x8f0, 'MSR_MTRR_VARIABLE', 'u64', 16, 'Variable-range MTRRs, base and mask: 200h-20Fh.'),
];

/** Per vCPU and switched with it, but neither saved nor digested. */
export const hostRows: readonly Row[] = [
  u32(0xa00, 'TLB_BASE', "Address of the bank of fast tags for this access regime: CPL, SMAP's AC, alignment check."),
  u32(
    0xa04,
    'ATTENTION',
    'Not 0: the interpreter stops after this instruction and evaluates the boundary. ATTENTION_* bits.',
  ),
  i64(0xa08, 'BUDGET', 'Ticks (instructions, event deliveries) left in this run.'),
  u32(0xa10, 'BLOCK', 'Header of the block that runs.'),
  u32(0xa14, 'MODE', 'Mode key of the code that runs: MODE_* bits.'),
  u32(0xa18, 'VCPU', 'Index of this vCPU.'),
  u32(
    0xa1c,
    'CURRENT',
    'Record of the instruction that is inside a slow path: the exact RIP of its faults. 0 at a boundary.',
    TRANSIENT,
  ),
  u32(0xa20, 'FAULT_VECTOR', 'Vector of the fault on its way.'),
  u32(0xa24, 'FAULT_ERROR', 'Its error code; for #DB its causes, in DR6 positions.'),
  u32(0xa28, 'FAULT_FLAGS', 'Bit 0: has an error code; bit 1: #DB with causes in FAULT_ERROR.'),
  u32(
    0xa2c,
    'DELIVERING',
    '0, or 1 + the vector whose delivery is in progress (SDM 3A 6.15 "double fault").',
    TRANSIENT,
  ),
  u32(0xa30, 'GUARD_PASSED', '1: the boundary in front of this block was evaluated and allows it.', TRANSIENT),
  u32(0xa34, 'ONE_INSTRUCTION', '1: run one instruction (one REP iteration), then evaluate the boundary.', TRANSIENT),
  u32(0xa38, 'TF_AT_START', 'RFLAGS.TF when the running instruction started (only with ONE_INSTRUCTION).', TRANSIENT),
  u32(0xa3c, 'TLB_AREA', "This vCPU's TLB area: TLB_* offsets."),
  u32(0xa40, 'WATCH_HITS', 'Entries in the list of hits of the running instruction.', TRANSIENT),
  u32(0xa44, 'BOUNCE_COUNT', 'Read-modify-write accesses that wait for their commit.', TRANSIENT),
  u32(
    0xa48,
    'LAST_END',
    'How the last instruction ended: bit 0 retired, 1 a taken transfer, 2 an event was delivered.',
    TRANSIENT,
  ),
  // The observer: written by the guest-debug layer only.
  array(0xa80, 'H_DR', 'u64', ['H_DR0', 'H_DR1', 'H_DR2', 'H_DR3'], 'Linear addresses of the host slots.'),
  u32(0xaa0, 'H_DR7', "The host slots' control: DR7's layout, bit 13 GD = catch MOV DR."),
  u32(0xaa4, 'LEASE', 'What ends the lease: LEASE_* values.'),
  u32(0xaa8, 'LEASE_DONE', '1: a completed lease waits for line 4 of the boundary table.'),
  u32(0xaac, 'PASS_TOKEN', '1: the execution breakpoint at PASS_LINEAR may be passed once.'),
  u64(0xab0, 'PASS_LINEAR', 'Where the token is for: linear address,'),
  u64(0xab8, 'PASS_CR3', 'address space,'),
  u64(0xac0, 'PASS_RSP', 'and stack pointer.'),
  u32(0xac8, 'CATCH', 'CATCH_* bits.'),
  u32(0xacc, 'BLOCK_IRQ', '1: lines 3 (SMI), 7 and 8 of the boundary table do not look.'),
  u32(0xad0, 'PENDING_HOST', 'Pending host debug (PHD): bits 0-3 host slots, 4 any.'),
  u32(0xad4, 'OBSERVED', 'Causes of the return from run with RUN_OBSERVED: OBSERVED_* bits.'),
  u32(0xad8, 'DELIVERED', "0, or DELIVERED_VALID + vector whose handler's first instruction is next."),
  u32(0xadc, 'CAUGHT_PASS', '1: the caught guest event at this boundary was accepted: deliver it now.'),
  u32(0xae0, 'PASS_FAULTED', '1: the instruction under the token faulted; the token needs RF=1 to match again.'),
  i32(0xae4, 'DELIVERED_ERROR', 'Error code of the delivered event; -1: none.'),
  u64(0xae8, 'DELIVERED_FROM', 'Linear address from which the event was delivered.'),
  u32(0xaf0, 'FIRST_HOLD', '1: events are held for the first instruction after a resume.'),
  u64(0xaf8, 'STEP_START_RIP', 'Linear address where the lease began (LEASE_INSN_WHOLE).'),
  u32(0xb00, 'BLOCK_TICKS', 'Ticks that the running block took from BUDGET when it started.'),
  i64(0xb08, 'CLOCK_END', 'Virtual clock at which BUDGET reaches 0, in ns: now = CLOCK_END - ticks left.'),
  u32(0xb18, 'OBSERVE_VECTORS', 'Bit n: host.delivered is called for events of vector n, 0 to 31.'),
  // of the running instruction, meaningful until it retires or faults
  u32(
    0xb20,
    'SHADOW_NEW',
    'Shadow that the running instruction leaves behind; becomes SHADOW when it retires.',
    TRANSIENT,
  ),
  u32(0xb24, 'KEEP_RF', '1: the running instruction loaded RF (IRET), so its retirement does not clear it.', TRANSIENT),
  u32(0xb28, 'PASS_ACTIVE', '1: the running instruction passed an execution breakpoint by the token.', TRANSIENT),
  u32(0xb2c, 'HOLDS_APPLIED', 'How often the first-instruction hold held something back (0 with a frozen clock).'),
  u32(
    0xb30,
    'CAUGHT',
    'OBSERVED_* bits that an instruction raised by itself: the next boundary returns them.',
    TRANSIENT,
  ),
  u32(0xb34, 'YIELD', '1: the vCPU executed PAUSE and gives up its quantum; the scheduler takes it after run().'),
  u32(
    0xb38,
    'BUS_LOCKED',
    '1: the running instruction took a bus lock while DEBUGCTL.BLD asks for it: #DB when it retires.',
  ),
  u32(
    0xb3c,
    'FAULT_NOTED',
    '0, or an access faulted (FAULT_* say how): 1 nobody has dealt with it yet, 2 it is held until the handler has ended.',
    TRANSIENT,
  ),
  u32(
    0xb40,
    'VECTOR_CHAIN',
    'Deliveries that began, for the report of a triple fault: entry n modulo VECTOR_CHAIN_MAX.',
  ),
  array(0xb50, 'VECTOR_CHAIN_ENTRIES', CHAIN_ENTRY, 10, 'The last of those deliveries.', 'VECTOR_CHAIN_MAX'),
];

/** What all vCPUs share: constants after start-up, derived state, scratch. */
export const sharedRows: readonly Row[] = [
  u32(0xc00, 'CONFIG_RAM', 'Linear-memory address of guest-physical 0.'),
  u32(0xc04, 'CONFIG_RAM_SIZE', 'Bytes.'),
  u32(0xc08, 'CONFIG_PAGES', 'Page table of PAGE_* entries, one per RAM frame.'),
  u32(0xc0c, 'CONFIG_ARENA', 'Start of the record arena.'),
  u32(0xc10, 'CONFIG_ARENA_END', 'Its end.'),
  u32(0xc14, 'CONFIG_BLOCKS', 'Block hash: BLOCK_HASH_SIZE x u32.'),
  u32(0xc18, 'CONFIG_LINEAR_PAGES', 'Blocks by linear page: LINEAR_HASH_SIZE x u32.'),
  u32(0xc1c, 'CONFIG_VCPUS', 'Number of vCPUs.'),
  u32(0xc20, 'CONFIG_PROFILE', '0 Intel, 1 AMD.'),
  u32(0xc24, 'CONFIG_TLB', 'TLB areas, TLB_AREA_SIZE each.'),
  u32(0xc28, 'CONFIG_ENTRY_TABLES', 'Hash tables of compiled regions: jump target to entry.'),
  u32(0xc2c, 'CONFIG_FEATURES', 'FEATURE_* bits: what CPUID announces only when asked to.'),
  u64(0xc30, 'CONFIG_RANDOM_SEED', "What RDRAND's source is seeded with at power-on."),
  record(0xc40, 'STACK16', STACK_SIZE, 'With SP.'),
  record(0xc50, 'STACK32', STACK_SIZE, 'With ESP.'),
  record(0xc60, 'STACK64', STACK_SIZE, 'With RSP.'),
  u32(0xc80, 'ARENA_TOP', 'Where the next block goes.'),
  u32(0xc84, 'SPLIT_COUNT', 'Linear addresses where blocks must split (execution breakpoints of observer and guest).'),
  u32(0xc88, 'CODE_GENERATION', 'Counts flushes of the arena.'),
  u64(0xc90, 'WALK_RESULT', "Physical address found by the debugger's walk."),
  u32(
    0xc98,
    'REGION_LEFT',
    '0, or how a compiled region left in front of an instruction for the interpreter: LEFT_* fields.',
  ),
  u32(0xc9c, 'REGION_RECORD', 'Record of that instruction.'),
  i64(0xca0, 'REGION_TICKS', 'Ticks that compiled regions have used, for statistics.'),
  u32(0xca8, 'HOT_THRESHOLD', 'Executions of a block after which it is reported as hot; 0: never.'),
  bytes(0x1000, 'FETCH_BUFFER', 32, 'An instruction that crosses a page.'),
  bytes(0x1040, 'SCRATCH_BLOCK', 3 * 64, 'A block that is not cached (code outside RAM): header, record, fall record.'),
  bytes(0x11e0, 'VECTOR_SCRATCH', 16, 'What loadVector answers.'),
  array(0x1200, 'BOUNCE', BOUNCE, 4, 'Read-modify-write accesses that wait for their commit.', 'BOUNCE_MAX'),
  array(0x1400, 'HITS', HIT, 16, 'Watch hits of the running instruction.', 'HIT_MAX'),
  array(0x1800, 'COMMITTED_HITS', HIT, 16, "The host's share of them, kept until the next instruction under watch."),
  u32(0x1c00, 'COMMITTED_COUNT', 'Entries of COMMITTED_HITS.'),
  record(0x1c40, 'NEW_STACK', SEGMENT, 'Stack segment of a transfer that is being prepared.'),
  u64(0x1c60, 'NEW_SP', 'Its stack pointer.'),
  // what softfloat answers besides a function's result; written by each of its functions, read right after the call
  u32(
    0x1c80,
    'FLOAT_FLAGS',
    'Exceptions in the positions of MXCSR and of the x87 status word: IE 1, DE 2, ZE 4, OE 8, UE 10h, PE 20h.',
  ),
  bytes(0x1c90, 'FLOAT_RESULT', 16, 'A packed result, or a binary80 one.'),
  u64(0x1cc0, 'FLOAT_EXTENDED_LOW', 'Significand of an 80-bit result, or the integer when the result is one.'),
  u32(0x1cc8, 'FLOAT_EXTENDED_HIGH', 'Its sign and exponent.'),
  u64(0x1cd0, 'FLOAT_SECOND_LOW', 'The same for the second result of FXTRACT, FSINCOS and FPTAN.'),
  u32(0x1cd8, 'FLOAT_SECOND_HIGH', 'Its sign and exponent.'),
  bytes(
    0x1d00,
    'TASK_STATE',
    76,
    "The incoming task's TSS while a task switch goes on: TASK_* of system/deliver/task-state.ts.",
  ),
  array(
    0x2000,
    'EXIT_COUNTS',
    'u64',
    96,
    'How often compiled regions ended, by cause; 0: at a jump to elsewhere, or out of ticks.',
    'EXIT_CAUSES',
  ),
  bytes(0x3000, 'UNDO_LOW', 0x20, 'FIP to IGNNE in front of the instruction whose fault is held.'),
  bytes(0x3020, 'UNDO_STATE', 0x480, 'REGS to X87_END likewise.'),
  bytes(0x34a0, 'DUMMY_OPERAND', 16, 'Where a read-modify-write goes whose access faulted.'),
];

/** All of it, in the order of the addresses. */
export const stateRanges: readonly StateRange[] = [
  { name: 'guest', start: STATE, end: STATE_GUEST_END, rows: guestRows },
  { name: 'host', start: STATE_GUEST_END, end: STATE_END, rows: hostRows },
  { name: 'shared', start: STATE_END, end: 0x10000, rows: sharedRows },
];
