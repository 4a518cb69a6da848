#ifndef FWCFG_H
#define FWCFG_H

#include "types.h"

uint32_t fw_cfg_cpu_count(void);

#endif
