/*
 * A debugger inside the guest: breakpoints by int3, single-steps, and the debug registers, all by ptrace. A debugger
 * outside must change none of these results.
 */
#define _GNU_SOURCE
#include "exercise.h"
#include "traced.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TRAP_HWBKPT
#define TRAP_HWBKPT 4
#endif
#define TRAP_OF_STEP 2 /* TRAP_TRACE */

/* DR7: enable bit and the nibble of a register's condition (SDM vol. 3B, 18.2.4). */
#define ENABLE(n) (1ul << ((n) * 2))
#define ON_EXECUTION 0x0ul
#define ON_WRITE_4 0xdul
#define ON_ACCESS_8 0xbul
#define CONDITION(n, what) ((what) << (16 + (n) * 4))

static pid_t tracee;

static void resume(int request)
{
    CHECK(ptrace(request, tracee, NULL, NULL) == 0);
}
/* Waits for a SIGTRAP of one kind and answers the registers. */
static struct user_regs_struct trapped(int code)
{
    int status;
    siginfo_t information;
    struct user_regs_struct registers;
    CHECK(waitpid(tracee, &status, 0) == tracee);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    CHECK(ptrace(PTRACE_GETSIGINFO, tracee, NULL, &information) == 0);
    CHECK(information.si_code == code);
    CHECK(ptrace(PTRACE_GETREGS, tracee, NULL, &registers) == 0);
    return registers;
}
static void set_registers(const struct user_regs_struct *registers)
{
    CHECK(ptrace(PTRACE_SETREGS, tracee, NULL, registers) == 0);
}
static void set_debug_register(int number, uint64_t value)
{
    CHECK(ptrace(PTRACE_POKEUSER, tracee, offsetof(struct user, u_debugreg) + 8 * (size_t)number, value) == 0);
}
static uint64_t debug_register(int number)
{
    errno = 0;
    long value = ptrace(PTRACE_PEEKUSER, tracee, offsetof(struct user, u_debugreg) + 8 * (size_t)number, NULL);
    CHECK(errno == 0);
    return (uint64_t)value;
}
static long peek(const void *address)
{
    errno = 0;
    long value = ptrace(PTRACE_PEEKDATA, tracee, address, NULL);
    CHECK(errno == 0);
    return value;
}

static void traced_body(void *argument)
{
    run_on_cpu(*(int *)argument);
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    CHECK(raise(SIGSTOP) == 0);
    CHECK(traced_loop(5) == 15);
    CHECK(traced_loop(3) == 6);
    traced_copy();
    CHECK(traced_stores(10) == 10);
    CHECK(traced_word == 9);
}

/* int3 at the loop's head, its stop, and the step over it. */
static void software_breakpoint(void)
{
    long original = peek(traced_loop_head);
    for (int turn = 0; turn < 5; turn++) {
        CHECK(ptrace(PTRACE_POKEDATA, tracee, traced_loop_head, (original & ~0xffl) | 0xcc) == 0);
        resume(PTRACE_CONT);
        struct user_regs_struct registers = trapped(SI_KERNEL);
        CHECK(registers.rip == (uintptr_t)traced_loop_head + 1 && registers.rdi == 5ul - (unsigned)turn);
        registers.rip--;
        set_registers(&registers);
        CHECK(ptrace(PTRACE_POKEDATA, tracee, traced_loop_head, original) == 0);
        resume(PTRACE_SINGLESTEP);
        registers = trapped(TRAP_OF_STEP);
        CHECK(registers.rip == (uintptr_t)traced_loop_head + 3 && (debug_register(6) & 0x4000) != 0);
    }
}

/* An execution breakpoint, then the rest of traced_loop(3) instruction by instruction. */
static void single_steps(void)
{
    set_debug_register(0, (uintptr_t)traced_loop);
    set_debug_register(7, ENABLE(0) | CONDITION(0, ON_EXECUTION));
    resume(PTRACE_CONT);
    struct user_regs_struct registers = trapped(TRAP_HWBKPT);
    CHECK(registers.rip == (uintptr_t)traced_loop && (debug_register(6) & 0xf) == 1);
    set_debug_register(7, 0);
    int steps = 0;
    while (registers.rip != (uintptr_t)traced_loop_end) {
        resume(PTRACE_SINGLESTEP);
        registers = trapped(TRAP_OF_STEP);
        CHECK(++steps < 100);
    }
    CHECK(steps == 1 + 3 * 3); /* xor; three times add, dec, jnz */
}

/* A step of a repeated string instruction is one iteration (SDM vol. 1, 7.3.9.2). */
static void repeated_steps(void)
{
    set_debug_register(0, (uintptr_t)traced_copy_repeat);
    set_debug_register(7, ENABLE(0) | CONDITION(0, ON_EXECUTION));
    resume(PTRACE_CONT);
    struct user_regs_struct registers = trapped(TRAP_HWBKPT);
    CHECK(registers.rip == (uintptr_t)traced_copy_repeat && registers.rcx == TRACED_COPY_SIZE);
    set_debug_register(7, 0);
    for (unsigned left = TRACED_COPY_SIZE; left > 0; left--) {
        CHECK(registers.rip == (uintptr_t)traced_copy_repeat && registers.rcx == left);
        resume(PTRACE_SINGLESTEP);
        registers = trapped(TRAP_OF_STEP);
    }
    CHECK(registers.rip == (uintptr_t)traced_copy_end && registers.rcx == 0);
}

/* A write watch on the word, an access watch beside it that must stay silent, an execution breakpoint at the end. */
static void watchpoints(void)
{
    set_debug_register(1, (uintptr_t)&traced_word);
    set_debug_register(2, (uintptr_t)&traced_neighbour);
    set_debug_register(3, (uintptr_t)traced_stores_end);
    set_debug_register(7, ENABLE(1) | CONDITION(1, ON_WRITE_4) | ENABLE(2) | CONDITION(2, ON_ACCESS_8) | ENABLE(3) |
                              CONDITION(3, ON_EXECUTION));
    for (int value = 0; value < 10; value++) {
        resume(PTRACE_CONT);
        struct user_regs_struct registers = trapped(TRAP_HWBKPT);
        CHECK((debug_register(6) & 0xf) == 2);
        CHECK(registers.rip == (uintptr_t)traced_stored); /* a trap: after the store */
        CHECK((int)peek((const void *)&traced_word) == value);
    }
    resume(PTRACE_CONT);
    struct user_regs_struct registers = trapped(TRAP_HWBKPT);
    CHECK(registers.rip == (uintptr_t)traced_stores_end && (debug_register(6) & 0xf) == 8);
    set_debug_register(7, 0);
}

/* Each system call stops twice: going in and coming out. */
static void to_the_end(void)
{
    int status, stops = 0;
    for (;;) {
        resume(PTRACE_SYSCALL);
        CHECK(waitpid(tracee, &status, 0) == tracee);
        if (!WIFSTOPPED(status))
            break;
        CHECK(WSTOPSIG(status) == SIGTRAP);
        struct user_regs_struct registers;
        CHECK(ptrace(PTRACE_GETREGS, tracee, NULL, &registers) == 0);
        CHECK(registers.orig_rax == SYS_exit_group);
        stops++;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_OK && stops == 1);
}

static void debug_on(int cpu)
{
    int status;
    tracee = start_child(traced_body, &cpu);
    CHECK(waitpid(tracee, &status, 0) == tracee && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    software_breakpoint();
    single_steps();
    repeated_steps();
    watchpoints();
    to_the_end();
}

void exercise_ptrace(void)
{
    debug_on(0);
    debug_on(online_cpus() - 1);
}
