/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of packages through its pipelines, and the files that come out (cad-library §4.1, §4.8).
 */
#include "eval/priv.h"
#include "krm/identity.h"
#include "krm/kptfile_form.h"

struct render {
    const struct eval_options *o;
    struct eval_tree t;
    struct eval_log log;
    struct eval_package *failed; /* whose pipeline failed */
    bool plain;                  /* its error is not one of a run */
    bool wide;                   /* top-down: packages below run within the root's */
    size_t n_packages;
};

static void append(struct arena *a, struct node *list, const struct node *more)
{
    for (size_t i = 0; i < more->n; i++) {
        node_push(a, list, more->items[i]);
    }
}

static bool annotated(const struct eval_package *p, const char *key)
{
    const struct node *v = node_getz(node_at(p->kptfile, "metadata.annotations"), key);
    return v && v->text.len == 4 && strncasecmp(v->text.ptr, "true", 4) == 0;
}

static int run_package(struct render *r, struct eval_package *p, struct err *err)
{
    const struct eval_progress *progress = r->o->progress;
    r->failed = p;
    if (progress) {
        progress->package(progress->ctx, p->dir, false);
    }
    if (eval_pipeline_run(r->o, r->t.a, p, &r->log, &r->plain, err)) {
        return -1;
    }
    if (progress) {
        progress->package(progress->ctx, p->dir, true);
    }
    r->failed = NULL;
    r->n_packages++;
    return 0;
}

/* The packages below p come first, and p sees what they became. */
static int render_deep(struct render *r, struct eval_package *p, struct err *err)
{
    for (size_t i = 0; i < r->t.n; i++) {
        if (r->t.list[i].parent == p && render_deep(r, &r->t.list[i], err)) {
            return -1;
        }
    }
    p->current = node_list(r->t.a);
    append(r->t.a, p->current, p->own);
    for (size_t i = 0; i < r->t.n; i++) {
        if (r->t.list[i].parent == p) {
            append(r->t.a, p->current, r->t.list[i].current);
        }
    }
    return run_package(r, p, err);
}

static void collect_own(const struct render *r, const struct eval_package *p, struct node *out)
{
    append(r->t.a, out, p->own);
    for (size_t i = 0; i < r->t.n; i++) {
        if (r->t.list[i].parent == p) {
            collect_own(r, &r->t.list[i], out);
        }
    }
}

static bool is_below(const struct eval_package *p, const struct eval_package *top)
{
    while (p && p != top) {
        p = p->parent;
    }
    return p != NULL;
}

/* What a pipeline gave goes back to the packages it belongs to. kpt does not see when a package lost
 * all of its resources. */
static void redistribute(struct render *r, const struct eval_package *p)
{
    for (size_t i = 0; i < r->t.n; i++) {
        struct eval_package *q = &r->t.list[i];
        struct node *own = node_list(r->t.a);
        for (size_t k = 0; k < p->current->n; k++) {
            struct node *item = p->current->items[k];
            if (str_eq(krm_annotation(item, EVAL_PACKAGE_PATH), q->path)) {
                node_push(r->t.a, own, item);
            }
        }
        if (is_below(q, p) && (own->n || !r->o->kpt)) {
            q->own = own;
        }
    }
}

static size_t depth_of(const struct eval_package *p)
{
    size_t n = 0;
    for (; p->parent; p = p->parent) {
        n++;
    }
    return n;
}

static int render_wide(struct render *r, struct err *err)
{
    size_t done = 0;
    for (size_t depth = 0; done < r->t.n; depth++) {
        for (size_t i = 0; i < r->t.n; i++) {
            struct eval_package *p = &r->t.list[i];
            if (depth_of(p) != depth) {
                continue;
            }
            p->current = node_list(r->t.a);
            collect_own(r, p, p->current);
            if (run_package(r, p, err)) {
                return -1;
            }
            redistribute(r, p);
            done++;
        }
    }
    struct node *all = node_list(r->t.a);
    collect_own(r, &r->t.list[0], all);
    r->t.list[0].current = all;
    return 0;
}

/* What there is of p and below after a failure. */
static void collect_partial(const struct render *r, const struct eval_package *p,
                            struct node *out)
{
    append(r->t.a, out, p->current ? p->current : p->own);
    for (size_t i = 0; !p->current && i < r->t.n; i++) {
        if (r->t.list[i].parent == p) {
            collect_partial(r, &r->t.list[i], out);
        }
    }
}

/* --- files --- */

