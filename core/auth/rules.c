/* SPDX-License-Identifier: Apache-2.0
 *
 * The RBAC objects as decisions need them: an immutable snapshot with every binding filed under
 * its subjects. It is read again when the store's log holds a change of one of the four kinds, so
 * a committed change counts for every request that starts later.
 */
#include "auth/priv.h"

#include "base/map.h"

#define KINDS 4
static const struct str ROLES = {"roles", 5}, CLUSTER_ROLES = {"clusterroles", 12},
                        ROLE_BINDINGS = {"rolebindings", 12},
                        CLUSTER_ROLE_BINDINGS = {"clusterrolebindings", 19};

struct strs strs_parse(struct arena *a, const struct node *list)
{
    size_t n = node_is(list, NODE_LIST) ? list->n : 0;
    struct str *at = arena_array(a, struct str, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        at[i] = node_text(list->items[i]);
    }
    return (struct strs){at, n};
}

bool strs_has(struct strs s, struct str item)
{
    for (size_t i = 0; i < s.n; i++) {
        if (str_eq(s.at[i], item)) {
            return true;
        }
    }
    return false;
}

void rule_parse(struct arena *a, const struct node *n, struct rule *out)
{
    *out = (struct rule){.verbs = strs_parse(a, node_getz(n, "verbs")),
                         .groups = strs_parse(a, node_getz(n, "apiGroups")),
                         .resources = strs_parse(a, node_getz(n, "resources")),
                         .names = strs_parse(a, node_getz(n, "resourceNames")),
                         .urls = strs_parse(a, node_getz(n, "nonResourceURLs")),
                         .json = json_emit_str(a, n)};
}

/* --- roles --- */

static struct str role_key(struct arena *a, struct str ns, struct str name)
{
    return arena_printf(a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(name));
}

static void add_role(struct rules *r, const struct store_object *o, const struct node *n,
                     bool cluster)
{
    struct arena *a = &r->arena;
    const struct node *list = node_getz(n, "rules");
    struct role *role = arena_new(a, struct role);
    role->name = arena_str(a, o->name);
    role->labels = node_at(n, "metadata.labels");
    role->n_own = node_is(list, NODE_LIST) ? list->n : 0;
    role->own = arena_array(a, struct rule, role->n_own + 1);
    for (size_t i = 0; i < role->n_own; i++) {
        rule_parse(a, list->items[i], &role->own[i]);
    }
    if (cluster) {
        role->selectors = node_at(n, "aggregationRule.clusterRoleSelectors");
        role->next = r->first_cluster;
        r->first_cluster = role;
    }
    map_set(r->roles, role_key(a, o->ns, o->name), role);
}

static bool expression_matches(const struct node *e, const struct node *labels)
{
    AUTO_ARENA a = ARENA_INIT;
    const struct node *label = node_get(labels, node_text(node_getz(e, "key")));
    struct strs values = strs_parse(&a, node_getz(e, "values"));
    struct str op = node_text(node_getz(e, "operator"));
    bool in = label && strs_has(values, node_text(label));
    return str_eqz(op, "In")             ? in
           : str_eqz(op, "NotIn")        ? !in
           : str_eqz(op, "Exists")       ? label != NULL
           : str_eqz(op, "DoesNotExist") ? label == NULL
                                         : false;
}

static bool selector_matches(const struct node *selector, const struct node *labels)
{
    const struct node *want = node_getz(selector, "matchLabels");
    const struct node *expressions = node_getz(selector, "matchExpressions");
    for (size_t i = 0; node_is(want, NODE_MAP) && i < want->n; i++) {
        const struct node *has = node_get(labels, want->members[i].key);
        if (!has || !str_eq(node_text(has), node_text(want->members[i].value))) {
            return false;
        }
    }
    for (size_t i = 0; node_is(expressions, NODE_LIST) && i < expressions->n; i++) {
        if (!expression_matches(expressions->items[i], labels)) {
            return false;
        }
    }
    return true;
}

static bool is_selected(const struct node *selectors, const struct role *role)
{
    for (size_t i = 0; node_is(selectors, NODE_LIST) && i < selectors->n; i++) {
        if (selector_matches(selectors->items[i], role->labels)) {
            return true;
        }
    }
    return false;
}

/* Visits a role and, when it aggregates, those that it selects; each once. Counts the rules, and
 * notes them in `to` when that is set. */
static size_t collect(struct rules *r, struct role *role, const struct rule **to, size_t at)
{
    if (role->visited) {
        return at;
    }
    role->visited = true;
    /* The rules of an aggregating role are what it selects, whatever the object says. */
    for (size_t i = 0; !role->selectors && i < role->n_own; i++, at++) {
        if (to) {
            to[at] = &role->own[i];
        }
    }
    for (struct role *x = r->first_cluster; role->selectors && x; x = x->next) {
        if (is_selected(role->selectors, x)) {
            at = collect(r, x, to, at);
        }
    }
    return at;
}

static void clear_visits(struct rules *r, struct role *first)
{
    first->visited = false;
    for (struct role *x = r->first_cluster; first->selectors && x; x = x->next) {
        x->visited = false;
    }
}

static void resolve_role(struct rules *r, struct role *role)
{
    size_t n = collect(r, role, NULL, 0);
    clear_visits(r, role);
    role->rules = arena_array(&r->arena, const struct rule *, n + 1);
    role->n_rules = collect(r, role, role->rules, 0);
    clear_visits(r, role);
}

/* --- bindings --- */

