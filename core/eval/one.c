/* SPDX-License-Identifier: Apache-2.0
 *
 * One function over resources: what it is given, what became of it, and what is put back when it
 * fails. Comments that a function lost come back from the copy of what it changed.
 */
#include "base/clock.h"
#include "eval/priv.h"
#include "krm/annotation.h"
#include "krm/heal.h"

static int heal(const struct eval_options *o, struct arena *a, const struct eval_function *f,
                const struct eval_touched *t, const struct node *items, struct err *err)
{
    const struct krm_heal_options with = {.kpt = o->kpt, .item = true};
    for (size_t i = 0; i < items->n; i++) {
        const struct node *before = eval_touched_before(t, items->items[i]);
        if (!before) {
            continue;
        }
        if (krm_heal_comments(a, before, items->items[i], &with, err)) {
            return -1;
        }
        if (!f->reorders) {
            krm_heal_order(a, before, items->items[i], &with);
        }
    }
    return 0;
}

/* kpt hands functions resources without their documents: what stood at the document stands at the
 * resource then. */
static void leave_documents(const struct node *items)
{
    for (size_t i = 0; i < items->n; i++) {
        struct node_notes *n = items->items[i]->notes;
        if (n) {
            n->head = n->head.len ? n->head : n->top;
            n->foot = n->foot.len ? n->foot : n->bottom;
            n->top = n->bottom = STR_NULL;
        }
    }
}

static int run_builtin(const struct eval_options *o, struct arena *a, const struct eval_image *image,
                       const struct eval_step *step, struct node *items, struct eval_result *out,
                       struct err *err)
{
    struct eval_touched touched = {.a = a};
    struct eval_builtin job = {
        .items = items, .config = step->config, .version = image->version, .results = out->results};
    size_t n = items->n;
    struct node **list = arena_array(a, struct node *, n);
    if (n) {
        memcpy(list, items->items, n * sizeof(*list));
    }
    int rc = eval_builtin_run(o, a, image->function, &job, &touched, err);
    if (rc == 0 && !job.failed) {
        if (o->kpt) {
            leave_documents(items);
        }
        rc = heal(o, a, image->function, &touched, items, err);
    }
    if (rc || job.failed) {
        eval_touched_undo(&touched);
        items->items = list;
        items->n = items->cap = (uint32_t)n;
        out->exit_code = 1;
        out->error = rc ? arena_str(a, str_of(err->message)) : job.failure;
        out->log = out->error;
    }
    eval_touched_done(&touched);
    return rc;
}

static int refuse(struct arena *a, struct eval_result *out, struct err *err)
{
    out->exit_code = 1;
    out->error = arena_str(a, str_of(err->message));
    return -1;
}

int eval_one(const struct eval_options *o, struct arena *a, const struct eval_step *step,
             struct node *items, struct eval_result *out, struct err *err)
{
    int64_t start = clock_mono_ns();
    *out = (struct eval_result){
        .image = step->exec, .exec = step->exec.len > 0, .results = node_list(a)};
    if (out->exec) {
        if (!o->allow_exec) {
            err_set(err, ERR_FORBIDDEN,
                    "must run with `--allow-exec` option to allow running function binaries");
            return refuse(a, out, err);
        }
        out->ran = true;
        struct eval_call call = {.exec = step->exec};
        int rc = eval_foreign_run(o, a, &call, step, items, out, err);
        out->ns = clock_mono_ns() - start;
        return rc;
    }
    struct eval_image image;
    if (eval_image_resolve(o->catalog, a, step->image, step->tag, o->image_prefix, &image, err)) {
        return refuse(a, out, err);
    }
    out->image = image.reference;
    out->ran = true;
    int rc;
    if (image.function && !image.function->program.len) {
        rc = run_builtin(o, a, &image, step, items, out, err);
    } else {
        struct eval_call call = {.image = image.reference, .version = image.version};
        call.program = image.function ? image.function->program : STR_NULL;
        rc = eval_foreign_run(o, a, &call, step, items, out, err);
    }
    out->ns = clock_mono_ns() - start;
    return rc;
}
