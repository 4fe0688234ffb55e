/* SPDX-License-Identifier: Apache-2.0
 *
 * See apply.h. Both paths work on sets of field paths (fieldset.h) that typed.h derives from the
 * trees. Conflicts are collected before anything is changed, so a refused apply leaves no trace.
 */
#include "data/apply.h"

#include "base/limits.h"
#include "data/managed.h"
#include "data/typed.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static struct node *managed_node(const struct node *object)
{
    return node_at(object, "metadata.managedFields");
}

/* Sets or (value NULL) deletes metadata.managedFields in place. */
static void set_managed_node(struct arena *a, struct node *object, struct node *value)
{
    if (value) {
        node_set_at(a, object, "metadata.managedFields", value);
    } else {
        (void)node_del_at(object, "metadata.managedFields");
    }
}

static struct managed_entry entry_of(const struct apply_manager *m, bool applied)
{
    return (struct managed_entry){
        .manager = m->manager,
        .applied = applied,
        .api_version = m->api_version,
        .subresource = m->subresource,
        .time = m->time,
    };
}

static int check_arena(const struct arena *a, struct err *err)
{
    return a->exhausted ? err_set(err, ERR_TOO_LARGE, "object is too large to apply") : 0;
}

/* --- update path --- */

static bool is_reset(const struct node *list)
{
    return node_is(list, NODE_LIST) &&
           (list->n == 0 ||
            (list->n == 1 && node_is(list->items[0], NODE_MAP) && list->items[0]->n == 0));
}

/* The entries that count: the client's own list when it sent a good one, else the stored ones.
 * *raw is the node they came from. */
static void decode(struct arena *a, const struct node *live, const struct node *object,
                   const struct apply_manager *m, struct managed *out, struct node **raw)
{
    struct node *sent = managed_node(object);
    *out = (struct managed){0};
    *raw = sent;
    /* Invalid lists are not the client's error: they count as not sent. A subresource cannot
     * replace the list at all. */
    if (live && m->subresource.len == 0 && managed_parse(a, sent, out, NULL) == 0 && out->n > 0) {
        return;
    }
    *raw = managed_node(live);
    if (managed_parse(a, *raw, out, NULL) < 0) {
        *out = (struct managed){0};
    }
}

static void track(struct arena *a, struct managed *managed, const struct typed_diff *diff,
                  const struct apply_manager *m)
{
    struct managed_entry like = entry_of(m, false);
    struct managed_entry *own = managed_add(a, managed, &like);
    if (!own) {
        return;
    }
    struct fieldset *set = fieldset_union(a, diff->added, diff->modified);
    struct fieldset *changed = fieldset_union(a, set, diff->removed);
    for (size_t i = 0; i < managed->n; i++) {
        struct managed_entry *e = &managed->entries[i];
        e->set = fieldset_minus(a, e->set, e == own ? diff->removed : changed);
    }
    own->set = fieldset_union(a, own->set, set);
    own->time = m->time;
    managed_cap(a, managed);
}

int apply_track_update(struct arena *a, const struct node *live, struct node *object,
                       const struct api_schema *schema, const struct apply_manager *m,
                       struct err *err)
{
    struct managed managed;
    struct node *raw;
    if (live && m->subresource.len == 0 && is_reset(managed_node(object))) {
        set_managed_node(a, object, NULL);
        return 0;
    }
    decode(a, live, object, m, &managed, &raw);
    if (live && managed.n == 0) {
        /* Tracking starts with the creation or the first apply, never in between: a half-known
         * owner would be worse than none. */
        set_managed_node(a, object, NULL);
        return 0;
    }
    struct typed_diff diff;
    typed_compare(a, schema, live, object, &diff);
    bool changed = !fieldset_empty(diff.added) || !fieldset_empty(diff.modified) ||
                   !fieldset_empty(diff.removed);
    if (changed) {
        track(a, &managed, &diff, m);
        raw = managed_emit(a, &managed);
    } else if (raw != managed_node(live)) {
        raw = managed_emit(a, &managed);
    }
    set_managed_node(a, object, raw);
    return check_arena(a, err);
}

/* --- conflicts --- */

