/*
 * Changes of the page tables reach the other CPUs: threads read through a page while it is exchanged and protected
 * under them. The kernel sends interprocessor interrupts for that; a stale TLB entry shows as an old value.
 */
#define _GNU_SOURCE
#include "exercise.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define MAXIMUM_THREADS 16
#define GENERATIONS 12

static volatile uint32_t *page;
static uint32_t generation, acknowledged[MAXIMUM_THREADS];

/* Once a generation is announced, each read has to give at least it. */
static void *watch_page(void *argument)
{
    int number = (int)(intptr_t)argument;
    run_on_cpu(number % online_cpus());
    for (;;) {
        uint32_t announced = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
        CHECK(*page >= announced);
        __atomic_store_n(&acknowledged[number], announced, __ATOMIC_RELEASE);
        if (announced == GENERATIONS)
            return NULL;
        sched_yield();
    }
}

static void wait_for(uint32_t wanted, int threads)
{
    for (int i = 0; i < threads; i++)
        while (__atomic_load_n(&acknowledged[i], __ATOMIC_ACQUIRE) < wanted)
            sched_yield();
}

void exercise_shootdown(void)
{
    int threads = online_cpus() < MAXIMUM_THREADS ? online_cpus() : MAXIMUM_THREADS;
    pthread_t ids[MAXIMUM_THREADS];
    page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    for (intptr_t i = 0; i < threads; i++)
        CHECK(pthread_create(&ids[i], NULL, watch_page, (void *)i) == 0);
    for (uint32_t next = 1; next <= GENERATIONS; next++) {
        uint32_t *fresh = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(fresh != MAP_FAILED);
        *fresh = next;
        CHECK(mremap(fresh, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)page) == (void *)page);
        CHECK(mprotect((void *)page, PAGE, PROT_READ) == 0);
        __atomic_store_n(&generation, next, __ATOMIC_RELEASE);
        wait_for(next, threads);
    }
    for (int i = 0; i < threads; i++)
        CHECK(pthread_join(ids[i], NULL) == 0);
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
}
