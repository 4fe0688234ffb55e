/* SPDX-License-Identifier: Apache-2.0
 *
 * See managed.h. An entry whose set is empty counts as absent everywhere, so that the algorithms
 * can subtract first and never delete.
 */
#include "data/managed.h"

#include "base/clock.h"

#define MAX_UPDATERS 10

static const struct str OPERATION[] = {STR("Update"), STR("Apply")};

static int parse_entry(struct arena *a, const struct node *n, struct managed_entry *out,
                       struct err *err)
{
    struct str operation = node_text_at(n, "operation");
    *out = (struct managed_entry){
        .manager = node_text_at(n, "manager"),
        .applied = str_eq(operation, OPERATION[1]),
        .api_version = node_text_at(n, "apiVersion"),
        .subresource = node_text_at(n, "subresource"),
        .time = node_text_at(n, "time"),
    };
    if (!out->applied && !str_eq(operation, OPERATION[0])) {
        return err_set(err, ERR_BAD_REQUEST, "managedFields operation must be Apply or Update");
    }
    if (!str_eqz(node_text_at(n, "fieldsType"), "FieldsV1")) {
        return err_set(err, ERR_BAD_REQUEST, "managedFields fieldsType must be FieldsV1");
    }
    const struct node *fields = node_getz(n, "fieldsV1");
    out->set = fields ? fieldset_parse(a, fields, err) : fieldset_new(a);
    return out->set ? 0 : -1;
}

int managed_parse(struct arena *a, const struct node *list, struct managed *out, struct err *err)
{
    struct managed m = {0};
    if (list && list->type != NODE_LIST && list->type != NODE_NULL) {
        return err_set(err, ERR_BAD_REQUEST, "managedFields must be a list");
    }
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        struct managed_entry e;
        if (parse_entry(a, list->items[i], &e, err) < 0) {
            return -1;
        }
        struct managed_entry *at = managed_add(a, &m, &e);
        if (!at) {
            return err_set(err, ERR_TOO_LARGE, "managedFields are too large");
        }
        at->set = at->set ? fieldset_union(a, at->set, e.set) : e.set;
    }
    *out = m;
    return 0;
}

static bool same_owner(const struct managed_entry *x, const struct managed_entry *y)
{
    return x->applied == y->applied && str_eq(x->manager, y->manager) &&
           str_eq(x->subresource, y->subresource) &&
           (x->applied || str_eq(x->api_version, y->api_version));
}

struct managed_entry *managed_find(const struct managed *m, const struct managed_entry *like)
{
    for (size_t i = 0; i < m->n; i++) {
        if (same_owner(&m->entries[i], like)) {
            return &m->entries[i];
        }
    }
    return NULL;
}

struct managed_entry *managed_add(struct arena *a, struct managed *m,
                                  const struct managed_entry *like)
{
    struct managed_entry *e = managed_find(m, like);
    if (e) {
        return e;
    }
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 8;
        struct managed_entry *entries = arena_array(a, struct managed_entry, cap);
        if (!entries) {
            return NULL;
        }
        if (m->n > 0) {
            memcpy(entries, m->entries, m->n * sizeof(*entries));
        }
        m->entries = entries;
        m->cap = cap;
    }
    e = &m->entries[m->n++];
    *e = *like;
    e->set = NULL;
    return e;
}

bool managed_equal(const struct managed *x, const struct managed *y)
{
    size_t live[2] = {0, 0};
    for (size_t i = 0; i < x->n; i++) {
        const struct managed_entry *e = &x->entries[i];
        const struct managed_entry *other = managed_find(y, e);
        if (!fieldset_equal(e->set, other ? other->set : NULL) ||
            (other && !str_eq(e->api_version, other->api_version))) {
            return false;
        }
        live[0] += !fieldset_empty(e->set);
    }
    for (size_t i = 0; i < y->n; i++) {
        live[1] += !fieldset_empty(y->entries[i].set);
    }
    return live[0] == live[1];
}

/* --- order --- */

static int64_t seconds(const struct managed_entry *e)
{
    int64_t ns;
    return clock_parse_rfc3339(e->time, &ns) ? ns / NS_PER_S : INT64_MIN;
}

