/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes of plain kinds (Namespace, Secret, Repository …): system metadata, preconditions,
 * finalizers, generation. No script runs. kube-wire.md §7.
 */
#include "engine/priv.h"

static struct node *meta_of(struct node *object)
{
    return node_getz(object, "metadata");
}

/* A namespace must exist, and must not be on its way out for a create. */
static int check_namespace(struct engine *e, struct engine_write *w, struct err *err)
{
    if (!(w->kind->flags & API_NAMESPACED)) {
        return 0;
    }
    struct engine_row ns;
    if (engine_row_get(e, "namespaces", STR(""), w->ns, w->arena, &ns, err) < 0) {
        return -1;
    }
    if (node_text_at(ns.object, "metadata.deletionTimestamp").len) {
        struct str resource = engine_resource(w->arena, w->kind);
        return err_set(err, ERR_FORBIDDEN,
                       "%.*s \"%.*s\" is forbidden: unable to create new content in namespace "
                       "%.*s because it is being terminated",
                       STR_ARG(resource), STR_ARG(w->name), STR_ARG(w->ns));
    }
    return 0;
}

/* Puts server-owned metadata first, in Go's order. */
static void set_system_meta(struct engine_write *w, struct node *object, const struct node *old)
{
    static const char *const order[] = {"name", "generateName", "namespace", "uid", "generation",
                                        "creationTimestamp", "deletionTimestamp",
                                        "deletionGracePeriodSeconds", NULL};
    struct arena *a = w->arena;
    struct node *meta = meta_of(object), *out = node_map(a);
    const struct node *was = node_getz(old, "metadata");
    for (size_t i = 0; order[i]; i++) {
        bool given = i < 2;
        struct node *v = given || (!old && i == 2) ? node_getz(meta, order[i])
                                                   : node_getz(was, order[i]);
        if (v) {
            node_setz(a, out, order[i], v);
        }
        if (i == 3 && !old) {
            node_set_strz(a, out, "uid", engine_uid(a));
        } else if (i == 4 && !old && (w->kind->flags & API_GENERATION)) {
            node_setz(a, out, "generation", node_int(a, 1));
        } else if (i == 5 && !old) {
            node_set_strz(a, out, "creationTimestamp", clock_rfc3339(a, clock_real_ns()));
        }
    }
    if (w->kind->flags & API_NAMESPACED) {
        node_set_strz(a, out, "namespace", w->ns);
    }
    for (size_t i = 0; meta && i < meta->n; i++) {
        struct str key = meta->members[i].key;
        bool ours = str_eqz(key, "resourceVersion") || str_eqz(key, "selfLink");
        for (size_t k = 0; order[k]; k++) {
            ours = ours || str_eqz(key, order[k]);
        }
        if (!ours) {
            node_set(a, out, key, meta->members[i].value);
        }
    }
    node_setz(a, object, "metadata", out);
}

/* +1 when anything but metadata and status changed. */
static void count_generation(struct engine_write *w)
{
    if (!(w->kind->flags & API_GENERATION)) {
        return;
    }
    struct node *x = node_copy(w->arena, w->old), *y = node_copy(w->arena, w->object);
    node_delz(x, "metadata");
    node_delz(y, "metadata");
    node_delz(x, "status");
    node_delz(y, "status");
    if (!node_equal(x, y)) {
        int64_t g = node_int_at(w->old, "metadata.generation", 0);
        node_setz(w->arena, meta_of(w->object), "generation", node_int(w->arena, g + 1));
    }
}

static int already_exists(struct engine_write *w, struct err *err)
{
    struct str resource = engine_resource(w->arena, w->kind);
    err_set(err, ERR_ALREADY_EXISTS, "%.*s \"%.*s\" already exists", STR_ARG(resource),
            STR_ARG(w->name));
    return err_details(err, arena_strz(w->arena, w->name), w->kind->group, w->kind->resource);
}

int engine_conflict(struct engine_write *w, struct err *err)
{
    struct str resource = engine_resource(w->arena, w->kind);
    err_set(err, ERR_CONFLICT,
            "Operation cannot be fulfilled on %.*s \"%.*s\": the object has been modified; please "
            "apply your changes to the latest version and try again",
            STR_ARG(resource), STR_ARG(w->name));
    return err_details(err, arena_strz(w->arena, w->name), w->kind->group, w->kind->resource);
}

