/* What several groups need. */
#define _GNU_SOURCE
#include "exercise.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t start_child(void (*body)(void *), void *argument)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        body(argument);
        _exit(CHILD_OK);
    }
    return child;
}

void expect_child_ok(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_OK);
}

void read_text_file(const char *name, char *text, size_t capacity)
{
    int file = open(name, O_RDONLY);
    CHECK(file >= 0);
    size_t length = 0;
    for (;;) {
        ssize_t count = read(file, text + length, capacity - 1 - length);
        CHECK(count >= 0);
        if (count == 0)
            break;
        length += (size_t)count;
    }
    text[length] = 0;
    close(file);
}

int command_line_option(const char *name, char *value, size_t capacity)
{
    char line[2048];
    read_text_file("/proc/cmdline", line, sizeof line);
    size_t length = strlen(name);
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        if (strncmp(word, name, length) != 0 || word[length] != '=')
            continue;
        snprintf(value, capacity, "%s", word + length + 1);
        return 1;
    }
    return 0;
}

int list_has(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == 0 || at[length] == ','))
            return 1;
    }
    return 0;
}

int online_cpus(void)
{
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

void run_on_cpu(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
    CHECK(sched_getcpu() == cpu);
}

uint64_t long_calculation(uint64_t seed, unsigned rounds)
{
    uint64_t value = seed;
    for (unsigned i = 0; i < rounds; i++) {
        value ^= value << 13; /* Marsaglia's xorshift64 */
        value ^= value >> 7;
        value ^= value << 17;
        value += value / (i + 3);
    }
    return value;
}
