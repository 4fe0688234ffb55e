/* ROOM: krm
 * SPDX-License-Identifier: Apache-2.0
 *
 * Field ownership: `live\0object` as JSON. Neither path may change the live object, and applying
 * the same again must be quiet.
 */
#include <stdlib.h>

#include "data/apply.h"

static const struct apply_manager ONE = {STR("one"), STR("v1"), STR(""),
                                         STR("2026-01-01T00:00:01Z")};
static const struct apply_manager TWO = {STR("two"), STR("v1"), STR(""),
                                         STR("2026-01-01T00:00:02Z")};

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str rest = {(const char *)data, size}, text = STR("");
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    arena_init(&a, 64u << 20);
    (void)str_split(&rest, '\0', &text);
    struct node *live = json_parse(&a, text, NULL, &err);
    struct node *object = json_parse(&a, rest.ptr ? rest : text, NULL, &err);
    if (!node_is(live, NODE_MAP) || !node_is(object, NODE_MAP)) {
        return 0;
    }
    struct str before = json_emit_str(&a, live);
    struct node *applied = apply_merge(&a, live, object, NULL, &ONE, true, &err);
    struct node *again = applied ? apply_merge(&a, applied, object, NULL, &ONE, false, &err) : NULL;
    if (applied && !a.exhausted && (!again || !node_equal(applied, again))) {
        abort();
    }
    (void)apply_track_update(&a, live, object, NULL, &TWO, &err);
    if (!str_eq(before, json_emit_str(&a, live)) && !a.exhausted) {
        abort();
    }
    return 0;
}
