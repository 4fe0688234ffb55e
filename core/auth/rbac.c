/* SPDX-License-Identifier: Apache-2.0
 *
 * May a user do it: the rules that everybody has, then those of the RBAC objects. What no rule
 * allows is denied.
 */
#include "auth/priv.h"

#include "base/map.h"

#define S(lit) {lit, sizeof(lit) - 1}
#define STRS(list) {list, sizeof(list) / sizeof((list)[0])}

static const struct str GET[] = {S("get"), S("head")};
static const struct str CREATE[] = {S("create")};
static const struct str ALL[] = {S("*")};
static const struct str HEALTH[] = {S("/healthz"), S("/healthz/*"), S("/livez"),   S("/livez/*"),
                                    S("/readyz"),  S("/readyz/*"),  S("/version"), S("/version/")};
static const struct str DISCOVERY[] = {S("/api"), S("/api/*"), S("/apis"), S("/apis/*"),
                                       S("/openapi"), S("/openapi/*")};
static const struct str AUTHORIZATION[] = {S("authorization.k8s.io")};
static const struct str AUTHENTICATION[] = {S("authentication.k8s.io")};
static const struct str SELF_ACCESS[] = {S("selfsubjectaccessreviews"),
                                         S("selfsubjectrulesreviews")};
static const struct str SELF[] = {S("selfsubjectreviews")};

/* In effect without any object: for everybody, and for those who say who they are. */
static const struct rule FOR_EVERYBODY[] = {
    {.verbs = STRS(GET), .urls = STRS(HEALTH),
     .json = S("{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz\",\"/healthz/*\",\"/livez\","
               "\"/livez/*\",\"/readyz\",\"/readyz/*\",\"/version\",\"/version/\"]}")}};
static const struct rule FOR_USERS[] = {
    {.verbs = STRS(GET), .urls = STRS(DISCOVERY),
     .json = S("{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/api\",\"/api/*\",\"/apis\","
               "\"/apis/*\",\"/openapi\",\"/openapi/*\"]}")},
    {.verbs = STRS(CREATE), .groups = STRS(AUTHORIZATION), .resources = STRS(SELF_ACCESS),
     .json = S("{\"verbs\":[\"create\"],\"apiGroups\":[\"authorization.k8s.io\"],"
               "\"resources\":[\"selfsubjectaccessreviews\",\"selfsubjectrulesreviews\"]}")},
    {.verbs = STRS(CREATE), .groups = STRS(AUTHENTICATION), .resources = STRS(SELF),
     .json = S("{\"verbs\":[\"create\"],\"apiGroups\":[\"authentication.k8s.io\"],"
               "\"resources\":[\"selfsubjectreviews\"]}")}};
static const struct rule FOR_MASTERS[] = {
    {.verbs = STRS(ALL), .groups = STRS(ALL), .resources = STRS(ALL),
     .json = S("{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}")},
    {.verbs = STRS(ALL), .urls = STRS(ALL),
     .json = S("{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}")}};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- one rule --- */

static bool has_or_star(struct strs s, struct str item)
{
    return strs_has(s, STR("*")) || strs_has(s, item);
}

static bool resource_matches(struct strs s, struct str resource, struct str sub)
{
    for (size_t i = 0; i < s.n; i++) {
        struct str want = s.at[i];
        ptrdiff_t slash = str_find_byte(want, '/');
        if (str_eqz(want, "*") || (slash < 0 && !sub.len && str_eq(want, resource))) {
            return true;
        }
        if (slash >= 0 && sub.len && str_eq(str_sub(want, (size_t)slash + 1, want.len), sub)) {
            struct str first = str_sub(want, 0, (size_t)slash);
            if (str_eqz(first, "*") || str_eq(first, resource)) {
                return true;
            }
        }
    }
    return false;
}

static bool url_matches(struct strs s, struct str path)
{
    for (size_t i = 0; i < s.n; i++) {
        struct str want = s.at[i];
        bool open = want.len && want.ptr[want.len - 1] == '*';
        if (open ? str_has_prefix(path, str_sub(want, 0, want.len - 1)) : str_eq(want, path)) {
            return true;
        }
    }
    return false;
}

static bool rule_allows(const struct rule *r, const struct user_action *act)
{
    if (!has_or_star(r->verbs, act->verb)) {
        return false;
    }
    if (!act->resource.len) {
        return url_matches(r->urls, act->path);
    }
    return has_or_star(r->groups, act->group) &&
           resource_matches(r->resources, act->resource, act->subresource) &&
           (!r->names.n || (act->name.len && strs_has(r->names, act->name)));
}

