/* SPDX-License-Identifier: Apache-2.0
 *
 * See patch.h: a visitor over the walk of merges, with the patch in the place of upstream.
 */
#include "krm/patch.h"

#include "data/yaml_doc.h"
#include "krm/merge_walk.h"
#include "krm/tree.h"

#define DIRECTIVE STR("$patch")

/* --- directives --- */

static enum krm_directive word(struct str s, struct err *err)
{
    if (str_eqz(s, "delete")) {
        return KRM_DELETE;
    }
    if (str_eqz(s, "replace")) {
        return KRM_REPLACE;
    }
    if (str_eqz(s, "merge")) {
        return KRM_MERGE;
    }
    err_set(err, ERR_INVALID, "unknown patch strategy '%.*s'", STR_ARG(s));
    return KRM_DIRECTIVE_UNKNOWN;
}

/* Only an element that is nothing but a directive speaks about its list. */
static enum krm_directive of_list(struct node *list, struct err *err)
{
    const struct node *v = NULL;
    for (size_t i = 0; i < list->n && !v; i++) {
        const struct node *e = list->items[i];
        v = node_get(e, DIRECTIVE);
        if (v && e->n > 1) {
            return KRM_MERGE;
        }
    }
    if (krm_tree_none(v)) {
        return KRM_MERGE;
    }
    struct str text = krm_tree_text(v);
    enum krm_directive d = word(text, err);
    for (size_t i = list->n; d != KRM_DIRECTIVE_UNKNOWN && i > 0; i--) {
        const struct node *said = node_get(list->items[i - 1], DIRECTIVE);
        if (said && str_eq(krm_tree_text(said), text)) {
            node_remove(list, i - 1);
        }
    }
    return d;
}

enum krm_directive krm_patch_directive(struct node *patch, struct err *err)
{
    if (!patch) {
        return KRM_MERGE;
    }
    if (patch->type == NODE_LIST) {
        return of_list(patch, err);
    }
    if (patch->type != NODE_MAP) {
        AUTO_BUF text = BUF_INIT;
        yaml_write_node(&text, patch, &(struct yaml_form){0});
        err_set(err, ERR_INVALID, "no implemented strategic merge patch strategy for '%s' ('%s')",
                patch->type == NODE_NULL ? "!!null" : "!!str", text.ptr ? text.ptr : "");
        return KRM_DIRECTIVE_UNKNOWN;
    }
    const struct node *v = node_get(patch, DIRECTIVE);
    if (krm_tree_none(v)) {
        return KRM_MERGE;
    }
    enum krm_directive d = word(krm_tree_text(v), err);
    if (d != KRM_DIRECTIVE_UNKNOWN) {
        (void)node_del(patch, DIRECTIVE);
    }
    return d;
}

/* --- the visitor --- */

/* Comments of the patch win. What was an empty collection takes the patch's style. */
static void dress(struct krm_walk *w, struct node **s)
{
    struct node *to = s[OURS];
    const struct node *from = s[THEIRS];
    if (!to || !from) {
        return;
    }
    const struct node_notes *n = from->notes;
    if (n && (n->head.len || n->line.len || n->foot.len)) {
        struct node_notes *notes = arena_new(w->a, struct node_notes);
        if (!notes) {
            return;
        }
        if (to->notes) {
            *notes = *to->notes;
        }
        notes->head = n->head.len ? n->head : notes->head;
        notes->line = n->line.len ? n->line : notes->line;
        notes->foot = n->foot.len ? n->foot : notes->foot;
        to->notes = notes;
    }
    if (!krm_tree_scalar(to) && to->n == 0) {
        to->style = from->style;
    }
}

static struct node *by_directive(struct krm_walk *w, struct node **s)
{
    if (s[THEIRS] && s[THEIRS]->type == NODE_NULL) {
        return NULL;
    }
    enum krm_directive d = krm_patch_directive(s[THEIRS], w->err);
    w->failed = w->failed || d == KRM_DIRECTIVE_UNKNOWN;
    return d == KRM_DELETE ? NULL : d == KRM_REPLACE ? s[THEIRS] : s[OURS];
}

static struct node *patch_map(struct krm_walk *w, struct node **s)
{
    dress(w, s);
    if (!krm_tree_none(s[OURS])) {
        return by_directive(w, s);
    }
    if (!s[THEIRS]) {
        return s[OURS];
    }
    AUTO_ERR ignored = ERR_INIT; /* kyaml adds a patch whose directive it does not know */
    return krm_patch_directive(s[THEIRS], &ignored) == KRM_DELETE ? NULL : s[THEIRS];
}

static struct node *patch_scalar(struct krm_walk *w, struct node **s)
{
    dress(w, s);
    return s[THEIRS] ? s[THEIRS] : s[OURS];
}

static struct node *patch_list(struct krm_walk *w, struct node **s, bool merges)
{
    if (!merges) {
        return patch_scalar(w, s);
    }
    dress(w, s);
    return krm_tree_none(s[OURS]) ? s[THEIRS] : by_directive(w, s);
}

int krm_patch(struct arena *a, struct node *target, struct node *patch,
              const struct krm_patch_options *o, struct node **out, struct err *err)
{
    static const struct krm_visitor visitor = {
        .map = patch_map, .scalar = patch_scalar, .list = patch_list};
    struct krm_walk w = {.a = a,
                         .err = err,
                         .v = &visitor,
                         .infer = o->infer,
                         .kpt = true,
                         .prepend = o->prepend,
                         .keep_nulls = true};
    struct node *s[SIDES] = {[OURS] = target, [THEIRS] = patch};
    *out = krm_walk(&w, s, NULL, false);
    buf_done(&w.path);
    if (!w.failed && a->exhausted) {
        krm_walk_fail(&w, "patched resource is too large");
    }
    return w.failed ? -1 : 0;
}
