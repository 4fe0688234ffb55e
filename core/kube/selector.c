/* SPDX-License-Identifier: Apache-2.0
 *
 * See selector.h. The kinds of porch.kpt.dev/v1alpha1 have rules of their own (only `=`, no empty
 * values, known lifecycles, last segments of package names); the rest follows the generic server.
 * Where the peer drops or overrides terms, every term counts here.
 */
#include "kube/selector.h"

#include "api/kinds.h"
#include "base/buf.h"
#include "data/node.h"
#include "kube/selector_label.h"

#define LATEST_LABEL "kpt.dev/latest-revision"

static bool is_porch(const struct api_kind *kind)
{
    return strcmp(kind->group_version, "porch.kpt.dev/v1alpha1") == 0;
}

/* --- grammar of field selectors --- */

/* `path op value` as it stands in the text. */
struct raw_term {
    struct str text, path, op, value;
};

/* Cuts at commas that no backslash escapes. */
static bool split_term(struct str *rest, struct str *out)
{
    if (!rest->ptr) {
        return false;
    }
    size_t i = 0;
    for (; i < rest->len && rest->ptr[i] != ','; i++) {
        i += rest->ptr[i] == '\\' && i + 1 < rest->len;
    }
    *out = str_sub(*rest, 0, i);
    *rest = i < rest->len ? str_sub(*rest, i + 1, rest->len) : STR_NULL;
    return true;
}

static bool split_operator(struct raw_term *t)
{
    for (size_t i = 0; i < t->text.len; i++) {
        char c = t->text.ptr[i];
        bool next_equal = i + 1 < t->text.len && t->text.ptr[i + 1] == '=';
        if (c == '=' || (c == '!' && next_equal)) {
            size_t len = next_equal ? 2 : 1;
            t->path = str_sub(t->text, 0, i);
            t->op = str_sub(t->text, i, i + len);
            t->value = str_sub(t->text, i + len, t->text.len);
            return true;
        }
    }
    return false;
}

static int unescape(struct arena *a, struct str *value, struct err *err)
{
    AUTO_BUF out = BUF_INIT;
    for (size_t i = 0; i < value->len; i++) {
        char c = value->ptr[i];
        if (c == '\\') {
            char next = i + 1 < value->len ? value->ptr[i + 1] : '\0';
            if (next != '\\' && next != ',' && next != '=') {
                struct str bad = str_sub(*value, i, i + 2);
                return err_set(err, ERR_BAD_REQUEST,
                               "invalid field selector: invalid escape sequence: %.*s",
                               STR_ARG(bad));
            }
            c = next;
            i++;
        } else if (c == '=') {
            return err_set(err, ERR_BAD_REQUEST,
                           "invalid field selector: unescaped character in value: %d", c);
        }
        buf_addc(&out, c);
    }
    *value = arena_str(a, buf_str(&out));
    return 0;
}

/* --- what a term means for its kind --- */

static int unknown_path(struct arena *a, const struct api_kind *kind, struct str path,
                        struct err *err)
{
    const char *z = arena_strz(a, path);
    const char *id = "selector-unknown-only-metadata";
    if (is_porch(kind)) {
        bool packages = strcmp(kind->resource, "packages") == 0;
        id = packages ? id : "selector-unknown";
    } else if ((kind->selectable && kind->selectable[0]) ||
               strcmp(kind->group, "config.porch.kpt.dev") == 0 ||
               strcmp(kind->group, "porch.kpt.dev") == 0) {
        id = "selector-unknown-crd";
    }
    return api_err(err, ERR_BAD_REQUEST, id, z ? z : "");
}

/* Finds the path among the selectable ones; "labels[]" stands for "labels[KEY]". */
static int resolve_path(struct arena *a, const struct api_kind *kind, struct str path,
                        struct kube_field_term *out, struct err *err)
{
    out->path = path;
    if (str_eq(path, STR("metadata.name")) || str_eq(path, STR("metadata.namespace"))) {
        return 0;
    }
    for (size_t i = 0; kind->selectable && kind->selectable[i]; i++) {
        struct str known = str_of(kind->selectable[i]);
        if (str_eq(path, known) && !str_has_suffix(known, STR("[]"))) {
            return 0;
        }
        struct str head = str_sub(known, 0, known.len - 1);
        if (!str_has_suffix(known, STR("[]")) || !str_has_prefix(path, head) ||
            !str_has_suffix(path, STR("]"))) {
            continue;
        }
        out->key = str_sub(path, head.len, path.len - 1);
        out->path = str_sub(path, 0, head.len - 1);
        if (out->key.len == 0) {
            const char *z = arena_strz(a, path);
            return api_err(err, ERR_BAD_REQUEST, "selector-label-key", z ? z : "");
        }
        return 0;
    }
    return unknown_path(a, kind, path, err);
}

