/* SPDX-License-Identifier: Apache-2.0
 *
 * Accept headers (kube-wire §4.1): clauses in order of q, the first one that the endpoint can
 * serve wins. Errors are always plain JSON or YAML, never a Table.
 */
#include "kube/priv.h"

#include <strings.h>

#define MAX_CLAUSES 32
#define MAX_PARAMETERS 8

struct clause {
    struct str type; /* "application/json" */
    struct str names[MAX_PARAMETERS], values[MAX_PARAMETERS];
    size_t n;
    int q; /* thousandths */
};

static bool same(struct str a, const char *z)
{
    return a.len == strlen(z) && strncasecmp(a.ptr ? a.ptr : "", z, a.len) == 0;
}

struct str kube_header_get(const struct kube_request *req, const char *name)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        if (same(req->headers[i].name, name)) {
            return req->headers[i].value;
        }
    }
    return STR_NULL;
}

struct str kube_header_join(struct arena *a, const struct kube_request *req, const char *name)
{
    AUTO_BUF b = BUF_INIT;
    for (size_t i = 0; i < req->n_headers; i++) {
        if (same(req->headers[i].name, name)) {
            if (b.len) {
                buf_addc(&b, ',');
            }
            buf_add_str(&b, req->headers[i].value);
        }
    }
    return b.len ? arena_str(a, buf_str(&b)) : STR_NULL;
}

/* "0.9" in thousandths. */
static int parse_q(struct str s)
{
    int q = 0, scale = 1000;
    bool dot = false;
    for (size_t i = 0; i < s.len && scale > 0; i++) {
        if (s.ptr[i] == '.') {
            dot = true;
        } else if (s.ptr[i] >= '0' && s.ptr[i] <= '9') {
            scale /= dot ? 10 : 1;
            q += (s.ptr[i] - '0') * (dot ? scale : 1000);
        }
    }
    return q > 1000 ? 1000 : q;
}

static void parse_clause(struct str text, struct clause *out)
{
    struct str part;
    *out = (struct clause){.q = 1000};
    bool first = true;
    while (text.ptr && str_split(&text, ';', &part)) {
        part = str_trim(part, " \t");
        if (first) {
            out->type = part;
            first = false;
            continue;
        }
        ptrdiff_t eq = str_find_byte(part, '=');
        if (eq < 0) {
            continue;
        }
        struct str name = str_trim(str_sub(part, 0, (size_t)eq), " ");
        struct str value = str_trim(str_sub(part, (size_t)eq + 1, part.len), " \"");
        if (same(name, "q")) {
            out->q = parse_q(value);
        } else if (out->n < MAX_PARAMETERS) {
            out->names[out->n] = name;
            out->values[out->n++] = value;
        }
    }
}

/* Clauses by falling q, equal ones in the order of the header. An absent header is one clause. */
static size_t parse_accept(struct arena *a, const struct kube_request *req, struct clause *out)
{
    struct str header = kube_header_join(a, req, "Accept"), text;
    size_t n = 0;
    if (!str_trim(header, " \t,").len) {
        header = STR("*/*");
    }
    while (n < MAX_CLAUSES && header.ptr && str_split(&header, ',', &text)) {
        struct clause c;
        text = str_trim(text, " \t");
        if (!text.len) {
            continue;
        }
        parse_clause(text, &c);
        size_t at = n++;
        for (; at > 0 && out[at - 1].q < c.q; at--) {
            out[at] = out[at - 1];
        }
        out[at] = c;
    }
    return n;
}

static struct str parameter(const struct clause *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (same(c->names[i], name)) {
            return c->values[i];
        }
    }
    return STR_NULL;
}

static bool any_type(const struct clause *c)
{
    return str_eqz(c->type, "*/*") || str_eqz(c->type, "application/*");
}

/* The style of a clause; false when we do not make it. */
static bool clause_style(const struct clause *c, bool watch, enum kube_style *out)
{
    if (any_type(c) || same(c->type, "application/json")) {
        *out = KUBE_JSON;
        return true;
    }
    if (same(c->type, "application/yaml") && !watch) {
        *out = KUBE_YAML;
        return true;
    }
    return false;
}

