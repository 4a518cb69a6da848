/* QEMU's firmware configuration device: a selector port and a data port. */
#include "fwcfg.h"

#include "io.h"

#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA 0x511

enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00, /* "QEMU" */
    FW_CFG_NB_CPUS = 0x05,   /* 16 bits, little endian */
};

static void read_item(enum fw_cfg_key key, uint8_t *bytes, size_t size)
{
    out16(FW_CFG_SELECTOR, (uint16_t)key);
    for (size_t index = 0; index < size; index++)
        bytes[index] = in8(FW_CFG_DATA);
}

/* How many processors the machine has, or 0 if it has no such device. */
uint32_t fw_cfg_cpu_count(void)
{
    union {
        uint8_t bytes[4];
        uint32_t word;
        uint16_t half;
    } item;

    read_item(FW_CFG_SIGNATURE, item.bytes, 4);
    if (item.word != 0x554D4551)
        return 0;
    read_item(FW_CFG_NB_CPUS, item.bytes, 2);
    return item.half;
}
