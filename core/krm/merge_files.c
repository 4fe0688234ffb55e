/* SPDX-License-Identifier: Apache-2.0
 *
 * Merging of the files of one package (cad-library §3.3, §3.5). A resource's path is part of what
 * it is, so every path merges by itself: the Kptfile, files of resources, and other files as a
 * whole. Without kpt, a file that one side did not touch is the other side's, byte for byte.
 */
#include "krm/annotation.h"
#include "krm/identity.h"
#include "krm/kptfile_form.h"
#include "krm/merge_three.h"
#include "krm/resource_part.h"
#include "krm/tree.h"
#include "data/yaml_doc.h"

struct job {
    struct arena *a;
    const struct krm_merge_options *o;
    struct krm_report *report;
    struct err *err;
    struct krm_files *out;
};

static void add_file(struct job *j, struct str path, struct str text)
{
    struct krm_files *f = j->out;
    if (!text.ptr) {
        return;
    }
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 16;
        struct krm_file *list = arena_array(j->a, struct krm_file, cap);
        if (!list) {
            return; /* arena.exhausted tells */
        }
        if (f->n) {
            memcpy(list, f->list, f->n * sizeof *list);
        }
        f->list = list;
        f->cap = cap;
    }
    f->list[f->n++] = (struct krm_file){path, text};
}

static void note_file(struct job *j, struct str path, const char *taken, const char *reason)
{
    struct krm_conflict line = {.file = path, .taken = taken, .reason = reason};
    krm_report_add(j->a, j->report, &line);
}

/* --- files as a whole --- */

static bool same(struct str a, struct str b)
{
    return (a.ptr != NULL) == (b.ptr != NULL) && str_eq(a, b);
}

/* Settles and reports what one side only did. False when both sides changed the file. */
static bool settle_whole(struct job *j, struct str path, const struct krm_texts *t, struct str *out)
{
    bool ours_same = same(t->base, t->ours), theirs_same = same(t->base, t->theirs);
    if (!ours_same && !theirs_same && !same(t->ours, t->theirs)) {
        return false;
    }
    *out = ours_same ? t->theirs : t->ours;
    if (!t->base.ptr && !t->ours.ptr) {
        note_file(j, path, "added", REASON_ADDED);
    } else if (t->base.ptr && t->ours.ptr && !t->theirs.ptr && ours_same) {
        note_file(j, path, "deleted", REASON_DELETED);
    } else if (t->base.ptr && !t->ours.ptr) {
        note_file(j, path, t->theirs.ptr ? "ours" : "both", REASON_STAYS_DELETED);
    } else if (!t->base.ptr && !t->theirs.ptr) {
        note_file(j, path, "ours", REASON_LOCAL);
    } else if (!ours_same && !theirs_same) {
        note_file(j, path, "both", REASON_BOTH);
    }
    return true;
}

/* Files that are no resources: what is here stays when it was changed here. */
static void merge_whole(struct job *j, struct str path, const struct krm_texts *t)
{
    struct str out;
    if (j->o->kpt && t->base.ptr && !t->ours.ptr && t->theirs.ptr) {
        note_file(j, path, "theirs", REASON_GONE_HERE); /* kpt brings them back */
        add_file(j, path, t->theirs);
        return;
    }
    if (!settle_whole(j, path, t, &out)) {
        out = t->ours;
        note_file(j, path, "ours",
                  !t->ours.ptr     ? REASON_GONE_HERE
                  : !t->theirs.ptr ? REASON_GONE_THERE
                                   : REASON_BOTH);
    }
    add_file(j, path, out);
}

/* --- resources of one path --- */

struct tuple {
    struct node *side[SIDES];
};

struct tuples {
    struct tuple *list;
    size_t n;
    struct map by_identity; /* index + 1 */
};

static void add_identity(struct buf *b, const struct krm_identity *id)
{
    const struct str *parts[] = {&id->group, &id->kind, &id->ns, &id->name};
    buf_clear(b);
    for (size_t i = 0; i < 4; i++) {
        buf_printf(b, "%zu:", parts[i]->len);
        buf_add_str(b, *parts[i]);
    }
}