/* Commits one object (or its deletion) and sets w->json. */
static int commit_one(struct engine *e, struct engine_write *w, int64_t expect, bool deleted,
                      struct err *err)
{
    struct store_put put = {.expect_rv = expect};
    cells_encode(w->arena, w->kind, w->object, &put);
    if (w->dry_run) {
        if (w->verb != ENGINE_CREATE) {
            put.rv = w->old_rv;
        }
        w->json = put.rv ? store_put_json(w->arena, &put)
                         : json_emit_str(w->arena, w->object);
        return 0;
    }
    struct store_txn *txn = store_txn_new(w->arena);
    if (deleted) {
        store_txn_del(txn, &put);
    } else {
        store_txn_put(txn, &put);
    }
    if (store_commit(e->store, txn, err) < 0) {
        switch (err->kind) {
        case ERR_ALREADY_EXISTS:
            return already_exists(w, err);
        case ERR_NOT_FOUND:
            return engine_not_found(w->kind, w->name, err);
        case ERR_CONFLICT:
            return engine_conflict(w, err);
        default:
            return -1;
        }
    }
    w->json = store_put_json(w->arena, &put);
    return 0;
}

/* generateName: the first 58 characters and five of Kubernetes' vowel-free alphabet. */
static struct str generated_name(struct arena *a, struct str base)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    struct str uid = engine_uid(a);
    char tail[6] = {0};
    uint64_t h = map_hash(uid);
    for (int i = 0; i < 5; i++) {
        tail[i] = alphabet[h % (sizeof(alphabet) - 1)];
        h /= sizeof(alphabet) - 1;
    }
    return arena_printf(a, "%.*s%s", STR_ARG(str_sub(base, 0, 58)), tail);
}

static int create(struct engine *e, struct engine_write *w, struct err *err)
{
    if (check_namespace(e, w, err) < 0) {
        return -1;
    }
    struct str base = node_text_at(w->object, "metadata.generateName");
    bool generate = !w->name.len && base.len;
    for (int tries = 0;; tries++) {
        if (generate) {
            w->name = generated_name(w->arena, base);
            node_set_strz(w->arena, meta_of(w->object), "name", w->name);
        }
        set_system_meta(w, w->object, NULL);
        w->created = true;
        if (w->dry_run) {
            struct store_object there;
            AUTO_ERR absent = ERR_INIT; /* absence is what a create wants */
            if (store_get(e->store, str_of(w->kind->store_kind),
                          w->kind->flags & API_NAMESPACED ? w->ns : STR(""), w->name, w->arena,
                          &there, &absent) == 0) {
                return already_exists(w, err);
            }
        }
        if (commit_one(e, w, 0, false, err) == 0) {
            return 0;
        }
        if (!generate || !err_is(err, ERR_ALREADY_EXISTS) || tries == 8) {
            return -1;
        }
    }
}

static bool unchanged(const struct engine_write *w)
{
    struct node *x = node_copy(w->arena, w->old), *y = node_copy(w->arena, w->object);
    node_del_at(x, "metadata.resourceVersion");
    node_del_at(y, "metadata.resourceVersion");
    return node_equal(x, y);
}

static int update(struct engine *e, struct engine_write *w, struct err *err)
{
    set_system_meta(w, w->object, w->old);
    count_generation(w);
    struct node *finalizers = node_at(w->object, "metadata.finalizers");
    if (node_text_at(w->object, "metadata.deletionTimestamp").len &&
        (!finalizers || finalizers->n == 0)) {
        w->deleted = !w->dry_run;
        return commit_one(e, w, w->old_rv, true, err);
    }
    if (unchanged(w)) {
        w->json = json_emit_str(w->arena, w->old);
        return 0;
    }
    return commit_one(e, w, w->old_rv, false, err);
}

