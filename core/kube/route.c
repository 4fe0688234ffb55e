/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths and methods of kube-wire §3. Each segment is percent-decoded once; what a segment holds
 * afterwards is data and never splits the path again.
 */
#include "kube/priv.h"

#define MAX_SEGMENTS 10

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str kube_percent_decode(struct arena *a, struct str s, bool plus)
{
    if (str_find_byte(s, '%') < 0 && !(plus && str_find_byte(s, '+') >= 0)) {
        return s;
    }
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%' && i + 2 < s.len && hex(s.ptr[i + 1]) >= 0 && hex(s.ptr[i + 2]) >= 0) {
            c = (char)(hex(s.ptr[i + 1]) * 16 + hex(s.ptr[i + 2]));
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[n++] = c;
    }
    return (struct str){out, n};
}

static size_t split(struct arena *a, struct str path, struct str *out)
{
    struct str segment;
    size_t n = 0;
    path = str_trim(path, "/");
    while (path.len && str_split(&path, '/', &segment)) {
        if (n == MAX_SEGMENTS) {
            return MAX_SEGMENTS + 1;
        }
        out[n++] = kube_percent_decode(a, segment, false);
    }
    return n;
}

static const char *item_verb(enum kube_method m)
{
    switch (m) {
    case KUBE_HEAD:
    case KUBE_GET:
        return "get";
    case KUBE_PUT:
        return "update";
    case KUBE_PATCH:
        return "patch";
    case KUBE_DELETE:
        return "delete";
    default:
        return NULL;
    }
}

static bool sub_allows(const struct api_subresource *sub, const char *verb)
{
    for (size_t i = 0; sub->verbs[i]; i++) {
        if (strcmp(sub->verbs[i], verb) == 0) {
            return true;
        }
    }
    return false;
}

static bool kind_allows(const struct api_kind *k, const char *verb)
{
    static const struct {
        const char *name;
        unsigned bit;
    } VERBS[] = {{"get", API_GET},       {"list", API_LIST_VERB}, {"watch", API_WATCH},
                 {"create", API_CREATE}, {"update", API_UPDATE},  {"patch", API_PATCH},
                 {"delete", API_DELETE}, {"deletecollection", API_DELETECOLLECTION}};
    for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
        if (strcmp(VERBS[i].name, verb) == 0) {
            return (k->verbs & VERBS[i].bit) != 0;
        }
    }
    return false;
}

/* The verb of a request whose path is understood; NULL when the method does not fit. */
static const char *pick_verb(const struct kube_route *r, enum kube_method m, bool watch)
{
    const char *verb = NULL;
    bool everywhere = (r->kind->flags & API_NAMESPACED) && !r->ns.ptr;
    if (m == KUBE_HEAD && kube_is_porch(r->kind)) {
        return NULL; /* as the peer has it */
    }
    if (r->watch) {
        return m == KUBE_GET && kind_allows(r->kind, "watch") ? "watch" : NULL;
    }
    if (r->name.ptr) {
        verb = item_verb(m);
        if (verb && r->subresource.len) {
            return sub_allows(r->sub, verb) ? verb : NULL;
        }
    } else if (m == KUBE_GET || m == KUBE_HEAD) {
        verb = watch ? "watch" : "list";
    } else if (m == KUBE_POST && !everywhere) {
        verb = "create";
    } else if (m == KUBE_DELETE && !everywhere) {
        verb = "deletecollection";
    }
    return verb && kind_allows(r->kind, verb) ? verb : NULL;
}

static const struct api_subresource *find_sub(const struct api_kind *k, struct str name)
{
    for (size_t i = 0; i < k->n_subresources; i++) {
        if (str_eqz(name, k->subresources[i].name)) {
            return &k->subresources[i];
        }
    }
    return NULL;
}

