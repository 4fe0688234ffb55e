/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks, on whose behalf (impersonation), and whether it is allowed (kube-wire §11, §15, §17.2).
 */
#include "kube/priv.h"

#include <strings.h>

bool kube_may(struct kube_call *c, const struct user_action *act, struct str *out_reason)
{
    return auth_may(c->k->config.auth, &c->user, act, c->a, out_reason);
}

int kube_forbidden(struct kube_call *c, const struct user_action *act, struct str reason,
                   struct err *err)
{
    struct arena *a = c->a;
    if (act->path.len) {
        api_err(err, ERR_FORBIDDEN, "kube-forbidden-path", arena_strz(a, c->user.name),
                arena_strz(a, act->verb), arena_strz(a, act->path));
        return err_details(err, NULL, NULL, NULL);
    }
    struct str resource = act->group.len
                              ? arena_printf(a, "%.*s.%.*s", STR_ARG(act->resource),
                                             STR_ARG(act->group))
                              : act->resource;
    struct str what = act->name.len ? arena_printf(a, "%.*s \"%.*s\"", STR_ARG(resource),
                                                   STR_ARG(act->name))
                                    : resource;
    struct str sub = act->subresource.len
                         ? arena_printf(a, "%.*s/%.*s", STR_ARG(act->resource),
                                        STR_ARG(act->subresource))
                         : act->resource;
    const char *group = arena_strz(a, act->group);
    if (act->ns.len) {
        api_err(err, ERR_FORBIDDEN, "kube-forbidden", arena_strz(a, what),
                arena_strz(a, c->user.name), arena_strz(a, act->verb), arena_strz(a, sub), group,
                arena_strz(a, act->ns));
    } else {
        api_err(err, ERR_FORBIDDEN, "kube-forbidden-cluster", arena_strz(a, what),
                arena_strz(a, c->user.name), arena_strz(a, act->verb), arena_strz(a, sub), group);
    }
    if (reason.len) {
        struct str message = arena_printf(a, "%s: %.*s", err->message, STR_ARG(reason));
        err_set(err, ERR_FORBIDDEN, "%.*s", STR_ARG(message));
    }
    return err_details(err, act->name.len ? arena_strz(a, act->name) : NULL,
                       act->group.len ? group : NULL, arena_strz(a, act->resource));
}

/* --- granting --- */

int kube_check_grant(struct kube_call *c, const struct node *object, struct err *err)
{
    const struct api_kind *k = c->route.kind;
    if (strcmp(k->group, "rbac.authorization.k8s.io") != 0) {
        return 0;
    }
    struct user_action act = {.group = str_of(k->group), .version = str_of(k->version)};
    const struct node *ref = node_getz(object, "roleRef");
    if (ref) {
        bool role = str_eqz(node_text_at(ref, "kind"), "Role");
        act.verb = STR("bind");
        act.resource = role ? STR("roles") : STR("clusterroles");
        act.name = node_text_at(ref, "name");
        act.ns = role ? c->route.ns : STR("");
    } else {
        act.verb = STR("escalate");
        act.resource = str_of(k->resource);
        act.name = node_text_at(object, "metadata.name");
        act.ns = c->route.ns;
    }
    struct str reason = STR_NULL;
    return kube_may(c, &act, &reason) ? 0 : kube_forbidden(c, &act, reason, err);
}

/* --- impersonation --- */

static int may_impersonate(struct kube_call *c, const char *group, const char *resource,
                           struct str sub, struct str name, struct err *err)
{
    struct user_action act = {.verb = STR("impersonate"), .group = str_of(group),
                              .version = STR("v1"), .resource = str_of(resource),
                              .subresource = sub, .name = name};
    struct str reason = STR_NULL;
    return kube_may(c, &act, &reason) ? 0 : kube_forbidden(c, &act, reason, err);
}

static size_t collect_groups(struct kube_call *c, struct str *out)
{
    size_t n = 0;
    for (size_t i = 0; i < c->req->n_headers; i++) {
        const struct kube_header *h = &c->req->headers[i];
        if (h->name.len == 17 && strncasecmp(h->name.ptr, "Impersonate-Group", 17) == 0) {
            out[n++] = h->value;
        }
    }
    return n;
}

