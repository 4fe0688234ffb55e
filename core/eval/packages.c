/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of files as packages with resources, and the checks of their pipelines before anything
 * runs (cad-library §1.1.3, §1.3, §4.1).
 */
#include "eval/priv.h"
#include "krm/identity.h"
#include "krm/kptfile_form.h"

static struct str directory(struct str path)
{
    ptrdiff_t slash = str_rfind_byte(path, '/');
    return str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
}

static bool is_kptfile(struct str path)
{
    struct str dir = directory(path);
    return str_eqz(str_sub(path, dir.len ? dir.len + 1 : 0, path.len), KPTFILE_NAME);
}

/* True when path is dir or below it. */
static bool is_within(struct str path, struct str dir)
{
    return !dir.len ||
           (str_has_prefix(path, dir) && (path.len == dir.len || path.ptr[dir.len] == '/'));
}

static struct eval_package *owner(const struct eval_tree *t, struct str path, size_t n)
{
    struct eval_package *best = NULL;
    for (size_t i = 0; i < n; i++) {
        struct eval_package *p = &t->list[i];
        if (is_within(path, p->dir) && (!best || p->dir.len > best->dir.len)) {
            best = p;
        }
    }
    return best;
}

static int by_dir(const void *a, const void *b)
{
    return str_cmp(((const struct eval_package *)a)->dir, ((const struct eval_package *)b)->dir);
}

static struct str absolute(const struct eval_tree *t, struct str dir)
{
    const char *slash = t->root.len && t->root.ptr[t->root.len - 1] == '/' ? "" : "/";
    return dir.len ? arena_printf(t->a, "%.*s%s%.*s", STR_ARG(t->root), slash, STR_ARG(dir))
                   : t->root;
}

static int find_packages(struct eval_tree *t, struct err *err)
{
    t->list = arena_array(t->a, struct eval_package, t->files->n);
    for (size_t i = 0; i < t->files->n; i++) {
        struct str path = t->files->list[i].path;
        if (is_kptfile(path)) {
            struct eval_package *p = &t->list[t->n++];
            p->dir = directory(path);
            p->path = absolute(t, p->dir);
            p->own = node_list(t->a);
            if (kptfile_decode(t->a, t->files->list[i].text, &p->kptfile, err)) {
                return err_wrap(err, "pkg.read: error reading Kptfile at \"%.*s\"", STR_ARG(p->path));
            }
        }
    }
    if (t->n) {
        qsort(t->list, t->n, sizeof(*t->list), by_dir);
    }
    for (size_t i = 0; i < t->n; i++) {
        t->list[i].parent = owner(t, directory(t->list[i].dir), i);
    }
    return 0;
}

static int read_file(struct eval_tree *t, struct eval_package *p, const struct krm_file *file,
                     struct err *err)
{
    const struct krm_read_options o = {
        .annotate = true, .detect_wide = true, .wrap_lists = true, .json = true};
    struct str path = str_sub(file->path, p->dir.len ? p->dir.len + 1 : 0, file->path.len);
    struct krm_file one = {path, file->text};
    struct krm_files files = {&one, 1, 1};
    struct node *items = NULL;
    if (krm_resources_read(t->a, &files, &o, &items, NULL, err)) {
        return err_wrap(err, "pkg.read");
    }
    for (size_t i = 0; i < items->n; i++) {
        if (krm_annotation_set(t->a, items->items[i], EVAL_PACKAGE_PATH, p->path, err)) {
            return -1;
        }
        node_push(t->a, p->own, items->items[i]);
    }
    return 0;
}

int eval_tree_read(struct eval_tree *t, struct err *err)
{
    if (find_packages(t, err)) {
        return -1;
    }
    for (size_t i = 0; i < t->files->n; i++) {
        const struct krm_file *file = &t->files->list[i];
        struct eval_package *p = owner(t, directory(file->path), t->n);
        if (p && krm_is_resource_file(file->path, true) && read_file(t, p, file, err)) {
            return -1;
        }
    }
    return 0;
}

int eval_tree_flatten(const struct eval_tree *t, struct node *items, struct err *err)
{
    static const char *const gone[] = {EVAL_PACKAGE_PATH};
    for (size_t i = 0; i < items->n; i++) {
        struct node *item = items->items[i];
        struct str package = krm_annotation(item, EVAL_PACKAGE_PATH);
        struct str path = krm_annotation_either(item, KRM_PATH, KRM_OLD_PATH);
        for (size_t k = 0; k < t->n; k++) {
            const struct eval_package *p = &t->list[k];
            if (p->dir.len && str_eq(p->path, package)) {
                path = arena_printf(t->a, "%.*s/%.*s", STR_ARG(p->dir), STR_ARG(path));
            }
        }
        if (path.len && (krm_annotation_set(t->a, item, KRM_PATH, path, err) ||
                         krm_annotation_set(t->a, item, KRM_OLD_PATH, path, err))) {
            return -1;
        }
        items->items[i] = krm_annotation_without(t->a, item, gone, 1);
    }
    return 0;
}

