/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds that are questions (kube-wire §17.1): may I, may they, what may I, who am I, whose token is
 * this. Nothing is stored; the answer is the object with its status.
 */
#include "kube/priv.h"

static void take_attributes(const struct node *spec, struct user_action *out)
{
    const struct node *path = node_getz(spec, "nonResourceAttributes");
    const struct node *r = node_getz(spec, "resourceAttributes");
    *out = (struct user_action){0};
    if (path && path->type == NODE_MAP && !r) {
        out->verb = node_text_at(path, "verb");
        out->path = node_text_at(path, "path");
        return;
    }
    out->verb = node_text_at(r, "verb");
    out->group = node_text_at(r, "group");
    out->version = node_text_at(r, "version");
    out->resource = node_text_at(r, "resource");
    out->subresource = node_text_at(r, "subresource");
    out->ns = node_text_at(r, "namespace");
    out->name = node_text_at(r, "name");
}

static int check_attributes(const struct api_kind *k, const struct node *spec, struct err *err)
{
    bool r = node_is(node_getz(spec, "resourceAttributes"), NODE_MAP);
    bool p = node_is(node_getz(spec, "nonResourceAttributes"), NODE_MAP);
    if (r != p) {
        return 0;
    }
    AUTO_INVALID v = KUBE_INVALID_INIT;
    kube_invalid_value(&v, STR("spec.resourceAttributes"), STR(""),
                       r ? STR("cannot be specified in combination with nonResourceAttributes")
                         : STR("exactly one of nonResourceAttributes or resourceAttributes must "
                               "be specified"));
    return kube_invalid_end(&v, k->group, k->kind, STR(""), err);
}

static struct user subject_of(struct arena *a, const struct node *spec)
{
    const struct node *list = node_getz(spec, "groups");
    size_t n = node_is(list, NODE_LIST) ? list->n : 0;
    struct str *groups = arena_array(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        groups[i] = node_text(list->items[i]);
    }
    return (struct user){.name = node_text_at(spec, "user"), .uid = node_text_at(spec, "uid"),
                         .groups = groups, .n_groups = n};
}

static int access_review(struct kube_call *c, struct node *object, bool self, struct err *err)
{
    struct node *spec = node_getz(object, "spec"), *status = node_map(c->a);
    struct user_action act;
    struct str reason = STR_NULL;
    if (check_attributes(c->route.kind, spec, err) < 0) {
        return -1;
    }
    take_attributes(spec, &act);
    struct user who = self ? c->user : subject_of(c->a, spec);
    if (!self && !who.name.len && !who.n_groups) {
        AUTO_INVALID v = KUBE_INVALID_INIT;
        kube_invalid_value(&v, STR("spec.user"), STR(""),
                           STR("at least one of user or group must be specified"));
        return kube_invalid_end(&v, c->route.kind->group, c->route.kind->kind, STR(""), err);
    }
    bool allowed = auth_may(c->k->config.auth, &who, &act, c->a, &reason);
    node_setz(c->a, status, "allowed", node_bool(c->a, allowed));
    if (reason.len) {
        node_set_strz(c->a, status, "reason", reason);
    }
    node_setz(c->a, object, "status", status);
    return 0;
}

struct rules {
    struct arena *a;
    struct node *resource, *other;
};

static void take_rule(void *ctx, struct str json)
{
    struct rules *r = ctx;
    AUTO_ERR ignored = ERR_INIT; /* rules are stored JSON */
    struct node *rule = json_parse(r->a, arena_str(r->a, json), NULL, &ignored);
    if (rule) {
        node_push(r->a, node_getz(rule, "nonResourceURLs") ? r->other : r->resource, rule);
    }
}

static int rules_review(struct kube_call *c, struct node *object, struct err *err)
{
    struct rules r = {c->a, node_list(c->a), node_list(c->a)};
    struct str ns = node_text_at(object, "spec.namespace");
    struct node *status = node_map(c->a);
    if (!ns.len) {
        return err_set(err, ERR_BAD_REQUEST, "no namespace on request");
    }
    if (auth_rules(c->k->config.auth, &c->user, ns, c->a, take_rule, &r, err) < 0) {
        return -1;
    }
    node_setz(c->a, status, "resourceRules", r.resource);
    node_setz(c->a, status, "nonResourceRules", r.other);
    node_setz(c->a, status, "incomplete", node_bool(c->a, false));
    node_setz(c->a, object, "status", status);
    return 0;
}