/* What `as=` asks for; false when this endpoint has no such form. */
static bool clause_shape(const struct clause *c, const struct kube_route *r, bool list, bool watch,
                         struct kube_accept *out, const char **out_wrong)
{
    struct str as = parameter(c, "as");
    out->shape = KUBE_OBJECT;
    if (!as.len) {
        return true;
    }
    struct str version = parameter(c, "v");
    if (!str_eqz(parameter(c, "g"), "meta.k8s.io") ||
        (!str_eqz(version, "v1") && !str_eqz(version, "v1beta1")) ||
        (r->kind->flags & API_VIRTUAL)) {
        return false;
    }
    out->meta_version = str_eqz(version, "v1") ? "v1" : "v1beta1";
    if (str_eqz(as, "Table")) {
        out->shape = KUBE_TABLE;
        return true;
    }
    out->shape = KUBE_PARTIAL;
    if (str_eqz(as, "PartialObjectMetadata")) {
        *out_wrong = list ? "kube-partial-of-list" : NULL;
        return !list;
    }
    if (str_eqz(as, "PartialObjectMetadataList")) {
        /* a watch of a metadata informer asks for what it lists */
        *out_wrong = list || watch ? NULL : "kube-partial-list-of-object";
        return list || watch;
    }
    return false;
}

/* Paths of the peer's own server (`porch`) know their media types; only what is one of those is
 * looked at more closely. */
static int refuse(bool porch, const struct clause *clauses, size_t n, bool list, struct err *err)
{
    bool known = !porch;
    for (size_t i = 0; i < n; i++) {
        known = known || any_type(&clauses[i]) || same(clauses[i].type, "application/json") ||
                same(clauses[i].type, "application/yaml") ||
                same(clauses[i].type, "application/vnd.kubernetes.protobuf");
    }
    if (known) {
        return api_err(err, ERR_NOT_ACCEPTABLE, "kube-not-acceptable");
    }
    api_err(err, ERR_NOT_ACCEPTABLE, "kube-not-acceptable-path",
            api_message(list ? "kube-representations-list" : "kube-representations"));
    return err_details(err, "", "", "");
}

int kube_accept_resource(struct arena *a, const struct kube_request *req,
                         const struct kube_route *r, bool pretty, struct kube_accept *out,
                         struct err *err)
{
    struct clause clauses[MAX_CLAUSES];
    size_t n = parse_accept(a, req, clauses);
    bool watch = r->verb && strcmp(r->verb, "watch") == 0;
    bool list = r->verb && (strcmp(r->verb, "list") == 0 ||
                            strcmp(r->verb, "deletecollection") == 0);
    const char *wrong = NULL;
    *out = (struct kube_accept){.meta_version = "v1"};
    for (size_t i = 0; i < n; i++) {
        struct kube_accept found = {.meta_version = "v1"};
        if (clauses[i].q > 0 && clause_style(&clauses[i], watch, &found.style) &&
            clause_shape(&clauses[i], r, list, watch, &found, &wrong)) {
            *out = found;
            if (out->style == KUBE_JSON && pretty && !watch) {
                out->style = KUBE_PRETTY;
            }
            return 0;
        }
    }
    if (wrong) {
        return api_err(err, ERR_NOT_ACCEPTABLE, wrong, list ? r->kind->list_kind : r->kind->kind);
    }
    return refuse(kube_is_porch(r->kind), clauses, n, list || watch, err);
}

/* A clause accepts a media type when it names it with the same parameters, or any type. */
static bool clause_takes(const struct clause *c, const char *variant)
{
    struct clause v;
    parse_clause(str_of(variant), &v);
    if (any_type(c) || str_eqz(c->type, "text/*")) {
        return v.n == 0;
    }
    if (c->type.len != v.type.len || strncasecmp(c->type.ptr, v.type.ptr, v.type.len) != 0) {
        return false;
    }
    for (size_t i = 0; i < v.n; i++) {
        struct str name = v.names[i], value = STR_NULL;
        for (size_t k = 0; k < c->n; k++) {
            if (str_eq(c->names[k], name)) {
                value = c->values[k];
            }
        }
        if (!str_eq(value, v.values[i])) {
            return false;
        }
    }
    return v.n > 0 || !parameter(c, "as").len;
}

int kube_accept_pick(struct arena *a, const struct kube_request *req, const char *const *variants)
{
    struct clause clauses[MAX_CLAUSES];
    size_t n = parse_accept(a, req, clauses);
    for (size_t i = 0; i < n; i++) {
        for (int v = 0; variants[v]; v++) {
            if (clauses[i].q > 0 && clause_takes(&clauses[i], variants[v])) {
                return v;
            }
        }
    }
    return -1;
}

int kube_accept_document(struct arena *a, const struct kube_request *req, bool porch,
                         enum kube_style *out, struct err *err)
{
    static const char *const TYPES[] = {"application/json", "application/yaml", NULL};
    static const enum kube_style STYLES[] = {KUBE_JSON, KUBE_YAML};
    struct clause clauses[MAX_CLAUSES];
    int pick = kube_accept_pick(a, req, TYPES);
    if (pick < 0) {
        return refuse(porch, clauses, parse_accept(a, req, clauses), false, err);
    }
    *out = STYLES[pick];
    return 0;
}
