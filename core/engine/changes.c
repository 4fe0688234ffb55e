/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of object changes that becomes one store transaction. What follows from changed package
 * revisions is added here, so no path can forget it: exactly one revision of a package carries the
 * latest label (porch-api-git.md §5), and a PorchPackage exists while its package has a revision.
 */
#include "base/mem.h"
#include "engine/priv.h"
#include "krm/name.h"

void engine_changes_init(struct engine_changes *c, struct engine *e, struct arena *a)
{
    *c = (struct engine_changes){.e = e, .a = a, .txn = store_txn_new(a)};
}

void engine_changes_done(struct engine_changes *c)
{
    map_done(&c->by_key);
    mem_free(c->list);
    c->list = NULL;
}

static struct str change_key(struct arena *a, const char *kind, struct str ns, struct str name)
{
    return arena_printf(a, "%s/%.*s/%.*s", kind, STR_ARG(ns), STR_ARG(name));
}

static struct engine_change *change_add(struct engine_changes *c, const struct api_kind *kind,
                                        struct node *object, int64_t expect_rv)
{
    struct str ns = node_text_at(object, "metadata.namespace");
    struct str name = node_text_at(object, "metadata.name");
    struct str key = change_key(c->a, kind->store_kind, ns, name);
    struct engine_change *ch = map_find(&c->by_key, key);
    if (!ch) {
        ch = arena_new(c->a, struct engine_change);
        *ch = (struct engine_change){.kind = kind, .ns = ns, .name = name, .expect_rv = expect_rv};
        if (c->n == c->cap) {
            c->cap = c->cap ? c->cap * 2 : 8;
            c->list = mem_resize(c->list, c->cap * sizeof(*c->list));
        }
        c->list[c->n++] = ch;
        map_set(&c->by_key, key, ch);
    }
    ch->object = object;
    return ch;
}

struct engine_change *engine_changes_put(struct engine_changes *c, const struct api_kind *kind,
                                         struct node *object, struct node *data, int64_t expect_rv)
{
    struct engine_change *ch = change_add(c, kind, object, expect_rv);
    ch->deleted = false;
    ch->data = data;
    return ch;
}

struct engine_change *engine_changes_del(struct engine_changes *c, const struct api_kind *kind,
                                         struct node *last, int64_t expect_rv)
{
    struct engine_change *ch = change_add(c, kind, last, expect_rv);
    ch->deleted = true;
    return ch;
}

/* One revision of a package as it will be: a change of this set, or a stored row. */
struct sibling {
    struct node *object;
    struct node *data;
    int64_t rv, revision;
    struct engine_change *change; /* NULL = stored and unchanged */
    bool labelled;
};

struct package {
    struct str ns, repository, name;
    struct sibling *siblings;
    size_t n, cap;
};

static bool is_published(const struct node *object)
{
    return engine_lifecycle_published(node_text_at(object, "spec.lifecycle"));
}

static void sibling_add(struct engine_changes *c, struct package *p, struct sibling s)
{
    s.revision = is_published(s.object) ? node_int_at(s.object, "spec.revision", 0) : 0;
    const struct node *labels = node_at(s.object, "metadata.labels");
    s.labelled = node_get(labels, STR(LATEST_LABEL)) != NULL;
    if (p->n == p->cap) {
        struct sibling *old = p->siblings;
        p->cap = p->cap ? p->cap * 2 : 8;
        p->siblings = arena_array(c->a, struct sibling, p->cap);
        if (p->n) {
            memcpy(p->siblings, old, p->n * sizeof(*old));
        }
    }
    p->siblings[p->n++] = s;
}

