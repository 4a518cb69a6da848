/*
 * Deliberate exceptions. An instruction that may fault is listed in the fault
 * table with the place to go on at; the handler notes what it saw and goes there.
 */
#include "faults.h"

#include "check.h"
#include "cpu.h"
#include "io.h"
#include "trap.h"

#define UNMAPPED_ADDRESS 0x40 /* page 0 is not there, for null pointers */
#define FOREIGN_SELECTOR 0x50 /* beyond the limit of the descriptor table */
#define PROTECTION_WRITE 0x3  /* page fault error codes: SDM vol. 3, figure 4-12 */
#define PROTECTION_FETCH 0x11

struct fault_table_entry {
    uintptr_t instruction;
    uintptr_t resume;
};

extern const struct fault_table_entry fault_table[], fault_table_end[];
extern uint8_t text_start[];

#define RESUME_HERE_AFTER(place) ".pushsection .fault_table, \"a\"; .quad " place ", 2f; .popsection; 2:"
#define RESUME_HERE RESUME_HERE_AFTER("1b")

static uint8_t not_code = 0xC3; /* a RET, if one could execute it */

static void on_fault(struct trap_frame *frame)
{
    struct fault *fault = &this_cpu()->last_fault;

    for (const struct fault_table_entry *entry = fault_table; entry < fault_table_end; entry++)
        if (entry->instruction == frame->rip) {
            fault->vector = (uint32_t)frame->vector;
            fault->error = (uint32_t)frame->error;
            fault->address = frame->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;
            frame->rip = entry->resume;
            return;
        }
    machine_panic(frame);
}

/* RIP in a #DF frame means nothing (SDM vol. 3, 6.15): the probe left word instead. */
static void on_double_fault(struct trap_frame *frame)
{
    struct cpu *cpu = this_cpu();

    if (!cpu->double_fault_expected)
        machine_panic(frame);
    cpu->double_fault_expected = false;
    cpu->double_faults++;
    frame->rsp = cpu->probe_rsp;
    frame->rip = *(uint64_t *)cpu->probe_rsp;
}

void faults_install(void)
{
    trap_handle(VECTOR_DIVIDE_ERROR, on_fault);
    trap_handle(VECTOR_INVALID_OPCODE, on_fault);
    trap_handle(VECTOR_GENERAL_PROTECTION, on_fault);
    trap_handle(VECTOR_PAGE_FAULT, on_fault);
    trap_handle(VECTOR_DOUBLE_FAULT, on_double_fault);
}

static void expect(enum vector vector, uint32_t error, uint64_t address, const char *name)
{
    struct fault *fault = &this_cpu()->last_fault;

    check(fault->vector == (uint32_t)vector && fault->error == error && fault->address == address, name);
    *fault = (struct fault){ .vector = ~0u };
}

/* A push without a stack: #PF, and #DF as the frame of #PF has nowhere to go. */
static void overflow_stack(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t no_stack = (uintptr_t)cpu_stacks[cpu->number] + PAGE_SIZE / 2; /* in the guard page */

    interrupts_off(); /* an interrupt in there would be one fault too many */
    cpu->double_fault_expected = true;
    asm volatile("leaq 1f(%%rip), %%rax; pushq %%rax; movq %%rsp, %0; movq %1, %%rsp; pushq %%rax; 1: popq %%rax"
                 : "=m"(cpu->probe_rsp)
                 : "r"(no_stack)
                 : "rax", "memory");
    interrupts_on();
    check(!cpu->double_fault_expected, "a push without a stack did not end in #DF");
    check(read_cr2() == no_stack - 8, "CR2 does not name the push that had no stack");
}

void faults_check(void)
{
    uint32_t quotient = 1, remainder = 0, value;

    asm volatile("1: divl %2;" RESUME_HERE : "+a"(quotient), "+d"(remainder) : "r"(0) : "cc");
    expect(VECTOR_DIVIDE_ERROR, 0, 0, "no #DE on a division by zero");
    asm volatile("1: ud2;" RESUME_HERE : : : "memory");
    expect(VECTOR_INVALID_OPCODE, 0, 0, "no #UD on UD2");
    asm volatile("1: movl %0, %%es;" RESUME_HERE : : "r"(FOREIGN_SELECTOR) : "memory");
    expect(VECTOR_GENERAL_PROTECTION, FOREIGN_SELECTOR, 0, "no #GP on a selector beyond the table");
    asm volatile("1: movl (%1), %0;" RESUME_HERE : "=r"(value) : "r"((uintptr_t)UNMAPPED_ADDRESS) : "memory");
    expect(VECTOR_PAGE_FAULT, 0, UNMAPPED_ADDRESS, "no #PF on an unmapped page");
    asm volatile("1: movb $0, %0;" RESUME_HERE : "+m"(*text_start) : : "memory");
    expect(VECTOR_PAGE_FAULT, PROTECTION_WRITE, (uintptr_t)text_start, "no #PF on a write to read-only code");
    /* The fetch faults at the target of the jump, so that is what the table lists. */
    asm volatile("jmp *%0;" RESUME_HERE_AFTER("%c1") : : "r"(&not_code), "i"(&not_code) : "memory");
    expect(VECTOR_PAGE_FAULT, PROTECTION_FETCH, (uintptr_t)&not_code, "no #PF on executing data");
    overflow_stack();
}
