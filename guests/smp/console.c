/* The first serial port, polled, one whole line at a time; and the debug console port. */
#include "console.h"

#include "cpu.h"
#include "spinlock.h"

#define COM1 0x3F8
#define DIVISOR_LATCH_ACCESS 0x80
#define EIGHT_BITS_NO_PARITY 0x03
#define FIFO_ENABLE_AND_CLEAR 0x07
#define TERMINAL_READY_REQUEST_TO_SEND 0x03
#define TRANSMIT_HOLDING_EMPTY 0x20
#define TRANSMITTER_EMPTY 0x40

#define DEBUG_CONSOLE 0xE9

static struct spinlock console_lock = SPINLOCK_FREE;

void console_init(void)
{
    out8(COM1 + 1, 0); /* no interrupts */
    out8(COM1 + 3, DIVISOR_LATCH_ACCESS);
    out8(COM1 + 0, 1); /* 115200 baud */
    out8(COM1 + 1, 0);
    out8(COM1 + 3, EIGHT_BITS_NO_PARITY);
    out8(COM1 + 2, FIFO_ENABLE_AND_CLEAR);
    out8(COM1 + 4, TERMINAL_READY_REQUEST_TO_SEND);
}

static void put_character(char character)
{
    while (!(in8(COM1 + 5) & TRANSMIT_HOLDING_EMPTY))
        spin_hint();
    out8(COM1, (uint8_t)character);
}

static void put_number(uint64_t value, unsigned base, int width)
{
    char digits[20];
    int count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    for (; width > count; width--)
        put_character('0');
    while (count > 0)
        put_character(digits[--count]);
}

static void put_text(const char *text)
{
    while (*text)
        put_character(*text++);
}

/* Knows %s, %u and %x; a digit in front of x is the width, l makes it 64 bits wide. */
static const char *put_conversion(const char *format, __builtin_va_list *arguments)
{
    int width = 0;
    bool wide = false;

    for (;; format++) {
        if (*format >= '0' && *format <= '9')
            width = width * 10 + (*format - '0');
        else if (*format == 'l')
            wide = true;
        else
            break;
    }
    if (*format == 's') {
        put_text(__builtin_va_arg(*arguments, const char *));
    } else {
        uint64_t value = wide ? __builtin_va_arg(*arguments, uint64_t) : __builtin_va_arg(*arguments, uint32_t);
        put_number(value, *format == 'x' ? 16 : 10, width);
    }
    return format + 1;
}

void console_print(const char *format, ...)
{
    __builtin_va_list arguments;

    __builtin_va_start(arguments, format);
    spin_lock(&console_lock, this_cpu()->number);
    while (*format) {
        if (*format == '%')
            format = put_conversion(format + 1, &arguments);
        else
            put_character(*format++);
    }
    spin_unlock(&console_lock);
    __builtin_va_end(arguments);
}

/* A failure message must come out even if this processor died while printing. */
void console_break_lock(void)
{
    for (int patience = 0; patience < 1000000 && console_lock.holder != LOCK_FREE; patience++)
        spin_hint();
    console_lock = SPINLOCK_FREE;
}

/* The machine ends in the middle of an instruction: have the last character out before. */
void console_drain(void)
{
    while (!(in8(COM1 + 5) & TRANSMITTER_EMPTY))
        spin_hint();
}

/* Where nobody listens to the port, the bytes just vanish. */
void debug_port_write(const char *text)
{
    while (*text)
        out8(DEBUG_CONSOLE, (uint8_t)*text++);
}
