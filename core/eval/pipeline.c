/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipeline of one package over a list of resources (cad-library §4.2-§4.5): which of them a
 * function gets, what becomes of the others, and what must hold afterwards.
 */
#include "eval/priv.h"
#include "krm/identity.h"

/* --- selection --- */

static bool same_text(const struct node *selector, const char *key, struct str have)
{
    struct str want = eval_text(selector, key);
    return !want.len || str_eq(want, have);
}

static bool has_pairs(const struct node *want, const struct node *have)
{
    for (size_t i = 0; node_is(want, NODE_MAP) && i < want->n; i++) {
        const struct node *v = node_get(have, want->members[i].key);
        if (!v || !str_eq(v->text, want->members[i].value->text)) {
            return false;
        }
    }
    return true;
}

static bool selects(const struct node *selector, const struct node *item)
{
    return same_text(selector, "apiVersion", node_text_at(item, "apiVersion")) &&
           same_text(selector, "kind", node_text_at(item, "kind")) &&
           same_text(selector, "name", node_text_at(item, "metadata.name")) &&
           same_text(selector, "namespace", node_text_at(item, "metadata.namespace")) &&
           has_pairs(node_getz(selector, "labels"), node_at(item, "metadata.labels")) &&
           has_pairs(node_getz(selector, "annotations"), node_at(item, "metadata.annotations"));
}

/* How many selectors match; an exclusion must say something to match. */
static size_t count_matches(const struct node *list, const struct node *item, bool exclude)
{
    size_t n = 0;
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        const struct node *s = list->items[i];
        n += (!exclude || s->n) && selects(s, item);
    }
    return n;
}

static struct node *select_items(struct arena *a, const struct eval_step *step,
                                 const struct node *items)
{
    struct node *out = node_list(a);
    bool all = !node_is(step->selectors, NODE_LIST) || step->selectors->n == 0;
    for (size_t i = 0; i < items->n; i++) {
        if ((all || count_matches(step->selectors, items->items[i], false)) &&
            !count_matches(step->exclude, items->items[i], true)) {
            node_push(a, out, items->items[i]);
        }
    }
    return out;
}

/* kpt hands a resource to a function as often as selectors match it, and then fails. */
static int check_double(const struct eval_options *o, const struct eval_step *step,
                        const struct node *items, struct err *err)
{
    for (size_t i = 0; o->kpt && i < items->n; i++) {
        const struct node *item = items->items[i];
        if (count_matches(step->selectors, item, false) > 1) {
            return err_set(err, ERR_INVALID,
                           "resource at path \"%.*s\" and index \"%.*s\" already exists",
                           STR_ARG(krm_annotation(item, KRM_PATH)),
                           STR_ARG(krm_annotation(item, KRM_INDEX)));
        }
    }
    return 0;
}

static bool holds(const struct node *list, const struct node *item)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i] == item) {
            return true;
        }
    }
    return false;
}

/* items with the selected ones as the function left them; new ones come last. */
static void merge_back(struct arena *a, struct node *items, struct node **selected,
                       size_t n_selected, const struct node *output)
{
    struct map in = MAP_INIT, out = MAP_INIT;
    struct node *list = node_list(a);
    for (size_t i = 0; i < n_selected; i++) {
        map_set(&in, (struct str){(char *)&selected[i], sizeof(selected[i])}, items);
    }
    for (size_t i = 0; i < output->n; i++) {
        map_set(&out, (struct str){(char *)&output->items[i], sizeof(output->items[i])}, items);
    }
    for (size_t i = 0; i < items->n; i++) {
        struct str key = {(char *)&items->items[i], sizeof(items->items[i])};
        if (!map_has(&in, key) || map_has(&out, key)) {
            node_push(a, list, items->items[i]);
        }
    }
    for (size_t i = 0; i < output->n; i++) {
        struct str key = {(char *)&output->items[i], sizeof(output->items[i])};
        if (!map_has(&in, key)) {
            node_push(a, list, output->items[i]);
        }
    }
    map_done(&in);
    map_done(&out);
    *items = *list;
}

/* --- places --- */

struct place {
    struct str path, index;
};

static const char *const spellings[2][2] = {{KRM_OLD_PATH, KRM_PATH},
                                            {KRM_OLD_INDEX, KRM_INDEX}};

