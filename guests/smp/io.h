/* Ports and the privileged registers: one instruction each. */
#ifndef IO_H
#define IO_H

#include "types.h"

static inline void out8(uint16_t port, uint8_t value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static inline void out16(uint16_t port, uint16_t value) { asm volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;
    asm volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr3(void)
{
    uint64_t value;
    asm volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}

static inline void write_cr3(uint64_t value) { asm volatile("movq %0, %%cr3" : : "r"(value) : "memory"); }

static inline void invalidate_page(uintptr_t address)
{
    asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t read_flags(void)
{
    uint64_t flags;
    asm volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags;
}

static inline void interrupts_on(void) { asm volatile("sti" : : : "memory"); }

static inline void interrupts_off(void) { asm volatile("cli" : : : "memory"); }

/* Sleeps until the next interrupt. STI holds interrupts off for one more
   instruction, so none can slip in between and be slept over. */
static inline void wait_for_interrupt(void) { asm volatile("sti; hlt" : : : "memory"); }

static inline void spin_hint(void) { asm volatile("pause"); }

#endif
