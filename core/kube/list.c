/* SPDX-License-Identifier: Apache-2.0
 *
 * LIST: stored rows between two brackets (kube-wire §8). Rows are pulled from the store while the
 * body is sent, so memory does not grow with the list. What fits the first block is answered as a
 * plain body; with a limit, metadata follows the items, because only then it is known whether
 * there are more.
 */
#include "kube/priv.h"

#include "data/base64.h"

#define BLOCK (64u * 1024) /* bytes gathered before they are handed on */

struct list {
    struct kube_stream stream;
    struct kube *k;
    struct kube_list_scope scope;
    struct kube_shaper shaper;
    struct store_list *rows;
    struct arena item; /* memory of one row */
    struct buf out;
    size_t sent;       /* bytes of out that are gone */
    int64_t rv;        /* the list's number */
    int64_t limit, n;
    struct buf last_ns, last_name; /* key of the last row that was given */
    bool more, ended, failed;
    enum kube_style style;
};

/* --- what is asked for --- */

/* A field selector with the name that the path of a watch has. */
static struct str named_fields(struct arena *a, struct str name, struct str fields)
{
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "metadata.name=");
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == ',' || name.ptr[i] == '=' || name.ptr[i] == '\\') {
            buf_addc(&b, '\\');
        }
        buf_addc(&b, name.ptr[i]);
    }
    buf_printf(&b, "%s%.*s", fields.len ? "," : "", STR_ARG(fields));
    return arena_str(a, buf_str(&b));
}

int kube_list_scope(struct kube_call *c, struct kube_list_scope *out, struct err *err)
{
    const struct kube_route *r = &c->route;
    const struct kube_params *p = &c->params;
    *out = (struct kube_list_scope){0};
    struct str fields = r->name.ptr ? named_fields(c->a, r->name, p->fields) : p->fields;
    if (kube_selector_parse(c->a, r->kind, p->labels, fields, &out->selector, err) < 0) {
        return -1;
    }
    struct str ns = r->kind->flags & API_NAMESPACED ? r->ns : STR("");
    return kube_selector_scope(&out->selector, ns, &out->ns, &out->nothing, err);
}

struct store_query kube_list_query(const struct kube_list_scope *s, const struct api_kind *k)
{
    struct store_query q = {.kind = kube_store_kind(k), .ns = s->ns};
    q.name = kube_selector_exact(&s->selector, "metadata.name");
    kube_selector_index(&s->selector, &q.f1, &q.f2, &q.f2_leaf);
    return q;
}

int kube_list_match(const struct kube_list_scope *s, const struct api_kind *k,
                    const struct store_object *row, struct arena *a, bool *out, struct err *err)
{
    *out = !s->nothing;
    if (s->nothing || kube_selector_is_empty(&s->selector)) {
        return 0;
    }
    const struct api_kind *form = kube_stored_form(k);
    bool labels_only = s->selector.n_fields == 0;
    struct node *n = json_parse(a, labels_only ? row->meta : row->json, NULL, err);
    if (!n) {
        return -1;
    }
    if (labels_only) {
        *out = kube_selector_match_labels(&s->selector, node_getz(n, "labels"));
    } else {
        *out = kube_selector_match(&s->selector, form == k ? n : kube_convert(a, k, n));
    }
    return 0;
}

/* --- versions and continue tokens --- */

static int parse_version(struct kube_call *c, struct str v, int64_t *out, struct err *err)
{
    if (!v.len) {
        *out = 0;
        return 0;
    }
    if (!str_to_int64(v, out) || *out < 0) {
        char *z = arena_strz(c->a, v);
        return api_err(err, ERR_BAD_REQUEST, "kube-list-version", z, z);
    }
    return 0;
}

static int too_new(struct kube_call *c, int64_t wanted, int64_t current, struct err *err)
{
    api_err(err, ERR_TIMEOUT, "kube-list-too-new",
            arena_printf(c->a, "%lld", (long long)wanted).ptr,
            arena_printf(c->a, "%lld", (long long)current).ptr);
    if (err) {
        err->retry_after_s = 1;
    }
    return api_err_cause(err, "ResourceVersionTooLarge", NULL, "kube-list-too-new-cause");
}