int engine_check_preconditions(struct engine_write *w, struct err *err)
{
    struct str uid = node_text_at(w->old, "metadata.uid");
    struct str rv = arena_printf(w->arena, "%lld", (long long)w->old_rv);
    struct str resource = engine_resource(w->arena, w->kind);
    if (w->precondition_uid.len && !str_eq(w->precondition_uid, uid)) {
        err_set(err, ERR_CONFLICT,
                "Operation cannot be fulfilled on %.*s \"%.*s\": the UID in the precondition "
                "(%.*s) does not match the UID in record (%.*s). The object might have been "
                "deleted and then recreated",
                STR_ARG(resource), STR_ARG(w->name), STR_ARG(w->precondition_uid), STR_ARG(uid));
    } else if (w->precondition_rv.len && !str_eq(w->precondition_rv, rv)) {
        err_set(err, ERR_CONFLICT,
                "Operation cannot be fulfilled on %.*s \"%.*s\": the ResourceVersion in the "
                "precondition (%.*s) does not match the ResourceVersion in record (%.*s). The "
                "object might have been modified",
                STR_ARG(resource), STR_ARG(w->name), STR_ARG(w->precondition_rv), STR_ARG(rv));
    } else {
        return 0;
    }
    return err_details(err, arena_strz(w->arena, w->name), w->kind->group, w->kind->resource);
}

/* Marks the object as being deleted; true when it already was. */
bool engine_mark_deleted(struct engine_write *w)
{
    struct node *meta = meta_of(w->object);
    if (node_text_at(meta, "deletionTimestamp").len) {
        return true;
    }
    node_set_strz(w->arena, meta, "deletionTimestamp", clock_rfc3339(w->arena, clock_real_ns()));
    if (strcmp(w->kind->store_kind, KIND_REVISIONS) != 0) { /* the peer's have none */
        node_setz(w->arena, meta, "deletionGracePeriodSeconds", node_int(w->arena, 0));
    }
    if (w->kind->flags & API_GENERATION) {
        int64_t g = node_int_at(meta, "generation", 0);
        node_setz(w->arena, meta, "generation", node_int(w->arena, g + 1));
    }
    return false;
}

static int delete(struct engine *e, struct engine_write *w, struct err *err)
{
    if (engine_check_preconditions(w, err) < 0) {
        return -1;
    }
    w->object = node_copy(w->arena, w->old);
    bool is_namespace = strcmp(w->kind->store_kind, "namespaces") == 0;
    struct node *finalizers = node_at(w->object, "metadata.finalizers");
    if ((finalizers && finalizers->n) || is_namespace) {
        if (is_namespace) {
            node_set_at(w->arena, w->object, "status.phase", node_strz(w->arena, "Terminating"));
        }
        if (engine_mark_deleted(w)) {
            w->json = json_emit_str(w->arena, w->old);
            return 0;
        }
        return commit_one(e, w, w->old_rv, false, err);
    }
    w->deleted = true;
    return commit_one(e, w, w->old_rv, true, err);
}

void engine_write_plain(struct engine *e, struct engine_write *w)
{
    bool repository = strcmp(w->kind->store_kind, KIND_REPOSITORIES) == 0;
    if (repository) {
        pthread_mutex_lock(&e->repositories);
    }
    int rc = repository && w->verb != ENGINE_DELETE ? engine_repository_check(e, w, &w->err) : 0;
    if (rc == 0) {
        switch (w->verb) {
        case ENGINE_CREATE:
            rc = create(e, w, &w->err);
            break;
        case ENGINE_UPDATE:
            rc = update(e, w, &w->err);
            break;
        case ENGINE_DELETE:
            rc = delete(e, w, &w->err);
            break;
        }
    }
    if (repository) {
        pthread_mutex_unlock(&e->repositories);
    }
    if (rc == 0 && !w->dry_run) {
        if (repository) {
            bool ended = w->deleted || node_text_at(w->object, "metadata.deletionTimestamp").len;
            (ended ? engine_repository_ended : engine_repository_changed)(e, w->ns, w->name);
        } else if (strcmp(w->kind->store_kind, "namespaces") == 0 && w->verb == ENGINE_DELETE) {
            engine_namespace_deleted(e, w->name);
        } else if (strcmp(w->kind->store_kind, "secrets") == 0) {
            engine_secret_changed(e, w->ns, w->name);
        }
    }
}
