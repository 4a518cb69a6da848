#ifndef SMP_H
#define SMP_H

#include "types.h"

typedef void (*cpu_program)(void);

/* Everybody waits until all processors have come here. */
struct barrier {
    uint32_t arrived;
    uint32_t generation;
};

uint32_t smp_start(cpu_program program);
uint32_t smp_count(void);
void barrier_wait(struct barrier *barrier);

#endif
