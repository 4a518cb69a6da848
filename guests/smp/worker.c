/*
 * A worker makes nodes, puts them into the shared list and takes them out again,
 * oldest first. Its own counters do not depend on what the others do meanwhile.
 */
#include "worker.h"

#include "check.h"
#include "cpu.h"
#include "sampler.h"
#include "selfdebug.h"

struct worker workers[MAX_CPUS];

static void do_nothing(struct worker *worker, struct node *node)
{
    (void)worker;
    (void)node;
}

static void take_sample(struct worker *worker, struct node *node)
{
    if (worker->counters.inserted % SAMPLE_EVERY == 0)
        remember_sample(worker->list, node);
}

void worker_init(struct worker *worker, uint32_t cpu, enum worker_role role)
{
    static const worker_duty duties[] = { [WORKER_PLAIN] = do_nothing, [WORKER_SAMPLER] = take_sample };

    *worker = (struct worker){ .cpu = cpu, .role = role, .after_insertion = duties[role], .list = &shared_list };
    worker->random = 0x9E3779B97F4A7C15 * (cpu + 1);
}

/* Xorshift: the same numbers in every run. */
static uint64_t draw(struct worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random;
}

static struct node *make_node(struct worker *worker)
{
    uint32_t number = worker->counters.inserted;
    struct node *node = &worker->nodes[number % NODES_PER_WORKER];

    node->id = worker->cpu << 16 | number;
    node->owner = worker->cpu;
    node->payload.word = draw(worker);
    node->traits = (struct node_traits){ .priority = node->payload.bytes[7], .age = number };
    node->seal = node_seal(node);
    return node;
}

/* Takes the lock, and leaves nobody to work on a list that is not sound. */
static struct list *acquire_list(struct worker *worker)
{
    struct list *list = worker->list;
    enum list_fault fault;

    spin_lock(&list->lock, worker->cpu);
    fault = list_verify(list);
    if (fault != LIST_SOUND)
        check(list_repair(list, fault), "the list is beyond repair");
    return list;
}

static void release_list(struct worker *worker, struct list *list)
{
    check(spin_unlock(&list->lock) == worker->cpu, "somebody else held the lock of the list");
}

static void insert_one(struct worker *worker)
{
    struct node *node = make_node(worker);
    struct list *list = acquire_list(worker);

    list_insert(list, node);
    worker->counters.inserted++;
    worker->after_insertion(worker, node);
    release_list(worker, list);
    worker->counters.by_priority[node->traits.priority]++;
}

static void remove_one(struct worker *worker)
{
    struct node *node = &worker->nodes[worker->counters.removed % NODES_PER_WORKER];
    struct list *list = acquire_list(worker);

    list_remove(list, node);
    release_list(worker, list);
    check(node->id == (worker->cpu << 16 | worker->counters.removed), "the oldest node is not the oldest");
    worker->counters.payloads += node->payload.halves[0] + node->payload.halves[1];
    worker->counters.removed++;
}

void worker_run(struct worker *worker)
{
    for (unsigned round = 1; round <= INSERTIONS; round++) {
        insert_one(worker);
        if (round >= NODES_PER_WORKER)
            remove_one(worker);
        if (round % PROGRESS_EVERY == 0)
            self_debug_progress(round);
        if (round % SELF_DEBUG_EVERY == 0)
            self_debug_round();
        if (round % CHECK_EVERY == 0)
            check_undisturbed();
    }
    while (worker->counters.removed < worker->counters.inserted)
        remove_one(worker);
}

uint32_t worker_self_debug_rounds(void)
{
    return INSERTIONS / SELF_DEBUG_EVERY;
}

uint32_t worker_progress_writes(void)
{
    return INSERTIONS / PROGRESS_EVERY;
}
