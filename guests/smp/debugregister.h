/* DR0-DR7: SDM vol. 3, 17.2. */
#ifndef DEBUGREGISTER_H
#define DEBUGREGISTER_H

#include "types.h"

#define DR6_NO_CAUSE 0xFFFF0FF0ull
#define DR6_SLOT(slot) (1ull << (slot))
#define DR6_SINGLE_STEP 0x4000ull

#define DR7_NO_SLOT 0x400ull
#define DR7_ENABLE(slot) (1ull << ((slot) * 2))
#define DR7_KIND(slot, kind) ((uint64_t)(kind) << (16 + (slot) * 4))

/* R/W and LEN of one slot together. */
enum debug_kind {
    DEBUG_EXECUTE = 0x0,
    DEBUG_WRITE_8 = 0x9,
    DEBUG_ACCESS_4 = 0xF,
};

#define READ_DEBUG_REGISTER(number)                                                                                    \
    ({                                                                                                                 \
        uint64_t value_;                                                                                               \
        asm volatile("movq %%dr" #number ", %0" : "=r"(value_) : : "memory");                                          \
        value_;                                                                                                        \
    })

#define WRITE_DEBUG_REGISTER(number, value)                                                                            \
    asm volatile("movq %0, %%dr" #number : : "r"((uint64_t)(value)) : "memory")

#endif
