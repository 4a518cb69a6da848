/* Per-processor state: descriptor table, task state, stacks, system call registers. */
#include "cpu.h"
#include "io.h"

#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_FMASK 0xC0000084
#define MSR_GS_BASE 0xC0000101

#define FLAGS_CLEARED_BY_SYSCALL 0x00047700 /* AC, NT, DF, IF, TF */
#define STACK_CANARY 0x57AC57AC57AC57ACull

_Static_assert(offsetof(struct cpu, self) == CPU_SELF, "layout.h");
_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP, "layout.h");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "layout.h");
_Static_assert(offsetof(struct cpu, task) + offsetof(struct task_state, rsp) == CPU_TASK_RSP0, "layout.h");
_Static_assert(sizeof(struct task_state) == 104, "SDM vol. 3, figure 8-11");

struct cpu cpus[MAX_CPUS] __attribute__((aligned(64)));
uint8_t cpu_stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t fault_stacks[MAX_CPUS][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

extern void system_call_entry(void);

static uint64_t *canary_of(const struct cpu *cpu)
{
    return (uint64_t *)(cpu_stacks[cpu->number] + PAGE_SIZE); /* just above the guard page */
}

/* Only the processor itself may use its stack pointer, but anyone may look at
   the lowest word: an overflow overwrites it before it reaches the guard page. */
bool cpu_stack_sound(const struct cpu *cpu)
{
    return *canary_of(cpu) == STACK_CANARY;
}

static void load_descriptors(struct cpu *cpu)
{
    uint64_t base = (uintptr_t)&cpu->task;
    uint64_t limit = sizeof(cpu->task) - 1;
    struct descriptor_pointer pointer = { sizeof(cpu->descriptors) - 1, (uintptr_t)cpu->descriptors };

    cpu->descriptors[KERNEL_CODE / 8] = 0x00AF9B000000FFFF;
    cpu->descriptors[KERNEL_DATA / 8] = 0x00CF93000000FFFF;
    cpu->descriptors[USER_DATA / 8] = 0x00CFF3000000FFFF;
    cpu->descriptors[USER_CODE / 8] = 0x00AFFB000000FFFF;
    cpu->descriptors[TASK_STATE / 8] =
        limit | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | (base >> 24 & 0xFF) << 56;
    cpu->descriptors[TASK_STATE / 8 + 1] = base >> 32;

    asm volatile("lgdt %0" : : "m"(pointer) : "memory");
    asm volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                 :
                 : "i"(KERNEL_CODE)
                 : "rax", "memory");
    asm volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%ss" : : "r"(KERNEL_DATA));
    asm volatile("ltr %w0" : : "r"(TASK_STATE));
}

void cpu_init(struct cpu *cpu, uint32_t number)
{
    cpu->self = cpu;
    cpu->number = number;
    cpu->task.ist[0] = (uintptr_t)fault_stacks[number] + PAGE_SIZE; /* #DF: idt.c */
    cpu->task.io_map_base = sizeof(cpu->task);
    *canary_of(cpu) = STACK_CANARY;
    load_descriptors(cpu);
    write_msr(MSR_GS_BASE, (uintptr_t)cpu);
    write_msr(MSR_STAR, (uint64_t)(KERNEL_DATA | 3) << 48 | (uint64_t)KERNEL_CODE << 32);
    write_msr(MSR_LSTAR, (uintptr_t)system_call_entry);
    write_msr(MSR_FMASK, FLAGS_CLEARED_BY_SYSCALL);
}
