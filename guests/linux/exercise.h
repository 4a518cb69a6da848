/*
 * The test program of the Linux guest: groups of checks on what the kernel, and under it the machine, promise to a
 * process. Each group runs in a process of its own, so that it can do to itself what it likes.
 */
#ifndef EXERCISE_H
#define EXERCISE_H

#include <stdint.h>
#include <sys/types.h>

/* Ends this process with the place and the text of a condition that does not hold. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* What a child that found nothing wrong ends with. */
#define CHILD_OK 0

__attribute__((noreturn)) void check_failed(const char *file, int line, const char *condition);

/* Runs a function in a child process; answers the child's process id. */
pid_t start_child(void (*body)(void *), void *argument);
/* Waits for a child and checks that it found nothing wrong. */
void expect_child_ok(pid_t child);

/* Text of a file (of /proc or /sys: their sizes are not known in advance), ended by a zero byte. */
void read_text_file(const char *name, char *text, size_t capacity);
/* The value of `name=value` on the kernel's command line; answers 0 when it is not there. */
int command_line_option(const char *name, char *value, size_t capacity);
/* Whether a comma-separated list names something. */
int list_has(const char *list, const char *name);

int online_cpus(void);
/* Pins the calling thread, and checks that it is there. */
void run_on_cpu(int cpu);
/* A value that depends on each step of a long calculation. */
uint64_t long_calculation(uint64_t seed, unsigned rounds);

void exercise_cpus(void);
void exercise_pipes(void);
void exercise_futexes(void);
void exercise_signals(void);
void exercise_memory(void);
void exercise_shootdown(void);
void exercise_files(void);
void exercise_proc(void);
void exercise_timers(void);
void exercise_ptrace(void);
void exercise_block(void);
void exercise_random(void);
void exercise_port(void);

#endif