static int add_side(struct job *j, struct tuples *t, enum krm_side side, const struct node *items,
                    struct str path)
{
    static const char *const names[] = {[OURS] = "dest", [BASE] = "original", [THEIRS] = "updated"};
    AUTO_BUF key = BUF_INIT;
    for (size_t i = 0; items && i < items->n; i++) {
        struct krm_identity id;
        bool known = krm_identity_of(items->items[i], &id);
        add_identity(&key, &id);
        size_t at = known ? (uintptr_t)map_find(&t->by_identity, buf_str(&key)) : 0;
        if (at == 0) {
            t->list[t->n++] = (struct tuple){{NULL}};
            at = t->n;
            (void)(known && map_set(&t->by_identity, buf_str(&key), (void *)(uintptr_t)at));
        }
        struct node **place = &t->list[at - 1].side[side];
        if (*place) {
            return err_set(j->err, ERR_INVALID,
                           "found duplicate \"%s\" resources in file \"%.*s\", please refer to "
                           "\"update\" documentation for the fix",
                           names[side], STR_ARG(path));
        }
        *place = items->items[i];
    }
    return 0;
}

/* Text without what the merge itself and attributions write. */
static void bare_text(struct arena *a, struct buf *out, struct node *n)
{
    static const char *const keys[] = {"config.kubernetes.io/merge-source",
                                       KRM_PATH,
                                       KRM_INDEX,
                                       KRM_OLD_PATH,
                                       KRM_OLD_INDEX,
                                       KRM_BLUEPRINT};
    yaml_write_node(out, krm_annotation_without(a, n, keys, 6), &(struct yaml_form){0});
}

static bool is_unchanged(struct job *j, struct node *base, struct node *ours)
{
    AUTO_BUF b = BUF_INIT;
    AUTO_BUF o = BUF_INIT;
    bare_text(j->a, &b, base);
    bare_text(j->a, &o, ours);
    return str_eq(buf_str(&b), buf_str(&o));
}

static void note_resource(struct job *j, struct str path, const struct tuple *t, const char *taken,
                          const char *reason)
{
    struct krm_conflict line = {.file = path,
                                .base = t->side[BASE],
                                .ours = t->side[OURS],
                                .theirs = t->side[THEIRS],
                                .taken = taken,
                                .reason = reason};
    krm_report_identity(&line, t->side[OURS]     ? t->side[OURS]
                               : t->side[THEIRS] ? t->side[THEIRS]
                                                 : t->side[BASE]);
    krm_report_add(j->a, j->report, &line);
}

/* A resource that is not on all sides. */
static struct node *present(struct job *j, struct str path, const struct tuple *t)
{
    struct node *base = t->side[BASE], *ours = t->side[OURS], *theirs = t->side[THEIRS];
    if (!ours && !theirs) {
        return NULL;
    }
    if (!ours && base) {
        note_resource(j, path, t, "ours", REASON_STAYS_DELETED);
        return NULL;
    }
    if (!ours) {
        note_resource(j, path, t, "added", REASON_ADDED);
        return theirs;
    }
    if (base && !theirs && is_unchanged(j, base, ours)) {
        note_resource(j, path, t, "deleted", REASON_DELETED);
        return NULL;
    }
    if (base) {
        note_resource(j, path, t, "ours", REASON_GONE_THERE);
    }
    return ours;
}

/* The rule of a user for a resource that one side lacks. */
static int present_or_ruled(struct job *j, struct str path, const struct tuple *t,
                            struct node **out)
{
    const struct node *any = t->side[OURS] ? t->side[OURS] : t->side[THEIRS];
    AUTO_KRM_RULES rules = {MAP_INIT};
    if (krm_rules_read(&rules, any, j->o->rules, j->err) < 0) {
        return -1;
    }
    enum krm_rule rule = t->side[BASE] ? krm_rules_at(&rules, STR("")) : RULE_NONE;
    if (rule != RULE_OURS && rule != RULE_THEIRS) {
        *out = present(j, path, t);
        return 0;
    }
    *out = t->side[rule == RULE_OURS ? OURS : THEIRS];
    note_resource(j, path, t, rule == RULE_OURS ? "ours" : "theirs", REASON_RULE);
    return 0;
}

