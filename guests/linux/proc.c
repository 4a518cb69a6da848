/* /proc and /sys tell the same story about the machine, and the one that the command line promises. */
#define _GNU_SOURCE
#include "exercise.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static int count_lines(const char *text, const char *start)
{
    int count = 0;
    size_t length = strlen(start);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += strncmp(line, start, length) == 0;
    }
    return count;
}

static void processors(void)
{
    static char text[65536];
    int cpus = online_cpus();
    char expected[16];
    if (command_line_option("trapline.cpus", expected, sizeof expected))
        CHECK(cpus == atoi(expected));
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    CHECK(CPU_COUNT(&set) == cpus);
    read_text_file("/proc/cpuinfo", text, sizeof text);
    CHECK(count_lines(text, "processor\t") == cpus);
    read_text_file("/proc/stat", text, sizeof text);
    CHECK(count_lines(text, "cpu") == cpus + 1);
    read_text_file("/sys/devices/system/cpu/online", text, sizeof text);
    char range[24];
    snprintf(range, sizeof range, cpus == 1 ? "0\n" : "0-%d\n", cpus - 1);
    CHECK(strcmp(text, range) == 0);
    for (int cpu = 0; cpu < cpus; cpu++) {
        char name[64];
        struct stat status;
        snprintf(name, sizeof name, "/sys/devices/system/cpu/cpu%d/topology", cpu);
        CHECK(stat(name, &status) == 0 && S_ISDIR(status.st_mode));
    }
}

static void this_process(void)
{
    static char text[65536];
    char expected[64];
    read_text_file("/proc/self/stat", text, sizeof text);
    snprintf(expected, sizeof expected, "%d (", getpid());
    CHECK(strncmp(text, expected, strlen(expected)) == 0);
    read_text_file("/proc/self/status", text, sizeof text);
    snprintf(expected, sizeof expected, "PPid:\t%d\n", getppid());
    CHECK(strstr(text, expected) != NULL);
    read_text_file("/proc/self/maps", text, sizeof text);
    CHECK(strstr(text, "[stack]") != NULL && strstr(text, "[vdso]") != NULL);
    ssize_t length = readlink("/proc/self/exe", text, sizeof text);
    CHECK(length > 0 && text[0] == '/');
}

static void kernel(void)
{
    static char text[65536];
    struct utsname names;
    CHECK(uname(&names) == 0);
    CHECK(strcmp(names.machine, "x86_64") == 0);
    read_text_file("/proc/sys/kernel/osrelease", text, sizeof text);
    text[strcspn(text, "\n")] = 0;
    CHECK(strcmp(text, names.release) == 0);
    read_text_file("/proc/meminfo", text, sizeof text);
    CHECK(strncmp(text, "MemTotal:", 9) == 0 && atol(text + 9) > 16384);
    read_text_file("/proc/interrupts", text, sizeof text);
    CHECK(strstr(text, "Local timer interrupts") != NULL);
    read_text_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", text, sizeof text);
    CHECK(text[0] != 0 && text[0] != '\n');
}

void exercise_proc(void)
{
    processors();
    this_process();
    kernel();
}
