/* SPDX-License-Identifier: Apache-2.0
 *
 * Merging of single resources and the report. See merge.h; the walk is in merge_walk.c, its
 * decisions in merge_three.c, files in merge_files.c.
 */
#include "krm/merge.h"

#include "krm/annotation.h"
#include "krm/identity.h"
#include "krm/merge_three.h"
#include "krm/tree.h"

/* --- the report --- */

void krm_report_add(struct arena *a, struct krm_report *r, const struct krm_conflict *line)
{
    if (!r) {
        return;
    }
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct krm_conflict *list = arena_array(a, struct krm_conflict, cap);
        if (!list) {
            return; /* arena.exhausted tells */
        }
        if (r->n) {
            memcpy(list, r->list, r->n * sizeof *list);
        }
        r->list = list;
        r->cap = cap;
    }
    r->list[r->n++] = *line;
}

void krm_report_identity(struct krm_conflict *line, const struct node *resource)
{
    struct krm_identity id;
    (void)krm_identity_of(resource, &id); /* by its stamp; a resource without meta is empty here */
    line->group = id.group;
    line->kind = id.kind;
    line->ns = id.ns;
    line->name = id.name;
}

static void set_text(struct arena *a, struct node *map, const char *key, struct str text)
{
    if (text.len) {
        node_set_strz(a, map, key, text);
    }
}

/* Values are copied: they may stand in several lines, and aliases mean nothing outside. */
static void set_value(struct arena *a, struct node *map, const char *key, const struct node *value)
{
    struct node *copy = value ? krm_tree_take(a, value) : NULL;
    if (copy) {
        node_setz(a, map, key, copy);
    }
}

struct node *krm_report_node(struct arena *a, const struct krm_report *r)
{
    struct node *out = node_list(a);
    for (size_t i = 0; out && i < r->n; i++) {
        const struct krm_conflict *c = &r->list[i];
        struct node *line = node_map(a);
        set_text(a, line, "file", c->file);
        set_text(a, line, "group", c->group);
        set_text(a, line, "kind", c->kind);
        set_text(a, line, "namespace", c->ns);
        set_text(a, line, "name", c->name);
        set_text(a, line, "path", c->path);
        set_value(a, line, "base", c->base);
        set_value(a, line, "ours", c->ours);
        set_value(a, line, "theirs", c->theirs);
        set_text(a, line, "taken", str_of(c->taken));
        set_text(a, line, "reason", str_of(c->reason));
        node_push(a, out, line);
    }
    return a->exhausted ? NULL : out;
}

/* --- one resource --- */

/* Where one side did not change anything, the other is the result as it stands. */
static bool one_sided(const struct node *base, struct node *ours, const struct node *theirs,
                      const struct node **out)
{
    if (!base || !ours || !theirs) {
        return false;
    }
    if (krm_tree_same(base, ours)) {
        *out = theirs;
    } else if (krm_tree_same(base, theirs) || krm_tree_equal(ours, theirs)) {
        *out = ours;
    } else {
        return false;
    }
    return true;
}

static int merge_walked(struct krm_walk *w, const struct node *base, struct node *ours,
                        const struct node *theirs, const struct krm_place *place, struct node **out)
{
    struct node *s[SIDES] = {
        [OURS] = ours,
        [BASE] = (struct node *)base, /* the visitors only write to ours */
        [THEIRS] = (struct node *)theirs,
    };
    *out = krm_walk(w, s, place, false);
    if (*out && *out == theirs) {
        *out = krm_tree_take(w->a, *out);
    }
    if (!w->failed && w->a->exhausted) {
        krm_walk_fail(w, "merged resource is too large");
    }
    if (!w->failed && !w->kpt && *out && !krm_tree_settle_aliases(w->a, out)) {
        krm_walk_fail(w, "aliases of the merged resource stand for too much");
    }
    return w->failed ? -1 : 0;
}

/* A rule for the resource as a whole. */
static bool ruled(struct krm_three *t, struct arena *a, const struct node *base, struct node *ours,
                  const struct node *theirs, const struct node **out)
{
    enum krm_rule rule = krm_rules_at(t->rules, STR(""));
    if (rule != RULE_OURS && rule != RULE_THEIRS) {
        return false;
    }
    *out = rule == RULE_OURS ? ours : theirs;
    if (!krm_tree_equal(ours, theirs)) {
        struct krm_conflict line = t->line;
        line.base = base;
        line.ours = ours;
        line.theirs = theirs;
        line.taken = rule == RULE_OURS ? "ours" : "theirs";
        line.reason = REASON_RULE;
        krm_report_add(a, t->report, &line);
    }
    return true;
}

int krm_three_merge(struct arena *a, const struct node *base, struct node *ours,
                    const struct node *theirs, const struct krm_place *place,
                    const struct krm_merge_options *o, const struct krm_conflict *line,
                    struct krm_report *report, struct node **out, struct err *err)
{
    const struct node *settled = NULL;
    AUTO_KRM_RULES rules = {MAP_INIT};
    struct krm_three t = {.o = o, .report = report, .line = *line, .rules = &rules};
    if (krm_rules_read(&rules, ours ? ours : theirs, o->rules, err) < 0) {
        return -1;
    }
    if (ruled(&t, a, base, ours, theirs, &settled) ||
        (!o->kpt && rules.by_path.n_live == 0 && one_sided(base, ours, theirs, &settled))) {
        bool taken = settled && settled == theirs;
        *out = taken ? krm_tree_take(a, settled) : (struct node *)settled;
        return 0;
    }
    struct krm_walk w = {.a = a, .err = err, .infer = o->infer, .kpt = o->kpt, .ctx = &t};
    w.v = o->kpt ? &krm_three_as_kpt : &krm_three_visitor;
    int rc = merge_walked(&w, base, ours, theirs, place, out);
    buf_done(&w.path);
    return rc;
}

int krm_merge_resource(struct arena *a, const struct node *base, struct node *ours,
                       const struct node *theirs, const struct krm_merge_options *o,
                       struct krm_report *report, struct node **out, struct err *err)
{
    const struct node *any = ours ? ours : theirs ? theirs : base;
    struct krm_conflict line = {.file = krm_annotation_either(any, KRM_PATH, KRM_OLD_PATH)};
    krm_report_identity(&line, any);
    return krm_three_merge(a, base, ours, theirs, NULL, o, &line, report, out, err);
}
