/*
 * Timers and clocks. Never early is a promise; how late depends on what else runs, so lateness is only bounded by
 * what no working machine needs.
 */
#define _GNU_SOURCE
#include "exercise.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000ll
#define FAR_TOO_LATE (20000 * MILLISECOND)

static int64_t now(clockid_t clock)
{
    struct timespec time;
    CHECK(clock_gettime(clock, &time) == 0);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void sleeping(void)
{
    for (int milliseconds = 1; milliseconds <= 32; milliseconds *= 4) {
        struct timespec length = {0, milliseconds * MILLISECOND};
        int64_t before = now(CLOCK_MONOTONIC);
        CHECK(nanosleep(&length, NULL) == 0);
        int64_t passed = now(CLOCK_MONOTONIC) - before;
        CHECK(passed >= milliseconds * MILLISECOND && passed < FAR_TOO_LATE);
    }
}

static void timer_descriptor(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    CHECK(timer >= 0);
    struct itimerspec setting = {{0, 2 * MILLISECOND}, {0, 3 * MILLISECOND}};
    int64_t before = now(CLOCK_MONOTONIC);
    CHECK(timerfd_settime(timer, 0, &setting, NULL) == 0);
    uint64_t expirations = 0, count;
    while (expirations < 5) {
        struct pollfd wait = {.fd = timer, .events = POLLIN, .revents = 0};
        CHECK(poll(&wait, 1, 20000) == 1);
        CHECK(read(timer, &count, sizeof count) == sizeof count && count >= 1);
        expirations += count;
    }
    int64_t passed = now(CLOCK_MONOTONIC) - before;
    CHECK(passed >= (3 + 4 * 2) * MILLISECOND && passed < FAR_TOO_LATE);
    CHECK((int64_t)expirations <= passed / (2 * MILLISECOND) + 1);
    CHECK(close(timer) == 0);
}

static volatile sig_atomic_t alarms;
static void on_alarm(int number)
{
    (void)number;
    alarms++;
}
static void interval_timer(void)
{
    signal(SIGALRM, on_alarm);
    struct itimerval setting = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};
    int64_t before = now(CLOCK_MONOTONIC);
    CHECK(setitimer(ITIMER_REAL, &setting, NULL) == 0);
    while (alarms < 5)
        CHECK(now(CLOCK_MONOTONIC) - before < FAR_TOO_LATE);
    CHECK(now(CLOCK_MONOTONIC) - before >= 10 * MILLISECOND);
    CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
}

/* Time goes on, and is the same on all CPUs. */
static void clocks(void)
{
    int64_t last = now(CLOCK_MONOTONIC), real = now(CLOCK_REALTIME), start = last;
    CHECK(real > 1600000000ll * 1000000000ll); /* the real-time clock was read */
    for (int round = 0; round < 4; round++)
        for (int cpu = 0; cpu < online_cpus(); cpu++) {
            run_on_cpu(cpu);
            for (int i = 0; i < 20; i++) {
                int64_t next = now(CLOCK_MONOTONIC);
                CHECK(next >= last);
                last = next;
            }
        }
    int64_t by_monotonic = now(CLOCK_MONOTONIC) - start, by_real = now(CLOCK_REALTIME) - real;
    CHECK(by_real - by_monotonic < 100 * MILLISECOND && by_monotonic - by_real < 100 * MILLISECOND);
    int64_t busy = now(CLOCK_PROCESS_CPUTIME_ID);
    long_calculation(1, 100000);
    CHECK(now(CLOCK_PROCESS_CPUTIME_ID) > busy);
}

void exercise_timers(void)
{
    sleeping();
    timer_descriptor();
    interval_timer();
    clocks();
}
