#ifndef APIC_H
#define APIC_H

#include "types.h"

void apic_init(void);
uint32_t apic_id(void);
void apic_send_init_all(void);
void apic_send_startup(uint32_t apic_id, uint32_t page);
void apic_wake_others(void);
void legacy_interrupts_off(void);
void idle(void);
void idle_ticks(uint32_t count);

#endif
