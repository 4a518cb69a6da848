/*
 * The list that all processors share: ordered by priority, linked both ways.
 */
#ifndef LIST_H
#define LIST_H

#include "spinlock.h"
#include "types.h"

#define LIST_MAGIC 0x5453494C /* "LIST" */
#define SAMPLE_SLOTS 8

enum node_state {
    NODE_FREE,
    NODE_LISTED,
    NODE_TAKEN,
};

/* Numbers in the order in which they are drawn, seen three ways. */
union payload {
    uint64_t word;
    uint32_t halves[2];
    uint8_t bytes[8];
};

struct node_traits {
    unsigned state : 2; /* enum node_state */
    unsigned priority : 3;
    unsigned sampled : 1;
    unsigned age : 10;
};

typedef uint32_t node_id;

struct node {
    struct node *next;
    struct node *previous;
    node_id id;     /* owner << 16 | how many the owner had made before */
    uint32_t owner; /* the processor that made it */
    union payload payload;
    struct node_traits traits;
    uint64_t seal; /* over id, owner and payload */
};

enum list_fault {
    LIST_SOUND,
    LIST_BAD_MAGIC,
    LIST_BAD_LINK,
    LIST_BAD_ORDER,
    LIST_BAD_SEAL,
    LIST_BAD_COUNT,
    LIST_BAD_CHECKSUM,
};

/* What was found, and what it should have been. */
struct corruption {
    enum list_fault fault;
    uint32_t found;
    uint32_t expected;
    uint32_t times;
};

struct list {
    struct spinlock lock;
    struct node *head;
    struct node *tail;
    uint32_t count;
    uint64_t checksum; /* exclusive or of the seals of all nodes */
    uint32_t next_sample;
    node_id samples[SAMPLE_SLOTS]; /* sampler.c */
    uint32_t magic;                /* LIST_MAGIC from list_init on, for ever */
    struct corruption corruption;
};

extern struct list shared_list;

void list_init(struct list *list);
void list_insert(struct list *list, struct node *node);
void list_remove(struct list *list, struct node *node);
enum list_fault list_verify(const struct list *list);
bool list_repair(struct list *list, enum list_fault fault);
uint64_t node_seal(const struct node *node);

#endif