static void add_grant(struct rules *r, char kind, struct str subject, const struct grant *g)
{
    struct str key = arena_printf(&r->arena, "%c:%.*s", kind, STR_ARG(subject));
    struct grant *copy = arena_new(&r->arena, struct grant);
    *copy = *g;
    copy->next = map_set(r->grants, key, copy);
}

static void add_subject(struct rules *r, const struct node *subject, struct grant *g)
{
    struct str name = node_text(node_getz(subject, "name"));
    g->subject_kind = node_text(node_getz(subject, "kind"));
    if (str_eqz(g->subject_kind, "User")) {
        add_grant(r, 'u', name, g);
    } else if (str_eqz(g->subject_kind, "Group")) {
        add_grant(r, 'g', name, g);
    } else if (str_eqz(g->subject_kind, "ServiceAccount")) {
        struct str ns = node_text(node_getz(subject, "namespace"));
        ns = ns.len ? ns : g->ns;
        add_grant(r, 'u', arena_printf(&r->arena, "system:serviceaccount:%.*s:%.*s", STR_ARG(ns),
                                       STR_ARG(name)), g);
    }
}

static void add_binding(struct rules *r, const struct store_object *o, const struct node *n)
{
    struct arena *a = &r->arena;
    const struct node *subjects = node_getz(n, "subjects");
    struct str kind = node_text_at(n, "roleRef.kind");
    bool local = str_eqz(kind, "Role");
    if (local && !o->ns.len) {
        return; /* a ClusterRoleBinding cannot give a Role */
    }
    struct grant g = {.binding = arena_str(a, o->name), .ns = arena_str(a, o->ns),
                      .role_kind = local ? STR("Role") : STR("ClusterRole")};
    g.role = map_find(r->roles,
                      role_key(a, local ? o->ns : STR(""), node_text_at(n, "roleRef.name")));
    for (size_t i = 0; g.role && node_is(subjects, NODE_LIST) && i < subjects->n; i++) {
        add_subject(r, subjects->items[i], &g);
    }
}

/* --- the snapshot --- */

void rules_unref(struct rules *r)
{
    if (r && atomic_fetch_sub(&r->refs, 1) == 1) {
        map_done(r->grants);
        map_done(r->roles);
        mem_free(r->grants);
        mem_free(r->roles);
        arena_done(&r->arena);
        mem_free(r);
    }
}

static int load_kind(struct auth *a, struct rules *r, struct str kind, struct err *err)
{
    struct store_query q = {.kind = kind};
    struct store_object o;
    int64_t rv;
    struct store_list *l = store_list_open(a->store, &q, &rv, err);
    int more = l ? 0 : -1;
    while (l && (more = store_list_next(l, &o, err)) == 1) {
        struct node *n = json_parse(&r->arena, arena_str(&r->arena, o.json), NULL, err);
        if (!n) {
            more = err_wrap(err, "damaged %.*s '%.*s' in the store", STR_ARG(kind),
                            STR_ARG(o.name));
            break;
        }
        if (str_eq(kind, ROLES) || str_eq(kind, CLUSTER_ROLES)) {
            add_role(r, &o, n, str_eq(kind, CLUSTER_ROLES));
        } else {
            add_binding(r, &o, n);
        }
    }
    store_list_close(l);
    return more;
}

static struct rules *load(struct auth *a, struct err *err)
{
    struct rules *r = mem_new(struct rules);
    struct map_entry *e;
    atomic_init(&r->refs, 1);
    r->grants = mem_new(struct map);
    r->roles = mem_new(struct map);
    /* Before reading: what is committed meanwhile shows as a change behind it. */
    r->rv = store_rv(a->store);
    int rc = load_kind(a, r, ROLES, err);
    rc = rc ? rc : load_kind(a, r, CLUSTER_ROLES, err);
    for (size_t i = 0; !rc && (e = map_next(r->roles, &i)) != NULL;) {
        resolve_role(r, e->value);
    }
    rc = rc ? rc : load_kind(a, r, ROLE_BINDINGS, err);
    rc = rc ? rc : load_kind(a, r, CLUSTER_ROLE_BINDINGS, err);
    if (rc) {
        rules_unref(r);
        return NULL;
    }
    return r;
}

static bool note_change(void *ctx, const struct store_change *c)
{
    *(bool *)ctx = true;
    return false;
}

/* Whether an RBAC object changed after number `after`. */
static bool has_changed(struct auth *a, int64_t after)
{
    const struct str kinds[KINDS] = {ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS};
    for (size_t i = 0; i < KINDS; i++) {
        bool changed = false;
        int64_t next;
        AUTO_ERR gone = ERR_INIT; /* the log does not reach back: read everything again */
        if (store_changes(a->store, kinds[i], STR_NULL, after, 1, note_change, &changed, &next,
                          &gone) != 0 || changed) {
            return true;
        }
    }
    return false;
}

struct rules *rules_get(struct auth *a, struct err *err)
{
    int64_t newest = store_rv(a->store);
    pthread_mutex_lock(&a->rules_lock);
    struct rules *r = a->rules;
    if (r && newest > r->rv) {
        if (has_changed(a, r->rv)) {
            r = NULL;
        } else {
            r->rv = newest;
        }
    }
    if (!r) {
        r = load(a, err);
        if (r) {
            rules_unref(a->rules);
            a->rules = r;
        }
    }
    if (r) {
        atomic_fetch_add(&r->refs, 1);
    }
    pthread_mutex_unlock(&a->rules_lock);
    return r;
}