static const struct krm_file *find_file(const struct krm_files *files, struct str path)
{
    for (size_t i = 0; i < files->n; i++) {
        if (str_eq(files->list[i].path, path)) {
            return &files->list[i];
        }
    }
    return NULL;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct krm_file *)a)->path, ((const struct krm_file *)b)->path);
}

/* Paths of files that resources were read from. */
static void source_paths(const struct eval_tree *t, struct map *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct eval_package *p = &t->list[i];
        for (size_t k = 0; k < p->own->n; k++) {
            struct str path = krm_annotation(p->own->items[k], KRM_PATH);
            path = p->dir.len ? arena_printf(t->a, "%.*s/%.*s", STR_ARG(p->dir), STR_ARG(path))
                              : path;
            map_set(out, path, (void *)p);
        }
    }
}

/* The tree with `items` in it; files that lost all their resources go when `drop`. */
static int write_files(const struct render *r, struct node *items, const struct map *sources,
                       bool drop, struct krm_files *out, struct err *err)
{
    struct arena *a = r->t.a;
    struct krm_files keep = {0}, written;
    keep.list = arena_array(a, struct krm_file, r->t.files->n);
    for (size_t i = 0; i < r->t.files->n; i++) {
        if (map_has(sources, r->t.files->list[i].path)) {
            keep.list[keep.n++] = r->t.files->list[i];
        }
    }
    const struct krm_write_options o = {
        .keep = r->o->kpt ? NULL : &keep, .defects = r->o->kpt, .package = r->t.root};
    if (eval_tree_flatten(&r->t, items, err) ||
        krm_resources_write(a, items, &o, &written, err)) {
        return -1;
    }
    out->list = arena_array(a, struct krm_file, r->t.files->n + written.n);
    out->n = 0;
    AUTO_MAP done = MAP_INIT;
    for (size_t i = 0; i < written.n; i++) {
        out->list[out->n++] = written.list[i];
        map_set(&done, written.list[i].path, (void *)r);
    }
    for (size_t i = 0; i < r->t.files->n; i++) {
        struct str path = r->t.files->list[i].path;
        if (!map_has(&done, path) && !(drop && map_has(sources, path))) {
            out->list[out->n++] = r->t.files->list[i];
        }
    }
    if (out->n) {
        qsort(out->list, out->n, sizeof(*out->list), by_path);
    }
    return 0;
}

static int set_status(const struct render *r, struct krm_files *files, const char *message,
                      struct err *err)
{
    for (size_t i = 0; i < files->n; i++) {
        if (str_eqz(files->list[i].path, KPTFILE_NAME)) {
            return eval_status_write(r->o, r->t.a, files->list[i].text, &r->log, message,
                                     &files->list[i].text, err);
        }
    }
    return err_set(err, ERR_INVALID, "function must not delete the root Kptfile");
}

static struct krm_files copy_files(struct arena *a, const struct krm_files *files)
{
    struct krm_files out = {.n = files->n, .cap = files->n};
    out.list = arena_array(a, struct krm_file, files->n);
    if (files->n) {
        memcpy(out.list, files->list, files->n * sizeof(*out.list));
    }
    return out;
}

/* --- failures --- */

/* The text of the condition: paths below the root become relative to it. */
static const char *condition_text(const struct render *r, const char *text)
{
    AUTO_BUF b = BUF_INIT;
    const struct eval_package *p = r->failed;
    const char *where = arena_printf(r->t.a, " pkg .%s%.*s:", p->dir.len ? "/" : "",
                                     STR_ARG(p->dir)).ptr;
    if (r->wide && p->dir.len) {
        buf_printf(&b, "pkg.render: pkg .:\n\tpipeline.run:%s %s", where, text);
    } else {
        buf_printf(&b, "pkg.render:%s%s%s", where, r->plain ? " " : "\n\tpipeline.run: ", text);
    }
    if (!r->o->kpt && r->t.root.len == 1) {
        return arena_strz(r->t.a, buf_str(&b)); /* `/` is no path that could be cut off */
    }
    AUTO_BUF out = BUF_INIT;
    for (struct str rest = buf_str(&b); rest.len;) {
        ptrdiff_t at = str_find(rest, r->t.root);
        buf_add_str(&out, str_sub(rest, 0, at < 0 ? rest.len : (size_t)at));
        if (at < 0) {
            break;
        }
        buf_addc(&out, '.');
        rest = str_sub(rest, (size_t)at + r->t.root.len, rest.len);
    }
    return arena_strz(r->t.a, buf_str(&out));
}

