/*
 * Self-checks, and the three ways this program ends. A debugger that works on
 * this kernel must not be noticeable from inside: no byte of its code, no debug
 * register, no flag and no stack may be other than the kernel itself left it.
 */
#include "check.h"

#include "console.h"
#include "cpu.h"
#include "io.h"
#include "selfdebug.h"
#include "trap.h"

/* isa-debug-exit makes (value << 1 | 1) & 0xFF of these: 85, 87, 89. */
#define EXIT_SUCCESS 0x2A
#define EXIT_CHECK_FAILED 0x2B
#define EXIT_UNEXPECTED_TRAP 0x2C

#define FLAG_TRAP 0x00000100
#define FLAG_RESUME 0x00010000

extern const uint8_t text_start[], patch_line[], patch_line_end[], text_end[], rodata_start[], rodata_end[];

static uint64_t expected_text, expected_constants;
static uint32_t ending;

static void exit_machine(uint8_t value) __attribute__((noreturn));

static void exit_machine(uint8_t value)
{
    console_drain();
    out8(EXIT_PORT, value);
    for (;;) {
        interrupts_off();
        asm volatile("hlt");
    }
}

void machine_succeed(void)
{
    exit_machine(EXIT_SUCCESS);
}

/* Only the first failure speaks: the others are often its consequences. */
static void claim_ending(void)
{
    if (__atomic_exchange_n(&ending, 1, __ATOMIC_ACQ_REL) != 0)
        for (;;)
            wait_for_interrupt();
    console_break_lock();
}

void machine_fail(const char *name)
{
    claim_ending();
    console_print("CHECK FAILED on cpu %u: %s\n", this_cpu()->number, name);
    exit_machine(EXIT_CHECK_FAILED);
}

void machine_panic(const struct trap_frame *frame)
{
    claim_ending();
    console_print("UNEXPECTED TRAP on cpu %u: vector %u error 0x%x rip 0x%16lx rsp 0x%16lx cr2 0x%16lx\n",
                  this_cpu()->number, (uint32_t)frame->vector, (uint32_t)frame->error, frame->rip, frame->rsp,
                  read_cr2());
    exit_machine(EXIT_UNEXPECTED_TRAP);
}

void check(bool holds, const char *name)
{
    if (!holds)
        machine_fail(name);
}

/* The code, except for the 16 bytes that the kernel patches itself (selfdebug.c
   looks after those). */
static uint64_t code_checksum(void)
{
    return text_checksum(text_start, patch_line) ^ text_checksum(patch_line_end, text_end);
}

void check_init(void)
{
    expected_text = code_checksum();
    expected_constants = text_checksum(rodata_start, rodata_end);
}

/* The flags as an interrupt, exception or SYSCALL saved them: a debugger that
   steps by TF would be seen here. */
void check_interrupted_flags(uint64_t flags)
{
    if (flags & FLAG_TRAP)
        check(this_cpu()->debug.stepping, "TF is set in saved flags although nobody steps");
}

void check_undisturbed(void)
{
    uint64_t flags = read_flags();

    check((flags & FLAG_TRAP) == 0, "TF is set in a PUSHF image although nobody set it");
    check((flags & FLAG_RESUME) == 0, "RF is set in a PUSHF image");
    check_debug_registers();
    check(code_checksum() == expected_text, "the code has changed");
    check(text_checksum(rodata_start, rodata_end) == expected_constants, "the constants have changed");
    check(cpu_stack_sound(this_cpu()), "the stack has overflowed");
}