int kube_list_check_version(struct kube_call *c, int64_t current, struct err *err)
{
    const struct kube_params *p = &c->params;
    int64_t rv;
    if (parse_version(c, p->rv, &rv, err) < 0) {
        return -1;
    }
    if (p->continue_token.len || rv == 0) {
        return 0;
    }
    if (rv > current) {
        return too_new(c, rv, current, err);
    }
    bool exact = str_eqz(p->rv_match, "Exact") || (p->limit > 0 && !p->rv_match.len);
    if (exact && rv != current) {
        return api_err(err, ERR_EXPIRED, "kube-list-expired");
    }
    return 0;
}

static struct str url_base64(struct arena *a, struct str s)
{
    struct str plain = base64_emit(a, s);
    char *z = arena_strz(a, str_trim(plain, "="));
    for (char *c = z; *c; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    return str_of(z);
}

static struct str make_token(struct arena *a, int64_t rv, struct str ns, struct str name)
{
    AUTO_BUF b = BUF_INIT;
    buf_printf(&b, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%lld,\"start\":", (long long)rv);
    buf_add_json_string(&b, arena_printf(a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(name)));
    buf_addc(&b, '}');
    return url_base64(a, buf_str(&b));
}

static int bad_token(struct err *err)
{
    return api_err(err, ERR_BAD_REQUEST, "kube-list-continue", "continue key is not valid");
}

static int parse_token(struct arena *a, struct str token, int64_t *out_rv, struct str *out_ns,
                       struct str *out_name, struct err *err)
{
    AUTO_ERR ignored = ERR_INIT; /* every fault of a token is the same fault */
    struct str padded = arena_printf(a, "%.*s%s", STR_ARG(token),
                                     (token.len % 4) == 2   ? "=="
                                     : (token.len % 4) == 3 ? "="
                                                            : "");
    char *z = arena_strz(a, padded);
    for (char *c = z; *c; c++) {
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    }
    struct str json;
    struct node *n = base64_parse(a, str_of(z), &json) ? json_parse(a, json, NULL, &ignored) : NULL;
    struct str start = node_text_at(n, "start");
    ptrdiff_t slash = str_find_byte(start, '/');
    int64_t rv = node_int_at(n, "rv", 0);
    if (!str_eqz(node_text_at(n, "v"), "meta.k8s.io/v1") || slash < 0 || rv == 0) {
        return bad_token(err);
    }
    *out_rv = rv;
    *out_ns = str_sub(start, 0, (size_t)slash);
    *out_name = str_sub(start, (size_t)slash + 1, start.len);
    return out_name->len ? 0 : bad_token(err);
}

static bool stop(void *ctx, const struct store_change *change)
{
    return false;
}

/* True while a watch could still start at rv. */
static bool in_log(struct kube *k, struct str kind, int64_t rv)
{
    AUTO_ERR err = ERR_INIT; /* any failure: not usable */
    int64_t next;
    return rv <= store_rv(k->store) &&
           store_changes(k->store, kind, STR_NULL, rv, 1, stop, NULL, &next, &err) == 0;
}

/* Where the page starts and which number it reports. */
static int apply_token(struct kube_call *c, struct store_query *q, int64_t *out_rv, struct err *err)
{
    struct str ns = STR(""), name = STR("");
    if (!c->params.continue_token.len) {
        return 0;
    }
    if (parse_token(c->a, c->params.continue_token, out_rv, &ns, &name, err) < 0) {
        return -1;
    }
    if (*out_rv > 0 && !in_log(c->k, q->kind, *out_rv)) {
        c->fresh_continue = make_token(c->a, -1, ns, name);
        return api_err(err, ERR_EXPIRED, "kube-list-continue-old");
    }
    q->after_ns = ns;
    q->after_name = name;
    return 0;
}

/* --- making the text --- */

/* Kinds that the peer defines by CRD name their continue token even when there is none. */
static bool names_token(const struct list *l, struct str token)
{
    return token.len || (l->shaper.accept.shape == KUBE_OBJECT &&
                         strcmp(l->shaper.kind->group, "config.porch.kpt.dev") == 0);
}

static void add_meta(struct list *l, struct buf *b, struct str token, int64_t remaining)
{
    buf_printf(b, "\"metadata\":{\"resourceVersion\":\"%lld\"", (long long)l->rv);
    if (names_token(l, token)) {
        buf_printf(b, ",\"continue\":\"%.*s\"", STR_ARG(token));
        if (remaining > 0) {
            buf_printf(b, ",\"remainingItemCount\":%lld", (long long)remaining);
        }
    }
    buf_addc(b, '}');
}

static void list_kind(const struct list *l, const char **out_kind, const char **out_version)
{
    bool v1 = strcmp(l->shaper.accept.meta_version, "v1") == 0;
    *out_version = v1 ? "meta.k8s.io/v1" : "meta.k8s.io/v1beta1";
    switch (l->shaper.accept.shape) {
    case KUBE_OBJECT:
        *out_kind = l->shaper.kind->list_kind;
        *out_version = l->shaper.kind->group_version;
        break;
    case KUBE_TABLE:
        *out_kind = "Table";
        break;
    case KUBE_PARTIAL:
    default:
        *out_kind = "PartialObjectMetadataList";
        break;
    }
}

static void add_yaml_columns(struct list *l)
{
    AUTO_BUF json = BUF_INIT;
    AUTO_ERR err = ERR_INIT;
    struct str text = STR("");
    buf_addc(&json, '{');
    kube_table_columns(&json, l->shaper.kind);
    buf_addc(&json, '}');
    (void)kube_style_text(&l->item, KUBE_YAML, buf_str(&json), &text, &err); /* our own JSON */
    buf_add_str(&l->out, text);
}

static void add_head(struct list *l)
{
    const char *kind, *version;
    bool table = l->shaper.accept.shape == KUBE_TABLE;
    list_kind(l, &kind, &version);
    if (l->style == KUBE_YAML) {
        buf_printf(&l->out, "apiVersion: %s\n", version);
        if (table) {
            add_yaml_columns(l);
        }
        buf_addz(&l->out, table ? "rows:" : "items:");
        return;
    }
    buf_printf(&l->out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", kind, version);
    if (!l->limit) {
        add_meta(l, &l->out, STR(""), 0);
        buf_addc(&l->out, ',');
    }
    if (table) {
        kube_table_columns(&l->out, l->shaper.kind);
        buf_addc(&l->out, ',');
    }
    buf_addz(&l->out, table ? "\"rows\":[" : "\"items\":[");
}

/* Rows that follow the last one; 0 = not known. */
static int64_t count_rest(struct list *l)
{
    AUTO_ERR err = ERR_INIT; /* the count is optional */
    int64_t n = 0;
    if (!kube_selector_is_empty(&l->scope.selector)) {
        return 0;
    }
    struct store_query q = kube_list_query(&l->scope, l->shaper.kind);
    q.after_ns = buf_str(&l->last_ns);
    q.after_name = buf_str(&l->last_name);
    return store_count(l->k->store, &q, &n, &err) == 0 ? n : 0;
}

static void add_yaml_tail(struct list *l, struct str token)
{
    if (!l->n) {
        buf_addz(&l->out, " []");
    }
    buf_addc(&l->out, '\n');
    const char *kind, *version;
    list_kind(l, &kind, &version);
    buf_printf(&l->out, "kind: %s\nmetadata:\n", kind);
    if (names_token(l, token)) {
        buf_printf(&l->out, "  continue: %.*s\n", STR_ARG(token.len ? token : STR("\"\"")));
    }
    buf_printf(&l->out, "  resourceVersion: \"%lld\"\n", (long long)l->rv);
}

static void add_tail(struct list *l)
{
    struct str token = STR("");
    int64_t rest = 0;
    if (l->more) {
        token = make_token(&l->item, l->rv, buf_str(&l->last_ns), buf_str(&l->last_name));
        rest = count_rest(l);
    }
    if (l->style == KUBE_YAML) {
        add_yaml_tail(l, token);
        return;
    }
    buf_addz(&l->out, l->style == KUBE_PRETTY && l->n ? "\n]" : "]");
    if (l->limit) {
        buf_addc(&l->out, ',');
        add_meta(l, &l->out, token, rest);
    }
    buf_addz(&l->out, l->style == KUBE_PRETTY ? "}\n" : "}");
}

/* One item in the list's style. A PackageRevisionResources that cannot be read is left out. */
static int add_item(struct list *l, const struct store_object *row, struct err *err)
{
    AUTO_BUF item = BUF_INIT;
    bool plain = l->style == KUBE_JSON;
    struct buf *to = plain ? &l->out : &item;
    size_t before = l->out.len;
    if (plain && l->n) {
        buf_addc(&l->out, ',');
    }
    if (kube_shape_item(&l->shaper, row, &l->item, to, err) < 0) {
        l->out.len = before;
        if (!kube_is_resources(l->shaper.kind)) {
            return -1;
        }
        log_warn("package left out of a list", "name", arena_strz(&l->item, row->name), "error",
                 err->message ? err->message : "", NULL);
        err_drop(err); /* one broken package must not break listing (porch-api §7) */
        return 0;
    }
    if (!plain) {
        struct str text;
        if (kube_style_text(&l->item, l->style, buf_str(&item), &text, err) < 0) {
            return -1;
        }
        text = str_trim(text, "\n");
        if (l->style == KUBE_YAML) {
            buf_addz(&l->out, "\n- ");
            kube_add_indented(&l->out, text, 2);
        } else {
            buf_addz(&l->out, l->n ? ",\n" : "\n");
            kube_add_indented(&l->out, text, 0);
        }
    }
    l->n++;
    return 0;
}

/* The next selected row. 1, 0 at the end, -1. */
static int next_row(struct list *l, struct store_object *out, struct err *err)
{
    for (;;) {
        arena_clear(&l->item);
        int rc = store_list_next(l->rows, out, err);
        if (rc <= 0) {
            return rc;
        }
        bool match;
        if (kube_list_match(&l->scope, l->shaper.kind, out, &l->item, &match, err) < 0) {
            return -1;
        }
        if (match) {
            return 1;
        }
    }
}

/* Adds items until a block is full or the list ends. */
static int fill(struct list *l, struct err *err)
{
    while (!l->ended && l->out.len - l->sent < BLOCK) {
        struct store_object row;
        int rc = next_row(l, &row, err);
        if (rc < 0) {
            return -1;
        }
        bool full = rc == 1 && l->limit && l->n >= l->limit;
        if (rc == 0 || full) {
            l->more = full;
            add_tail(l);
            l->ended = true;
            break;
        }
        buf_clear(&l->last_ns);
        buf_clear(&l->last_name);
        buf_add_str(&l->last_ns, row.ns);
        buf_add_str(&l->last_name, row.name);
        if (add_item(l, &row, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* --- the stream --- */

static ssize_t stream_read(struct kube_stream *s, char *to, size_t max)
{
    struct list *l = (struct list *)s;
    AUTO_ERR err = ERR_INIT;
    if (l->sent == l->out.len) {
        buf_clear(&l->out);
        l->sent = 0;
        if (l->ended) {
            return -1;
        }
        if (fill(l, &err) < 0) {
            log_error("list broken off", "kind", l->shaper.kind->kind, "error",
                      err.message ? err.message : "", NULL);
            return -2;
        }
    }
    size_t n = l->out.len - l->sent;
    n = n > max ? max : n;
    memcpy(to, l->out.ptr + l->sent, n);
    l->sent += n;
    return (ssize_t)n;
}

static void stream_close(struct kube_stream *s)
{
    struct list *l = (struct list *)s;
    store_list_close(l->rows);
    arena_done(&l->item);
    buf_done(&l->out);
    buf_done(&l->last_ns);
    buf_done(&l->last_name);
}

static int open_list(struct kube_call *c, struct list *l, struct err *err)
{
    if (kube_list_scope(c, &l->scope, err) < 0 ||
        kube_list_check_version(c, store_rv(c->k->store), err) < 0) {
        return -1;
    }
    struct store_query q = kube_list_query(&l->scope, c->route.kind);
    int64_t asked = 0;
    q.rows = l->limit ? (size_t)l->limit + 1 : 0; /* one more tells whether there is more */
    if (apply_token(c, &q, &asked, err) < 0) {
        return -1;
    }
    l->rows = store_list_open(c->k->store, &q, &l->rv, err);
    if (!l->rows) {
        return -1;
    }
    l->rv = asked > 0 ? asked : l->rv;
    add_head(l);
    return fill(l, err);
}

void kube_serve_list(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    struct list *l = arena_new(c->a, struct list);
    l->k = c->k;
    l->shaper = (struct kube_shaper){c->k, c->route.kind, c->accept, c->params.include, false};
    l->limit = c->params.limit > 0 ? c->params.limit : 0;
    l->style = c->accept.style;
    l->stream.read = stream_read;
    l->stream.close = stream_close;
    const char *type = l->style == KUBE_YAML ? "application/yaml" : "application/json";
    if (open_list(c, l, &err) < 0) {
        stream_close(&l->stream);
        kube_answer_err(c, &err);
    } else if (l->ended) {
        struct str body = arena_str(c->a, buf_str(&l->out));
        stream_close(&l->stream);
        kube_answer(c, 200, type, body);
    } else {
        kube_answer_stream(c, type, &l->stream);
    }
}
