/* Pipes, socket pairs, eventfd and poll between processes on different CPUs. */
#define _GNU_SOURCE
#include "exercise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 200
#define BULK (256 * 1024)

struct channel {
    int in, out;
};

static void read_all(int file, void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(file, (char *)buffer + done, size - done);
        CHECK(count > 0);
        done += (size_t)count;
    }
}

static void answer_turns(void *argument)
{
    struct channel *channel = argument;
    run_on_cpu(online_cpus() - 1);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint32_t value;
        read_all(channel->in, &value, sizeof value);
        CHECK(value == turn * 3);
        value = turn * 5;
        CHECK(write(channel->out, &value, sizeof value) == sizeof value);
    }
}

/* Strictly in turn: each side wakes the other. */
static void ping_pong(void)
{
    int there[2], back[2];
    CHECK(pipe(there) == 0 && pipe(back) == 0);
    struct channel channel = {there[0], back[1]};
    pid_t child = start_child(answer_turns, &channel);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint32_t value = turn * 3;
        CHECK(write(there[1], &value, sizeof value) == sizeof value);
        read_all(back[0], &value, sizeof value);
        CHECK(value == turn * 5);
    }
    expect_child_ok(child);
    for (int i = 0; i < 2; i++)
        close(there[i]), close(back[i]);
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8));
}

static void pour(void *argument)
{
    static uint8_t bytes[5000];
    for (size_t at = 0; at < BULK;) {
        size_t count = BULK - at < sizeof bytes ? BULK - at : sizeof bytes;
        for (size_t i = 0; i < count; i++)
            bytes[i] = pattern(at + i);
        CHECK(write(*(int *)argument, bytes, count) == (ssize_t)count);
        at += count;
    }
}

/* More than a pipe holds, in pieces that fit no page. */
static void bulk(int reader, int writer)
{
    pid_t child = start_child(pour, &writer);
    close(writer);
    static uint8_t bytes[7001];
    size_t at = 0;
    for (;;) {
        ssize_t count = read(reader, bytes, sizeof bytes);
        CHECK(count >= 0);
        if (count == 0)
            break;
        for (ssize_t i = 0; i < count; i++)
            CHECK(bytes[i] == pattern(at + (size_t)i));
        at += (size_t)count;
    }
    CHECK(at == BULK);
    expect_child_ok(child);
    close(reader);
}

static void no_reader(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    char byte;
    CHECK(read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    close(ends[1]);
}

static void count_up(void *argument)
{
    uint64_t value = 7;
    CHECK(write(*(int *)argument, &value, sizeof value) == sizeof value);
}

static void event_and_poll(void)
{
    int event = eventfd(0, 0);
    CHECK(event >= 0);
    struct pollfd wait = {.fd = event, .events = POLLIN, .revents = 0};
    CHECK(poll(&wait, 1, 0) == 0);
    pid_t child = start_child(count_up, &event);
    CHECK(poll(&wait, 1, -1) == 1 && wait.revents == POLLIN);
    uint64_t value;
    read_all(event, &value, sizeof value);
    CHECK(value == 7);
    expect_child_ok(child);
    close(event);
}

void exercise_pipes(void)
{
    int ends[2];
    ping_pong();
    CHECK(pipe(ends) == 0);
    bulk(ends[0], ends[1]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    bulk(ends[0], ends[1]);
    no_reader();
    event_and_poll();
}
