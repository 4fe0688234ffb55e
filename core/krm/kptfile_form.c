/* SPDX-License-Identifier: Apache-2.0
 *
 * See kptfile_form.h. Struct names are the ones that kpt's messages show.
 */
#include "krm/kptfile_form.h"

#include "base/map.h"
#include "data/yaml_doc.h"
#include "krm/tree.h"

enum form { TEXT, NUMBER, VALUE, TEXTS, WORDS, STRUCT, STRUCTS };

struct form_struct;

struct form_field {
    const char *name;
    enum form form; /* WORDS: map of strings; VALUE: anything, kept as text */
    const struct form_struct *of;
    bool always;
};

struct form_struct {
    const char *type;
    const struct form_field *fields; /* ends with name NULL */
};

#define FORM_STRUCT(id, go, ...)                                                                   \
    static const struct form_field id##_FIELDS[] = {__VA_ARGS__, {NULL}};                          \
    static const struct form_struct id = {go, id##_FIELDS}

FORM_STRUCT(META, "yaml.ObjectMeta", {"name"}, {"namespace"}, {"labels", WORDS},
            {"annotations", WORDS});
FORM_STRUCT(GIT, "v1.Git", {"repo"}, {"directory"}, {"ref"});
FORM_STRUCT(UPSTREAM, "v1.Upstream", {"type"}, {"git", STRUCT, &GIT}, {"updateStrategy"});
FORM_STRUCT(GIT_LOCK, "v1.GitLock", {"repo"}, {"directory"}, {"ref"}, {"commit"});
FORM_STRUCT(GENERIC_LOCK, "v1.GenericLock", {"storeID"}, {"resourceID"}, {"resourceVersion"});
FORM_STRUCT(LOCATOR, "v1.Locator", {"type"}, {"git", STRUCT, &GIT_LOCK},
            {"generic", STRUCT, &GENERIC_LOCK});
FORM_STRUCT(GATE, "v1.ReadinessGate", {"conditionType", .always = true});
FORM_STRUCT(INFO, "v1.PackageInfo", {"site"}, {"emails", TEXTS}, {"license"}, {"licenseFile"},
            {"description"}, {"keywords", TEXTS}, {"man"}, {"readinessGates", STRUCTS, &GATE});
FORM_STRUCT(SELECTOR, "v1.Selector", {"apiVersion"}, {"kind"}, {"name"}, {"namespace"},
            {"labels", WORDS}, {"annotations", WORDS});
FORM_STRUCT(FUNCTION, "v1.Function", {"image"}, {"exec"}, {"configPath"}, {"configMap", WORDS},
            {"name"}, {"tag"}, {"selectors", STRUCTS, &SELECTOR}, {"exclude", STRUCTS, &SELECTOR});
FORM_STRUCT(PIPELINE, "v1.Pipeline", {"mutators", STRUCTS, &FUNCTION},
            {"validators", STRUCTS, &FUNCTION});
FORM_STRUCT(INVENTORY, "v1.Inventory", {"namespace"}, {"name"}, {"inventoryID"}, {"labels", WORDS},
            {"annotations", WORDS});
FORM_STRUCT(CONDITION, "v1.Condition", {"type", .always = true}, {"status", .always = true},
            {"reason"}, {"message"});
FORM_STRUCT(REFERENCE, "yaml.ResourceIdentifier", {"apiVersion"}, {"kind"}, {"name"},
            {"namespace"});
FORM_STRUCT(RESULT_FIELD, "v1.Field", {"path"}, {"currentValue", VALUE}, {"proposedValue", VALUE});
FORM_STRUCT(RESULT_FILE, "v1.File", {"path"}, {"index", NUMBER});
FORM_STRUCT(RESULT, "v1.ResultItem", {"message"}, {"severity"}, {"resourceRef", STRUCT, &REFERENCE},
            {"field", STRUCT, &RESULT_FIELD}, {"file", STRUCT, &RESULT_FILE}, {"tags", WORDS});
FORM_STRUCT(STEP, "v1.PipelineStepResult", {"name"}, {"image"}, {"exec"}, {"executionError"},
            {"stderr"}, {"exitCode", NUMBER, .always = true}, {"results", STRUCTS, &RESULT},
            {"errorResults", STRUCTS, &RESULT});
FORM_STRUCT(RENDER, "v1.RenderStatus", {"mutationSteps", STRUCTS, &STEP},
            {"validationSteps", STRUCTS, &STEP}, {"errorSummary"});
FORM_STRUCT(STATUS, "v1.Status", {"conditions", STRUCTS, &CONDITION},
            {"renderStatus", STRUCT, &RENDER});
FORM_STRUCT(KPTFILE, "v1.KptFile", {"apiVersion"}, {"kind"}, {"metadata", STRUCT, &META},
            {"upstream", STRUCT, &UPSTREAM}, {"upstreamLock", STRUCT, &LOCATOR},
            {"info", STRUCT, &INFO}, {"pipeline", STRUCT, &PIPELINE},
            {"inventory", STRUCT, &INVENTORY}, {"status", STRUCT, &STATUS});

/* --- reading --- */

struct decoder {
    struct arena *a;
    struct str source; /* for line numbers; NULL: nothing is an error */
    struct buf faults; /* "\n  line N: …" each */
    size_t at, line;   /* a place in source and the line feeds before it */
};

/* Counts on from the place that was asked for last: faults come nearly in order. */
static size_t line_of(struct decoder *d, size_t at)
{
    for (; d->at < at && d->at < d->source.len; d->at++) {
        d->line += d->source.ptr[d->at] == '\n';
    }
    for (; d->at > at; d->at--) {
        d->line -= d->source.ptr[d->at - 1] == '\n';
    }
    return d->line + 1;
}

static void fault(struct decoder *d, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct decoder *d, size_t at, const char *fmt, ...)
{
    if (!d->source.ptr) {
        return;
    }
    buf_printf(&d->faults, "\n  line %zu: ", line_of(d, at));
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&d->faults, fmt, ap);
    va_end(ap);
}

