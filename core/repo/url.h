/* SPDX-License-Identifier: Apache-2.0
 *
 * Repository URLs, taken apart once. What git would treat as a command or an option is refused.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum url_kind { URL_HTTP, URL_SSH, URL_GIT, URL_FILE };

struct url {
    enum url_kind kind;
    struct str text; /* as given */
    struct str user; /* ssh; may be empty */
    struct str host; /* without brackets */
    int port;
    struct str path; /* decoded; ssh, git, file */
};

/* Everything in a. ERR_INVALID on URLs that are not ours. */
int url_parse(struct arena *a, struct str text, struct url *out, struct err *err);
/* True for a branch or package path that can stand in a ref name. */
bool ref_name_ok(struct str full_name);
