/*
 * A checksum over whole 16-byte lines. The one file that may use SSE2: no
 * interrupt handler touches XMM registers, so none has to save them.
 */
#include "check.h"

typedef uint32_t lanes __attribute__((vector_size(16)));

uint64_t text_checksum(const void *start, const void *end)
{
    lanes sum = { 1, 2, 3, 4 };
    lanes mix = { 0x9E3779B9, 0x7F4A7C15, 0xF39CC060, 0x5CEDC834 };

    for (const lanes *line = start; (const void *)line < end; line++) {
        sum = (sum ^ *line) + mix;
        sum = sum << 7 | sum >> 25;
    }
    return ((uint64_t)sum[0] << 32 | sum[1]) ^ ((uint64_t)sum[2] << 32 | sum[3]);
}
