/* SPDX-License-Identifier: Apache-2.0
 *
 * struct user: who makes a request. auth/ fills it, kube/ and engine/ pass it on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* One value of a further fact about a user; a key may come more than once. */
struct user_extra {
    struct str key, value;
};

struct user {
    struct str name; /* "system:anonymous" when anonymous */
    struct str uid;
    const struct str *groups; /* "system:authenticated" included unless anonymous */
    size_t n_groups;
    const struct user_extra *extra;
    size_t n_extra;
    bool anonymous;
};

/* What a request wants to do; for non-resource requests only path and verb are set. */
struct user_action {
    struct str verb; /* get list watch create update patch delete deletecollection impersonate */
    struct str group, version, resource, subresource, ns, name;
    struct str path;
};