static int entry_cmp(const struct managed_entry *x, const struct managed_entry *y)
{
    int64_t tx = seconds(x), ty = seconds(y);
    if (x->applied != y->applied) {
        return x->applied ? -1 : 1;
    }
    if (tx != ty) {
        return tx < ty ? -1 : 1;
    }
    int cmp = str_cmp(x->manager, y->manager);
    cmp = cmp ? cmp : str_cmp(x->api_version, y->api_version);
    return cmp ? cmp : str_cmp(x->subresource, y->subresource);
}

/* Insertion sort: there are few entries, and a client's list is bounded by the body. */
static void sort(struct managed *m)
{
    for (size_t i = 1; i < m->n; i++) {
        struct managed_entry e = m->entries[i];
        size_t j = i;
        for (; j > 0 && entry_cmp(&e, &m->entries[j - 1]) < 0; j--) {
            m->entries[j] = m->entries[j - 1];
        }
        m->entries[j] = e;
    }
}

static struct node *emit_entry(struct arena *a, const struct managed_entry *e)
{
    struct node *out = node_map(a);
    node_set_strz(a, out, "manager", e->manager);
    node_set_strz(a, out, "operation", OPERATION[e->applied]);
    node_set_strz(a, out, "apiVersion", e->api_version);
    if (e->time.len > 0) {
        node_set_strz(a, out, "time", e->time);
    }
    node_setz(a, out, "fieldsType", node_strz(a, "FieldsV1"));
    node_setz(a, out, "fieldsV1", fieldset_emit(a, e->set));
    if (e->subresource.len > 0) {
        node_set_strz(a, out, "subresource", e->subresource);
    }
    return out;
}

struct node *managed_emit(struct arena *a, struct managed *m)
{
    struct node *out = node_list(a);
    sort(m);
    for (size_t i = 0; i < m->n; i++) {
        if (!fieldset_empty(m->entries[i].set)) {
            node_push(a, out, emit_entry(a, &m->entries[i]));
        }
    }
    return out && out->n > 0 ? out : NULL;
}

/* --- cap --- */

static bool is_updater(const struct managed_entry *e)
{
    return !e->applied && !fieldset_empty(e->set);
}

/* The bucket of an entry's apiVersion. */
static struct managed_entry bucket_of(const struct managed_entry *e)
{
    return (struct managed_entry){
        .manager = STR("ancient-changes"),
        .api_version = e->api_version,
    };
}

/* The oldest Update entry with this apiVersion that stands before entry `end`, or NULL. */
static struct managed_entry *first_of_version(struct managed *m, size_t end, struct str version)
{
    for (size_t i = 0; i < end; i++) {
        if (is_updater(&m->entries[i]) && str_eq(m->entries[i].api_version, version)) {
            return &m->entries[i];
        }
    }
    return NULL;
}

void managed_cap(struct arena *a, struct managed *m)
{
    size_t updaters = 0;
    sort(m);
    for (size_t i = 0; i < m->n; i++) {
        updaters += is_updater(&m->entries[i]);
    }
    for (size_t i = 0; i < m->n && updaters > MAX_UPDATERS; i++) {
        struct managed_entry *e = &m->entries[i];
        struct managed_entry *first =
            is_updater(e) ? first_of_version(m, i, e->api_version) : NULL;
        if (!first) {
            continue; /* an apiVersion's first entry stays until a second one joins it */
        }
        struct managed_entry like = bucket_of(e);
        struct managed_entry *bucket = managed_find(m, &like);
        if (bucket == e) {
            bucket->set = fieldset_union(a, first->set, e->set);
            first->set = NULL;
        } else {
            if (!bucket || fieldset_empty(bucket->set)) {
                like.set = first->set;
                first->set = NULL; /* in case bucket is another, empty entry */
                bucket = bucket ? bucket : first;
                *bucket = like;
            }
            bucket->set = fieldset_union(a, bucket->set, e->set);
            bucket->time = e->time; /* the more recent one */
            e->set = NULL;
        }
        updaters--;
    }
}
