#ifndef SELFDEBUG_H
#define SELFDEBUG_H

#include "types.h"

/* What step_patient takes and returns: see patient.S. */
#define STEP_PATIENT_STEPS 30
#define STEP_PATIENT_RESULT (30 + 100 + 1)

void self_debug_init(void);
void self_debug_round(void);
void self_debug_progress(uint64_t progress);
void self_debug_check_totals(uint32_t rounds, uint32_t progress_writes);
void check_debug_registers(void);
void debug_traps_install(void);

/* DR0 of every processor watches its own word of this, from start to end. */
extern uint64_t progress_of[];

#endif
