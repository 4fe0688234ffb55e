/* SPDX-License-Identifier: Apache-2.0
 *
 * struct user: who makes a request. auth/ fills it, kube/ and engine/ pass it on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct user {
    struct str name; /* "system:anonymous" when anonymous */
    struct str uid;
    const struct str *groups; /* "system:authenticated" included unless anonymous */
    size_t n_groups;
    bool anonymous;
};

/* What a request wants to do; for non-resource requests only path and verb are set. */
struct user_action {
    struct str verb; /* get list watch create update patch delete deletecollection impersonate */
    struct str group, version, resource, subresource, ns, name;
    struct str path;
};
