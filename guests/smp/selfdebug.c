/*
 * The kernel's own debugger at work: int3 planted into its own code, data and
 * execution breakpoints in its debug registers, and single-stepping with TF.
 * One round takes all of them; every processor does some rounds alone and some
 * in the middle of its work.
 */
#include "selfdebug.h"

#include "check.h"
#include "cpu.h"
#include "debugregister.h"
#include "io.h"
#include "paging.h"
#include "spinlock.h"

#define INT3 0xCC
#define DR3_UNUSED 0x00D3D3D3D3D3D3D3ull /* not canonical: never matches, but must be kept */

extern uint8_t breakpoint_site[];
extern const uint8_t patch_line[], patch_line_end[];
extern const uint8_t execute_patient_site[], step_patient_first[], step_patient_last[];

uint64_t breakpoint_patient(uint64_t value);
void store_patient(uint64_t *where, uint64_t value);
uint32_t load_patient(const uint32_t *where);
uint64_t execute_patient(uint64_t value);
uint64_t step_patient(void *scratch);

/* The first byte of the instruction at breakpoint_site (REX.W), for the #BP handler. */
const uint8_t breakpoint_original = 0x48;

uint64_t progress_of[MAX_CPUS] __attribute__((section(".bss.watched")));
static uint64_t looked_at[MAX_CPUS] __attribute__((section(".bss.watched")));

/* One patient for all: who plants a byte must be the one who runs into it. */
static struct spinlock patch_lock = SPINLOCK_FREE;
static uint64_t patch_line_checksum;

static void set_slots(uint64_t slots)
{
    struct self_debug *debug = &this_cpu()->debug;

    debug->expected_dr7 = DR7_NO_SLOT | slots;
    WRITE_DEBUG_REGISTER(7, debug->expected_dr7);
}

#define PROGRESS_SLOT (DR7_ENABLE(0) | DR7_KIND(0, DEBUG_WRITE_8))
#define ACCESS_SLOT (DR7_ENABLE(1) | DR7_KIND(1, DEBUG_ACCESS_4))
#define EXECUTE_SLOT (DR7_ENABLE(2) | DR7_KIND(2, DEBUG_EXECUTE))

void self_debug_init(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t *expected = cpu->debug.expected_dr;

    check(READ_DEBUG_REGISTER(6) == DR6_NO_CAUSE, "DR6 is not as after reset");
    check(READ_DEBUG_REGISTER(7) == DR7_NO_SLOT, "DR7 is not as after reset");
    if (patch_line_checksum == 0)
        patch_line_checksum = text_checksum(patch_line, patch_line_end);
    expected[0] = (uintptr_t)&progress_of[cpu->number];
    expected[1] = (uintptr_t)&looked_at[cpu->number];
    expected[2] = (uintptr_t)execute_patient_site;
    expected[3] = DR3_UNUSED;
    WRITE_DEBUG_REGISTER(0, expected[0]);
    WRITE_DEBUG_REGISTER(1, expected[1]);
    WRITE_DEBUG_REGISTER(2, expected[2]);
    WRITE_DEBUG_REGISTER(3, expected[3]);
    set_slots(PROGRESS_SLOT);
}

void check_debug_registers(void)
{
    const struct self_debug *debug = &this_cpu()->debug;

    check(READ_DEBUG_REGISTER(0) == debug->expected_dr[0], "DR0 has changed");
    check(READ_DEBUG_REGISTER(1) == debug->expected_dr[1], "DR1 has changed");
    check(READ_DEBUG_REGISTER(2) == debug->expected_dr[2], "DR2 has changed");
    check(READ_DEBUG_REGISTER(3) == debug->expected_dr[3], "DR3 has changed");
    check(READ_DEBUG_REGISTER(6) == DR6_NO_CAUSE, "DR6 shows a cause that nobody asked for");
    check(READ_DEBUG_REGISTER(7) == debug->expected_dr7, "DR7 has changed");
}

