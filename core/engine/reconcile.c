/* SPDX-License-Identifier: Apache-2.0
 *
 * See reconcile.h. Source: porch-api-git.md §2 and §5. Rows are compared by commit, tree and
 * lifecycle, so a sync that finds nothing new writes nothing.
 */
#include "engine/reconcile.h"

#include "base/log.h"
#include "base/mem.h"

#define CHUNK 250 /* revisions per transaction: other writers get their turn between chunks */
#define TRIM_REVISIONS 1000 /* comparing so many takes memory that nothing else will need */

struct state {
    struct engine *e;
    struct repo *repo;
    struct engine_repository facts;
    struct map wanted;          /* object name → struct repo_found */
    struct map stored;          /* object name → struct engine_row */
    int64_t kept;               /* rows that git knows nothing of and that stay */
};

static int preference(enum repo_ref_kind k)
{
    static const int order[] = {[REPO_REF_TAG] = 3, [REPO_REF_BRANCH] = 2, [REPO_REF_PROPOSED] = 1,
                                [REPO_REF_DRAFT] = 0};
    return order[k];
}

/* By object name; when two refs map to one, tag > proposed > draft. The directories a.b and a/b
 * have one name, too. */
static void want(struct state *s, struct arena *a, struct repo_found *f)
{
    struct str name = engine_revision_name(a, s->facts.name, f->package, f->workspace);
    if (!name.len) {
        log_warn("package at the repository root skipped", "repository", s->facts.name.ptr, NULL);
        return;
    }
    struct repo_found *other = map_find(&s->wanted, name);
    if (other && !str_eq(other->package, f->package)) {
        log_warn("two packages of a repository have one name", "repository", s->facts.name.ptr,
                 "package", f->package.ptr, "other", other->package.ptr, NULL);
    }
    if (!other || preference(f->kind) > preference(other->kind)) {
        map_set(&s->wanted, name, f);
    }
}

