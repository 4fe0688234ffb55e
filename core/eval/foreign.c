/* SPDX-License-Identifier: Apache-2.0
 *
 * A function outside of this process: resources as a ResourceList on its input, its output matched
 * to them by id, with the comments and the order that they had (cad-library §4.5).
 */
#include "data/yaml_doc.h"
#include "eval/priv.h"
#include "krm/annotation.h"
#include "krm/heal.h"

#define MIGRATION_ID "internal.config.kubernetes.io/annotations-migration-resource-id"

static const char *const ids[] = {MIGRATION_ID, KRM_ID, KRM_OLD_ID};
#define N_IDS (sizeof(ids) / sizeof(*ids))

static int write_input(struct arena *a, const struct node *items, const struct node *config,
                       struct str *out, struct err *err)
{
    struct node *list = node_map(a), *copies = node_list(a);
    node_setz(a, list, "apiVersion", node_strz(a, "config.kubernetes.io/v1"));
    node_setz(a, list, "kind", node_strz(a, "ResourceList"));
    node_setz(a, list, "items", copies);
    for (size_t i = 0; i < items->n; i++) {
        struct node *copy = node_copy(a, items->items[i]);
        for (size_t k = 0; copy && k < N_IDS; k++) {
            if (krm_annotation_set(a, copy, ids[k], arena_printf(a, "%zu", i + 1), err)) {
                return -1;
            }
        }
        node_push(a, copies, copy);
    }
    if (config) {
        node_setz(a, list, "functionConfig", (struct node *)config);
    }
    AUTO_BUF text = BUF_INIT;
    yaml_write_node(&text, list, &(struct yaml_form){0});
    *out = arena_str(a, buf_str(&text));
    return a->exhausted ? err_set(err, ERR_TOO_LARGE, "resources are too large") : 0;
}

static struct node *input_of(const struct node *items, const struct node *output)
{
    int64_t id;
    struct str text = krm_annotation_either(output, KRM_ID, KRM_OLD_ID);
    bool known = str_to_int64(text, &id) && id >= 1 && (uint64_t)id <= items->n;
    return known ? items->items[id - 1] : NULL;
}

/* The output's items: what did not change is the node that it was. */
static int take_items(const struct eval_options *o, struct arena *a, const struct node *output,
                      struct node *items, struct err *err)
{
    const struct krm_heal_options with = {.kpt = o->kpt, .item = true, .layout = !o->kpt};
    struct node *list = node_list(a);
    size_t n = node_is(output, NODE_LIST) ? output->n : 0;
    struct node **inputs = arena_array(a, struct node *, n);
    for (size_t i = 0; i < n; i++) {
        struct node *now = output->items[i];
        inputs[i] = input_of(items, now);
        now = krm_annotation_without(a, now, ids, N_IDS);
        if (inputs[i] && krm_heal_comments(a, inputs[i], now, &with, err)) {
            return -1;
        }
        if (inputs[i]) {
            krm_heal_order(a, inputs[i], now, &with);
        }
        node_push(a, list, now);
    }
    for (size_t i = 0; i < n; i++) { /* an item stays the node it was: that is its identity */
        if (inputs[i] && (o->kpt || !node_equal(inputs[i], list->items[i]))) {
            *inputs[i] = *list->items[i];
        }
        list->items[i] = inputs[i] ? inputs[i] : list->items[i];
    }
    *items = *list;
    return 0;
}

static void move_member(struct arena *a, struct node *in, const char *from, struct node *to,
                        const char *key)
{
    struct node *value = node_getz(in, from);
    if (value) {
        node_delz(in, from);
        if (!node_is(value, NODE_STRING) || value->text.len) {
            node_setz(a, to, key, value);
        }
    }
}

static void take_results(struct arena *a, struct node *results, struct node *out)
{
    struct node *list = node_is(results, NODE_MAP) ? node_getz(results, "items") : results;
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        struct node *r = list->items[i], *ref = node_getz(r, "resourceRef");
        struct node *field = node_getz(r, "field"), *meta = node_getz(ref, "metadata");
        if (meta) { /* older SDKs */
            move_member(a, meta, "name", ref, "name");
            move_member(a, meta, "namespace", ref, "namespace");
            node_delz(ref, "metadata");
        }
        if (field) {
            move_member(a, field, "suggestedValue", field, "proposedValue");
        }
        node_push(a, out, r);
    }
}

static int take_output(const struct eval_options *o, struct arena *a, struct str text,
                       struct node *items, struct eval_result *out, struct err *err)
{
    struct yaml_docs docs = {0};
    if (yaml_read(a, text, NULL, &docs, NULL, err)) {
        return -1;
    }
    struct node *root = docs.n == 1 ? docs.list[0].root : NULL;
    bool list = str_eqz(node_text_at(root, "kind"), "ResourceList");
    if (list) {
        take_results(a, node_getz(root, "results"), out->results);
    }
    if (out->exit_code) {
        return 0;
    }
    if (list) {
        return take_items(o, a, node_getz(root, "items"), items, err);
    }
    if (!o->kpt) {
        return err_set(err, ERR_INVALID, "function output is not a ResourceList");
    }
    struct node *all = node_list(a);
    for (size_t i = 0; i < docs.n; i++) {
        if (docs.list[i].root->type != NODE_NULL) {
            node_push(a, all, docs.list[i].root);
        }
    }
    return take_items(o, a, all, items, err);
}

static int failed(struct arena *a, struct eval_result *out, struct err *err)
{
    out->exit_code = 1;
    out->error = arena_str(a, str_of(err->message));
    return -1;
}

/* A server says what Porch says, whose functions are behind a runner (runner-oci §1.3). */
static int as_runner(const struct eval_options *o, struct err *err)
{
    AUTO_ERR own = ERR_INIT;
    if (o->local) {
        return -1;
    }
    err_move(&own, err);
    return err_set(err, own.kind, "rpc error: code = %s desc = %s",
                   own.kind == ERR_NOT_FOUND ? "NotFound" : "Internal", own.message);
}

static struct str failure(const struct eval_options *o, struct arena *a,
                          const struct eval_result *r)
{
    if (o->local) {
        return r->log.len ? r->log : STR("error: function failure");
    }
    return arena_printf(a,
                        "rpc error: code = Internal desc = Failed to execute function \"%.*s\": "
                        "exit status %d (%.*s)",
                        STR_ARG(r->image), r->exit_code, STR_ARG(r->log));
}

int eval_foreign_run(const struct eval_options *o, struct arena *a, const struct eval_call *call,
                     const struct eval_step *step, struct node *items, struct eval_result *out,
                     struct err *err)
{
    struct eval_call with = *call;
    struct eval_answer answer = {0};
    with.deadline_ns = o->deadline_ns;
    with.kpt = o->kpt;
    int rc = write_input(a, items, step->config, &with.input, err);
    if (rc == 0) {
        rc = o->runner ? o->runner->run(o->runner->ctx, a, &with, &answer, err)
                       : err_set(err, ERR_NOT_FOUND, "function \"%.*s\" not found",
                                 STR_ARG(out->image));
        rc = rc ? as_runner(o, err) : 0;
    }
    if (rc) {
        return failed(a, out, err);
    }
    out->exit_code = answer.exit_code;
    out->log = answer.log;
    if (take_output(o, a, answer.output, items, out, err)) {
        if (!answer.exit_code) {
            return failed(a, out, err);
        }
        err_drop(err); /* a function that failed need not write anything */
    }
    if (out->exit_code) {
        out->error = failure(o, a, out);
    }
    return 0;
}