/* A write that DR0 notices; see on_debug. */
void self_debug_progress(uint64_t progress)
{
    struct cpu *cpu = this_cpu();
    uint32_t hits = cpu->debug.data_hits[0];

    store_patient(&progress_of[cpu->number], progress);
    check(cpu->debug.data_hits[0] == hits + 1, "a write to the word in DR0 was not trapped exactly once");
}

/* Writes through the window, as the code itself is read-only. */
static void plant_breakpoint(void)
{
    volatile uint8_t *site = (volatile uint8_t *)window_map(breakpoint_site);

    check(*site == breakpoint_original, "there is a foreign byte where the breakpoint goes");
    *site = INT3;
    window_unmap();
}

static void run_into_planted_breakpoint(struct self_debug *debug, uint32_t cpu)
{
    uint32_t before = debug->breakpoints;

    spin_lock(&patch_lock, cpu);
    plant_breakpoint();
    debug->planted = true;
    check(breakpoint_patient(1000 + cpu) == 2007 + 2 * cpu, "the patched function computes nonsense");
    check(debug->breakpoints == before + 1, "the planted int3 was not trapped exactly once");
    check(text_checksum(patch_line, patch_line_end) == patch_line_checksum, "the patched line was not restored");
    check(breakpoint_patient(1) == 9 && debug->breakpoints == before + 1, "#BP after the byte was restored");
    check(spin_unlock(&patch_lock) == cpu, "somebody else held the patch lock");
}

static void run_into_debug_registers(struct self_debug *debug, uint32_t cpu)
{
    uint32_t looks = debug->data_hits[1], executions = debug->execution_hits;
    uint32_t *halves = (uint32_t *)&looked_at[cpu];

    check(load_patient(&halves[0]) == 0 && debug->data_hits[1] == looks, "a disabled slot trapped");
    set_slots(PROGRESS_SLOT | ACCESS_SLOT | EXECUTE_SLOT);
    check_debug_registers();
    load_patient(&halves[1]);
    check(debug->data_hits[1] == looks, "a read beside the word in DR1 was trapped");
    load_patient(&halves[0]);
    check(debug->data_hits[1] == looks + 1, "a read of the word in DR1 was not trapped exactly once");
    store_patient(&looked_at[cpu], 0);
    check(debug->data_hits[1] == looks + 2, "a write of the word in DR1 was not trapped exactly once");
    check(execute_patient(41) == 42, "the instruction under DR2 did not run exactly once");
    check(debug->execution_hits == executions + 1, "the execution breakpoint was not trapped exactly once");
    set_slots(PROGRESS_SLOT);
    check(execute_patient(41) == 42 && debug->execution_hits == executions + 1, "the disabled DR2 trapped");
}

static void step_through(struct self_debug *debug)
{
    uint32_t scratch;

    debug->steps = 0;
    debug->stepping = true;
    check(step_patient(&scratch) == STEP_PATIENT_RESULT, "the stepped function computes nonsense");
    debug->stepping = false;
    check(debug->steps == STEP_PATIENT_STEPS, "the number of single-step traps is wrong");
    check(debug->first_step == (uintptr_t)step_patient_first, "the first single-step trap is at the wrong place");
    check(debug->last_step == (uintptr_t)step_patient_last, "the last single-step trap is at the wrong place");
}

void self_debug_round(void)
{
    struct cpu *cpu = this_cpu();

    run_into_planted_breakpoint(&cpu->debug, cpu->number);
    run_into_debug_registers(&cpu->debug, cpu->number);
    step_through(&cpu->debug);
    check_debug_registers();
}

void self_debug_check_totals(uint32_t rounds, uint32_t progress_writes)
{
    const struct self_debug *debug = &this_cpu()->debug;

    check(debug->breakpoints == rounds, "the total of #BP is wrong");
    check(debug->data_hits[0] == progress_writes, "the total of DR0's traps is wrong");
    check(debug->data_hits[1] == 2 * rounds, "the total of DR1's traps is wrong");
    check(debug->execution_hits == rounds, "the total of DR2's traps is wrong");
    check(debug->all_steps == rounds * STEP_PATIENT_STEPS, "the total of single steps is wrong");
}
