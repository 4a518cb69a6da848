/*
 * A short visit to ring 3: the program below runs on its own pages, is traced by
 * an int3 of its own, asks the kernel to add two numbers, and leaves.
 */
#include "user.h"

#include "check.h"
#include "cpu.h"
#include "layout.h"

#define USER_STACK_SIZE 1024
#define ROUNDS 10

static uint8_t user_stacks[MAX_CPUS][USER_STACK_SIZE] __attribute__((section(".bss.user"), aligned(16)));

uint64_t enter_user(uint64_t rip, uint64_t rsp);
uint64_t system_call(uint64_t first, uint64_t second, uint64_t flags);

static inline uint64_t call_kernel(uint64_t number, uint64_t first, uint64_t second)
{
    asm volatile("syscall"
                 : "+a"(number), "+D"(first), "+S"(second)
                 :
                 : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
    return number;
}

/* May touch nothing but its own code and stack: all other pages are the kernel's. */
static void __attribute__((section(".user"), noreturn)) user_program(void)
{
    uint64_t sum = 0;

    for (uint64_t round = 1; round <= ROUNDS; round++)
        sum = call_kernel(SYSTEM_CALL_ADD, sum, round * round);
    asm volatile("int3");
    call_kernel(SYSTEM_CALL_EXIT, sum, 0);
    __builtin_unreachable();
}

/* From entry.S, on the kernel's stack with interrupts off. */
uint64_t system_call(uint64_t first, uint64_t second, uint64_t flags)
{
    check_interrupted_flags(flags);
    return first + second;
}

void user_check(void)
{
    struct cpu *cpu = this_cpu();
    uint32_t breakpoints = cpu->debug.user_breakpoints;
    /* As if called: 8 bytes off a multiple of 16. */
    uint64_t stack = (uintptr_t)user_stacks[cpu->number] + USER_STACK_SIZE - 8;

    check(enter_user((uintptr_t)user_program, stack) == ROUNDS * (ROUNDS + 1) * (2 * ROUNDS + 1) / 6,
          "the program in ring 3 computes nonsense");
    check(cpu->debug.user_breakpoints == breakpoints + 1, "the int3 of ring 3 was not trapped exactly once");
}
