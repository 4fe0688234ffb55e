/* SPDX-License-Identifier: Apache-2.0
 *
 * Events live for an hour (kube-wire.md §17.1).
 */
#include "base/log.h"
#include "engine/priv.h"

static bool expired(struct arena *a, const struct node *o, int64_t now)
{
    int64_t t;
    struct str last = node_text_at(o, "lastTimestamp");
    if (!last.len) {
        last = node_text_at(o, "metadata.creationTimestamp");
    }
    return clock_parse_rfc3339(last, &t) && now - t > LIMIT_EVENT_TTL_S * NS_PER_S;
}

void engine_events_expire(struct engine *e)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct engine_changes c;
    engine_changes_init(&c, e, &a);
    struct store_query q = {.kind = STR("events")};
    int64_t rv, now = clock_real_ns();
    struct store_list *l = store_list_open(e->store, &q, &rv, &err);
    struct store_object row;
    while (l && c.n < 1000 && store_list_next(l, &row, &err) > 0) {
        struct node *o = json_parse(&a, arena_str(&a, row.json), NULL, &err);
        if (o && expired(&a, o, now)) {
            node_delz(node_getz(o, "metadata"), "resourceVersion");
            engine_changes_del(&c, engine_kind("events"), o, row.rv);
        }
    }
    store_list_close(l);
    if (c.n && engine_changes_commit(&c, &err) < 0) {
        log_warn("events not expired", "error", err.message, NULL);
    }
    engine_changes_done(&c);
}
