#ifndef CONSOLE_H
#define CONSOLE_H

#include "types.h"

void console_init(void);
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_break_lock(void);
void console_drain(void);
void debug_port_write(const char *text);

#endif
