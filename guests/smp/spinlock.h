/*
 * A test-and-test-and-set lock. Interrupt handlers of this kernel take no
 * locks, so holders leave interrupts on.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include "io.h"

#define LOCK_FREE 0xFFFFFFFFu

struct spinlock {
    uint32_t holder; /* the holder's CPU number, or LOCK_FREE */
};

#define SPINLOCK_FREE ((struct spinlock){ LOCK_FREE })

static inline bool spin_try_lock(struct spinlock *lock, uint32_t cpu)
{
    uint32_t expected = LOCK_FREE;

    return __atomic_compare_exchange_n(&lock->holder, &expected, cpu, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void spin_lock(struct spinlock *lock, uint32_t cpu)
{
    while (!spin_try_lock(lock, cpu))
        do
            spin_hint(); /* wait on a shared line; a locked access would own it */
        while (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != LOCK_FREE);
}

/* Returns who held the lock, so that a wrong unlock can be noticed. */
static inline uint32_t spin_unlock(struct spinlock *lock)
{
    return __atomic_exchange_n(&lock->holder, LOCK_FREE, __ATOMIC_RELEASE);
}

#endif
