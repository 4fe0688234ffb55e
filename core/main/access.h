/* SPDX-License-Identifier: Apache-2.0
 *
 * What the verbs that hand out access share: flags, and the data directory's certificates.
 */
#pragma once

#include <stdbool.h>

#include "auth/auth.h"
#include "base/arena.h"

#define ACCESS_MAX_GROUPS 32

struct access_flags {
    const char *data, *user, *server;
    struct str groups[ACCESS_MAX_GROUPS];
    size_t n_groups;
    int64_t days, ttl_s; /* ttl 0 = no end */
    const char *words[4]; /* what is not a flag */
    size_t n_words;
    bool help;
};

/* Parses --data --user --group --server --days --ttl; prints what is wrong; returns 0 or 2. */
int access_parse(struct arena *a, const char *verb, int argc, char **argv,
                 struct access_flags *out);
/* Opens the certificates of the data directory, without the store; prints what is wrong. */
struct auth *access_open(struct arena *a, const struct access_flags *f, const char *verb);
