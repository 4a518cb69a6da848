/*
 * Runs all groups and says how it went, in one line that a test can wait for:
 *   TRAPLINE-GUEST-OK cpus=N       or       TRAPLINE-GUEST-FAIL <group>: <file>:<line>: <condition>
 */
#include "exercise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct group {
    const char *name;
    void (*run)(void);
    /* What `trapline.devices=` must name for this group to be run; then the device has to be there. */
    const char *device;
};

static const struct group groups[] = {
    {"proc", exercise_proc, NULL},
    {"cpus", exercise_cpus, NULL},
    {"pipes", exercise_pipes, NULL},
    {"futexes", exercise_futexes, NULL},
    {"signals", exercise_signals, NULL},
    {"memory", exercise_memory, NULL},
    {"shootdown", exercise_shootdown, NULL},
    {"files", exercise_files, NULL},
    {"timers", exercise_timers, NULL},
    {"ptrace", exercise_ptrace, NULL},
    {"block", exercise_block, "disk"},
    {"random", exercise_random, "rng"},
    {"port", exercise_port, "console"},
};

/* Shared by all processes: the first failure, which is more telling than those that it causes. */
struct report {
    int taken;
    char text[480];
};
static struct report *report;

void check_failed(const char *file, int line, const char *condition)
{
    if (__atomic_exchange_n(&report->taken, 1, __ATOMIC_ACQ_REL) == 0)
        snprintf(report->text, sizeof report->text, "%s:%d: %s (%m)", file, line, condition);
    _exit(1);
}

/* Runs one group; says how it ended. */
static int run_group(const struct group *group)
{
    printf("exercise: %s\n", group->name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        group->run();
        _exit(CHILD_OK);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = -1;
    if (status == 0)
        return 1;
    if (report->text[0] != 0)
        printf("TRAPLINE-GUEST-FAIL %s: %s\n", group->name, report->text);
    else
        printf("TRAPLINE-GUEST-FAIL %s: ended with wait status 0x%x\n", group->name, status);
    return 0;
}

static int wanted(const struct group *group, int argc, char **argv, const char *devices)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            if (strcmp(argv[i], group->name) == 0)
                return 1;
        return 0;
    }
    return group->device == NULL || list_has(devices, group->device);
}

/* With arguments: only the groups that they name. */
int main(int argc, char **argv)
{
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) {
        puts("TRAPLINE-GUEST-FAIL mmap of the report");
        return 1;
    }
    char devices[80] = "";
    command_line_option("trapline.devices", devices, sizeof devices);
    for (unsigned i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (wanted(&groups[i], argc, argv, devices) && !run_group(&groups[i]))
            return 1;
    printf("TRAPLINE-GUEST-OK cpus=%d\n", online_cpus());
    return 0;
}
