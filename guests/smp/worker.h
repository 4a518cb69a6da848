/* What each processor does with the shared list. */
#ifndef WORKER_H
#define WORKER_H

#include "list.h"

#define NODES_PER_WORKER 8
#define INSERTIONS 640
#define SAMPLE_EVERY 64
#define PROGRESS_EVERY 64
#define SELF_DEBUG_EVERY 160
#define CHECK_EVERY 32

enum worker_role {
    WORKER_PLAIN,
    WORKER_SAMPLER, /* also samples what it inserts: one processor does */
};

struct worker;
typedef void (*worker_duty)(struct worker *worker, struct node *node);

struct worker {
    uint32_t cpu;
    enum worker_role role;
    worker_duty after_insertion; /* with the list's lock held */
    struct list *list;
    uint64_t random;
    struct {
        uint32_t inserted;
        uint32_t removed;
        uint32_t by_priority[8];
        uint64_t payloads; /* sum over all removed nodes */
    } counters;
    struct node nodes[NODES_PER_WORKER];
};

extern struct worker workers[];

void worker_init(struct worker *worker, uint32_t cpu, enum worker_role role);
void worker_run(struct worker *worker);
uint32_t worker_self_debug_rounds(void);
uint32_t worker_progress_writes(void);

#endif