struct conflicts {
    struct arena *a;
    const struct managed_entry *entry; /* the owner being reported */
    struct err *err;
    struct buf text; /* the lines of several conflicts */
    struct str first;
    size_t n;
};

static void add_owner(struct buf *b, const struct managed_entry *e)
{
    buf_add_json_string(b, e->manager);
    if (e->subresource.len > 0) {
        buf_addz(b, " with subresource ");
        buf_add_json_string(b, e->subresource);
    }
    if (!e->applied) {
        buf_addz(b, " using ");
        buf_add_str(b, e->api_version);
    }
}

static void add_conflict(void *ctx, struct str path)
{
    struct conflicts *c = ctx;
    AUTO_BUF owner = BUF_INIT;
    add_owner(&owner, c->entry);
    err_add_cause(c->err, "FieldManagerConflict", path.ptr, "conflict with %s", owner.ptr);
    if (c->n++ == 0) {
        c->first = arena_printf(c->a, "conflict with %s: %s", owner.ptr, path.ptr);
    }
    buf_addz(&c->text, "\n- ");
    buf_add_str(&c->text, path);
}

static int owner_cmp(const struct managed_entry *x, const struct managed_entry *y)
{
    int cmp = str_cmp(x->manager, y->manager);
    cmp = cmp ? cmp : (int)y->applied - (int)x->applied;
    cmp = cmp ? cmp : str_cmp(x->api_version, y->api_version);
    return cmp ? cmp : str_cmp(x->subresource, y->subresource);
}

/* Index of the next entry in order of owners behind *last that has a conflict, or n. */
static size_t next_owner(const struct managed *m, struct fieldset *const *sets, size_t last)
{
    size_t best = m->n;
    for (size_t i = 0; i < m->n; i++) {
        if (fieldset_empty(sets[i]) ||
            (last < m->n && owner_cmp(&m->entries[i], &m->entries[last]) <= 0)) {
            continue;
        }
        if (best == m->n || owner_cmp(&m->entries[i], &m->entries[best]) < 0) {
            best = i;
        }
    }
    return best;
}

/* Fills err from the conflicting paths per entry. Returns -1. */
static int report_conflicts(struct arena *a, const struct managed *m, struct fieldset *const *sets,
                            struct err *err)
{
    AUTO_ERR found = ERR_INIT;
    struct conflicts c = {.a = a, .err = &found};
    err_set(&found, ERR_CONFLICT, "conflict");
    for (size_t i = next_owner(m, sets, m->n); i < m->n; i = next_owner(m, sets, i)) {
        c.entry = &m->entries[i];
        buf_addz(&c.text, c.n ? "\n" : "");
        buf_addz(&c.text, "conflicts with ");
        add_owner(&c.text, c.entry);
        buf_addc(&c.text, ':');
        fieldset_each(sets[i], add_conflict, &c);
    }
    if (c.n == 1) {
        err_set(err, ERR_CONFLICT, "Apply failed with 1 conflict: %.*s", STR_ARG(c.first));
    } else {
        err_set(err, ERR_CONFLICT, "Apply failed with %zu conflicts: %s", c.n, c.text.ptr);
    }
    for (size_t i = 0; i < found.n_causes; i++) {
        err_add_cause(err, found.causes[i].reason, found.causes[i].field, "%s",
                      found.causes[i].message);
    }
    buf_done(&c.text);
    return -1;
}

/* --- kubectl's client-side apply --- */

static struct str last_applied(const struct node *object)
{
    return node_text(node_get(node_at(object, "metadata.annotations"), STR(LAST_APPLIED)));
}

/* Fields that kubectl set by client-side apply and that nobody changed since: `kubectl apply
 * --server-side` may take them over. */
static struct fieldset *taken_over(struct arena *a, const struct node *live,
                                   const struct api_schema *schema, const struct apply_manager *m)
{
    struct str text = last_applied(live);
    if (!str_eq(m->manager, STR("kubectl")) || text.len == 0) {
        return NULL;
    }
    struct node *before = json_parse(a, text, NULL, NULL);
    if (!node_is(before, NODE_MAP)) {
        return NULL;
    }
    struct typed_diff diff;
    typed_compare(a, schema, live, before, &diff);
    struct fieldset *set = typed_fields(a, schema, before);
    set = fieldset_minus(a, set, diff.modified);
    set = fieldset_minus(a, set, diff.added);
    return fieldset_minus(a, set, diff.removed);
}