/* Collects the stored revisions that this set leaves alone. */
static int add_stored(struct engine_changes *c, struct package *p, struct err *err)
{
    struct store_query q = {.kind = STR(KIND_REVISIONS), .ns = p->ns, .f1 = p->repository,
                            .f2 = p->name};
    int64_t rv;
    struct store_list *l = store_list_open(c->e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got;
    while ((got = store_list_next(l, &row, err)) > 0) {
        struct str key = change_key(c->a, KIND_REVISIONS, row.ns, row.name);
        if (map_has(&c->by_key, key)) {
            continue;
        }
        struct node *object = json_parse(c->a, arena_str(c->a, row.json), NULL, err);
        struct node *data = row.data.len ? json_parse(c->a, arena_str(c->a, row.data), NULL, err)
                                         : node_map(c->a);
        if (!object || !data) {
            got = -1;
            break;
        }
        sibling_add(c, p, (struct sibling){.object = object, .data = data, .rv = row.rv});
    }
    store_list_close(l);
    return got;
}

static void set_latest(struct engine_changes *c, struct sibling *s, bool latest)
{
    if (s->labelled == latest) {
        return;
    }
    if (!s->change) {
        s->change = engine_changes_put(c, engine_kind(KIND_REVISIONS), s->object, s->data, s->rv);
    }
    struct node *meta = node_getz(s->object, "metadata");
    if (latest) {
        struct node *labels = node_getz(meta, "labels");
        if (!labels) {
            labels = node_map(c->a);
            node_setz(c->a, meta, "labels", labels);
        }
        node_set_strz(c->a, labels, LATEST_LABEL, STR("true"));
    } else {
        node_del(node_getz(meta, "labels"), STR(LATEST_LABEL));
        if (node_getz(meta, "labels")->n == 0) {
            node_delz(meta, "labels");
        }
    }
    s->labelled = latest;
}

static struct str package_object_name(struct arena *a, const struct package *p)
{
    struct krm_name n = {.repository = p->repository};
    krm_name_set_package(&n, p->name);
    return krm_name_emit_package(a, &n);
}

static struct node *package_object(struct engine_changes *c, const struct package *p,
                                   struct str name, const struct node *old, int64_t latest)
{
    struct arena *a = c->a;
    struct node *o = node_map(a), *meta = node_map(a), *spec = node_map(a), *status = node_map(a);
    node_set_strz(a, o, "kind", STR("PorchPackage"));
    node_set_strz(a, o, "apiVersion", STR("porch.kpt.dev/v1alpha1"));
    node_setz(a, o, "metadata", meta);
    node_set_strz(a, meta, "name", name);
    node_set_strz(a, meta, "namespace", p->ns);
    char uid[KRM_UID_SIZE];
    krm_name_uid_package(p->ns, name, uid);
    node_set_strz(a, meta, "uid", arena_str(a, str_of(uid)));
    struct str created = node_text_at(old, "metadata.creationTimestamp");
    node_set_strz(a, meta, "creationTimestamp",
                  created.len ? created : clock_rfc3339(a, clock_real_ns()));
    node_setz(a, o, "spec", spec);
    node_set_strz(a, spec, "packageName", p->name);
    node_set_strz(a, spec, "repository", p->repository);
    node_setz(a, o, "status", status);
    if (latest) {
        node_setz(a, status, "latestRevision", node_int(a, latest));
    }
    return o;
}

/* The PorchPackage of a package: made with its first revision, gone with its last. */
static int derive_package(struct engine_changes *c, const struct package *p, int64_t latest,
                          struct err *err)
{
    const struct api_kind *kind = engine_kind(KIND_PACKAGES);
    struct str name = package_object_name(c->a, p);
    struct engine_row old;
    AUTO_ERR missing = ERR_INIT;
    if (engine_row_get(c->e, KIND_PACKAGES, p->ns, name, c->a, &old, &missing) < 0 &&
        !err_is(&missing, ERR_NOT_FOUND)) {
        return err_move(err, &missing);
    }
    if (p->n == 0) {
        if (old.object) {
            engine_changes_del(c, kind, old.object, old.stored.rv);
        }
        return 0;
    }
    if (!old.object || node_int_at(old.object, "status.latestRevision", 0) != latest) {
        engine_changes_put(c, kind, package_object(c, p, name, old.object, latest), NULL,
                           old.stored.rv);
    }
    return 0;
}

static int derive_one(struct engine_changes *c, struct package *p, struct err *err)
{
    if (add_stored(c, p, err) < 0) {
        return -1;
    }
    struct sibling *best = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct sibling *s = &p->siblings[i];
        if (s->revision > 0 && (!best || s->revision > best->revision)) {
            best = s;
        }
    }
    for (size_t i = 0; i < p->n; i++) {
        set_latest(c, &p->siblings[i], &p->siblings[i] == best);
    }
    return derive_package(c, p, best ? best->revision : 0, err);
}

int engine_changes_derive(struct engine_changes *c, struct err *err)
{
    AUTO_MAP packages = MAP_INIT;
    size_t n = c->n; /* what is derived below needs no deriving itself */
    for (size_t i = 0; i < n; i++) {
        struct engine_change *ch = c->list[i];
        if (strcmp(ch->kind->store_kind, KIND_REVISIONS) != 0) {
            continue;
        }
        struct str repository = node_text_at(ch->object, "spec.repository");
        struct str name = node_text_at(ch->object, "spec.packageName");
        struct str key = arena_printf(c->a, "%.*s/%.*s/%.*s", STR_ARG(ch->ns),
                                      STR_ARG(repository), STR_ARG(name));
        struct package *p = map_find(&packages, key);
        if (!p) {
            p = arena_new(c->a, struct package);
            *p = (struct package){.ns = ch->ns, .repository = repository, .name = name};
            map_set(&packages, key, p);
        }
        if (!ch->deleted) {
            sibling_add(c, p, (struct sibling){.object = ch->object, .data = ch->data,
                                               .change = ch});
        }
    }
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&packages, &i)) != NULL;) {
        if (derive_one(c, entry->value, err) < 0) {
            return -1;
        }
    }
    return 0;
}

int engine_changes_commit(struct engine_changes *c, struct err *err)
{
    if (engine_changes_derive(c, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < c->n; i++) {
        struct engine_change *ch = c->list[i];
        cells_encode(c->a, ch->kind, ch->object, &ch->put);
        ch->put.expect_rv = ch->expect_rv;
        ch->put.data = ch->data ? json_emit_str(c->a, ch->data) : STR("");
        if (ch->deleted) {
            store_txn_del(c->txn, &ch->put);
        } else {
            store_txn_put(c->txn, &ch->put);
        }
    }
    return store_commit(c->e->store, c->txn, err);
}