static bool is_lifecycle(struct str value)
{
    static const char *const known[] = {"Draft", "Proposed", "Published", "DeletionProposed"};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (str_eqz(value, known[i])) {
            return true;
        }
    }
    return false;
}

/* A revision is a number, with or without `v`; everything else stands for -1, the branch head. */
static struct str revision_text(struct arena *a, struct str value)
{
    int64_t number;
    struct str digits = str_has_prefix(value, STR("v")) ? str_sub(value, 1, value.len) : value;
    return arena_printf(a, "%lld", str_to_int64(digits, &number) ? (long long)number : -1LL);
}

static int check_porch_term(struct arena *a, const struct raw_term *raw,
                            struct kube_field_term *t, struct err *err)
{
    const char *path = arena_strz(a, raw->path);
    const char *op = arena_strz(a, raw->op);
    const char *value = arena_strz(a, t->value);
    if (!path || !op || !value) {
        return err_set(err, ERR_TOO_LARGE, "field selector is too long");
    }
    if (t->not_equal) {
        return api_err(err, ERR_BAD_REQUEST, "selector-operator", op, path);
    }
    if (t->value.len == 0) {
        /* the peer has forgotten by now how the operator was written */
        return api_err(err, ERR_BAD_REQUEST, "selector-empty", "", path, "=");
    }
    if (str_eq(t->path, STR("spec.lifecycle")) && !is_lifecycle(t->value)) {
        return api_err(err, ERR_BAD_REQUEST, "selector-value", value, path);
    }
    if (str_eq(t->path, STR("spec.revision"))) {
        t->rule = KUBE_FIELD_REVISION;
        t->value = revision_text(a, t->value);
    } else if (str_eq(t->path, STR("spec.packageName"))) {
        t->rule = KUBE_FIELD_PACKAGE;
    }
    return 0;
}

/* --- parsing --- */

static int malformed(struct arena *a, struct str all, struct str part, struct err *err)
{
    const char *all_z = arena_strz(a, all);
    const char *part_z = arena_strz(a, part);
    return api_err(err, ERR_BAD_REQUEST, "selector-malformed", all_z ? all_z : "",
                   part_z ? part_z : "");
}

/* The terms in sorted order: when several are wrong, the first in this order is reported. */
static int read_terms(struct arena *a, struct str text, struct raw_term *terms, size_t *out_n,
                      struct err *err)
{
    size_t n = 0;
    struct str part, rest = text;
    while (split_term(&rest, &part)) {
        size_t at = n;
        if (part.len == 0) {
            continue;
        }
        for (; at > 0 && str_cmp(part, terms[at - 1].text) < 0; at--) {
            terms[at] = terms[at - 1];
        }
        terms[at] = (struct raw_term){.text = part};
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        if (!split_operator(&terms[i])) {
            return malformed(a, text, terms[i].text, err);
        }
        if (unescape(a, &terms[i].value, err) < 0) {
            return -1;
        }
    }
    *out_n = n;
    return 0;
}

static int parse_fields(struct arena *a, struct str text, struct kube_selector *out,
                        struct err *err)
{
    size_t max = 1, n = 0;
    for (size_t i = 0; i < text.len; i++) {
        max += text.ptr[i] == ',';
    }
    struct str copy = arena_str(a, text);
    struct raw_term *raw = arena_array(a, struct raw_term, max);
    struct kube_field_term *terms = arena_array(a, struct kube_field_term, max);
    if (!raw || !terms || !copy.ptr) {
        return err_set(err, ERR_TOO_LARGE, "field selector is too long");
    }
    if (read_terms(a, copy, raw, &n, err) < 0) {
        return -1;
    }
    /* Unknown paths are found before anything that is wrong with a value. */
    for (size_t i = 0; i < n; i++) {
        struct kube_field_term *t = &terms[out->n_fields];
        if (raw[i].path.len == 0 && raw[i].value.len == 0) {
            continue; /* "=" selects everything */
        }
        if (resolve_path(a, out->kind, raw[i].path, t, err) < 0) {
            return -1;
        }
        t->not_equal = raw[i].op.ptr[0] == '!';
        t->value = raw[i].value;
        raw[out->n_fields++] = raw[i];
    }
    for (size_t i = 0; is_porch(out->kind) && i < out->n_fields; i++) {
        if (check_porch_term(a, &raw[i], &terms[i], err) < 0) {
            return -1;
        }
    }
    out->fields = terms;
    return 0;
}

int kube_selector_parse(struct arena *a, const struct api_kind *kind, struct str labels,
                        struct str fields, struct kube_selector *out, struct err *err)
{
    struct kube_selector s = {.kind = kind};
    if (kube_label_parse(a, labels, &s.labels, &s.n_labels, err) < 0 ||
        parse_fields(a, fields, &s, err) < 0) {
        return -1;
    }
    *out = s;
    return 0;
}