static int load_rows(struct state *s, struct arena *a, struct err *err)
{
    struct store_query q = {.kind = STR(KIND_REVISIONS), .ns = s->facts.ns, .f1 = s->facts.name};
    int64_t rv;
    struct store_list *l = store_list_open(s->e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got;
    while ((got = store_list_next(l, &row, err)) > 0) {
        struct engine_row *r = arena_new(a, struct engine_row);
        r->stored = row;
        r->stored.name = arena_str(a, row.name);
        r->stored.ns = s->facts.ns;
        r->object = json_parse(a, arena_str(a, row.json), NULL, err);
        r->data = row.data.len ? json_parse(a, arena_str(a, row.data), NULL, err) : node_map(a);
        if (!r->object || !r->data) {
            got = -1;
            break;
        }
        map_set(&s->stored, r->stored.name, r);
    }
    store_list_close(l);
    return got;
}

static struct str found_lifecycle(const struct repo_found *f)
{
    switch (f->kind) {
    case REPO_REF_DRAFT:
        return STR("Draft");
    case REPO_REF_PROPOSED:
        return STR("Proposed");
    default:
        return f->deletion_proposed ? STR("DeletionProposed") : STR("Published");
    }
}

/* True for a draft whose content is no longer what was imported, or never was. */
static bool edited_here(const struct engine_row *row)
{
    struct str imported = node_text_at(row->data, "imported");
    return !imported.len || !str_eq(imported, node_text_at(row->data, "tree"));
}

/* True when the row already says what was found. The placeholder is compared by content: its
 * branch moves with every unrelated commit. A draft that was edited here is ahead of its branch
 * and stays; one that was proposed here is so until its branch moves or is renamed. */
static bool row_current(struct state *s, struct arena *a, const struct engine_row *row,
                        const struct repo_found *f)
{
    struct str tree = node_text_at(row->data, "tree");
    if (f->kind == REPO_REF_DRAFT || f->kind == REPO_REF_PROPOSED) {
        return edited_here(row) ||
               (str_eq(f->ref, node_text_at(row->data, "ref")) &&
                str_eq(repo_id_hex(a, &f->commit), node_text_at(row->data, "commit")));
    }
    if (!str_eq(repo_id_hex(a, &f->tree), tree)) {
        return false;
    }
    if (f->kind != REPO_REF_BRANCH &&
        !str_eq(repo_id_hex(a, &f->commit), node_text_at(row->data, "commit"))) {
        return false;
    }
    struct lane *l = engine_lane(s->e, s->facts.ns, s->facts.name);
    return str_eq(node_text_at(row->object, "spec.lifecycle"), found_lifecycle(f)) ||
           engine_push_pending(l, row->stored.name);
}

static int put_found(struct state *s, struct engine_changes *c, struct str name,
                     const struct repo_found *f, struct err *err)
{
    struct arena *a = c->a;
    const struct engine_row *row = map_find(&s->stored, name);
    if (row && row_current(s, a, row, f)) {
        return 0;
    }
    struct engine_revision v = {
        .repository = &s->facts,
        .package = f->package,
        .workspace = f->workspace,
        .name = name,
        .lifecycle = found_lifecycle(f),
        .revision = f->revision,
        .lock_ref = f->ref,
        .lock_commit = repo_id_hex(a, &f->commit),
    };
    if (repo_blob_get(s->e->pool, s->repo, &f->kptfile, a, &v.kptfile, err) < 0) {
        return -1;
    }
    if (f->task.len) {
        AUTO_ERR ignored = ERR_INIT; /* an annotation that is not JSON has no task */
        v.task = json_parse(a, f->task, NULL, &ignored);
    }
    if (engine_lifecycle_published(v.lifecycle)) {
        v.published_by = f->author_email.len ? f->author_email : f->author_name;
        v.published_at = f->author_time;
    }
    struct node *meta = node_map(a);
    if (f->author_time) {
        node_set_strz(a, meta, "creationTimestamp", clock_rfc3339(a, f->author_time * NS_PER_S));
    }
    v.meta = row ? node_getz(row->object, "metadata") : meta;
    struct node *data = node_map(a);
    node_set_strz(a, data, "tree", repo_id_hex(a, &f->tree));
    node_set_strz(a, data, "commit", v.lock_commit);
    if (f->kind == REPO_REF_BRANCH) {
        node_set_strz(a, data, "kind", STR("branch"));
    } else if (f->kind != REPO_REF_TAG) {
        node_set_strz(a, data, "ref", f->ref);
        node_set_strz(a, data, "imported", repo_id_hex(a, &f->tree));
    }
    engine_changes_put(c, engine_kind(KIND_REVISIONS), engine_revision_make(a, &v), data,
                       row ? row->stored.rv : 0);
    return 0;
}

/* Rows that git no longer has: published ones and imported drafts go, drafts of ours stay, and so
 * do imported ones that hold somebody's work. */
static void del_missing(struct state *s, struct engine_changes *c, const struct engine_row *row)
{
    if (map_has(&s->wanted, row->stored.name)) {
        return;
    }
    bool in_git = engine_lifecycle_published(node_text_at(row->object, "spec.lifecycle")) ||
                  !edited_here(row);
    struct lane *l = engine_lane(s->e, s->facts.ns, s->facts.name);
    if (!in_git || engine_push_pending(l, row->stored.name)) {
        s->kept++;
        return;
    }
    struct node *last = node_copy(c->a, row->object);
    node_delz(node_getz(last, "metadata"), "resourceVersion");
    engine_changes_del(c, engine_kind(KIND_REVISIONS), last, row->stored.rv);
}

/* Runs one chunk; a lost race (a client wrote a draft meanwhile) fails the chunk and the sync is
 * tried again. */
static int commit_chunk(struct engine_changes *c, struct err *err)
{
    return c->n ? engine_changes_commit(c, err) : 0;
}

static int apply(struct state *s, struct err *err)
{
    size_t wanted_at = 0, stored_at = 0;
    bool more = true;
    while (more) {
        AUTO_ARENA a = ARENA_INIT;
        struct engine_changes c;
        engine_changes_init(&c, s->e, &a);
        int rc = 0;
        struct map_entry *entry = NULL;
        for (int i = 0; i < CHUNK * 4 && c.n < CHUNK && rc == 0; i++) {
            if ((entry = map_next(&s->wanted, &wanted_at)) != NULL) {
                rc = put_found(s, &c, entry->key, entry->value, err);
            } else if ((entry = map_next(&s->stored, &stored_at)) != NULL) {
                del_missing(s, &c, entry->value);
            } else {
                more = false;
                break;
            }
        }
        rc = rc == 0 ? commit_chunk(&c, err) : rc;
        engine_changes_done(&c);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

static int reconcile_once(struct engine *e, struct repo *repo, struct str ns, struct str name,
                          int64_t *out_n, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct state s = {.e = e, .repo = repo};
    struct repo_found *found;
    struct str *warnings;
    size_t n, n_warnings;
    if (engine_repository_get(e, &a, ns, name, &s.facts, NULL, err) < 0 ||
        repo_discover(repo, &a, &found, &n, &warnings, &n_warnings, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_warnings; i++) {
        log_warn("skipped in repository", "repository", name.ptr, "why", warnings[i].ptr, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        want(&s, &a, &found[i]);
    }
    int rc = load_rows(&s, &a, err) < 0 || apply(&s, err) < 0 ? -1 : 0;
    *out_n = (int64_t)s.wanted.n_live + s.kept;
    map_done(&s.wanted);
    map_done(&s.stored);
    return rc;
}

int engine_reconcile(struct engine *e, struct repo *repo, struct str ns, struct str name,
                     int64_t *out_n, struct err *err)
{
    for (int tries = 0;; tries++) {
        int rc = reconcile_once(e, repo, ns, name, out_n, err);
        bool race = rc < 0 && (err->kind == ERR_CONFLICT || err->kind == ERR_ALREADY_EXISTS);
        if (!race || tries == LIMIT_RUN_RETRIES) {
            if (rc == 0 && *out_n >= TRIM_REVISIONS) {
                mem_trim();
            }
            return rc;
        }
        err_drop(err); /* a client was faster: compare again */
    }
}

int engine_reconcile_remove(struct engine *e, struct str ns, struct str name, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct state s = {.e = e, .facts = {.ns = ns, .name = name}};
    int rc = load_rows(&s, &a, err);
    size_t at = 0;
    struct map_entry *entry = rc == 0 ? map_next(&s.stored, &at) : NULL;
    while (entry && rc == 0) {
        AUTO_ARENA chunk = ARENA_INIT;
        struct engine_changes c;
        engine_changes_init(&c, e, &chunk);
        for (; entry && c.n < CHUNK; entry = map_next(&s.stored, &at)) {
            struct engine_row *row = entry->value;
            struct node *last = node_copy(&chunk, row->object);
            node_delz(node_getz(last, "metadata"), "resourceVersion");
            engine_changes_del(&c, engine_kind(KIND_REVISIONS), last, row->stored.rv);
        }
        rc = commit_chunk(&c, err);
        engine_changes_done(&c);
    }
    map_done(&s.wanted);
    map_done(&s.stored);
    return rc;
}
