#ifndef PAGING_H
#define PAGING_H

#include "types.h"

void paging_init(void);
uint64_t *window_map(const void *physical);
void window_unmap(void);
void paging_check(void);

#endif