/* The spelling that a function changed wins. */
static int reconcile(struct arena *a, struct node *item, const struct place *was,
                     struct err *err)
{
    for (int k = 0; k < 2; k++) {
        struct str before = k ? was->index : was->path;
        struct str old = krm_annotation(item, spellings[k][0]);
        struct str now = krm_annotation(item, spellings[k][1]);
        if (str_eq(old, now)) {
            continue;
        }
        bool old_changed = !str_eq(old, before) && old.len, now_changed = !str_eq(now, before);
        if (old_changed && now_changed && now.len) {
            return err_set(err, ERR_INVALID,
                           "resource input to function has mismatched legacy and internal path "
                           "annotations");
        }
        struct str value = old_changed ? old : now.len ? now : old;
        if (krm_annotation_set(a, item, spellings[k][0], value, err) ||
            krm_annotation_set(a, item, spellings[k][1], value, err)) {
            return -1;
        }
    }
    return 0;
}

static struct str lower(struct arena *a, struct str s)
{
    char *z = arena_strz(a, s);
    for (size_t i = 0; i < s.len; i++) {
        z[i] = (char)(z[i] >= 'A' && z[i] <= 'Z' ? z[i] | 0x20 : z[i]);
    }
    return str_of(z);
}

/* A resource that a function made. */
static int settle_new(struct arena *a, struct node *item, struct str package, struct err *err)
{
    if (krm_annotation_mirror(a, item, err)) {
        return -1;
    }
    if (!krm_annotation(item, KRM_PATH).len) {
        struct str ns = node_text_at(item, "metadata.namespace");
        struct str path = arena_printf(a, "%.*s%s%.*s_%.*s.yaml", STR_ARG(ns), ns.len ? "/" : "",
                                       STR_ARG(lower(a, node_text_at(item, "kind"))),
                                       STR_ARG(node_text_at(item, "metadata.name")));
        if (krm_annotation_set(a, item, KRM_OLD_PATH, path, err) ||
            krm_annotation_set(a, item, KRM_PATH, path, err)) {
            return -1;
        }
    }
    return !package.len || krm_annotation(item, EVAL_PACKAGE_PATH).len
               ? 0
               : krm_annotation_set(a, item, EVAL_PACKAGE_PATH, package, err);
}

/* path without `.` and `..` where they can go. */
static struct str clean(struct arena *a, struct str path)
{
    AUTO_BUF b = BUF_INIT;
    struct str rest = path, part;
    bool absolute = path.len && path.ptr[0] == '/';
    while (str_split(&rest, '/', &part)) {
        struct str so_far = buf_str(&b);
        ptrdiff_t slash = str_rfind_byte(so_far, '/');
        struct str last = str_sub(so_far, (size_t)(slash + 1), so_far.len);
        if (!part.len || str_eqz(part, ".")) {
            continue;
        }
        if (str_eqz(part, "..") && so_far.len && !str_eqz(last, "..")) {
            b.len = slash < 0 ? 0 : (size_t)slash;
            continue;
        }
        if (b.len) {
            buf_addc(&b, '/');
        }
        buf_add_str(&b, part);
    }
    return arena_printf(a, "%s%.*s", absolute ? "/" : "", STR_ARG(buf_str(&b)));
}

/* A path as a function wrote it, from the package on: `./x` and `/x` are `x`. */
static int settle_path(struct arena *a, struct node *item, struct str path, struct err *err)
{
    struct str place = str_sub(path, path.len && path.ptr[0] == '/', path.len);
    return str_eq(place, krm_annotation(item, KRM_PATH)) || !place.len
               ? 0
               : krm_annotation_set(a, item, KRM_PATH, place, err) ||
                     krm_annotation_set(a, item, KRM_OLD_PATH, place, err);
}

static int check_places(struct arena *a, const struct node *items, struct err *err)
{
    AUTO_MAP seen = MAP_INIT;
    for (size_t i = 0; i < items->n; i++) {
        struct node *item = items->items[i];
        struct str path = clean(a, krm_annotation(item, KRM_PATH));
        struct str index = krm_annotation(item, KRM_INDEX);
        struct str package = krm_annotation(item, EVAL_PACKAGE_PATH);
        if (str_has_prefix(path, STR("../")) || str_eqz(path, "..")) {
            return err_set(err, ERR_INVALID,
                           "function must not modify resources outside of package: resource has "
                           "path %.*s",
                           STR_ARG(krm_annotation(item, KRM_PATH)));
        }
        struct str key = arena_printf(a, "%.*s\n%.*s\n%.*s", STR_ARG(package), STR_ARG(path),
                                      STR_ARG(index));
        if (map_set(&seen, key, (void *)item)) {
            return err_set(err, ERR_INVALID,
                           "resource at path \"%.*s\" and index \"%.*s\" already exists",
                           STR_ARG(path), STR_ARG(index));
        }
        if (settle_path(a, item, path, err)) {
            return -1;
        }
    }
    return 0;
}

