/* The interrupt descriptor table, and the one function that all stubs call. */
#include "trap.h"

#include "check.h"
#include "cpu.h"

/* SDM vol. 3, figure 6-8 "64-Bit IDT Gate Descriptors". */
union gate {
    struct {
        uint16_t offset_low;
        uint16_t selector;
        unsigned stack_table : 3; /* 0: stay on the stack in use */
        unsigned : 5;
        unsigned type : 4;
        unsigned : 1;
        unsigned privilege : 2; /* from where INT n may use it */
        unsigned present : 1;
        uint16_t offset_middle;
        uint32_t offset_high;
        uint32_t reserved;
    } __attribute__((packed));
    uint64_t words[2];
};

_Static_assert(sizeof(union gate) == 16, "SDM vol. 3, 6.14.1");

#define INTERRUPT_GATE 14

extern const uintptr_t trap_stubs[VECTOR_COUNT];

static union gate gates[VECTOR_COUNT];
static trap_handler handlers[VECTOR_COUNT];

static void set_gate(enum vector vector)
{
    union gate *gate = &gates[vector];
    uintptr_t entry = trap_stubs[vector];

    gate->offset_low = (uint16_t)entry;
    gate->offset_middle = (uint16_t)(entry >> 16);
    gate->offset_high = (uint32_t)(entry >> 32);
    gate->selector = KERNEL_CODE;
    gate->type = INTERRUPT_GATE;
    /* A stack overflow must not take the handler of its own #DF along. */
    gate->stack_table = vector == VECTOR_DOUBLE_FAULT ? 1 : 0;
    gate->privilege = vector == VECTOR_BREAKPOINT ? 3 : 0;
    gate->present = 1;
}

void trap_handle(enum vector vector, trap_handler handler)
{
    handlers[vector] = handler;
}

void trap_load(void)
{
    struct descriptor_pointer pointer = { sizeof(gates) - 1, (uintptr_t)gates };

    if (gates[0].present == 0)
        for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
            set_gate(vector);
    asm volatile("lidt %0" : : "m"(pointer) : "memory");
}

/* Called by entry.S with interrupts off. */
void trap_dispatch(struct trap_frame *frame)
{
    trap_handler handler = handlers[frame->vector];

    if (handler == NULL)
        machine_panic(frame);
    check_interrupted_flags(frame->rflags);
    handler(frame);
}