static struct str api_text(const struct render *r, const char *text)
{
    const struct eval_package *p = r->failed;
    struct str where = p->dir.len ? arena_printf(r->t.a, " pkg %.*s:", STR_ARG(p->path)) : STR("");
    if (r->wide && p->dir.len) {
        return arena_printf(r->t.a, "pkg.render:\n\tpipeline.run:%.*s %s", STR_ARG(where), text);
    }
    return arena_printf(r->t.a, "pkg.render:%.*s%s%s", STR_ARG(where),
                        r->plain ? " " : "\n\tpipeline.run: ", text);
}

static int finish_failed(struct render *r, const struct map *sources, const char *text,
                         struct eval_outcome *out, struct err *err)
{
    out->failed = true;
    out->error = api_text(r, text);
    out->cause = arena_str(r->t.a, str_of(text));
    if (r->log.save) {
        struct node *items = node_list(r->t.a);
        collect_partial(r, &r->t.list[0], items);
        if (write_files(r, items, sources, false, &out->files, err)) {
            return -1;
        }
        out->written = true;
    }
    return set_status(r, &out->files, condition_text(r, text), err);
}

static int finish(struct render *r, const struct map *sources, struct eval_outcome *out,
                  struct err *err)
{
    struct node *items = r->t.list[0].current;
    for (size_t i = 0; i < items->n; i++) {
        if (krm_attribute(r->t.a, items->items[i], "fn", err)) {
            return -1;
        }
    }
    if (write_files(r, items, sources, true, &out->files, err)) {
        return -1;
    }
    out->written = true;
    out->items = items;
    return set_status(r, &out->files, NULL, err);
}

/* --- all of it --- */

/* -1: the tree is not one that can be rendered; err has kpt's text. */
static int read_tree(struct render *r, struct err *err)
{
    if (eval_tree_read(&r->t, err)) {
        return -1;
    }
    for (size_t i = 0; i < r->t.n; i++) {
        if (eval_validate_pipeline(&r->t, &r->t.list[i], err)) {
            return err_wrap(err, "pkg.read");
        }
    }
    return 0;
}

static struct node *result_list(struct arena *a, const struct eval_log *log, bool failed)
{
    struct node *list = node_map(a), *metadata = node_map(a);
    if (log->items->n) {
        node_setz(a, list, "apiVersion", node_strz(a, "kpt.dev/v1"));
        node_setz(a, list, "kind", node_strz(a, "FunctionResultList"));
        node_setz(a, metadata, "name", node_strz(a, "fnresults"));
    }
    node_setz(a, list, "metadata", metadata);
    node_setz(a, list, "exitCode", node_int(a, failed));
    if (log->items->n) {
        node_setz(a, list, "items", log->items);
    }
    return list;
}

int eval_render(const struct eval_options *o, struct arena *a, const struct krm_files *files,
                const char *root, struct eval_outcome *out, struct err *err)
{
    struct render r = {
        .o = o, .t = {.a = a, .files = files, .root = str_of(root), .local = o->local}};
    r.log.mutations = node_list(a);
    r.log.validations = node_list(a);
    r.log.items = node_list(a);
    *out = (struct eval_outcome){.files = copy_files(a, files)};
    out->results = result_list(a, &r.log, false);
    const struct krm_file *kptfile = find_file(files, STR(KPTFILE_NAME));
    if (!kptfile || !str_trim(kptfile->text, " \t\r\n").len) {
        return 0; /* an empty one says nothing about a package */
    }
    AUTO_ERR why = ERR_INIT;
    if (read_tree(&r, &why)) {
        if (why.kind == ERR_TOO_LARGE) {
            return err_move(err, &why);
        }
        out->failed = true;
        out->error = out->cause = arena_str(a, str_of(why.message));
        return 0;
    }
    AUTO_MAP sources = MAP_INIT;
    source_paths(&r.t, &sources);
    struct eval_package *top = &r.t.list[0];
    r.log.save = annotated(top, "kpt.dev/save-on-render-failure");
    r.wide = annotated(top, "kpt.dev/bfs-rendering");
    int rc = r.wide ? render_wide(&r, &why) : render_deep(&r, top, &why);
    if (a->exhausted) {
        return err_set(err, ERR_TOO_LARGE, "package is too large to render");
    }
    out->results = result_list(a, &r.log, rc != 0);
    out->n_functions = r.log.n_functions;
    out->n_packages = r.n_packages;
    return rc ? finish_failed(&r, &sources, why.message, out, err) : finish(&r, &sources, out, err);
}