static int check_resources(const struct node *items, const char *which, struct err *err)
{
    for (size_t i = 0; i < items->n; i++) {
        struct str path = krm_annotation(items->items[i], KRM_PATH);
        if (krm_check_resource(items->items[i], path, err)) {
            return err_wrap(err, "%s resource list must contain only KRM resources", which);
        }
    }
    return 0;
}

/* --- configuration --- */

static const struct node *from_map(struct arena *a, const struct node *data)
{
    struct node *config = node_map(a), *metadata = node_map(a);
    node_setz(a, config, "apiVersion", node_strz(a, "v1"));
    node_setz(a, config, "kind", node_strz(a, "ConfigMap"));
    node_setz(a, metadata, "name", node_strz(a, "function-input"));
    node_setz(a, config, "metadata", metadata);
    node_setz(a, config, "data", node_copy(a, data));
    return config;
}

static const struct node *config_of(struct arena *a, const struct eval_package *p,
                                    const struct node *f)
{
    const struct node *data = node_getz(f, "configMap");
    struct str path = clean(a, eval_text(f, "configPath"));
    for (size_t i = 0; path.len && i < p->current->n; i++) {
        const struct node *item = p->current->items[i];
        if (str_eq(krm_annotation(item, EVAL_PACKAGE_PATH), p->path) &&
            str_eq(clean(a, krm_annotation(item, KRM_PATH)), path)) {
            return item;
        }
    }
    return data ? from_map(a, data) : NULL;
}

static struct str label_of(const struct node *f)
{
    struct str name = eval_text(f, "name"), image = eval_text(f, "image");
    if (name.len) {
        return name;
    }
    ptrdiff_t slash = str_rfind_byte(image, '/');
    image = str_sub(image, (size_t)(slash + 1), image.len);
    ptrdiff_t at = str_find_byte(image, '@'), colon = str_find_byte(image, ':');
    image = at >= 0 ? str_sub(image, 0, (size_t)at) : image;
    return colon >= 0 && (size_t)colon < image.len ? str_sub(image, 0, (size_t)colon) : image;
}

static int check_config_paths(struct arena *a, const struct eval_package *p, const char *list_name,
                              const struct node *list, struct err *err)
{
    AUTO_BUF all = BUF_INIT;
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        const struct node *f = list->items[i];
        struct str path = eval_text(f, "configPath");
        if (!path.len || config_of(a, p, f)) {
            continue;
        }
        AUTO_ERR one = ERR_INIT;
        eval_invalid_field(
            &one, arena_printf(a, "pipeline.%s[%zu].configPath", list_name, i), path,
            arena_printf(a,
                         "functionConfig resource for %.*s \"%.*s\" is missing from path \"%.*s\", "
                         "this also occurs if \"%.*s\" is part of a subpackage",
                         (int)strlen(list_name) - 1, list_name, STR_ARG(label_of(f)), STR_ARG(path),
                         STR_ARG(path)));
        buf_printf(&all, "%s%s", all.len ? "\n" : "", one.message);
    }
    return all.len ? err_set(err, ERR_INVALID, "%s", all.ptr) : 0;
}

/* --- steps --- */

static struct eval_step step_of(struct arena *a, const struct eval_package *p,
                                const struct node *f)
{
    return (struct eval_step){.name = eval_text(f, "name"),
                              .image = eval_text(f, "image"),
                              .tag = eval_text(f, "tag"),
                              .exec = eval_text(f, "exec"),
                              .config = config_of(a, p, f),
                              .selectors = node_getz(f, "selectors"),
                              .exclude = node_getz(f, "exclude")};
}

static void set_text(struct arena *a, struct node *map, const char *key, struct str value)
{
    if (value.len) {
        node_set_strz(a, map, key, value);
    }
}

