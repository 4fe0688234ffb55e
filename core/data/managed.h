/* SPDX-License-Identifier: Apache-2.0
 *
 * struct managed: metadata.managedFields decoded (room internal, used by apply.c). Everything
 * lives in the arena.
 */
#pragma once

#include "data/fieldset.h"

struct managed_entry {
    struct str manager;
    bool applied; /* operation Apply, else Update */
    struct str api_version;
    struct str subresource;
    struct str time; /* RFC 3339 or empty */
    struct fieldset *set;
};

struct managed {
    struct managed_entry *entries;
    size_t n, cap;
};

/* Decodes the list; NULL and null give an empty one. ERR_BAD_REQUEST on content that no server
 * writes. */
int managed_parse(struct arena *a, const struct node *list, struct managed *out, struct err *err);
/* The list in the order of other servers; entries that own nothing are left out. NULL when none
 * is left. */
struct node *managed_emit(struct arena *a, struct managed *m);
/* Apply entries are known by manager and subresource, Update entries by apiVersion too. NULL when
 * absent. */
struct managed_entry *managed_find(const struct managed *m, const struct managed_entry *like);
/* The same, made when absent (without a set); the pointer is good until the next call. */
struct managed_entry *managed_add(struct arena *a, struct managed *m,
                                  const struct managed_entry *like);
bool managed_equal(const struct managed *x, const struct managed *y);
/* Keeps at most ten Update entries: the oldest of an apiVersion become `ancient-changes`. */
void managed_cap(struct arena *a, struct managed *m);