/* seg: what follows the group version. */
static void route_resource(struct str group, struct str version, const struct str *seg, size_t n,
                           struct kube_route *out)
{
    out->type = kube_group_is_crd(group) ? KUBE_ROUTE_NONE : KUBE_ROUTE_UNKNOWN;
    out->watch = n > 1 && str_eqz(seg[0], "watch");
    seg += out->watch;
    n -= out->watch;
    bool scoped = n >= 3 && str_eqz(seg[0], "namespaces") &&
                  !(group.len == 0 && n == 3 &&
                    (str_eqz(seg[2], "status") || str_eqz(seg[2], "finalize")));
    if (scoped) {
        out->ns = seg[1];
        seg += 2;
        n -= 2;
    }
    const struct api_kind *k = api_kind_find(group, version, seg[0]);
    if (!k || n > (out->watch ? 2 : 3) || (scoped && !(k->flags & API_NAMESPACED)) ||
        (n > 1 && !scoped && (k->flags & API_NAMESPACED))) {
        return;
    }
    if (n > 2) {
        out->sub = find_sub(k, seg[2]);
        if (!out->sub) {
            return;
        }
        out->subresource = seg[2];
    }
    if (n > 1) {
        out->name = seg[1];
    }
    out->kind = k;
    out->type = KUBE_ROUTE_RESOURCE;
}

static bool health_path(struct str s)
{
    return str_eqz(s, "healthz") || str_eqz(s, "livez") || str_eqz(s, "readyz");
}

static void route_simple(const struct str *seg, size_t n, struct kube_route *out)
{
    if (n == 0) {
        out->type = KUBE_ROUTE_ROOT;
    } else if (health_path(seg[0]) && n <= 2) {
        out->type = KUBE_ROUTE_HEALTH;
    } else if (n == 1 && str_eqz(seg[0], "version")) {
        out->type = KUBE_ROUTE_VERSION;
    } else if (n == 1 && str_eqz(seg[0], "metrics")) {
        out->type = KUBE_ROUTE_METRICS;
    } else if (str_eqz(seg[0], "openapi")) {
        out->type = KUBE_ROUTE_DOCUMENT;
    }
}

static struct str join(struct arena *a, const struct str *seg, size_t n)
{
    AUTO_BUF b = BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        buf_addc(&b, '/');
        buf_add_str(&b, seg[i]);
    }
    return n ? arena_str(a, buf_str(&b)) : STR("/");
}

void kube_route_parse(struct arena *a, const struct kube_request *req, bool watch,
                      struct kube_route *out)
{
    struct str seg[MAX_SEGMENTS];
    size_t n = split(a, req->path, seg);
    *out = (struct kube_route){.path = req->path, .subresource = STR("")};
    if (n > MAX_SEGMENTS) {
        return;
    }
    out->path = join(a, seg, n);
    bool core = n && str_eqz(seg[0], "api"), groups = n && str_eqz(seg[0], "apis");
    if (!core && !groups) {
        route_simple(seg, n, out);
        return;
    }
    size_t head = core ? 2 : 3;
    if (n <= head) {
        out->type = KUBE_ROUTE_DOCUMENT;
        return;
    }
    struct str group = core ? STR("") : seg[1], version = seg[head - 1];
    if (!api_group_version_has(group, version)) {
        return;
    }
    route_resource(group, version, seg + head, n - head, out);
    if (out->kind) {
        out->verb = pick_verb(out, req->method, watch);
    }
}

static const char *method_action(const struct kube_request *req, const struct kube_route *r)
{
    switch (req->method) {
    case KUBE_GET:
        return r->name.ptr ? "get" : "list";
    case KUBE_POST:
        return "create";
    case KUBE_PUT:
        return "update";
    case KUBE_PATCH:
        return "patch";
    case KUBE_DELETE:
        return r->name.ptr ? "delete" : "deletecollection";
    default:
        return "";
    }
}

int kube_route_refuse(struct arena *a, const struct kube_request *req, const struct kube_route *r,
                      struct err *err)
{
    struct str resource = kube_resource(a, r->kind);
    bool watch = req->method == KUBE_GET && !r->name.ptr;
    if (kube_is_porch(r->kind) && !watch) {
        return api_err(err, ERR_METHOD_NOT_ALLOWED, "kube-method-not-allowed-path");
    }
    if (kube_kind_is_crd(r->kind) && !r->name.ptr &&
        (req->method == KUBE_PUT || req->method == KUBE_PATCH)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-name-empty");
    }
    const char *action = watch ? "watch" : method_action(req, r);
    api_err(err, ERR_METHOD_NOT_ALLOWED, "kube-method-not-allowed", action,
            arena_strz(a, resource));
    return err_details(err, NULL, r->kind->group, r->kind->resource);
}
