/*
 * The story of one run. The boot processor brings the machine up, all processors
 * test themselves and then work on the shared list, and the boot processor tells
 * what became of it: in an order that does not depend on who was faster.
 */
#include "apic.h"
#include "check.h"
#include "console.h"
#include "cpu.h"
#include "faults.h"
#include "paging.h"
#include "selfdebug.h"
#include "smp.h"
#include "trap.h"
#include "user.h"
#include "worker.h"

#define MULTIBOOT_HAS_MEMORY 0x1
#define SAMPLING_CPU 2 /* the last one, if there are fewer */
#define SELF_DEBUG_ROUNDS_ALONE 1
#define TICKS_AT_LEAST 3

struct multiboot_information {
    uint32_t flags;
    uint32_t memory_lower; /* KiB */
    uint32_t memory_upper; /* KiB above 1 MiB */
};

static struct barrier all_tested, all_done, all_checked;

static uint32_t sampling_cpu(uint32_t count)
{
    return count > SAMPLING_CPU ? SAMPLING_CPU : count - 1;
}

/* What every processor does, the boot processor included. */
static void run_cpu(void)
{
    struct cpu *cpu = this_cpu();

    self_debug_init();
    faults_check();
    paging_check();
    user_check();
    self_debug_round();
    barrier_wait(&all_tested);

    worker_run(&workers[cpu->number]);
    barrier_wait(&all_done);

    user_check();
    while (cpu->ticks < TICKS_AT_LEAST)
        idle();
    check_undisturbed();
    self_debug_check_totals(SELF_DEBUG_ROUNDS_ALONE + worker_self_debug_rounds(), worker_progress_writes());
    barrier_wait(&all_checked);
}

static void report_cpu(const struct cpu *cpu, const struct worker *worker)
{
    console_print("cpu %u: %u inserted, %u removed, payloads %16lx, %u #BP, %u #DB, %u #DF\n", cpu->number,
                  worker->counters.inserted, worker->counters.removed, worker->counters.payloads,
                  cpu->debug.breakpoints + cpu->debug.user_breakpoints,
                  cpu->debug.data_hits[0] + cpu->debug.data_hits[1] + cpu->debug.execution_hits + cpu->debug.all_steps,
                  cpu->double_faults);
}

static void report_list(const struct list *list)
{
    const struct corruption *corruption = &list->corruption;

    if (corruption->times != 0)
        console_print("list corrupted: magic was 0x%8x instead of 0x%8x; noticed %u time, repaired\n",
                      corruption->found, corruption->expected, corruption->times);
    check(corruption->times == 1 && corruption->fault == LIST_BAD_MAGIC, "the list was not corrupted exactly once");
    check(list->head == NULL && list->tail == NULL && list->count == 0 && list->checksum == 0,
          "the list is not empty at the end");
}

void __attribute__((noreturn)) kernel_main(const struct multiboot_information *information)
{
    uint32_t count;

    cpu_init(&cpus[0], 0);
    console_init();
    trap_load();
    console_print("trapline sample guest\n");
    debug_port_write("trapline sample guest: the debug console port works\n");
    check(information->flags & MULTIBOOT_HAS_MEMORY && information->memory_upper >= 7 * 1024,
          "less than 8 MiB of memory");

    paging_init();
    faults_install();
    debug_traps_install();
    legacy_interrupts_off();
    apic_init();
    check_init();
    list_init(&shared_list);

    /* All processors are started before any works: the workers must know how many there are. */
    count = smp_start(run_cpu);
    for (uint32_t number = 0; number < count; number++)
        worker_init(&workers[number], number, number == sampling_cpu(count) ? WORKER_SAMPLER : WORKER_PLAIN);
    console_print("%u processors, cpu %u samples\n", count, sampling_cpu(count));
    run_cpu();

    for (uint32_t number = 0; number < count; number++)
        report_cpu(&cpus[number], &workers[number]);
    report_list(&shared_list);
    console_print("all checks passed\n");
    machine_succeed();
}