static struct node *errors_of(struct arena *a, const struct node *results)
{
    struct node *out = node_list(a);
    for (size_t i = 0; i < results->n; i++) {
        if (str_eqz(node_text(node_getz(results->items[i], "severity")), "error")) {
            node_push(a, out, results->items[i]);
        }
    }
    return out;
}

/* error: of a function that did not run, or whose output is not accepted. */
static void record(struct arena *a, struct eval_log *log, struct node *steps,
                   const struct eval_step *step, const struct eval_result *r, struct str error)
{
    struct node *s = node_map(a);
    const char *what = r->exec ? "exec" : "image";
    set_text(a, s, "name", step->name);
    set_text(a, s, what, r->image.len ? r->image : step->image);
    set_text(a, s, "executionError", error);
    set_text(a, s, "stderr", error.len ? STR_NULL : r->log);
    node_setz(a, s, "exitCode", node_int(a, error.len ? 1 : r->exit_code));
    if (!error.len && r->results->n) {
        struct node *errors = errors_of(a, r->results);
        node_setz(a, s, "results", r->results);
        if (errors->n) {
            node_setz(a, s, "errorResults", errors);
        }
    }
    node_push(a, steps, s);
    if (r->ran) {
        struct node *item = node_map(a);
        set_text(a, item, what, r->image);
        set_text(a, item, "stderr", r->log);
        node_setz(a, item, "exitCode", node_int(a, r->exit_code));
        if (r->results->n) {
            node_setz(a, item, "results", r->results);
        }
        node_push(a, log->items, item);
    }
}

/* What a failed function means for its pipeline. */
static int function_failed(const struct eval_options *o, const struct eval_result *r,
                           struct err *err)
{
    if (!r->ran) {
        return err_set(err, ERR_INVALID, "%.*s", STR_ARG(r->error));
    }
    if (o->local) {
        return err_set(err, ERR_INVALID, "already handled error");
    }
    return err_set(err, ERR_INVALID, "func eval \"%.*s\" failed: %.*s", STR_ARG(r->image),
                   STR_ARG(r->error));
}

static int accept(struct arena *a, struct str package, struct node *items, struct node **selected,
                  const struct place *places, size_t n, struct node *output, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (holds(output, selected[i]) && reconcile(a, selected[i], &places[i], err)) {
            return -1;
        }
    }
    AUTO_MAP known = MAP_INIT;
    for (size_t i = 0; i < n; i++) {
        map_set(&known, (struct str){(char *)&selected[i], sizeof(selected[i])}, output);
    }
    for (size_t i = 0; i < output->n; i++) {
        struct str key = {(char *)&output->items[i], sizeof(output->items[i])};
        if (!map_has(&known, key) && settle_new(a, output->items[i], package, err)) {
            return -1;
        }
    }
    if (check_resources(output, "output", err)) {
        return -1;
    }
    merge_back(a, items, selected, n, output);
    return check_places(a, items, err);
}

static struct node *copy_items(struct arena *a, const struct node *items)
{
    struct node *out = node_list(a);
    for (size_t i = 0; i < items->n; i++) {
        node_push(a, out, node_copy(a, items->items[i]));
    }
    return out;
}

/* What messages call the function of a step. */
static struct str reference_of(const struct eval_options *o, struct arena *a,
                               const struct eval_step *step)
{
    AUTO_ERR unknown = ERR_INIT; /* eval_one says it */
    struct eval_image image = {.reference = step->image};
    if (!step->exec.len) {
        (void)eval_image_resolve(o->catalog, a, step->image, step->tag, o->image_prefix, &image,
                                 &unknown);
    }
    return step->exec.len ? step->exec : image.reference;
}

static int apply_to(const struct eval_options *o, struct arena *a, const struct eval_step *step,
                    struct str package, bool mutate, struct node *items, struct node *list,
                    struct eval_result *out, struct err *err)
{
    size_t n = list->n;
    struct node **selected = arena_array(a, struct node *, n);
    struct place *places = arena_array(a, struct place, n);
    for (size_t i = 0; i < n; i++) {
        selected[i] = list->items[i];
        places[i] = (struct place){krm_annotation(list->items[i], KRM_PATH),
                                   krm_annotation(list->items[i], KRM_INDEX)};
    }
    struct node *output = mutate ? list : copy_items(a, list);
    if (eval_one(o, a, step, output, out, err) || out->exit_code) {
        return -1;
    }
    return mutate ? accept(a, package, items, selected, places, n, output, err) : 0;
}

