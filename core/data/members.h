/* SPDX-License-Identifier: Apache-2.0
 *
 * struct members: look-up by key over a growing member array (room internal). Small arrays are
 * searched in order; past MEMBERS_LINEAR a hash table with a random seed takes over, so that input
 * chosen by a client cannot make parsing or patching quadratic. The array belongs to the caller,
 * who may append to it (and move it) between look-ups but must not reorder or shorten it.
 */
#pragma once

#include "data/node.h"

#define MEMBERS_LINEAR 16
#define MEMBERS_NONE SIZE_MAX

struct members {
    uint64_t *slots; /* high half: hash, low half: index + 1; 0 = empty */
    size_t n_slots;
    size_t n_indexed; /* members that the table knows */
    uint64_t seed;
};

#define AUTO_MEMBERS __attribute__((cleanup(members_done))) struct members

void members_done(struct members *ix);
/* Index of the member with that key among the first n, or MEMBERS_NONE. */
size_t members_find(struct members *ix, const struct node_member *members, size_t n,
                    struct str key);
