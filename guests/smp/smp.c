/* Starts the application processors, and lets all of them wait for each other. */
#include "smp.h"

#include "apic.h"
#include "check.h"
#include "cpu.h"
#include "fwcfg.h"
#include "io.h"
#include "trap.h"

#define PATIENCE_TICKS 30000 /* for a processor that must be there: half a minute */
#define PROBE_TICKS 50       /* for one that may not be there */
#define INIT_TICKS 10        /* the wait after INIT: SDM vol. 3, 9.4.4.1 */

extern const uint8_t trampoline_image[], trampoline_size[];
extern volatile uint64_t trampoline_map, trampoline_stack, trampoline_cpu;

static cpu_program program_of_all;
static uint32_t cpu_count = 1;
static bool all_started; /* from then on cpu_count is final */

uint32_t smp_count(void)
{
    return cpu_count;
}

/* The first C code of an application processor: called by trampoline.S. */
void __attribute__((noreturn)) smp_entry(struct cpu *cpu)
{
    cpu_init(cpu, (uint32_t)(cpu - cpus));
    trap_load();
    apic_init();
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&all_started, __ATOMIC_ACQUIRE))
        idle();
    program_of_all();
    for (;;)
        idle();
}

static void copy_trampoline(void)
{
    const uint8_t *from = trampoline_image;
    uint8_t *to = (uint8_t *)TRAMPOLINE_BASE;
    size_t size = (size_t)trampoline_size;

    asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(size) : : "memory");
    trampoline_map = read_cr3();
}

/* INIT has been sent to all. Twice start-up, as the manual has it: whoever runs
   already ignores the second. */
static bool start(struct cpu *cpu, uint32_t id, uint32_t patience)
{
    trampoline_cpu = (uintptr_t)cpu;
    trampoline_stack = (uintptr_t)cpu_stacks[cpu - cpus] + STACK_SIZE;
    apic_send_startup(id, TRAMPOLINE_BASE / PAGE_SIZE);
    idle_ticks(1);
    apic_send_startup(id, TRAMPOLINE_BASE / PAGE_SIZE);
    for (uint32_t waited = 0; waited < patience; waited++) {
        if (__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
            return true;
        idle_ticks(1);
    }
    return false;
}

/* Starts all processors there are, each on `program`, and returns their number.
   APIC IDs count up from the boot processor's 0. */
uint32_t smp_start(cpu_program program)
{
    uint32_t promised = fw_cfg_cpu_count();
    uint32_t limit = promised == 0 || promised > MAX_CPUS ? MAX_CPUS : promised;

    program_of_all = program;
    copy_trampoline();
    apic_send_init_all();
    idle_ticks(INIT_TICKS);
    while (cpu_count < limit && start(&cpus[cpu_count], cpu_count, promised ? PATIENCE_TICKS : PROBE_TICKS))
        cpu_count++;
    check(promised == 0 || cpu_count == limit, "a processor did not start");
    __atomic_store_n(&all_started, true, __ATOMIC_RELEASE);
    apic_wake_others();
    return cpu_count;
}

void barrier_wait(struct barrier *barrier)
{
    uint32_t generation = __atomic_load_n(&barrier->generation, __ATOMIC_ACQUIRE);

    if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == cpu_count) {
        barrier->arrived = 0;
        __atomic_store_n(&barrier->generation, generation + 1, __ATOMIC_RELEASE);
        apic_wake_others();
        return;
    }
    while (__atomic_load_n(&barrier->generation, __ATOMIC_ACQUIRE) == generation)
        idle();
}
