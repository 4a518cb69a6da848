/* The virtio console: a second line to the host. With `trapline.devices=...,port-echo` the host has to answer on it. */
#include "exercise.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void write_all(int port, const char *text, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = write(port, text + done, length - done);
        CHECK(count > 0);
        done += (size_t)count;
    }
}

/* More than one page, so more than one buffer. */
static void many_lines(int port)
{
    static const char line[] = "trapline-port: 0123456789 abcdefghijklmnopqrstuvwxyz\n";
    for (int i = 0; i < 100; i++)
        write_all(port, line, sizeof line - 1);
}

static void echo(int port)
{
    write_all(port, "trapline-port: say pong\n", 24);
    char text[16];
    size_t length = 0;
    while (length < 5) {
        struct pollfd wait = {.fd = port, .events = POLLIN, .revents = 0};
        CHECK(poll(&wait, 1, 20000) == 1);
        ssize_t count = read(port, text + length, sizeof text - length);
        CHECK(count > 0);
        length += (size_t)count;
    }
    CHECK(length == 5 && memcmp(text, "pong\n", 5) == 0);
}

void exercise_port(void)
{
    char devices[80] = "";
    command_line_option("trapline.devices", devices, sizeof devices);
    int port = open("/dev/hvc0", O_RDWR | O_NOCTTY);
    CHECK(port >= 0);
    struct termios mode;
    CHECK(tcgetattr(port, &mode) == 0);
    cfmakeraw(&mode);
    CHECK(tcsetattr(port, TCSANOW, &mode) == 0);
    write_all(port, "trapline-port: hello\n", 21);
    many_lines(port);
    if (list_has(devices, "port-echo"))
        echo(port);
    CHECK(tcdrain(port) == 0 && close(port) == 0);
}
