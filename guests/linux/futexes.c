/* Threads: locks under contention, condition variables, barriers, and bare futexes with a time limit. */
#define _GNU_SOURCE
#include "exercise.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6
#define ADDITIONS 2000
#define ITEMS 500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static uint64_t plain, atomic_sum;
static __thread uint64_t own;

static void *add(void *argument)
{
    int number = (int)(intptr_t)argument;
    run_on_cpu(number % online_cpus());
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < ADDITIONS; i++) {
        pthread_mutex_lock(&lock);
        plain += (uint64_t)number + 1;
        pthread_mutex_unlock(&lock);
        __atomic_fetch_add(&atomic_sum, i, __ATOMIC_RELAXED);
        own += i;
    }
    return (void *)(uintptr_t)own;
}

static void contention(void)
{
    pthread_t threads[THREADS];
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, add, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK((uintptr_t)result == (uint64_t)ADDITIONS * (ADDITIONS - 1) / 2);
    }
    CHECK(plain == (uint64_t)ADDITIONS * THREADS * (THREADS + 1) / 2);
    CHECK(atomic_sum == (uint64_t)THREADS * ADDITIONS * (ADDITIONS - 1) / 2);
}

static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static unsigned ring[8], ring_in, ring_out;

static void *produce(void *argument)
{
    (void)argument;
    for (unsigned item = 1; item <= ITEMS; item++) {
        pthread_mutex_lock(&lock);
        while (ring_in - ring_out == 8)
            pthread_cond_wait(&not_full, &lock);
        ring[ring_in++ % 8] = item;
        pthread_cond_signal(&not_empty);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void conditions(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, produce, NULL) == 0);
    for (unsigned item = 1; item <= ITEMS; item++) {
        pthread_mutex_lock(&lock);
        while (ring_in == ring_out)
            pthread_cond_wait(&not_empty, &lock);
        CHECK(ring[ring_out++ % 8] == item);
        pthread_cond_signal(&not_full);
        pthread_mutex_unlock(&lock);
    }
    CHECK(pthread_join(thread, NULL) == 0);
}

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *limit)
{
    return syscall(SYS_futex, word, operation, value, limit, NULL, 0);
}

static uint32_t word;
static void *wake_later(void *argument)
{
    (void)argument;
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL);
    return NULL;
}

static void bare(void)
{
    struct timespec limit = {0, 2000000};
    CHECK(futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL) == -1 && errno == EAGAIN);
    CHECK(futex(&word, FUTEX_WAIT_PRIVATE, 0, &limit) == -1 && errno == ETIMEDOUT);
    CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wake_later, NULL) == 0);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        CHECK(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL) == 0 || errno == EAGAIN || errno == EINTR);
    CHECK(pthread_join(thread, NULL) == 0);
}

void exercise_futexes(void)
{
    contention();
    conditions();
    bare();
}
