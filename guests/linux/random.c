/* The hardware random generator behind /dev/hwrng. */
#include "exercise.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define COUNT 300

static void read_random(int file, uint8_t *bytes)
{
    for (size_t done = 0; done < COUNT;) {
        ssize_t count = read(file, bytes + done, COUNT - done);
        CHECK(count > 0);
        done += (size_t)count;
    }
}

void exercise_random(void)
{
    static char name[256];
    read_text_file("/sys/class/misc/hw_random/rng_current", name, sizeof name);
    CHECK(strncmp(name, "virtio_rng", 10) == 0);
    int file = open("/dev/hwrng", O_RDONLY);
    CHECK(file >= 0);
    uint8_t first[COUNT], second[COUNT];
    read_random(file, first);
    read_random(file, second);
    CHECK(memcmp(first, second, COUNT) != 0);
    int values = 0;
    for (int value = 0; value < 256; value++)
        values += memchr(first, value, COUNT) != NULL;
    CHECK(values > 100); /* 177 of 256 are to be expected; 100 is 17 standard deviations below */
    CHECK(close(file) == 0);
}
