/* Remembers the latest samples of what went into the list, oldest overwritten first. */
#include "sampler.h"

void remember_sample(struct list *list, struct node *node)
{
    if (list->next_sample > SAMPLE_SLOTS)
        list->next_sample = 0;
    list->samples[list->next_sample++] = node->id;
    node->traits.sampled = 1;
}
