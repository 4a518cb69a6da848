/* Interrupts and exceptions: what a handler sees, and how it registers. */
#ifndef TRAP_H
#define TRAP_H

#include "types.h"

enum vector {
    VECTOR_DIVIDE_ERROR = 0,
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_GENERAL_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_TICK = 0x20,
    VECTOR_WAKE = 0x21,
    VECTOR_SPURIOUS = 0x2F,
    VECTOR_COUNT = 48
};

/* Lowest address first: the order in which entry.S and the processor push. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

typedef void (*trap_handler)(struct trap_frame *frame);

void trap_handle(enum vector vector, trap_handler handler);
void trap_load(void);

#endif
