#ifndef CHECK_H
#define CHECK_H

#include "types.h"

struct trap_frame;

void check(bool holds, const char *name);
void check_undisturbed(void);
void check_interrupted_flags(uint64_t flags);
void check_init(void);
uint64_t text_checksum(const void *start, const void *end);

void machine_succeed(void) __attribute__((noreturn));
void machine_fail(const char *name) __attribute__((noreturn));
void machine_panic(const struct trap_frame *frame) __attribute__((noreturn));

#endif
