/* What every processor has for itself. GS points at it. */
#ifndef CPU_H
#define CPU_H

#include "layout.h"
#include "types.h"

#define MAX_CPUS 16
#define PAGE_SIZE 4096

/* 64-bit task state: only stack pointers are left of it (SDM vol. 3, 8.7). */
struct task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
} __attribute__((packed));

struct descriptor_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* The last exception that a deliberate probe caused; see faults.c. */
struct fault {
    uint32_t vector;
    uint32_t error;
    uint64_t address;
};

/* The kernel's own debugger, one per processor; see selfdebug.c. */
struct self_debug {
    uint64_t expected_dr[4]; /* what was last written to DR0-DR3 */
    uint64_t expected_dr7;
    uint32_t breakpoints;      /* #BP of the planted byte */
    uint32_t user_breakpoints; /* #BP from ring 3 */
    uint32_t data_hits[4];
    uint32_t execution_hits;
    uint32_t steps;
    uint32_t all_steps;
    uint64_t first_step;
    uint64_t last_step;
    bool planted;  /* int3 is in place, and this processor did it */
    bool stepping; /* TF may be set */
};

struct cpu {
    struct cpu *self;
    uint64_t kernel_rsp; /* where interrupts and system calls from ring 3 begin */
    uint64_t user_rsp;
    struct task_state task;
    uint64_t descriptors[8];
    uint32_t number;
    uint32_t apic_id;
    bool online;
    bool double_fault_expected;
    uint32_t double_faults;
    volatile uint32_t ticks;
    volatile uint32_t wakes;
    struct fault last_fault;
    uint64_t probe_rsp; /* the stack to go back to after a deliberate #DF */
    struct self_debug debug;
};

extern struct cpu cpus[MAX_CPUS];
extern uint8_t cpu_stacks[MAX_CPUS][STACK_SIZE];

static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;
    asm("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_SELF));
    return cpu;
}

void cpu_init(struct cpu *cpu, uint32_t number);
bool cpu_stack_sound(const struct cpu *cpu);

#endif