static int merge_tuple(struct job *j, struct str path, const struct tuple *t, struct node *items)
{
    struct node *base = t->side[BASE], *ours = t->side[OURS], *theirs = t->side[THEIRS],
                *out = NULL;
    if (ours && theirs) {
        struct krm_conflict line = {.file = path};
        krm_report_identity(&line, ours);
        if (krm_three_merge(j->a, base, ours, theirs, NULL, j->o, &line, j->report, &out, j->err) <
            0) {
            return -1;
        }
    } else if ((ours || theirs) && present_or_ruled(j, path, t, &out) < 0) {
        return -1;
    }
    if (out && j->o->kpt && out->notes) { /* kpt loses what stands around a document */
        out->notes->top = out->notes->bottom = STR_NULL;
    }
    if (out) {
        node_push(j->a, items, out);
    }
    return 0;
}

static int merge_items(struct job *j, struct str path, struct node *const *sides,
                       struct node *merged)
{
    static const enum krm_side order[] = {BASE, THEIRS, OURS};
    size_t n = 0;
    for (size_t i = 0; i < SIDES; i++) {
        n += sides[i] ? sides[i]->n : 0;
    }
    struct tuples t = {.list = arena_array(j->a, struct tuple, n)};
    int rc = t.list || n == 0 ? 0 : err_set(j->err, ERR_TOO_LARGE, "package is too large");
    for (size_t i = 0; rc == 0 && i < SIDES; i++) {
        rc = add_side(j, &t, order[i], sides[order[i]], path);
    }
    for (size_t i = 0; rc == 0 && i < t.n; i++) {
        rc = merge_tuple(j, path, &t.list[i], merged);
    }
    map_done(&t.by_identity);
    return rc;
}

static const struct krm_read_options read_options = {
    .annotate = true, .detect_wide = true, .wrap_lists = true};

static int read_side(struct job *j, struct str path, struct str text, struct node **out,
                     struct err *err)
{
    struct krm_file file = {path, text};
    struct krm_files files = {&file, 1, 1};
    *out = NULL;
    return text.ptr ? krm_resources_read(j->a, &files, &read_options, out, NULL, err) : 0;
}

/* Our side, and what it is now: merging changes it and writing wants to know what changed. */
static int read_ours(struct job *j, struct krm_file *file, struct node **out, struct err *err)
{
    struct krm_parts parts;
    struct str where;
    if (j->o->kpt || !file->text.ptr) {
        return read_side(j, file->path, file->text, out, err);
    }
    *out = node_list(j->a);
    if (!*out || krm_parts_read(j->a, file->text, &parts, &where, err) < 0) {
        return -1;
    }
    file->parts = krm_parts_snapshot(j->a, &parts);
    return krm_parts_resources(j->a, &parts, file->path, &read_options, *out, err);
}

static int read_sides(struct job *j, const struct krm_texts *t, struct krm_file *ours,
                      struct node **s, struct err *err)
{
    return read_side(j, ours->path, t->base, &s[BASE], err) < 0 ||
                   read_side(j, ours->path, t->theirs, &s[THEIRS], err) < 0 ||
                   read_ours(j, ours, &s[OURS], err) < 0
               ? -1
               : 0;
}