/* --- matching --- */

bool kube_selector_match_labels(const struct kube_selector *s, const struct node *labels)
{
    for (size_t i = 0; i < s->n_labels; i++) {
        const struct kube_label_term *t = &s->labels[i];
        /* Only the latest revision carries the label; the others answer to "false". */
        bool latest = is_porch(s->kind) && str_eqz(t->key, LATEST_LABEL);
        if (!kube_label_match(t, labels, latest ? STR("false") : STR_NULL)) {
            return false;
        }
    }
    return true;
}

static struct str field_text(const struct node *n)
{
    if (node_is(n, NODE_BOOL)) {
        return n->boolean ? STR("true") : STR("false");
    }
    if (node_is(n, NODE_INT) || node_is(n, NODE_FLOAT)) {
        return n->text;
    }
    return node_text(n);
}

static const struct node *find_field(const struct kube_field_term *t, const struct node *object)
{
    struct str rest = t->path, name;
    const struct node *n = object;
    while (n && str_split(&rest, '.', &name)) {
        n = node_get(n, name);
    }
    return t->key.ptr ? node_get(n, t->key) : n;
}

static bool match_field(const struct kube_field_term *t, const struct node *object)
{
    const struct node *field = find_field(t, object);
    struct str text = field_text(field);
    bool equal = false;
    switch (t->rule) {
    case KUBE_FIELD_TEXT:
        equal = str_eq(text, t->value) && (field || !t->key.ptr);
        break;
    case KUBE_FIELD_PACKAGE:
        if (str_find_byte(t->value, '/') < 0) {
            text = str_sub(text, (size_t)(str_rfind_byte(text, '/') + 1), text.len);
        }
        equal = str_eq(text, t->value);
        break;
    case KUBE_FIELD_REVISION: /* drafts have revision 0, which may be left out */
        equal = str_eq(text.len > 0 ? text : STR("0"), t->value);
        break;
    }
    return equal != t->not_equal;
}

bool kube_selector_match(const struct kube_selector *s, const struct node *object)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        if (!match_field(&s->fields[i], object)) {
            return false;
        }
    }
    return s->n_labels == 0 || kube_selector_match_labels(s, node_at(object, "metadata.labels"));
}

/* --- what the store can use --- */

/* The value that a path must have: as a whole, or as its last segment (leaf). */
static struct str wanted_value(const struct kube_selector *s, const char *path, bool leaf)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct kube_field_term *t = &s->fields[i];
        bool part = t->rule == KUBE_FIELD_PACKAGE && str_find_byte(t->value, '/') < 0;
        if (!t->not_equal && !t->key.ptr && part == leaf && str_eqz(t->path, path)) {
            return t->value;
        }
    }
    return STR_NULL;
}

struct str kube_selector_exact(const struct kube_selector *s, const char *path)
{
    return wanted_value(s, path, false);
}

void kube_selector_index(const struct kube_selector *s, struct str *out_f1, struct str *out_f2,
                         struct str *out_f2_leaf)
{
    struct str *out[2] = {out_f1, out_f2};
    *out_f1 = *out_f2 = *out_f2_leaf = STR_NULL;
    for (size_t i = 0; i < 2 && s->kind->indexed && s->kind->indexed[i]; i++) {
        struct str value = kube_selector_exact(s, s->kind->indexed[i]);
        /* An empty value also selects objects without the field: leave those to the match. */
        *out[i] = value.len > 0 ? value : STR_NULL;
        if (i == 1) {
            value = wanted_value(s, s->kind->indexed[i], true);
            *out_f2_leaf = value.len > 0 ? value : STR_NULL;
        }
    }
}

static int conflicting(struct str ns, struct str other, struct err *err)
{
    AUTO_BUF x = BUF_INIT;
    AUTO_BUF y = BUF_INIT;
    buf_printf(&x, "%.*s", STR_ARG(ns));
    buf_printf(&y, "%.*s", STR_ARG(other));
    return api_err(err, ERR_PLAIN, "selector-namespaces", x.ptr, y.ptr);
}

int kube_selector_scope(const struct kube_selector *s, struct str request_ns, struct str *out_ns,
                        bool *out_nothing, struct err *err)
{
    struct str ns = request_ns;
    bool nothing = false;
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct kube_field_term *t = &s->fields[i];
        if (t->not_equal || t->key.ptr || !str_eqz(t->path, "metadata.namespace")) {
            continue;
        }
        if (ns.ptr && !str_eq(ns, t->value)) {
            nothing = true;
            if (is_porch(s->kind)) {
                return conflicting(ns, t->value, err);
            }
        }
        ns = ns.ptr ? ns : t->value;
    }
    *out_ns = ns;
    *out_nothing = nothing;
    return 0;
}
