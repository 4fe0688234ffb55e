/* SPDX-License-Identifier: Apache-2.0
 *
 * What a three-way merge decides at each place (cad-library §3.6): upstream wins where it changed
 * something, and the report says where that cost a local change. Ours differs from kpt's only where
 * kpt loses data; each difference is a section of spec/conformance/deviations.md.
 */
#include "krm/merge_three.h"

#include "krm/tree.h"

static bool is_null(const struct node *n)
{
    return node_is(n, NODE_NULL);
}

/* Equal for the report and for deletions: scalars by text, nothing and null alike. */
static bool equal(const struct node *a, const struct node *b)
{
    if (krm_tree_none(a) || krm_tree_none(b)) {
        return krm_tree_none(a) && krm_tree_none(b);
    }
    if (krm_tree_scalar(a) && krm_tree_scalar(b)) {
        return str_eq(krm_tree_text(a), krm_tree_text(b));
    }
    return krm_tree_equal(a, b);
}

/* --- the report --- */

static void note(struct krm_walk *w, struct node **s, const char *taken, const char *reason)
{
    struct krm_three *t = w->ctx;
    struct krm_conflict line = t->line;
    line.path = arena_str(w->a, buf_str(&w->path));
    line.base = s[BASE];
    line.ours = s[OURS];
    line.theirs = s[THEIRS];
    line.taken = taken;
    line.reason = reason;
    krm_report_add(w->a, t->report, &line);
}

/* Reports what became of a place whose result is known. */
static void note_result(struct krm_walk *w, struct node **s, const struct node *out)
{
    bool ours = !equal(s[BASE], s[OURS]), theirs = !equal(s[BASE], s[THEIRS]);
    if (is_null(s[OURS]) && !is_null(s[BASE]) && krm_tree_none(out)) {
        note(w, s, "theirs", REASON_NULL);
    } else if (ours && theirs) {
        const char *reason = krm_tree_none(s[THEIRS]) ? REASON_GONE_THERE
                             : krm_tree_none(s[OURS]) ? REASON_GONE_HERE
                                                      : REASON_BOTH;
        note(w, s,
             equal(s[OURS], s[THEIRS]) ? "both"
             : equal(out, s[OURS])     ? "ours"
                                       : "theirs",
             reason);
    } else if (ours && !equal(out, s[OURS])) {
        note(w, s, "theirs", REASON_GONE_THERE);
    }
}

/* --- as kpt decides --- */

/* A null clears, unless it was one in base already. */
static bool clears(const struct krm_walk *w, const struct node *base, const struct node *side)
{
    const struct krm_three *t = w->ctx;
    return is_null(side) && (t->o->comments || !is_null(base));
}

static bool is_cleared(const struct krm_walk *w, struct node **s)
{
    return clears(w, s[BASE], s[THEIRS]) || clears(w, s[BASE], s[OURS]);
}

static struct node *map_result(struct krm_walk *w, struct node **s)
{
    if (is_cleared(w, s) || (!s[OURS] && !s[THEIRS])) {
        return NULL;
    }
    bool becomes_map = is_null(s[OURS]) && node_is(s[THEIRS], NODE_MAP) && !w->kpt;
    if (!s[OURS] || becomes_map) {
        return node_map(w->a);
    }
    return s[OURS];
}

static struct node *visit_map(struct krm_walk *w, struct node **s)
{
    struct node *out = map_result(w, s);
    if (!out && !krm_tree_none(s[OURS])) {
        note_result(w, s, out);
    } else if (is_null(s[OURS])) {
        note_result(w, s, krm_tree_none(out) ? out : s[THEIRS]);
    }
    return out;
}

/* Whether upstream changed a value that both versions of it have. */
static bool is_changed(const struct krm_walk *w, struct node **s)
{
    const struct krm_three *t = w->ctx;
    bool untouched = !s[OURS] || (t->o->comments && krm_tree_same(s[OURS], s[BASE]));
    bool scalars = krm_tree_scalar(s[BASE]) && krm_tree_scalar(s[THEIRS]);
    if (t->o->comments && (untouched || !scalars) && !krm_tree_same(s[BASE], s[THEIRS])) {
        return true;
    }
    return scalars ? !str_eq(krm_tree_text(s[BASE]), krm_tree_text(s[THEIRS]))
                   : !krm_tree_equal(s[BASE], s[THEIRS]);
}

static struct node *leaf_result(struct krm_walk *w, struct node **s)
{
    if (is_cleared(w, s)) {
        return NULL;
    }
    if (krm_tree_none(s[THEIRS]) != krm_tree_none(s[BASE])) {
        return s[THEIRS];
    }
    return !krm_tree_none(s[THEIRS]) && is_changed(w, s) ? s[THEIRS] : s[OURS];
}