int eval_apply(const struct eval_options *o, struct arena *a, const struct eval_step *step,
               struct str package, bool mutate, struct node *items, struct eval_result *out,
               struct err *err)
{
    const struct eval_progress *p = o->progress;
    *out = (struct eval_result){
        .image = step->exec.len ? step->exec : step->image,
        .exec = step->exec.len > 0,
        .results = node_list(a)};
    struct node *list = select_items(a, step, items);
    if (p) {
        bool chosen = node_is(step->selectors, NODE_LIST) || node_is(step->exclude, NODE_LIST);
        out->image = reference_of(o, a, step);
        p->starts(p->ctx, out, chosen ? (int64_t)list->n : -1);
    }
    int rc = check_resources(list, "input", err);
    rc = rc ? rc : check_double(o, step, items, err);
    rc = rc ? rc : apply_to(o, a, step, package, mutate, items, list, out, err);
    if (p) {
        p->ends(p->ctx, out, rc && err->message ? str_of(err->message) : STR_NULL);
    }
    return rc;
}

static int run_step(const struct eval_options *o, struct arena *a, struct eval_package *p,
                    const struct node *f, bool mutate, struct eval_log *log, struct err *err)
{
    struct node *steps = mutate ? log->mutations : log->validations;
    struct eval_step step = step_of(a, p, f);
    struct eval_result r;
    struct node *before = mutate && log->save ? copy_items(a, p->current) : NULL;
    int rc = eval_apply(o, a, &step, p->path, mutate, p->current, &r, err);
    if (r.exit_code) {
        record(a, log, steps, &step, &r, r.ran ? STR_NULL : r.error);
        if (o->local && err->message) {
            return -1; /* nobody has said it yet */
        }
        err_drop(err);
        return function_failed(o, &r, err);
    }
    record(a, log, steps, &step, &r, rc ? arena_str(a, str_of(err->message)) : STR_NULL);
    if (rc && before) {
        p->current = before;
    }
    log->n_functions += rc == 0;
    return rc;
}

/* A step that cannot even be made fails the pipeline before its first function. */
static int check_steps(const struct eval_options *o, struct arena *a, const struct eval_package *p,
                       const struct node *list, struct node *steps, struct eval_log *log,
                       struct err *err)
{
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        struct eval_step step = step_of(a, p, list->items[i]);
        struct eval_result r = {.image = step.exec.len ? step.exec : step.image,
                                .exec = step.exec.len > 0,
                                .results = node_list(a)};
        struct eval_image image;
        int rc = step.exec.len
                     ? (o->allow_exec
                            ? 0
                            : err_set(err, ERR_FORBIDDEN,
                                      "must run with `--allow-exec` option to allow running "
                                      "function binaries"))
                     : eval_image_resolve(o->catalog, a, step.image, step.tag, o->image_prefix,
                                          &image, err);
        if (rc) {
            record(a, log, steps, &step, &r, arena_str(a, str_of(err->message)));
            return -1;
        }
    }
    return 0;
}

int eval_pipeline_run(const struct eval_options *o, struct arena *a, struct eval_package *p,
                      struct eval_log *log, bool *plain, struct err *err)
{
    const struct node *pipeline = node_getz(p->kptfile, "pipeline");
    const struct node *mutators = node_getz(pipeline, "mutators");
    const struct node *validators = node_getz(pipeline, "validators");
    size_t n_mutators = node_is(mutators, NODE_LIST) ? mutators->n : 0;
    size_t n_validators = node_is(validators, NODE_LIST) ? validators->n : 0;
    *plain = true;
    if (check_config_paths(a, p, "mutators", mutators, err) ||
        check_config_paths(a, p, "validators", validators, err)) {
        return -1;
    }
    if (n_mutators + n_validators == 0) {
        return check_resources(p->current, "input", err);
    }
    *plain = false;
    if (check_steps(o, a, p, mutators, log->mutations, log, err)) {
        return -1;
    }
    for (size_t i = 0; i < n_mutators; i++) {
        if (run_step(o, a, p, mutators->items[i], true, log, err)) {
            return -1;
        }
    }
    if (check_steps(o, a, p, validators, log->validations, log, err)) {
        return -1;
    }
    for (size_t i = 0; i < n_validators; i++) {
        if (run_step(o, a, p, validators->items[i], false, log, err)) {
            return -1;
        }
    }
    return 0;
}
