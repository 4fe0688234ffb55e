/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects against the schema of their kind: what is unknown goes, what is missing gets its default,
 * wrong types and values are reported. Kinds that clients know as CRDs are judged as a CRD server
 * does (422 per field), the others as a Go decoder does (400 at the first wrong type).
 */
#include "kube/priv.h"

#include <regex.h>

#include "data/base64.h"

struct walk {
    struct arena *a;
    bool crd;
    struct kube_schema_result *result;
    struct kube_invalid *v;
    struct buf path;
    const char *owner; /* last part of the schema name, as Go names the struct */
    bool rules;        /* look at what CRDs write as rules, not at the schema proper */
};

static struct str path_of(struct walk *w)
{
    return w->path.len ? buf_str(&w->path) : STR("<nil>");
}

static size_t path_push(struct walk *w, struct str name)
{
    size_t was = w->path.len;
    if (was) {
        buf_addc(&w->path, '.');
    }
    buf_add_str(&w->path, name);
    return was;
}

static size_t path_index(struct walk *w, size_t i)
{
    size_t was = w->path.len;
    buf_printf(&w->path, "[%zu]", i);
    return was;
}

static void path_pop(struct walk *w, size_t was)
{
    w->path.len = was;
    if (w->path.ptr) {
        w->path.ptr[was] = 0;
    }
}

static const char *json_type(const struct node *n)
{
    static const char *const NAMES[] = {"null", "boolean", "integer", "number",
                                        "string", "array", "object"};
    return NAMES[n->type];
}

static const char *go_json_type(const struct node *n)
{
    static const char *const NAMES[] = {"null",   "bool",  "number", "number",
                                        "string", "array", "object"};
    return NAMES[n->type];
}

static const char *type_name(enum api_type t, bool crd)
{
    switch (t) {
    case API_STRING:
        return "string";
    case API_BYTES:
        return crd ? "string" : "[]uint8";
    case API_TIME:
        return crd ? "date-time" : "v1.Time";
    case API_INTEGER:
        return crd ? "integer" : "int";
    case API_BOOLEAN:
        return crd ? "boolean" : "bool";
    case API_LIST:
        return "array";
    default:
        return "object";
    }
}

static void mismatch(struct walk *w, const struct node *n, enum api_type want)
{
    if (w->crd) {
        AUTO_BUF text = BUF_INIT;
        AUTO_BUF value = BUF_INIT;
        struct str path = path_of(w);
        bool shown = n->type == NODE_STRING && want == API_TIME;
        if (shown) {
            buf_add_json_string(&value, n->text);
        } else {
            buf_printf(&value, "\"%s\"", json_type(n));
        }
        buf_printf(&text, "Invalid value: %s: ", value.ptr);
        api_text(&text, "kube-field-type", arena_strz(w->a, path), type_name(want, true),
                 value.ptr);
        kube_invalid_add(w->v, "FieldValueTypeInvalid", path, buf_str(&text));
    } else if (!w->result->mismatch.ptr) {
        struct str path = path_of(w);
        w->result->mismatch =
            want == API_TIME && n->type == NODE_STRING
                ? arena_printf(w->a, "parsing time \"%.*s\" as \"2006-01-02T15:04:05Z07:00\": "
                                     "cannot parse \"%.*s\" as \"2006\"",
                               STR_ARG(n->text), STR_ARG(n->text))
                : arena_printf(w->a,
                               "json: cannot unmarshal %s into Go struct field %s.%.*s of type %s",
                               go_json_type(n), w->owner, STR_ARG(path), type_name(want, false));
    }
}

static bool settle_value(struct walk *w, const struct api_field *f, enum api_type type,
                         struct node *n);

static const char *short_name(const struct api_schema *s)
{
    const char *dot = strrchr(s->name, '.');
    return dot ? dot + 1 : s->name;
}

static struct node *default_node(struct walk *w, const char *json)
{
    AUTO_ERR err = ERR_INIT; /* generated text always parses */
    return json_parse(w->a, str_of(json), NULL, &err);
}