/* Comments that only upstream changed follow it: they say what setters do. */
static struct node *with_comments(struct krm_walk *w, struct node **s, struct node *out)
{
    bool follows = !w->kpt && out && out == s[OURS] && s[BASE] && s[THEIRS] &&
                   krm_tree_same(s[OURS], s[BASE]) && !krm_tree_same(s[BASE], s[THEIRS]);
    return follows ? s[THEIRS] : out;
}

static struct node *visit_leaf(struct krm_walk *w, struct node **s)
{
    struct node *out = with_comments(w, s, leaf_result(w, s));
    note_result(w, s, out);
    return out;
}

static struct node *visit_list(struct krm_walk *w, struct node **s, bool merges)
{
    if (!merges) {
        return visit_leaf(w, s);
    }
    if (krm_tree_none(s[THEIRS]) && !krm_tree_none(s[BASE])) {
        note_result(w, s, NULL);
        return NULL;
    }
    return krm_tree_none(s[OURS]) ? node_list(w->a) : s[OURS];
}

/* Keys differ in comments only. */
static struct node *key_as_kpt(struct krm_walk *w, struct node **s)
{
    const struct krm_three *t = w->ctx;
    if (!s[THEIRS] != !s[BASE]) {
        return s[THEIRS];
    }
    bool untouched = !s[OURS] || (s[BASE] && krm_tree_same(s[OURS], s[BASE]));
    if (t->o->comments && s[BASE] && untouched && !krm_tree_same(s[BASE], s[THEIRS])) {
        return s[THEIRS];
    }
    return s[OURS];
}

/* --- as we decide --- */

static struct str three_way(struct str base, struct str ours, struct str theirs)
{
    return str_eq(ours, base) ? theirs : ours;
}

/* Each comment by itself: what was written here stays. */
static struct node *visit_key(struct krm_walk *w, struct node **s)
{
    static const struct node_notes none = {0};
    const struct node_notes *n[SIDES];
    if (!s[OURS] || !s[THEIRS]) {
        return s[OURS] ? s[OURS] : s[THEIRS];
    }
    for (size_t i = 0; i < SIDES; i++) {
        n[i] = s[i] && s[i]->notes ? s[i]->notes : &none;
    }
    if (n[OURS] == &none && n[THEIRS] == &none) {
        return s[OURS];
    }
    struct node *out = krm_tree_shallow(w->a, s[OURS]);
    struct node_notes *notes = arena_new(w->a, struct node_notes);
    if (!out || !notes) {
        return NULL;
    }
    notes->head = three_way(n[BASE]->head, n[OURS]->head, n[THEIRS]->head);
    notes->line = three_way(n[BASE]->line, n[OURS]->line, n[THEIRS]->line);
    notes->foot = three_way(n[BASE]->foot, n[OURS]->foot, n[THEIRS]->foot);
    out->notes = notes;
    return out;
}

static bool settle_by_rule(struct krm_walk *w, struct node **s, struct node **out)
{
    const struct krm_three *t = w->ctx;
    enum krm_rule rule =
        t->rules && w->path.len ? krm_rules_at(t->rules, buf_str(&w->path)) : RULE_NONE;
    if (rule != RULE_OURS && rule != RULE_THEIRS) {
        return false;
    }
    *out = rule == RULE_OURS ? s[OURS] : s[THEIRS];
    if (!equal(s[OURS], s[THEIRS])) {
        note(w, s, rule == RULE_OURS ? "ours" : "theirs", REASON_RULE);
    }
    return true;
}

/* Elements that one side deleted come and go as a whole, never as fragments. */
static bool settle_element(struct krm_walk *w, struct node **s, struct node **out)
{
    if (!s[BASE] || (s[OURS] && s[THEIRS])) {
        return false;
    }
    *out = !s[OURS] && !equal(s[BASE], s[THEIRS]) ? s[THEIRS] : NULL;
    note_result(w, s, *out);
    return true;
}

static bool settle(struct krm_walk *w, struct node **s, bool element, struct node **out)
{
    return settle_by_rule(w, s, out) || (element && settle_element(w, s, out));
}

static bool settle_as_kpt(struct krm_walk *w, struct node **s, bool element, struct node **out)
{
    return settle_by_rule(w, s, out);
}

static bool identifies(struct krm_walk *w, struct node **s, const char *const *keys)
{
    return krm_walk_identifies(s[OURS], keys) && krm_walk_identifies(s[BASE], keys) &&
           krm_walk_identifies(s[THEIRS], keys);
}

const struct krm_visitor krm_three_visitor = {
    .map = visit_map,
    .scalar = visit_leaf,
    .list = visit_list,
    .key = visit_key,
    .settle = settle,
    .identifies = identifies,
};

const struct krm_visitor krm_three_as_kpt = {
    .map = visit_map,
    .scalar = visit_leaf,
    .list = visit_list,
    .key = key_as_kpt,
    .settle = settle_as_kpt,
};
