/* The code that the guest's own debugger works on: assembly, so that each of its instructions is known. */
#ifndef TRACED_H
#define TRACED_H

#include <stdint.h>

#define TRACED_COPY_SIZE 5

/* Adds n + (n - 1) + ... + 1. */
uint64_t traced_loop(uint64_t n);
extern const uint8_t traced_loop_head[], traced_loop_end[];

/* Copies TRACED_COPY_SIZE bytes with one REP MOVSB. */
void traced_copy(void);
extern const uint8_t traced_copy_repeat[], traced_copy_end[];

/* Stores 0 .. n - 1 into traced_word. */
uint64_t traced_stores(uint64_t n);
extern const uint8_t traced_stored[], traced_stores_end[];
extern volatile uint32_t traced_word;
extern volatile uint64_t traced_neighbour;

#endif
