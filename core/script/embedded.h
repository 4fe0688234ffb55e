/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lua sources inside the program: a table that embed.lua generates at build time.
 */
#pragma once

#include <stddef.h>

struct script_embedded {
    const char *path; /* "lua/lanai/node.lua", "workflows/approve.lua" */
    const char *text;
    size_t len;
};

extern const struct script_embedded script_embedded[];
extern const size_t script_n_embedded;
