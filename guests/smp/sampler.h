#ifndef SAMPLER_H
#define SAMPLER_H

#include "list.h"

void remember_sample(struct list *list, struct node *node);

#endif