/* --- checks --- */

struct str eval_text(const struct node *map, const char *key)
{
    const struct node *n = node_getz(map, key);
    return n && n->type != NODE_MAP && n->type != NODE_LIST ? n->text : STR_NULL;
}

int eval_invalid_field(struct err *err, struct str field, struct str value, struct str reason)
{
    AUTO_BUF b = BUF_INIT;
    buf_printf(&b, "Kptfile is invalid:\nField: `%.*s`\n", STR_ARG(field));
    if (value.len) {
        buf_printf(&b, "Value: \"%.*s\"\n", STR_ARG(value));
    }
    buf_printf(&b, "Reason: %.*s\n", STR_ARG(reason));
    return err_set(err, ERR_INVALID, "%s", b.ptr);
}

/* Why a configPath cannot be, or STR_NULL. */
static struct str config_path_fault(struct arena *a, const struct eval_package *p, struct str path)
{
    if (!str_trim(path, " \t\r\n").len) {
        return STR("path must not be empty");
    }
    if (path.ptr[0] == '/') {
        return STR("path must be relative");
    }
    if (str_find(path, STR("..")) >= 0) {
        return STR("path must not be outside the package");
    }
    while (str_has_prefix(path, STR("./"))) {
        path = str_sub(path, 2, path.len);
    }
    size_t n = 0;
    const struct node *found = NULL;
    for (size_t i = 0; i < p->own->n; i++) {
        if (str_eq(krm_annotation(p->own->items[i], KRM_PATH), path)) {
            found = p->own->items[i];
            n++;
        }
    }
    if (n > 1) {
        return arena_printf(a, "functionConfig \"%.*s\" must not contain more than one config, got %zu",
                            STR_ARG(path), n);
    }
    AUTO_ERR why = ERR_INIT;
    if (found && krm_check_resource(found, STR_NULL, &why)) {
        return arena_printf(a, "functionConfig \"%.*s\": %s", STR_ARG(path), why.message);
    }
    return STR_NULL;
}

static bool has_file(const struct eval_tree *t, const struct eval_package *p, struct str path)
{
    struct str want = p->dir.len ? arena_printf(t->a, "%.*s/%.*s", STR_ARG(p->dir), STR_ARG(path))
                                 : path;
    for (size_t i = 0; i < t->files->n; i++) {
        if (str_eq(t->files->list[i].path, want)) {
            return true;
        }
    }
    return false;
}

static int check_function(const struct eval_tree *t, const struct eval_package *p,
                          const struct node *f, struct str field, struct err *err)
{
    struct str image = eval_text(f, "image"), exec = eval_text(f, "exec");
    const struct node *path = node_getz(f, "configPath");
    if (!image.len && !exec.len) {
        return eval_invalid_field(err, field, STR_NULL,
                                  STR("must specify a functon (`image` or `exec`) to execute"));
    }
    if (image.len && exec.len) {
        return eval_invalid_field(
            err, field, STR_NULL,
            STR("must not specify both `image` and `exec` at the same time"));
    }
    if (path && node_getz(f, "configMap")) {
        return eval_invalid_field(
            err, field, STR_NULL,
            STR("functionConfig must not specify both `configMap` and `configPath` at the same "
                "time"));
    }
    if (path) {
        struct str text = eval_text(f, "configPath");
        struct str why = config_path_fault(t->a, p, text);
        if (!why.ptr && !has_file(t, p, text)) {
            why = t->local ? arena_printf(t->a,
                                          "failed to open functionConfig from path \"%.*s\": open "
                                          "%.*s/%.*s: no such file or directory",
                                          STR_ARG(text), STR_ARG(p->path), STR_ARG(text))
                           : STR("functionConfig must exist in the current package");
        }
        if (why.ptr) {
            field = arena_printf(t->a, "%.*s.configPath", STR_ARG(field));
            return eval_invalid_field(err, field, text, why);
        }
    }
    return 0;
}

int eval_validate_pipeline(const struct eval_tree *t, const struct eval_package *p,
                           struct err *err)
{
    static const char *const lists[] = {"mutators", "validators"};
    const struct node *pipeline = node_getz(p->kptfile, "pipeline");
    for (size_t l = 0; l < 2; l++) {
        const struct node *list = node_getz(pipeline, lists[l]);
        for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
            const struct node *f = list->items[i];
            struct str field = arena_printf(t->a, "pipeline.%s[%zu]", lists[l], i);
            if (check_function(t, p, f, field, err)) {
                return err_wrap(err, "invalid pipeline: function \"%.*s\"",
                                STR_ARG(eval_text(f, "image")));
            }
        }
    }
    return 0;
}
