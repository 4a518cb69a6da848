/* Signals, above all those that begin as a processor exception. */
#define _GNU_SOURCE
#include "exercise.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096

static volatile sig_atomic_t seen;
static siginfo_t information;
static greg_t error_code, trap_number;
static uintptr_t handler_stack;
static sigjmp_buf resume;

/* Notes what it was told, and goes on behind the instruction that failed. */
static void note(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    seen = number;
    information = *info;
    error_code = user->uc_mcontext.gregs[REG_ERR];
    trap_number = user->uc_mcontext.gregs[REG_TRAPNO];
    handler_stack = (uintptr_t)__builtin_frame_address(0);
    siglongjmp(resume, 1);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(number, &action, NULL) == 0);
}

static void page_faults(void)
{
    volatile char *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    handle(SIGSEGV, note, 0);
    if (sigsetjmp(resume, 1) == 0) {
        page[123] = 1;
        CHECK(!"a write to a read-only page goes on");
    }
    CHECK(seen == SIGSEGV && information.si_code == SEGV_ACCERR && information.si_addr == (char *)page + 123);
    CHECK(trap_number == 14 && (error_code & 6) == 6); /* written, by user mode */
    CHECK(munmap((char *)page, PAGE) == 0);
    if (sigsetjmp(resume, 1) == 0) {
        (void)page[7];
        CHECK(!"a read of an unmapped page goes on");
    }
    CHECK(information.si_code == SEGV_MAPERR && information.si_addr == (char *)page + 7 && error_code == 4);
    if (sigsetjmp(resume, 1) == 0) {
        *(volatile char *)0x8000000000000000ull = 1; /* no canonical address: #GP, without an address */
        CHECK(!"a write to a non-canonical address goes on");
    }
    CHECK(seen == SIGSEGV && information.si_code == SI_KERNEL && trap_number == 13);
}

static void other_faults(void)
{
    handle(SIGFPE, note, 0);
    if (sigsetjmp(resume, 1) == 0) {
        asm volatile("xorl %%edx, %%edx; movl $1, %%eax; xorl %%ecx, %%ecx; divl %%ecx" ::: "eax", "ecx", "edx", "cc");
        CHECK(!"a division by zero goes on");
    }
    CHECK(seen == SIGFPE && information.si_code == FPE_INTDIV && trap_number == 0);
    handle(SIGILL, note, 0);
    if (sigsetjmp(resume, 1) == 0) {
        asm volatile("ud2");
        CHECK(!"an invalid instruction goes on");
    }
    CHECK(seen == SIGILL && information.si_code == ILL_ILLOPN && trap_number == 6);
    if (sigsetjmp(resume, 1) == 0) {
        asm volatile("hlt");
        CHECK(!"a privileged instruction goes on");
    }
    CHECK(seen == SIGSEGV && trap_number == 13);
    handle(SIGTRAP, note, 0);
    if (sigsetjmp(resume, 1) == 0) {
        asm volatile("int3");
        CHECK(!"a breakpoint goes on");
    }
    CHECK(seen == SIGTRAP && information.si_code == SI_KERNEL && trap_number == 3);
}

/* A handler on a stack of its own survives the overflow of the ordinary one. */
static uint8_t alternative[4 * 4096] __attribute__((aligned(16)));

__attribute__((noinline)) static int devour(unsigned long depth)
{
    volatile char here[1024];
    here[depth % sizeof here] = 1;
    return depth == 0 ? 0 : devour(depth - 1) + here[depth % sizeof here];
}

static void alternative_stack(void)
{
    stack_t stack = {.ss_sp = alternative, .ss_flags = 0, .ss_size = sizeof alternative};
    CHECK(sigaltstack(&stack, NULL) == 0);
    handle(SIGSEGV, note, SA_ONSTACK);
    if (sigsetjmp(resume, 1) == 0)
        CHECK(devour(1ul << 40) == 0);
    CHECK(seen == SIGSEGV);
    CHECK(handler_stack >= (uintptr_t)alternative && handler_stack < (uintptr_t)alternative + sizeof alternative);
    stack.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&stack, NULL) == 0);
}

/* Registers, flags and SSE state are the same after a signal as before it. */
static void keep_going(int number)
{
    seen = number;
    asm volatile("pxor %%xmm5, %%xmm5; std; cld" ::: "xmm5", "cc");
}
static void interrupted_state(void)
{
    signal(SIGUSR2, keep_going);
    uint64_t r12, xmm;
    long result;
    seen = 0;
    asm volatile("movq $0x1234567, %%r12\n\tmovq %%r12, %%xmm5\n\tsyscall\n\tmovq %%r12, %0\n\tmovq %%xmm5, %1"
                 : "=&r"(r12), "=&r"(xmm), "=a"(result)
                 : "2"(62L), "D"((long)getpid()), "S"((long)SIGUSR2)
                 : "r12", "rcx", "r11", "xmm5", "memory");
    CHECK(result == 0 && seen == SIGUSR2 && r12 == 0x1234567 && xmm == 0x1234567);
}

static volatile int queued_sum, queued_count;
static void add_value(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    queued_sum = queued_sum * 10 + info->si_value.sival_int;
    queued_count++;
}
/* Real-time signals queue up while they are blocked, and come in order. */
static void queued(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    handle(SIGRTMIN, add_value, 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    for (int i = 1; i <= 4; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    CHECK(queued_count == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK(queued_count == 4 && queued_sum == 1234);
}

static void wait_for_death(void *argument)
{
    (void)argument;
    for (;;)
        pause();
}
static void between_processes(void)
{
    int status;
    pid_t child = start_child(wait_for_death, NULL);
    CHECK(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(kill(child, SIGCONT) == 0 && waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    CHECK(kill(child, SIGTERM) == 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

void exercise_signals(void)
{
    page_faults();
    other_faults();
    alternative_stack();
    interrupted_state();
    queued();
    between_processes();
}
