/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers: the headers that every answer has, JSON in the style that was asked for, and struct err
 * as a Kubernetes Status (kube-wire §11).
 */
#include "kube/priv.h"

#include "data/yaml.h"

#define WARNING_TOTAL 4096 /* past this many bytes, each warning is cut to … */
#define WARNING_CUT 256

void kube_texts_add(struct arena *a, struct kube_texts *t, struct str s)
{
    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(t->items[i], s)) {
            return;
        }
    }
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 8;
        struct str *items = arena_array(a, struct str, cap);
        if (t->n) {
            memcpy(items, t->items, t->n * sizeof(*items));
        }
        t->items = items;
        t->cap = cap;
    }
    t->items[t->n++] = arena_str(a, s);
}

void kube_answer_header(struct kube_call *c, const char *name, struct str value)
{
    if (c->resp.n_headers < KUBE_MAX_HEADERS) {
        c->resp.headers[c->resp.n_headers++] = (struct kube_header){str_of(name), value};
    }
}

static bool has_header(const struct kube_call *c, const char *name)
{
    for (size_t i = 0; i < c->resp.n_headers; i++) {
        if (str_eqz(c->resp.headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* `299 - "text"` without control characters. */
static struct str warning_value(struct arena *a, struct str text)
{
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "299 - \"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\') {
            buf_addc(&b, '\\');
        }
        buf_addc(&b, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
    buf_addc(&b, '"');
    return arena_str(a, buf_str(&b));
}

static void add_warnings(struct kube_call *c)
{
    size_t total = 0;
    for (size_t i = 0; i < c->warnings.n; i++) {
        total += c->warnings.items[i].len;
    }
    for (size_t i = 0; i < c->warnings.n && c->resp.n_headers < KUBE_MAX_HEADERS - 4; i++) {
        struct str text = c->warnings.items[i];
        if (total > WARNING_TOTAL && text.len > WARNING_CUT) {
            size_t end = WARNING_CUT;
            while (end > 0 && ((unsigned char)text.ptr[end] & 0xc0) == 0x80) {
                end--; /* never inside a character */
            }
            text = str_sub(text, 0, end);
        }
        kube_answer_header(c, "Warning", warning_value(c->a, text));
    }
}

static void finish(struct kube_call *c, int status, const char *content_type)
{
    c->resp.status = status;
    if (content_type) {
        kube_answer_header(c, "Content-Type", str_of(content_type));
    }
    if (!has_header(c, "Cache-Control")) {
        kube_answer_header(c, "Cache-Control", STR("no-cache, private"));
    }
    struct str audit = kube_header_get(c->req, "Audit-Id");
    if (audit.len) {
        kube_answer_header(c, "Audit-Id", audit);
    }
    add_warnings(c);
    if (c->pending && !kube_pending_end(c)) {
        return;
    }
    kube_metrics_request(c, status);
    c->done(c->done_ctx, &c->resp);
}

void kube_answer(struct kube_call *c, int status, const char *content_type, struct str body)
{
    c->resp.body = body;
    finish(c, status, content_type);
}

void kube_answer_nothing(struct kube_call *c)
{
    kube_answer_header(c, "X-Content-Type-Options", STR("nosniff"));
    kube_answer(c, 404, "text/plain; charset=utf-8", str_of(api_message("kube-path-not-found")));
}

void kube_answer_stream(struct kube_call *c, const char *content_type, struct kube_stream *s)
{
    c->resp.stream = s;
    finish(c, 200, content_type);
}

void kube_add_indented(struct buf *out, struct str text, size_t indent)
{
    struct str line;
    bool first = true;
    while (text.ptr && str_split(&text, '\n', &line)) {
        if (!first) {
            buf_addc(out, '\n');
        }
        for (size_t i = 0; !first && line.len && i < indent; i++) {
            buf_addc(out, ' ');
        }
        buf_add_str(out, line);
        first = false;
    }
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(((const struct node_member *)x)->key, ((const struct node_member *)y)->key);
}

/* YAML of Kubernetes has its members in order of their names. */
static void sort_members(struct node *n)
{
    if (n->type == NODE_MAP && n->n) {
        qsort(n->members, n->n, sizeof(*n->members), by_key);
    }
    for (size_t i = 0; (n->type == NODE_MAP || n->type == NODE_LIST) && i < n->n; i++) {
        sort_members(n->type == NODE_MAP ? n->members[i].value : n->items[i]);
    }
}

int kube_style_text(struct arena *a, enum kube_style style, struct str json, struct str *out,
                    struct err *err)
{
    if (style == KUBE_JSON) {
        *out = json;
        return 0;
    }
    struct node *n = json_parse(a, json, NULL, err);
    if (!n) {
        return -1;
    }
    AUTO_BUF b = BUF_INIT;
    if (style == KUBE_YAML) {
        sort_members(n);
        yaml_emit(&b, n);
    } else {
        json_emit_pretty(&b, n, 2);
    }
    *out = arena_str(a, buf_str(&b));
    return 0;
}

void kube_answer_json(struct kube_call *c, int status, struct str json)
{
    AUTO_ERR err = ERR_INIT;
    struct str text;
    enum kube_style style = c->accept.style;
    if (kube_style_text(c->a, style, json, &text, &err) < 0) {
        style = KUBE_JSON; /* our own JSON always parses; the bytes are the better answer */
        text = json;
    }
    kube_answer(c, status, style == KUBE_YAML ? "application/yaml" : "application/json", text);
}

static void add_member(struct buf *b, bool *first, const char *name, const char *value)
{
    if (!value || !value[0]) {
        return;
    }
    buf_printf(b, "%s\"%s\":", *first ? "" : ",", name);
    buf_add_json_string(b, str_of(value));
    *first = false;
}

static void add_causes(struct buf *b, bool *first, const struct err *err)
{
    buf_printf(b, "%s\"causes\":[", *first ? "" : ",");
    for (size_t i = 0; i < err->n_causes; i++) {
        bool first_member = true;
        buf_addz(b, i ? ",{" : "{");
        add_member(b, &first_member, "reason", err->causes[i].reason);
        add_member(b, &first_member, "message", err->causes[i].message);
        add_member(b, &first_member, "field", err->causes[i].field);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    *first = false;
}

static void add_details(struct buf *b, const struct err *err, const char *internal_cause)
{
    bool any = err->detail_name || err->detail_group || err->detail_kind || err->detail_uid ||
               err->n_causes || err->retry_after_s || internal_cause;
    /* Where the peer constructs an error from a resource, details are there even when empty. */
    bool framed = err->kind == ERR_METHOD_NOT_ALLOWED || err->kind == ERR_NOT_FOUND;
    if ((!any && !framed) || err->kind == ERR_PLAIN) {
        return;
    }
    bool first = true;
    buf_addz(b, ",\"details\":{");
    add_member(b, &first, "name", err->detail_name);
    add_member(b, &first, "group", err->detail_group);
    add_member(b, &first, "kind", err->detail_kind);
    add_member(b, &first, "uid", err->detail_uid);
    if (err->n_causes) {
        add_causes(b, &first, err);
    } else if (internal_cause) {
        buf_printf(b, "%s\"causes\":[{\"message\":", first ? "" : ",");
        buf_add_json_string(b, str_of(internal_cause));
        buf_addz(b, "}]");
        first = false;
    }
    if (err->retry_after_s) {
        buf_printf(b, "%s\"retryAfterSeconds\":%d", first ? "" : ",", err->retry_after_s);
    }
    buf_addc(b, '}');
}

void kube_status_json(struct buf *out, const struct err *err, struct str continue_token,
                      int *out_code)
{
    static const char internal[] = "Internal error occurred: ";
    const char *reason, *message = err->message ? err->message : "";
    const char *cause = NULL;
    err_kind_info(err->kind, out_code, &reason);
    buf_addz(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{");
    if (continue_token.len) {
        buf_addz(out, "\"continue\":");
        buf_add_json_string(out, continue_token);
    }
    buf_addz(out, "},\"status\":\"Failure\",\"message\":");
    if (err->kind == ERR_INTERNAL) {
        bool framed = strncmp(message, internal, sizeof(internal) - 1) == 0;
        cause = framed ? message + sizeof(internal) - 1 : message;
        AUTO_BUF text = BUF_INIT;
        buf_printf(&text, "%s%s", internal, cause);
        buf_add_json_string(out, buf_str(&text));
    } else {
        buf_add_json_string(out, str_of(message));
    }
    if (reason[0]) {
        buf_printf(out, ",\"reason\":\"%s\"", reason);
    }
    add_details(out, err, cause);
    buf_printf(out, ",\"code\":%d}", *out_code);
}

/* A client repeats the identical request when told to, so only what surely had no effect says so
 * (kube-wire §1.7). */
static bool may_retry(const struct kube_call *c, const struct err *err)
{
    bool reads = c->req->method == KUBE_GET || c->req->method == KUBE_HEAD;
    return reads || err->kind == ERR_TOO_MANY;
}

void kube_answer_err(struct kube_call *c, const struct err *err)
{
    AUTO_BUF b = BUF_INIT;
    int code;
    kube_status_json(&b, err, c->fresh_continue, &code);
    if (err->retry_after_s && may_retry(c, err)) {
        kube_answer_header(c, "Retry-After", arena_printf(c->a, "%d", err->retry_after_s));
    } else if (err->kind == ERR_TOO_MANY) {
        kube_answer_header(c, "Retry-After", STR("1"));
    }
    if (code >= 500 && err->kind != ERR_TIMEOUT) {
        log_debug("request failed", "path", arena_strz(c->a, c->route.path), "error",
                  err->message ? err->message : "", NULL);
    }
    kube_answer_json(c, code, arena_str(c->a, buf_str(&b)));
}