/* --- all rules of a user --- */

/* Called per rule; grant NULL = in effect without an object. True = stop. */
typedef bool (*visit_fn)(void *ctx, const struct rule *r, const struct grant *g);

static bool visit_list(const struct rule *list, size_t n, visit_fn fn, void *ctx)
{
    for (size_t i = 0; i < n; i++) {
        if (fn(ctx, &list[i], NULL)) {
            return true;
        }
    }
    return false;
}

static bool visit_grants(const struct grant *g, struct str ns, visit_fn fn, void *ctx)
{
    for (; g; g = g->next) {
        for (size_t i = 0; (!g->ns.len || str_eq(g->ns, ns)) && i < g->role->n_rules; i++) {
            if (fn(ctx, g->role->rules[i], g)) {
                return true;
            }
        }
    }
    return false;
}

static const struct grant *find_grants(const struct rules *r, struct arena *a, char kind,
                                       struct str subject)
{
    return map_find(r->grants, arena_printf(a, "%c:%.*s", kind, STR_ARG(subject)));
}

static bool has_group(const struct user *u, const char *group)
{
    return strs_has((struct strs){u->groups, u->n_groups}, str_of(group));
}

static bool visit_built_in(const struct user *u, visit_fn fn, void *ctx)
{
    return (has_group(u, GROUP_MASTERS) &&
            visit_list(FOR_MASTERS, COUNT(FOR_MASTERS), fn, ctx)) ||
           visit_list(FOR_EVERYBODY, COUNT(FOR_EVERYBODY), fn, ctx) ||
           (!u->anonymous && visit_list(FOR_USERS, COUNT(FOR_USERS), fn, ctx));
}

static bool visit_objects(const struct rules *r, const struct user *u, struct str ns,
                          struct arena *a, visit_fn fn, void *ctx)
{
    bool stop = visit_grants(find_grants(r, a, 'u', u->name), ns, fn, ctx);
    for (size_t i = 0; !stop && i < u->n_groups; i++) {
        stop = visit_grants(find_grants(r, a, 'g', u->groups[i]), ns, fn, ctx);
    }
    return stop;
}

/* --- auth_may --- */

struct decision {
    const struct user_action *act;
    const struct grant *grant;
};

static bool try_rule(void *ctx, const struct rule *r, const struct grant *g)
{
    struct decision *d = ctx;
    d->grant = g;
    return rule_allows(r, d->act);
}

static struct str allow_reason(struct arena *a, const struct grant *g)
{
    if (!g) {
        return STR("allowed to this user by the server itself");
    }
    return arena_printf(a, "RBAC: allowed by %s \"%.*s\" of %.*s \"%.*s\" to %.*s",
                        g->ns.len ? "RoleBinding" : "ClusterRoleBinding", STR_ARG(g->binding),
                        STR_ARG(g->role_kind), STR_ARG(g->role->name), STR_ARG(g->subject_kind));
}

bool auth_may(struct auth *a, const struct user *u, const struct user_action *act,
              struct arena *arena, struct str *out_reason)
{
    struct decision d = {.act = act};
    struct str reason = STR("");
    bool allowed = visit_built_in(u, try_rule, &d);
    if (allowed) {
        reason = allow_reason(arena, NULL);
    } else {
        AUTO_ERR err = ERR_INIT;
        struct rules *r = rules_get(a, &err);
        if (!r) { /* what cannot be read allows nothing */
            reason = arena_printf(arena, "RBAC: %s", err.message);
        } else if (visit_objects(r, u, act->resource.len ? act->ns : STR(""), arena, try_rule,
                                 &d)) {
            allowed = true;
            reason = out_reason ? allow_reason(arena, d.grant) : reason;
        }
        rules_unref(r);
    }
    if (out_reason) {
        *out_reason = reason;
    }
    return allowed;
}

/* --- auth_rules --- */

struct report {
    void (*fn)(void *ctx, struct str rule_json);
    void *ctx;
};

static bool report_rule(void *ctx, const struct rule *r, const struct grant *g)
{
    struct report *to = ctx;
    to->fn(to->ctx, r->json);
    return false;
}

int auth_rules(struct auth *a, const struct user *u, struct str ns, struct arena *arena,
               void (*fn)(void *ctx, struct str rule_json), void *ctx, struct err *err)
{
    struct report to = {fn, ctx};
    struct rules *r = rules_get(a, err);
    if (!r) {
        return -1;
    }
    visit_built_in(u, report_rule, &to);
    visit_objects(r, u, ns, arena, report_rule, &to);
    rules_unref(r);
    return 0;
}