static const char *type_tag(const struct node *n)
{
    static const char *const tags[] = {
        [NODE_NULL] = "!!null",   [NODE_BOOL] = "!!bool",  [NODE_INT] = "!!int",
        [NODE_FLOAT] = "!!float", [NODE_STRING] = "!!str", [NODE_LIST] = "!!seq",
        [NODE_MAP] = "!!map",     [NODE_ALIAS] = "!!str"};
    return tags[n->type];
}

static void wrong_type(struct decoder *d, const struct node *n, const char *prefix,
                       const char *want)
{
    struct str text = krm_tree_text(n);
    AUTO_BUF value = BUF_INIT;
    if (krm_tree_scalar(n)) {
        bool cut = text.len > 10;
        buf_printf(&value, " `%.*s%s`", STR_ARG(str_sub(text, 0, cut ? 7 : text.len)),
                   cut ? "..." : "");
    }
    fault(d, n->span_from, "cannot unmarshal %s%s into %s%s", type_tag(n),
          value.ptr ? value.ptr : "", prefix, want);
}

static const struct node *resolved(const struct node *n)
{
    for (int i = 0; node_is(n, NODE_ALIAS) && i < 8; i++) {
        n = n->target;
    }
    return n;
}

static struct node *decode_text(struct decoder *d, const struct node *n)
{
    if (!krm_tree_scalar(n)) {
        wrong_type(d, n, "", "string");
        return NULL;
    }
    return node_str(d->a, n->type == NODE_NULL ? STR("") : krm_tree_text(n));
}

static struct node *decode_number(struct decoder *d, const struct node *n)
{
    if (n->type != NODE_INT && n->type != NODE_NULL) {
        wrong_type(d, n, "", "int");
        return NULL;
    }
    return node_int(d->a, n->type == NODE_INT ? n->integer : 0);
}