/* Impersonate-Extra-KEY: the key is lower case and may be percent-encoded. */
static size_t collect_extra(struct kube_call *c, struct user_extra *out)
{
    static const char prefix[] = "Impersonate-Extra-";
    const size_t len = sizeof(prefix) - 1;
    size_t n = 0;
    for (size_t i = 0; i < c->req->n_headers; i++) {
        const struct kube_header *h = &c->req->headers[i];
        if (h->name.len < len || strncasecmp(h->name.ptr, prefix, len) != 0) {
            continue;
        }
        char *key = arena_strz(c->a, str_sub(h->name, len, h->name.len));
        for (char *p = key; *p; p++) {
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + ('a' - 'A')) : *p;
        }
        out[n++] = (struct user_extra){kube_percent_decode(c->a, str_of(key), false), h->value};
    }
    return n;
}

static bool has_group(const struct str *groups, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eqz(groups[i], name)) {
            return true;
        }
    }
    return false;
}

static int impersonate(struct kube_call *c, struct err *err)
{
    struct str name = kube_header_get(c->req, "Impersonate-User");
    struct str uid = kube_header_get(c->req, "Impersonate-Uid");
    struct str *groups = arena_array(c->a, struct str, c->req->n_headers + 2);
    size_t n = collect_groups(c, groups);
    struct user_extra *extra = arena_array(c->a, struct user_extra, c->req->n_headers + 1);
    size_t n_extra = collect_extra(c, extra);
    if (!name.len) {
        return n || uid.len || n_extra
                   ? err_set(err, ERR_BAD_REQUEST,
                             "requested impersonation without impersonating a user")
                   : 0;
    }
    if (may_impersonate(c, "", "users", STR(""), name, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (may_impersonate(c, "", "groups", STR(""), groups[i], err) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < n_extra; i++) {
        if (may_impersonate(c, "authentication.k8s.io", "userextras", extra[i].key,
                            extra[i].value, err) < 0) {
            return -1;
        }
    }
    if (uid.len &&
        may_impersonate(c, "authentication.k8s.io", "uids", STR(""), uid, err) < 0) {
        return -1;
    }
    bool anonymous = str_eqz(name, "system:anonymous");
    const char *must = anonymous ? "system:unauthenticated" : "system:authenticated";
    if (!has_group(groups, n, must)) {
        groups[n++] = str_of(must);
    }
    c->user = (struct user){.name = name, .uid = uid, .groups = groups, .n_groups = n,
                            .extra = extra, .n_extra = n_extra, .anonymous = anonymous};
    return 0;
}

int kube_identify(struct kube_call *c, struct err *err)
{
    struct str token = kube_header_get(c->req, "Authorization");
    if (auth_who(c->k->config.auth, c->req->peer_der, token, c->a, &c->user, err) < 0) {
        return -1;
    }
    return impersonate(c, err);
}

static struct str lower_method(enum kube_method m)
{
    static const char *const NAMES[] = {"get", "head", "post", "put", "patch", "delete", "other"};
    return str_of(NAMES[m]);
}

/* A list that pins metadata.name is authorized with that name (kube-wire §3). */
static struct str pinned_name(struct kube_call *c)
{
    AUTO_ERR ignored = ERR_INIT; /* a bad selector is reported after authorization */
    struct kube_selector s;
    struct str fields = kube_query_get(c->a, c->req->query, "fieldSelector");
    if (!fields.len ||
        kube_selector_parse(c->a, c->route.kind, STR(""), fields, &s, &ignored) < 0) {
        return STR_NULL;
    }
    return kube_selector_exact(&s, "metadata.name");
}

int kube_authorize(struct kube_call *c, struct err *err)
{
    const struct kube_route *r = &c->route;
    struct str reason = STR_NULL;
    struct user_action act = {0};
    if (r->type == KUBE_ROUTE_RESOURCE) {
        act = (struct user_action){
            .verb = str_of(r->verb), .group = str_of(r->kind->group),
            .version = str_of(r->kind->version), .resource = str_of(r->kind->resource),
            .subresource = r->subresource, .ns = r->ns, .name = r->name};
        if (strcmp(r->kind->store_kind, "namespaces") == 0 && r->name.ptr) {
            act.ns = r->name; /* the namespace itself counts as inside */
        }
        if (!r->name.ptr && c->req->method == KUBE_GET) {
            act.name = pinned_name(c);
        }
    } else {
        act.verb = lower_method(c->req->method == KUBE_HEAD ? KUBE_GET : c->req->method);
        act.path = r->path;
    }
    return kube_may(c, &act, &reason) ? 0 : kube_forbidden(c, &act, reason, err);
}
