/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE of a collection (kube-wire §7.6): what the selectors select is noted first, then deleted
 * one after the other through the engine; the answer is the list of what went.
 */
#include "kube/priv.h"

struct sweep {
    struct kube_call *c;
    struct engine_write w;
    struct str *ns, *names;
    size_t n, cap, at;
    struct buf items; /* objects that went */
    size_t n_items;
};

static void sweep_next(struct sweep *s);

static void sweep_answer(struct sweep *s, const struct err *err)
{
    struct kube_call *c = s->c;
    if (err) {
        buf_done(&s->items);
        kube_answer_err(c, err);
        return;
    }
    struct str json = arena_printf(c->a,
                                   "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":"
                                   "{\"resourceVersion\":\"%lld\"},\"items\":[%.*s]}",
                                   c->route.kind->list_kind, c->route.kind->group_version,
                                   (long long)store_rv(c->k->store), STR_ARG(buf_str(&s->items)));
    buf_done(&s->items);
    kube_answer_json(c, 200, json);
}

static void sweep_done(void *ctx, struct engine_write *w)
{
    struct sweep *s = ctx;
    struct kube *k = s->c->k;
    AUTO_ERR err = ERR_INIT;
    err_move(&err, &w->err);
    if (err.kind == ERR_NONE) {
        buf_addz(&s->items, s->n_items++ ? "," : "");
        buf_add_str(&s->items, w->json);
        s->at++;
    } else if (err.kind == ERR_NOT_FOUND) {
        s->at++; /* gone already: what was wanted */
    } else if (!kube_is_stale(&err)) {
        sweep_answer(s, &err);
        kube_writes_end(k);
        return;
    }
    sweep_next(s);
    kube_writes_end(k);
}

static void sweep_next(struct sweep *s)
{
    struct kube_call *c = s->c;
    const struct api_kind *form = kube_stored_form(c->route.kind);
    for (; s->at < s->n; s->at++) {
        AUTO_ERR err = ERR_INIT;
        struct store_object row;
        if (kube_expired(c)) {
            kube_timeout(&err);
            sweep_answer(s, &err);
            return;
        }
        if (store_get(c->k->store, str_of(form->store_kind), s->ns[s->at], s->names[s->at], c->a,
                      &row, &err) < 0) {
            if (err_is(&err, ERR_NOT_FOUND)) {
                continue;
            }
            sweep_answer(s, &err);
            return;
        }
        struct node *old = json_parse(c->a, row.json, NULL, &err);
        if (!old) {
            sweep_answer(s, &err);
            return;
        }
        s->w = (struct engine_write){.arena = c->a, .verb = ENGINE_DELETE, .kind = form,
                                     .subresource = STR(""), .ns = s->ns[s->at],
                                     .name = s->names[s->at], .old = old, .old_rv = row.rv,
                                     .user = c->user, .dry_run = c->params.dry_run,
                                     .deadline_ns = c->req->deadline_ns};
        kube_writes_begin(c->k);
        engine_submit(c->k->config.engine, &s->w, sweep_done, s);
        return;
    }
    sweep_answer(s, NULL);
}

static int sweep_collect(struct sweep *s, struct err *err)
{
    struct kube_call *c = s->c;
    struct kube_list_scope scope;
    struct store_object row;
    int rc;
    if (kube_list_scope(c, &scope, err) < 0) {
        return -1;
    }
    struct store_query q = kube_list_query(&scope, c->route.kind);
    struct store_list *rows = store_list_open(c->k->store, &q, NULL, err);
    while (rows && (rc = store_list_next(rows, &row, err)) == 1) {
        bool match;
        AUTO_ARENA item = ARENA_INIT;
        if (kube_list_match(&scope, c->route.kind, &row, &item, &match, err) < 0) {
            rc = -1;
            break;
        }
        if (!match) {
            continue;
        }
        if (s->n == s->cap) {
            size_t cap = s->cap ? s->cap * 2 : 64;
            struct str *ns = arena_array(c->a, struct str, cap);
            struct str *names = arena_array(c->a, struct str, cap);
            for (size_t i = 0; i < s->n; i++) {
                ns[i] = s->ns[i];
                names[i] = s->names[i];
            }
            s->ns = ns;
            s->names = names;
            s->cap = cap;
        }
        s->ns[s->n] = arena_str(c->a, row.ns);
        s->names[s->n++] = arena_str(c->a, row.name);
        if (c->params.limit > 0 && (int64_t)s->n >= c->params.limit) {
            rc = 0;
            break;
        }
    }
    store_list_close(rows);
    return rows && rc == 0 ? 0 : -1;
}

void kube_serve_collection(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    kube_pending_begin(c);
    struct sweep *s = arena_new(c->a, struct sweep);
    s->c = c;
    if (kube_refused(c, c->route.kind->refuse_delete, &err) < 0 ||
        kube_decode_delete(c->a, c->req, &c->params, &err) < 0 || sweep_collect(s, &err) < 0) {
        kube_answer_err(c, &err);
        return;
    }
    sweep_next(s);
}
