/*
 * The virtio disk /dev/vda, past the page cache (O_DIRECT): reads, writes and flushes of many sizes. What stood in the
 * first half before the exercise is left alone; the second half is written.
 */
#define _GNU_SOURCE
#include "exercise.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECTOR 512ul
#define LARGEST (256 * 1024ul)

static uint8_t *buffer, *expected;

static void fill(uint8_t *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((seed + i) * 2654435761u >> 13);
}

static void round_trip(int disk, uint64_t at, size_t size)
{
    fill(expected, size, (uint32_t)(at + size));
    memcpy(buffer, expected, size);
    CHECK(pwrite(disk, buffer, size, (off_t)at) == (ssize_t)size);
    memset(buffer, 0xaa, size);
    CHECK(pread(disk, buffer, size, (off_t)at) == (ssize_t)size);
    CHECK(memcmp(buffer, expected, size) == 0);
}

/* The same sectors through the page cache. */
static void cached(uint64_t at)
{
    int disk = open("/dev/vda", O_RDWR);
    CHECK(disk >= 0);
    CHECK(pread(disk, buffer, 4096, (off_t)at) == 4096 && memcmp(buffer, expected, 4096) == 0);
    CHECK(pwrite(disk, "through the cache", 17, (off_t)at + 100) == 17);
    CHECK(fsync(disk) == 0 && ioctl(disk, BLKFLSBUF, 0) == 0);
    CHECK(pread(disk, buffer, 4096, (off_t)at) == 4096 && memcmp(buffer + 100, "through the cache", 17) == 0);
    CHECK(close(disk) == 0);
}

void exercise_block(void)
{
    static char text[256];
    int disk = open("/dev/vda", O_RDWR | O_DIRECT);
    CHECK(disk >= 0);
    uint64_t size;
    CHECK(ioctl(disk, BLKGETSIZE64, &size) == 0 && size >= 8 * LARGEST);
    read_text_file("/sys/block/vda/size", text, sizeof text);
    CHECK(strtoull(text, NULL, 10) * SECTOR == size);
    buffer = aligned_alloc(4096, LARGEST);
    expected = aligned_alloc(4096, LARGEST);
    CHECK(buffer != NULL && expected != NULL);
    uint64_t half = size / 2 / LARGEST * LARGEST;
    CHECK(pread(disk, expected, LARGEST, 0) == (ssize_t)LARGEST);
    for (size_t length = SECTOR; length <= LARGEST; length *= 2)
        round_trip(disk, half + length, length);
    round_trip(disk, size / SECTOR * SECTOR - SECTOR, SECTOR); /* the last one */
    CHECK(fdatasync(disk) == 0);
    CHECK(pread(disk, buffer, SECTOR, (off_t)(size / SECTOR * SECTOR)) == 0); /* behind the end */
    round_trip(disk, half, 4096);
    cached(half);
    CHECK(close(disk) == 0);
}