/* Scalars are their text, everything else is YAML text. */
static struct node *decode_value(struct decoder *d, const struct node *n)
{
    if (krm_tree_scalar(n)) {
        return decode_text(d, n);
    }
    AUTO_BUF text = BUF_INIT;
    yaml_write_node(&text, n, &(struct yaml_form){0});
    return node_str(d->a, arena_str(d->a, str_trim(buf_str(&text), " \t\r\n")));
}

static struct node *decode_texts(struct decoder *d, const struct node *n)
{
    if (n->type != NODE_LIST) {
        wrong_type(d, n, "[]", "string");
        return NULL;
    }
    struct node *out = node_list(d->a);
    for (size_t i = 0; out && i < n->n; i++) {
        struct node *v = decode_text(d, resolved(n->items[i]));
        if (v) {
            node_push(d->a, out, v);
        }
    }
    return out;
}

static struct node *decode_words(struct decoder *d, const struct node *n)
{
    if (n->type != NODE_MAP) {
        wrong_type(d, n, "map[string]", "string");
        return NULL;
    }
    struct node *out = node_map(d->a);
    AUTO_MAP seen = MAP_INIT;
    for (size_t i = 0; out && i < n->n; i++) {
        const struct node_member *m = &n->members[i];
        const struct node *first = map_set(&seen, m->key, m->value);
        if (first) {
            fault(d, m->from, "mapping key \"%.*s\" already defined at line %zu", STR_ARG(m->key),
                  line_of(d, first->span_from));
        }
        struct node *v = decode_text(d, resolved(m->value));
        if (v) {
            krm_tree_push(d->a, out, (struct node_member){.key = m->key, .value = v});
        }
    }
    return out;
}

static struct node *decode_struct(struct decoder *d, const struct node *n,
                                  const struct form_struct *of);

static struct node *decode_structs(struct decoder *d, const struct node *n,
                                   const struct form_struct *of)
{
    if (n->type != NODE_LIST) {
        wrong_type(d, n, "[]", of->type);
        return NULL;
    }
    struct node *out = node_list(d->a);
    for (size_t i = 0; out && i < n->n; i++) {
        const struct node *e = resolved(n->items[i]);
        struct node *v = krm_tree_none(e) ? node_map(d->a) : decode_struct(d, e, of);
        if (v) {
            node_push(d->a, out, v);
        }
    }
    return out;
}

static struct node *decode_field(struct decoder *d, const struct node *n,
                                 const struct form_field *f)
{
    switch (f->form) {
    case TEXT:
        return decode_text(d, n);
    case NUMBER:
        return decode_number(d, n);
    case VALUE:
        return decode_value(d, n);
    case TEXTS:
        return decode_texts(d, n);
    case WORDS:
        return decode_words(d, n);
    case STRUCT:
        return decode_struct(d, n, f->of);
    case STRUCTS:
        return decode_structs(d, n, f->of);
    }
    return NULL;
}

/* What an encoder leaves out. A struct that is there stays, however empty. */
static bool is_empty(const struct node *v, const struct form_field *f)
{
    switch (f->form) {
    case TEXT:
    case VALUE:
        return v->text.len == 0;
    case NUMBER:
        return v->integer == 0;
    case STRUCT:
        return f->of == &META && v->n == 0;
    default:
        return v->n == 0;
    }
}

static const struct form_field *field_of(const struct form_struct *of, struct str name)
{
    for (const struct form_field *f = of->fields; f->name; f++) {
        if (str_eqz(name, f->name)) {
            return f;
        }
    }
    return NULL;
}

#define FIELDS_MAX 16

