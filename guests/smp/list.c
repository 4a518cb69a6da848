/* Operations on the shared list. Whoever calls them holds its lock. */
#include "list.h"

struct list shared_list;

void list_init(struct list *list)
{
    *list = (struct list){ .lock = SPINLOCK_FREE, .magic = LIST_MAGIC };
}

/* Changes with every bit of what it covers. */
uint64_t node_seal(const struct node *node)
{
    uint64_t seal = node->payload.word ^ ((uint64_t)node->id << 32 | node->owner);

    seal = (seal ^ seal >> 29) * 0xBF58476D1CE4E5B9;
    return seal ^ seal >> 32;
}

/* Behind which node this one belongs: the last one that is not less urgent. */
static struct node *find_place(const struct list *list, unsigned priority)
{
    struct node *behind = list->tail;

    while (behind != NULL && behind->traits.priority < priority)
        behind = behind->previous;
    return behind;
}

void list_insert(struct list *list, struct node *node)
{
    struct node *behind = find_place(list, node->traits.priority);
    struct node *before = behind == NULL ? list->head : behind->next;

    node->previous = behind;
    node->next = before;
    if (behind == NULL)
        list->head = node;
    else
        behind->next = node;
    if (before == NULL)
        list->tail = node;
    else
        before->previous = node;
    node->traits.state = NODE_LISTED;
    list->count++;
    list->checksum ^= node->seal;
}

void list_remove(struct list *list, struct node *node)
{
    if (node->previous == NULL)
        list->head = node->next;
    else
        node->previous->next = node->next;
    if (node->next == NULL)
        list->tail = node->previous;
    else
        node->next->previous = node->previous;
    node->next = NULL;
    node->previous = NULL;
    node->traits.state = NODE_TAKEN;
    list->count--;
    list->checksum ^= node->seal;
}

static enum list_fault verify_node(const struct node *node, const struct node *previous)
{
    if (node->previous != previous || node->traits.state != NODE_LISTED)
        return LIST_BAD_LINK;
    if (previous != NULL && previous->traits.priority < node->traits.priority)
        return LIST_BAD_ORDER;
    if (node->seal != node_seal(node) || node->id >> 16 != node->owner)
        return LIST_BAD_SEAL;
    return LIST_SOUND;
}

/* Walks the whole list; a ring cannot hold it up, as no list is longer than its count. */
enum list_fault list_verify(const struct list *list)
{
    const struct node *previous = NULL;
    uint64_t checksum = 0;
    uint32_t seen = 0;

    if (list->magic != LIST_MAGIC)
        return LIST_BAD_MAGIC;
    for (const struct node *node = list->head; node != NULL; node = node->next) {
        enum list_fault fault = verify_node(node, previous);
        if (fault != LIST_SOUND)
            return fault;
        if (++seen > list->count)
            return LIST_BAD_COUNT;
        checksum ^= node->seal;
        previous = node;
    }
    if (previous != list->tail || seen != list->count)
        return LIST_BAD_COUNT;
    return checksum == list->checksum ? LIST_SOUND : LIST_BAD_CHECKSUM;
}

/* Notes what was wrong, and puts it right if that can be done. */
bool list_repair(struct list *list, enum list_fault fault)
{
    struct corruption *corruption = &list->corruption;

    corruption->fault = fault;
    corruption->times++;
    if (fault != LIST_BAD_MAGIC)
        return false;
    corruption->found = list->magic;
    corruption->expected = LIST_MAGIC;
    list->magic = LIST_MAGIC;
    return true;
}