static struct node *extra_of(struct arena *a, const struct user *u)
{
    struct node *extra = node_map(a);
    for (size_t i = 0; i < u->n_extra; i++) {
        struct node *values = node_get(extra, u->extra[i].key);
        if (!values) {
            values = node_list(a);
            node_set(a, extra, u->extra[i].key, values);
        }
        node_push(a, values, node_str(a, u->extra[i].value));
    }
    return extra;
}

static struct node *user_info(struct arena *a, const struct user *u)
{
    struct node *info = node_map(a), *groups = node_list(a);
    node_set_strz(a, info, "username", u->name);
    if (u->uid.len) {
        node_set_strz(a, info, "uid", u->uid);
    }
    for (size_t i = 0; i < u->n_groups; i++) {
        node_push(a, groups, node_str(a, u->groups[i]));
    }
    if (groups->n) {
        node_setz(a, info, "groups", groups);
    }
    if (u->n_extra) {
        node_setz(a, info, "extra", extra_of(a, u));
    }
    return info;
}

static void token_review(struct kube_call *c, struct node *object)
{
    AUTO_ERR err = ERR_INIT;
    struct user who;
    struct node *status = node_map(c->a);
    struct str bearer =
        arena_printf(c->a, "Bearer %.*s", STR_ARG(node_text_at(object, "spec.token")));
    if (auth_who(c->k->config.auth, STR_NULL, bearer, c->a, &who, &err) == 0 && !who.anonymous) {
        node_setz(c->a, status, "authenticated", node_bool(c->a, true));
        node_setz(c->a, status, "user", user_info(c->a, &who));
    } else {
        node_setz(c->a, status, "user", node_map(c->a));
        node_set_strz(c->a, status, "error",
                      arena_str(c->a, str_of(err.message ? err.message : "no token")));
    }
    node_setz(c->a, object, "status", status);
}

static int answer_review(struct kube_call *c, struct node *object, struct err *err)
{
    const char *kind = c->route.kind->kind;
    if (strcmp(kind, "SelfSubjectAccessReview") == 0) {
        return access_review(c, object, true, err);
    }
    if (strcmp(kind, "SelfSubjectRulesReview") == 0) {
        return rules_review(c, object, err);
    }
    if (strcmp(kind, "SelfSubjectReview") == 0) {
        struct node *status = node_map(c->a);
        node_setz(c->a, status, "userInfo", user_info(c->a, &c->user));
        node_setz(c->a, object, "status", status);
        return 0;
    }
    if (strcmp(kind, "TokenReview") == 0) {
        token_review(c, object);
        return 0;
    }
    if (strcmp(kind, "LocalSubjectAccessReview") == 0) {
        struct str ns = node_text_at(object, "spec.resourceAttributes.namespace");
        if (!str_eq(ns, c->route.ns)) {
            return err_set(err, ERR_BAD_REQUEST,
                           "spec.resourceAttributes.namespace must match namespace: %.*s",
                           STR_ARG(c->route.ns));
        }
    }
    return access_review(c, object, false, err);
}

void kube_serve_review(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    AUTO_INVALID v = KUBE_INVALID_INIT;
    struct kube_schema_result result = {0};
    struct kube_texts duplicates = {0};
    const struct api_kind *k = c->route.kind;
    struct node *object;
    if (kube_decode_object(c->a, c->req, &c->route, &object, &duplicates, &err) < 0 ||
        kube_decode_check_scope(c->a, &c->route, object, false, &err) < 0) {
        kube_answer_err(c, &err);
        return;
    }
    kube_schema_settle(c->a, k, object, &result, &v);
    if (result.mismatch.ptr) {
        err_set(&err, ERR_BAD_REQUEST, "%s in version \"%s\" cannot be handled as a %s: %.*s",
                k->kind, k->version, k->kind, STR_ARG(result.mismatch));
    } else if (kube_schema_strict(c->a, k, c->params.validation, &duplicates, &result.unknown,
                                  &c->warnings, &err) == 0 &&
               answer_review(c, object, &err) == 0) {
        kube_answer_json(c, 201, json_emit_str(c->a, object));
        return;
    }
    kube_answer_err(c, &err);
}