static struct node *decode_struct(struct decoder *d, const struct node *n,
                                  const struct form_struct *of)
{
    struct node *values[FIELDS_MAX] = {NULL};
    bool seen[FIELDS_MAX] = {false};
    if (n->type != NODE_MAP) {
        wrong_type(d, n, "", of->type);
        return NULL;
    }
    for (size_t i = 0; i < n->n; i++) {
        const struct node_member *m = &n->members[i];
        const struct form_field *f = field_of(of, m->key);
        const struct node *v = resolved(m->value);
        if (!f) {
            fault(d, m->from, "field %.*s not found in type %s", STR_ARG(m->key), of->type);
            continue;
        }
        size_t at = (size_t)(f - of->fields);
        if (seen[at]) {
            fault(d, m->from, "field %.*s already set in type %s", STR_ARG(m->key), of->type);
            continue;
        }
        seen[at] = true;
        values[at] = krm_tree_none(v) ? NULL : decode_field(d, v, f);
    }
    struct node *out = node_map(d->a);
    for (const struct form_field *f = of->fields; out && f->name; f++) {
        struct node *v = values[f - of->fields];
        if (!v && f->always) {
            v = f->form == NUMBER ? node_int(d->a, 0) : node_strz(d->a, "");
        }
        if (v && (f->always || !is_empty(v, f))) {
            krm_tree_push(d->a, out, (struct node_member){.key = str_of(f->name), .value = v});
        }
    }
    return out;
}

/* --- versions --- */

static int check_version(const struct node *root, struct err *err)
{
    struct str gv = krm_tree_text(node_getz(root, "apiVersion"));
    struct str kind = krm_tree_text(node_getz(root, "kind"));
    ptrdiff_t slash = str_find_byte(gv, '/');
    struct str group = slash < 0 ? STR("") : str_sub(gv, 0, (size_t)slash);
    struct str version = str_sub(gv, (size_t)(slash + 1), gv.len);
    bool ours = str_eqz(group, "kpt.dev") && str_eqz(kind, "Kptfile");
    if (ours && str_eqz(version, "v1")) {
        return 0;
    }
    if (ours && (str_eqz(version, "v1alpha1") || str_eqz(version, "v1alpha2"))) {
        return err_set(err, ERR_BAD_REQUEST, "old resource version \"%.*s\" found in Kptfile",
                       STR_ARG(version));
    }
    return err_set(err, ERR_BAD_REQUEST,
                   "unknown resource type \"%.*s/%.*s, Kind=%.*s\" found in Kptfile",
                   STR_ARG(group), STR_ARG(version), STR_ARG(kind));
}

int kptfile_decode(struct arena *a, struct str text, struct node **out, struct err *err)
{
    struct yaml_docs docs = {0};
    if (yaml_read(a, text, NULL, &docs, NULL, err) < 0) {
        return -1;
    }
    const struct node *root = docs.n ? docs.list[0].root : NULL;
    if (krm_tree_none(root)) {
        return err_set(err, ERR_BAD_REQUEST, "EOF");
    }
    if (check_version(root, err) < 0) {
        return -1;
    }
    struct decoder d = {.a = a, .source = text};
    struct node *form = decode_struct(&d, root, &KPTFILE);
    int rc = 0;
    if (d.faults.len) {
        rc = err_set(err, ERR_BAD_REQUEST, "yaml: unmarshal errors:%s", d.faults.ptr);
    } else if (a->exhausted) {
        rc = err_set(err, ERR_TOO_LARGE, "Kptfile is too large");
    } else {
        *out = form;
    }
    buf_done(&d.faults);
    return rc;
}

struct node *kptfile_form(struct arena *a, const struct node *kptfile)
{
    struct decoder d = {.a = a};
    return decode_struct(&d, kptfile, &KPTFILE);
}

/* --- writing --- */

static void sort_words(struct node *n, const struct form_struct *of)
{
    for (size_t i = 0; node_is(n, NODE_MAP) && i < n->n; i++) {
        const struct form_field *f = field_of(of, n->members[i].key);
        struct node *v = n->members[i].value;
        if (f && f->form == WORDS) {
            yaml_sort_keys(v);
        } else if (f && f->form == STRUCT) {
            sort_words(v, f->of);
        }
        for (size_t j = 0; f && f->form == STRUCTS && j < v->n; j++) {
            sort_words(v->items[j], f->of);
        }
    }
}

void kptfile_encode(struct buf *out, struct node *form, bool compact)
{
    sort_words(form, &KPTFILE);
    yaml_write_values(out, form, &(struct yaml_form){.wide = !compact, .defects = true});
}