static int write_path(struct job *j, struct krm_file *ours, const struct node *items)
{
    struct krm_files keep = {ours, 1, 1}, written = {0};
    struct krm_write_options o = {.defects = j->o->kpt};
    if (!j->o->kpt && ours->text.ptr) {
        o.keep = &keep;
    }
    if (items->n && krm_resources_write(j->a, items, &o, &written, j->err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < written.n; i++) {
        add_file(j, written.list[i].path, written.list[i].text);
    }
    return 0;
}

static bool has_items(struct node *const *sides)
{
    return (sides[OURS] && sides[OURS]->n) || (sides[BASE] && sides[BASE]->n) ||
           (sides[THEIRS] && sides[THEIRS]->n);
}

static bool has_rules(const struct job *j, struct str ours)
{
    return j->o->rules.len || str_find(ours, STR(KRM_RULES_ANNOTATION)) >= 0;
}

static int merge_resources(struct job *j, struct str path, const struct krm_texts *t)
{
    struct node *sides[SIDES], *merged = node_list(j->a);
    struct str out;
    if (!j->o->kpt && !has_rules(j, t->ours) && settle_whole(j, path, t, &out)) {
        add_file(j, path, out);
        return 0;
    }
    AUTO_ERR err = ERR_INIT;
    struct krm_file ours = {.path = path, .text = t->ours};
    if (read_sides(j, t, &ours, sides, &err) < 0) {
        if (j->o->kpt) {
            return err_move(j->err, &err);
        }
        note_file(j, path, "ours", REASON_UNREAD);
        add_file(j, path, t->ours);
        return 0;
    }
    if (!has_items(sides)) { /* comments only: kpt leaves such files alone */
        if (j->o->kpt) {
            add_file(j, path, t->ours);
        } else {
            merge_whole(j, path, t);
        }
        return 0;
    }
    if (merge_items(j, path, sides, merged) < 0) {
        return -1;
    }
    if (j->o->kpt && t->ours.ptr && !(sides[OURS] && sides[OURS]->n) && merged->n == 0) {
        add_file(j, path, t->ours);
        return 0;
    }
    return write_path(j, &ours, merged);
}

/* --- all files --- */

static int merge_path(struct job *j, struct str path, const struct krm_texts *t)
{
    if (str_eqz(path, KPTFILE_NAME)) {
        struct str out;
        if (krm_merge_kptfile(j->a, t, !j->o->is_root, j->o, j->report, &out, j->err) < 0) {
            return -1;
        }
        add_file(j, path, out);
        return 0;
    }
    if (krm_is_resource_file(path, false)) {
        return merge_resources(j, path, t);
    }
    if (str_find(path, STR(".git")) >= 0) {
        add_file(j, path, t->ours);
    } else {
        merge_whole(j, path, t);
    }
    return 0;
}

/* The rules of the package, from its Kptfile here. */
static struct str package_rules(struct arena *a, const struct krm_files *ours)
{
    for (size_t i = 0; i < ours->n; i++) {
        struct yaml_docs docs = {0};
        AUTO_ERR broken = ERR_INIT; /* the merge of the Kptfile says so */
        if (str_eqz(ours->list[i].path, KPTFILE_NAME) &&
            str_find(ours->list[i].text, STR(KRM_RULES_ANNOTATION)) >= 0 &&
            yaml_read(a, ours->list[i].text, NULL, &docs, NULL, &broken) == 0 && docs.n) {
            return krm_annotation(docs.list[0].root, KRM_RULES_ANNOTATION);
        }
    }
    return STR_NULL;
}

static bool takes_path(const struct krm_files *f, size_t at, struct str path, struct str *text)
{
    bool here = at < f->n && str_eq(f->list[at].path, path);
    *text = !here ? STR_NULL : f->list[at].text.ptr ? f->list[at].text : STR("");
    return here;
}

static const struct str *least(const struct krm_files *const *f, const size_t *at)
{
    const struct str *out = NULL;
    for (size_t i = 0; i < SIDES; i++) {
        const struct str *path = at[i] < f[i]->n ? &f[i]->list[at[i]].path : NULL;
        out = path && (!out || str_cmp(*path, *out) < 0) ? path : out;
    }
    return out;
}

int krm_merge_files(struct arena *a, const struct krm_files *base, const struct krm_files *ours,
                    const struct krm_files *theirs, const struct krm_merge_options *o,
                    struct krm_files *out, struct krm_report *report, struct err *err)
{
    struct krm_merge_options with_rules = *o;
    if (!o->rules.ptr) {
        with_rules.rules = package_rules(a, ours);
    }
    struct job j = {.a = a, .o = &with_rules, .report = report, .err = err, .out = out};
    const struct krm_files *const f[SIDES] = {[OURS] = ours, [BASE] = base, [THEIRS] = theirs};
    size_t at[SIDES] = {0};
    const struct str *path;
    *out = (struct krm_files){0};
    while ((path = least(f, at))) {
        struct krm_texts t;
        struct str here = *path;
        at[BASE] += takes_path(base, at[BASE], here, &t.base);
        at[OURS] += takes_path(ours, at[OURS], here, &t.ours);
        at[THEIRS] += takes_path(theirs, at[THEIRS], here, &t.theirs);
        if (merge_path(&j, here, &t) < 0) {
            return -1;
        }
    }
    return a->exhausted ? err_set(err, ERR_TOO_LARGE, "merged package is too large") : 0;
}