static struct node *sorted(struct arena *a, const struct node *n)
{
    struct node *out = node_copy(a, n);
    for (size_t i = 0; out && n->type == NODE_LIST && i < n->n; i++) {
        out->items[i] = sorted(a, n->items[i]);
    }
    for (size_t i = 0; out && n->type == NODE_MAP && i < n->n; i++) {
        struct node_member m = {out->members[i].key, sorted(a, n->members[i].value)};
        size_t j = i;
        for (; j > 0 && str_cmp(m.key, out->members[j - 1].key) < 0; j--) {
            out->members[j] = out->members[j - 1];
        }
        out->members[j] = m;
    }
    return out;
}

static struct node *shallow(struct arena *a, const struct node *map)
{
    struct node *out = node_map(a);
    if (!out || !node_is(map, NODE_MAP) || map->n == 0) {
        return out;
    }
    out->members = arena_array(a, struct node_member, map->n + 1);
    if (out->members) {
        memcpy(out->members, map->members, map->n * sizeof(*map->members));
        out->n = map->n;
        out->cap = map->n + 1;
    }
    return out;
}

/* Keeps kubectl's annotation in step with what it applied; object's metadata is our own copy. */
static void sync_last_applied(struct arena *a, struct node *object, const struct node *config,
                              const struct apply_manager *m)
{
    if (!str_eq(m->manager, STR("kubectl")) || last_applied(object).len == 0) {
        return;
    }
    struct node *copy = sorted(a, config);
    (void)node_del(node_at(copy, "metadata.annotations"), STR(LAST_APPLIED));
    AUTO_BUF text = BUF_INIT;
    json_emit(&text, copy);
    buf_addc(&text, '\n');
    struct node *annotations = shallow(a, node_at(object, "metadata.annotations"));
    if (text.len > LIMIT_ANNOTATIONS_BYTES) {
        (void)node_del(annotations, STR(LAST_APPLIED));
    } else {
        node_set(a, annotations, STR(LAST_APPLIED), node_str(a, arena_str(a, buf_str(&text))));
    }
    node_set_at(a, object, "metadata.annotations", annotations);
}

/* --- apply path --- */

/* n without the nulls that config brought in: they claim a field and leave it empty. */
static struct node *drop_nulls(struct arena *a, struct node *n, const struct node *config,
                               const struct node *live)
{
    if (!node_is(n, NODE_MAP) || !node_is(config, NODE_MAP)) {
        return n;
    }
    struct node *out = n;
    for (size_t i = 0; i < config->n; i++) {
        const struct node_member *m = &config->members[i];
        if (m->value->type != NODE_NULL && m->value->type != NODE_MAP) {
            continue;
        }
        struct node *old = node_get(n, m->key), *before = node_get(live, m->key);
        struct node *value = drop_nulls(a, old, m->value, before);
        if (node_is(old, NODE_NULL) && !node_is(before, NODE_NULL)) {
            out = out == n ? shallow(a, n) : out;
            (void)node_del(out, m->key);
        } else if (value != old) {
            out = out == n ? shallow(a, n) : out;
            node_set(a, out, m->key, value);
        }
    }
    return out;
}

static int check_config(struct arena *a, const struct node *config,
                        const struct api_schema *schema, struct err *err)
{
    const struct node *sent = managed_node(config);
    if (sent && sent->type != NODE_NULL) {
        return err_set(err, ERR_BAD_REQUEST, "metadata.managedFields must be nil");
    }
    if (typed_check(a, schema, config, err) == 0) {
        return 0;
    }
    struct str ns = node_text_at(config, "metadata.namespace");
    struct str name = node_text_at(config, "metadata.name");
    struct str gv = node_text_at(config, "apiVersion");
    struct str kind = node_text_at(config, "kind");
    return err_wrap(err, "failed to create typed patch object (%.*s/%.*s; %.*s, Kind=%.*s)",
                    STR_ARG(ns), STR_ARG(name), STR_ARG(gv), STR_ARG(kind));
}