static void settle_object(struct walk *w, const struct api_schema *s, struct node *object)
{
    const char *owner = w->owner;
    w->owner = short_name(s);
    for (size_t i = 0; i < object->n;) {
        struct str key = object->members[i].key;
        const struct api_field *f = api_field_find(s, key);
        size_t was = path_push(w, key);
        if (!f && !s->preserve_unknown) {
            kube_texts_add(w->a, &w->result->unknown, buf_str(&w->path));
            node_del(object, key);
        } else if (f && !settle_value(w, f, f->type, object->members[i].value)) {
            node_del(object, key);
        } else {
            i++;
        }
        path_pop(w, was);
    }
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct api_field *f = &s->fields[i];
        const char *json = f->default_json ? f->default_json : f->always_json;
        if (json && !node_getz(object, f->name)) {
            struct node *n = default_node(w, json);
            size_t was = path_push(w, str_of(f->name));
            if (n && n->type != NODE_NULL) {
                (void)settle_value(w, f, f->type, n); /* a default is of its field's type */
            }
            path_pop(w, was);
            node_setz(w->a, object, f->name, n);
        }
    }
    w->owner = owner;
}

static void settle_map(struct walk *w, const struct api_field *f, struct node *n)
{
    for (size_t i = 0; i < n->n;) {
        struct str key = n->members[i].key;
        size_t was = w->path.len;
        if (w->crd) {
            path_push(w, key);
        }
        bool keep = settle_value(w, f, f->element, n->members[i].value);
        path_pop(w, was);
        if (keep) {
            i++;
        } else if (f->element == API_STRING && !w->crd) {
            n->members[i++].value = node_strz(w->a, ""); /* Go: null is the zero value */
        } else {
            node_del(n, key);
        }
    }
}

static void settle_list(struct walk *w, const struct api_field *f, struct node *n)
{
    for (size_t i = 0; i < n->n; i++) {
        size_t was = path_index(w, i);
        if (!settle_value(w, f, f->element, n->items[i]) && f->element == API_OBJECT) {
            n->items[i] = node_map(w->a);
            settle_object(w, f->object, n->items[i]);
        }
        path_pop(w, was);
    }
}

/* False: the member counts as absent. */
static bool settle_value(struct walk *w, const struct api_field *f, enum api_type type,
                         struct node *n)
{
    int64_t ns;
    if (n->type == NODE_NULL) {
        if (f->nullable || type == API_ANY) {
            return true;
        }
        if (w->crd && !f->default_json && strncmp(w->path.ptr, "metadata", 8) != 0) {
            mismatch(w, n, type);
            return true;
        }
        return false;
    }
    switch (type) {
    case API_ANY:
        return true;
    case API_OBJECT:
        if (n->type == NODE_MAP) {
            settle_object(w, f->object, n);
            return true;
        }
        break;
    case API_MAP:
        if (n->type == NODE_MAP) {
            settle_map(w, f, n);
            return true;
        }
        break;
    case API_LIST:
        if (n->type == NODE_LIST) {
            settle_list(w, f, n);
            return true;
        }
        break;
    case API_STRING:
    case API_BYTES:
        if (n->type == NODE_STRING) {
            return true;
        }
        break;
    case API_TIME:
        if (n->type == NODE_STRING && clock_parse_rfc3339(n->text, &ns)) {
            return true;
        }
        break;
    case API_INTEGER:
        if (n->type == NODE_INT) {
            return true;
        }
        break;
    case API_BOOLEAN:
        if (n->type == NODE_BOOL) {
            return true;
        }
        break;
    }
    mismatch(w, n, type);
    return true;
}

/* Top-level members in the order of the schema. */
static void order_members(struct arena *a, const struct api_schema *s, struct node *object)
{
    struct node *out = node_map(a);
    for (size_t i = 0; i < s->n_fields; i++) {
        struct node *v = node_getz(object, s->fields[i].name);
        if (v) {
            node_setz(a, out, s->fields[i].name, v);
        }
    }
    for (size_t i = 0; i < object->n; i++) {
        if (!node_get(out, object->members[i].key)) {
            node_set(a, out, object->members[i].key, object->members[i].value);
        }
    }
    *object = *out;
}

