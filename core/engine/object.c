/* SPDX-License-Identifier: Apache-2.0
 *
 * Store rows as node trees, and small facts about kinds that every file of engine/ needs.
 */
#include <sys/random.h>

#include "engine/priv.h"

const struct api_kind *engine_kind(const char *store_kind)
{
    for (size_t i = 0; i < api_n_kinds; i++) {
        if (strcmp(api_kinds[i].store_kind, store_kind) == 0) {
            return &api_kinds[i];
        }
    }
    return NULL;
}

struct str engine_resource(struct arena *a, const struct api_kind *k)
{
    return k->group[0] ? arena_printf(a, "%s.%s", k->resource, k->group) : str_of(k->resource);
}

int engine_not_found(const struct api_kind *k, struct str name, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str resource = engine_resource(&a, k);
    err_set(err, ERR_NOT_FOUND, "%.*s \"%.*s\" not found", STR_ARG(resource), STR_ARG(name));
    return err_details(err, arena_strz(&a, name), k->group, k->resource);
}

int engine_row_get(struct engine *e, const char *store_kind, struct str ns, struct str name,
                   struct arena *a, struct engine_row *out, struct err *err)
{
    *out = (struct engine_row){0};
    if (store_get(e->store, str_of(store_kind), ns, name, a, &out->stored, err) < 0) {
        return err_is(err, ERR_NOT_FOUND) ? engine_not_found(engine_kind(store_kind), name, err)
                                          : -1;
    }
    out->object = json_parse(a, out->stored.json, NULL, err);
    if (!out->object) {
        return err_wrap(err, "stored object '%.*s' is damaged", STR_ARG(name));
    }
    out->data = out->stored.data.len ? json_parse(a, out->stored.data, NULL, err) : node_map(a);
    return out->data ? 0 : -1;
}

struct str engine_uid(struct arena *a)
{
    unsigned char b[16];
    while (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) {
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return arena_printf(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}