/* The stored entries; an object without any gets one that owns all of it. */
static void load_entries(struct arena *a, const struct node *live, const struct api_schema *schema,
                         const struct apply_manager *m, struct managed *out)
{
    if (managed_parse(a, managed_node(live), out, NULL) < 0) {
        *out = (struct managed){0};
    }
    if (!live || out->n > 0) {
        return;
    }
    struct managed_entry like = {
        .manager = STR("before-first-apply"),
        .api_version = m->api_version,
        .time = m->time,
    };
    struct typed_diff all;
    typed_compare(a, schema, NULL, live, &all);
    struct managed_entry *e = managed_add(a, out, &like);
    if (e) {
        e->set = all.added;
    }
}

static struct fieldset *owned_by_others(struct arena *a, const struct managed *m,
                                        const struct managed_entry *own)
{
    struct fieldset *set = NULL;
    for (size_t i = 0; i < m->n; i++) {
        if (&m->entries[i] != own) {
            set = fieldset_union(a, set, m->entries[i].set);
        }
    }
    return set;
}

/* Takes the changed fields from the other entries, or reports whom they belong to. */
static int take_fields(struct arena *a, struct managed *m, const struct managed_entry *own,
                       const struct typed_diff *diff, const struct fieldset *allowed, bool force,
                       struct err *err)
{
    struct fieldset *changed = fieldset_union(a, diff->added, diff->modified);
    struct fieldset **sets = arena_array(a, struct fieldset *, m->n);
    bool conflict = false;
    for (size_t i = 0; sets && !force && i < m->n; i++) {
        if (&m->entries[i] != own) {
            sets[i] = fieldset_common(a, m->entries[i].set, changed);
            sets[i] = fieldset_minus(a, sets[i], allowed);
            conflict = conflict || !fieldset_empty(sets[i]);
        }
    }
    if (conflict) {
        return report_conflicts(a, m, sets, err);
    }
    changed = fieldset_union(a, changed, diff->removed);
    for (size_t i = 0; i < m->n; i++) {
        if (&m->entries[i] != own) {
            m->entries[i].set = fieldset_minus(a, m->entries[i].set, changed);
        }
    }
    return 0;
}

/* A copy of managed whose sets can be replaced; sets themselves never change. */
static struct managed copy_of(struct arena *a, const struct managed *m)
{
    struct managed copy = {.n = 0};
    copy.entries = m->n ? arena_array(a, struct managed_entry, m->n) : NULL;
    if (copy.entries) {
        memcpy(copy.entries, m->entries, m->n * sizeof(*m->entries));
        copy.n = copy.cap = m->n;
    }
    return copy;
}

struct node *apply_merge(struct arena *a, const struct node *live, const struct node *config,
                         const struct api_schema *schema, const struct apply_manager *m, bool force,
                         struct err *err)
{
    struct managed managed;
    struct managed_entry like = entry_of(m, true);
    if (check_config(a, config, schema, err) < 0) {
        return NULL;
    }
    load_entries(a, live, schema, m, &managed);
    struct managed before = copy_of(a, &managed);
    struct managed_entry *own = managed_add(a, &managed, &like);
    if (!own) {
        check_arena(a, err);
        return NULL;
    }
    struct fieldset *set = typed_fields(a, schema, config);
    struct fieldset *owned = fieldset_union(a, set, owned_by_others(a, &managed, own));
    struct node *merged = typed_merge(a, schema, live, config);
    merged = merged ? typed_prune(a, schema, merged, own->set, owned) : NULL;
    if (!merged) {
        check_arena(a, err);
        return NULL;
    }
    struct typed_diff diff;
    typed_compare(a, schema, live, merged, &diff);
    if (take_fields(a, &managed, own, &diff, taken_over(a, live, schema, m), force, err) < 0) {
        return NULL;
    }
    own->set = set;
    own->api_version = m->api_version;
    merged = shallow(a, drop_nulls(a, merged, config, live));
    node_setz(a, merged, "metadata", shallow(a, node_getz(merged, "metadata")));
    sync_last_applied(a, merged, config, m);
    if (!live || !managed_equal(&before, &managed) || !node_equal(live, merged)) {
        own->time = m->time;
        set_managed_node(a, merged, managed_emit(a, &managed));
    }
    return check_arena(a, err) < 0 ? NULL : merged;
}
