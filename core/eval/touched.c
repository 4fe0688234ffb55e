/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of resources from before a function's first change to them: what comments are restored from,
 * and what is put back when the function fails. Nothing is copied for a resource that stays.
 */
#include "eval/priv.h"

static struct str key(struct node *const *p)
{
    return (struct str){(const char *)p, sizeof(*p)};
}

static size_t find(const struct eval_touched *t, struct node *resource)
{
    return (size_t)(uintptr_t)map_find(&t->index, key(&resource));
}

void eval_touch(void *ctx, struct node *resource)
{
    struct eval_touched *t = ctx;
    if (find(t, resource)) {
        return;
    }
    if (t->n == t->cap) {
        size_t cap = t->cap * 2 + 16;
        struct node **now = arena_array(t->a, struct node *, cap);
        struct node **before = arena_array(t->a, struct node *, cap);
        if (!now || !before) {
            return; /* the arena is exhausted: the run fails */
        }
        if (t->n) {
            memcpy(now, t->now, t->n * sizeof(*now));
            memcpy(before, t->before, t->n * sizeof(*before));
        }
        t->now = now;
        t->before = before;
        t->cap = cap;
    }
    struct node *copy = node_copy(t->a, resource);
    if (!copy) {
        return;
    }
    t->now[t->n] = resource;
    t->before[t->n++] = copy;
    map_set(&t->index, key(&resource), (void *)(uintptr_t)t->n);
}

const struct node *eval_touched_before(const struct eval_touched *t, const struct node *resource)
{
    size_t at = find(t, (struct node *)resource);
    return at ? t->before[at - 1] : NULL;
}

void eval_touched_undo(struct eval_touched *t)
{
    for (size_t i = 0; i < t->n; i++) {
        *t->now[i] = *t->before[i];
    }
}

void eval_touched_done(struct eval_touched *t)
{
    map_done(&t->index);
}
