/* Processes on all CPUs: pinned, at the same time, and travelling. */
#include "exercise.h"

#include <sched.h>
#include <unistd.h>

#define MAXIMUM_CPUS 64
#define ROUNDS 20000

static uint64_t expected;

static void calculate_on(void *argument)
{
    run_on_cpu(*(int *)argument);
    CHECK(long_calculation(12345, ROUNDS) == expected);
    CHECK(getpid() != getppid());
}

static void travel(int cpus)
{
    for (int round = 0; round < 3; round++)
        for (int cpu = 0; cpu < cpus; cpu++)
            run_on_cpu(round % 2 == 0 ? cpu : cpus - 1 - cpu);
}

/* Many short lives: fork, copy on write, exit, wait. */
static int brought[16];
static void own_copy(void *argument)
{
    int number = *(int *)argument;
    for (int i = 0; i < 16; i++) {
        CHECK(brought[i] == i);
        brought[i] = number;
    }
}
static void short_lives(void)
{
    for (int i = 0; i < 16; i++)
        brought[i] = i;
    for (int number = 100; number < 116; number++)
        expect_child_ok(start_child(own_copy, &number));
    for (int i = 0; i < 16; i++)
        CHECK(brought[i] == i);
}

void exercise_cpus(void)
{
    int cpus = online_cpus();
    CHECK(cpus >= 1 && cpus <= MAXIMUM_CPUS);
    expected = long_calculation(12345, ROUNDS);
    int numbers[2 * MAXIMUM_CPUS];
    pid_t children[2 * MAXIMUM_CPUS];
    for (int i = 0; i < 2 * cpus; i++) {
        numbers[i] = i % cpus;
        children[i] = start_child(calculate_on, &numbers[i]);
    }
    for (int i = 0; i < 2 * cpus; i++)
        expect_child_ok(children[i]);
    travel(cpus);
    short_lives();
}
