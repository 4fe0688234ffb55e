/* SPDX-License-Identifier: Apache-2.0  ROOM: data
 *
 * Input: target JSON, a zero byte, patch JSON. All three kinds of patch must leave their inputs
 * alone and give trees that are JSON within the limits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/kinds.h"
#include "data/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {"name", NULL};
static const struct api_schema schema;
static const struct api_field fields[] = {
    {.name = "s", .type = API_LIST, .element = API_STRING, .merge = true},
    {.name = "l", .type = API_LIST, .element = API_OBJECT, .object = &schema,
     .list = API_LIST_MAP, .keys = keys},
    {.name = "o", .type = API_OBJECT, .object = &schema},
};
static const struct api_schema schema = {.fields = fields, .n_fields = 3};

static void check(struct arena *a, const struct node *n)
{
    AUTO_ERR err = ERR_INIT;
    if (n && !json_parse(a, json_emit_str(a, n), NULL, &err)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    if (!zero) {
        return 0;
    }
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct str first = {(const char *)data, (size_t)(zero - data)};
    struct str second = {(const char *)zero + 1, size - first.len - 1};
    struct node *target = json_parse(&a, first, NULL, &err);
    struct node *patch = target ? json_parse(&a, second, NULL, &err) : NULL;
    if (!patch) {
        return 0;
    }
    struct str target_before = json_emit_str(&a, target), patch_before = json_emit_str(&a, patch);
    check(&a, patch_merge(&a, target, patch));
    check(&a, patch_json(&a, target, patch, &err));
    err_done(&err);
    check(&a, patch_strategic(&a, target, patch, &schema, &err));
    if (!str_eq(target_before, json_emit_str(&a, target)) ||
        !str_eq(patch_before, json_emit_str(&a, patch))) {
        abort();
    }
    return 0;
}
