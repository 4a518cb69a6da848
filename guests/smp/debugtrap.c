/*
 * The handlers of #BP and #DB. Every one of these traps is expected: its cause
 * in DR6 and its address must be exactly what the manual says, or the run fails.
 */
#include "check.h"
#include "cpu.h"
#include "debugregister.h"
#include "paging.h"
#include "selfdebug.h"
#include "trap.h"

#define FLAG_TRAP 0x100
#define FLAG_RESUME 0x10000

extern uint8_t breakpoint_site[];
extern const uint8_t store_patient_done[], load_patient_done[], execute_patient_site[];
extern const uint8_t user_start[], user_end[];
extern const uint8_t breakpoint_original;

static void on_breakpoint(struct trap_frame *frame)
{
    struct self_debug *debug = &this_cpu()->debug;
    uintptr_t site = frame->rip - 1; /* int3 is a trap: RIP is behind it */

    if ((frame->cs & 3) == 3) {
        check(site >= (uintptr_t)user_start && site < (uintptr_t)user_end, "#BP from ring 3 at a foreign address");
        debug->user_breakpoints++;
        return;
    }
    check(site == (uintptr_t)breakpoint_site, "#BP at a place where the kernel planted none");
    check(debug->planted, "#BP on a processor that planted none");
    debug->planted = false;
    debug->breakpoints++;
    *(volatile uint8_t *)window_map(breakpoint_site) = breakpoint_original;
    window_unmap();
    frame->rip = site; /* once more, now the real instruction */
}

static void on_step(struct self_debug *debug, const struct trap_frame *frame)
{
    if (debug->steps++ == 0)
        debug->first_step = frame->rip;
    debug->last_step = frame->rip;
    debug->all_steps++;
}

static void on_debug(struct trap_frame *frame)
{
    struct self_debug *debug = &this_cpu()->debug;
    uint64_t cause = READ_DEBUG_REGISTER(6) ^ DR6_NO_CAUSE;

    switch (cause) {
    case DR6_SLOT(0):
        check(frame->rip == (uintptr_t)store_patient_done, "#DB of DR0 is not right behind the store");
        debug->data_hits[0]++;
        break;
    case DR6_SLOT(1):
        check(frame->rip == (uintptr_t)load_patient_done || frame->rip == (uintptr_t)store_patient_done,
              "#DB of DR1 is not right behind the access");
        debug->data_hits[1]++;
        break;
    case DR6_SLOT(2):
        check(frame->rip == (uintptr_t)execute_patient_site, "#DB of DR2 is not in front of its instruction");
        debug->execution_hits++;
        frame->rflags |= FLAG_RESUME; /* or the instruction would never run */
        break;
    case DR6_SINGLE_STEP:
        on_step(debug, frame);
        break;
    default:
        machine_fail("#DB with a cause in DR6 that nobody asked for");
    }
    WRITE_DEBUG_REGISTER(6, DR6_NO_CAUSE); /* the processor never clears it */
}

void debug_traps_install(void)
{
    trap_handle(VECTOR_BREAKPOINT, on_breakpoint);
    trap_handle(VECTOR_DEBUG, on_debug);
}