void kube_schema_settle(struct arena *a, const struct api_kind *k, struct node *object,
                        struct kube_schema_result *out, struct kube_invalid *v)
{
    struct walk w = {.a = a, .crd = kube_kind_is_crd(k), .result = out, .v = v, .path = BUF_INIT,
                     .owner = k->kind};
    settle_object(&w, k->schema, object);
    order_members(a, k->schema, object);
    buf_done(&w.path);
}

/* --- values --- */

static void check_object(struct walk *w, const struct api_schema *s, const struct node *n,
                         const struct node *old);

static size_t count_characters(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    }
    return n;
}

static void check_allowed(struct walk *w, const struct api_field *f, struct str value)
{
    AUTO_BUF list = BUF_INIT;
    for (size_t i = 0; f->values[i]; i++) {
        if (str_eqz(value, f->values[i])) {
            return;
        }
        buf_printf(&list, "%s\"%s\"", i ? ", " : "", f->values[i]);
    }
    if (f->values_message) {
        struct str text =
            arena_printf(w->a, "Invalid value: \"string\": %s", f->values_message);
        kube_invalid_add(w->v, "FieldValueInvalid", path_of(w), text);
        return;
    }
    AUTO_BUF json = BUF_INIT;
    buf_add_json_string(&json, value);
    kube_invalid_text(w->v, "FieldValueNotSupported", path_of(w), "kube-field-unsupported",
                      json.ptr, list.ptr);
}

static bool check_length(struct walk *w, const struct api_field *f, struct str value)
{
    size_t n = count_characters(value);
    bool is_short = f->min_length && n < f->min_length;
    if (!is_short && !(f->max_length && n > f->max_length)) {
        return true;
    }
    AUTO_BUF text = BUF_INIT;
    struct str path = path_of(w);
    api_text(&text, is_short ? "kube-field-short" : "kube-field-long", arena_strz(w->a, path),
             (int)(is_short ? f->min_length : f->max_length));
    kube_invalid_value(w->v, path, value, buf_str(&text));
    return false;
}

static bool matches(const char *pattern, const char *text)
{
    regex_t re;
    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    bool ok = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return ok;
}

/* Only of values whose length is fine, so the cost has a bound. */
static void check_pattern(struct walk *w, const struct api_field *f, struct str value)
{
    if (f->pattern && (str_find_byte(value, '\0') >= 0 ||
                       !matches(f->pattern, arena_strz(w->a, value)))) {
        AUTO_BUF text = BUF_INIT;
        struct str path = path_of(w);
        api_text(&text, "kube-field-pattern", arena_strz(w->a, path), f->pattern);
        kube_invalid_value(w->v, path, value, buf_str(&text));
    }
}

static void check_negative(struct walk *w, const struct api_field *f, const struct node *n)
{
    if (!f->not_negative || n->integer >= 0) {
        return;
    }
    AUTO_BUF detail = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    struct str path = path_of(w), value = json_emit_str(w->a, n);
    api_text(&detail, "kube-field-negative", arena_strz(w->a, path));
    api_text(&text, "kube-field-invalid", arena_strz(w->a, value), detail.ptr);
    kube_invalid_add(w->v, "FieldValueInvalid", path, buf_str(&text));
}

static void check_value(struct walk *w, const struct api_field *f, enum api_type type,
                        const struct node *n, const struct node *old)
{
    if (type == API_OBJECT && n->type == NODE_MAP) {
        check_object(w, f->object, n, old);
    } else if (type == API_LIST && n->type == NODE_LIST) {
        for (size_t i = 0; i < n->n; i++) {
            size_t was = path_index(w, i);
            check_value(w, f, f->element, n->items[i], NULL);
            path_pop(w, was);
        }
    } else if (type == API_MAP && n->type == NODE_MAP) {
        for (size_t i = 0; i < n->n; i++) {
            size_t was = w->path.len;
            buf_printf(&w->path, "[%.*s]", STR_ARG(n->members[i].key));
            check_value(w, f, f->element, n->members[i].value,
                        node_get(old, n->members[i].key));
            path_pop(w, was);
        }
    } else if (type == API_BYTES && n->type == NODE_STRING && !w->rules) {
        struct str bytes;
        if (!base64_parse(w->a, n->text, &bytes)) {
            kube_invalid_value(w->v, path_of(w), n->text, STR("must be base64"));
        }
    } else if (type == API_STRING && n->type == NODE_STRING && f->type != API_MAP) {
        if (f->values && w->rules == (f->values_message != NULL)) {
            check_allowed(w, f, n->text);
        }
        if (!w->rules && check_length(w, f, n->text)) {
            check_pattern(w, f, n->text);
        }
    } else if (type == API_INTEGER && n->type == NODE_INT && !w->rules) {
        check_negative(w, f, n);
    }
}

static void check_immutable(struct walk *w, const struct api_field *f, const struct node *n,
                            const struct node *old)
{
    bool had = old && old->type != NODE_NULL;
    if (!f->immutable || !had || (n && node_equal(n, old))) {
        return;
    }
    struct str value = n ? json_emit_str(w->a, n) : STR("null");
    AUTO_BUF text = BUF_INIT;
    api_text(&text, "kube-field-invalid", arena_strz(w->a, value), f->immutable);
    kube_invalid_add(w->v, "FieldValueInvalid", path_of(w), buf_str(&text));
}

static void check_object(struct walk *w, const struct api_schema *s, const struct node *n,
                         const struct node *old)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct api_field *f = &s->fields[i];
        const struct node *v = node_getz(n, f->name), *was_value = node_getz(old, f->name);
        if (w->path.len == 0 && strcmp(f->name, "metadata") == 0) {
            continue; /* validate.c has its rules */
        }
        size_t was = path_push(w, str_of(f->name));
        if (w->rules) {
            check_immutable(w, f, v, was_value);
        }
        if (v && v->type != NODE_NULL) {
            check_value(w, f, f->type, v, was_value);
        } else if (!v && f->required && !f->always_json && !w->rules) {
            kube_invalid_text(w->v, "FieldValueRequired", path_of(w), "kube-field-required");
        }
        path_pop(w, was);
    }
}

void kube_schema_validate(struct arena *a, const struct api_kind *k, const struct node *object,
                          const struct node *old, struct kube_invalid *v)
{
    struct walk w = {.a = a, .crd = kube_kind_is_crd(k), .v = v, .path = BUF_INIT,
                     .owner = k->kind};
    check_object(&w, k->schema, object, old);
    if (w.crd && kube_invalid_blocks(v)) {
        struct str text = arena_printf(a, "Invalid value: null: %s",
                                       api_message("kube-field-unchecked"));
        kube_invalid_add(v, "FieldValueInvalid", path_of(&w), text);
    } else {
        w.rules = true;
        check_object(&w, k->schema, object, old);
    }
    buf_done(&w.path);
}

static void add_problems(struct buf *b, struct arena *a, const struct kube_texts *list,
                         const char *id)
{
    for (size_t i = 0; i < list->n; i++) {
        buf_addz(b, b->len ? ", " : "");
        api_text(b, id, arena_strz(a, list->items[i]));
    }
}

int kube_schema_strict(struct arena *a, const struct api_kind *k, enum kube_field_validation how,
                       const struct kube_texts *duplicates, const struct kube_texts *unknown,
                       struct kube_texts *warnings, struct err *err)
{
    if (how == KUBE_IGNORE || duplicates->n + unknown->n == 0) {
        return 0;
    }
    if (how == KUBE_STRICT) {
        AUTO_BUF list = BUF_INIT;
        add_problems(&list, a, duplicates, "kube-strict-duplicate");
        add_problems(&list, a, unknown, "kube-strict-unknown");
        return api_err(err, ERR_BAD_REQUEST, "kube-strict", k->kind, k->version, k->kind, list.ptr);
    }
    const struct kube_texts *lists[] = {duplicates, unknown};
    const char *ids[] = {"kube-strict-duplicate", "kube-strict-unknown"};
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->n; i++) {
            AUTO_BUF text = BUF_INIT;
            api_text(&text, ids[l], arena_strz(a, lists[l]->items[i]));
            kube_texts_add(a, warnings, buf_str(&text));
        }
    }
    return 0;
}
