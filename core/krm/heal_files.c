/* SPDX-License-Identifier: Apache-2.0
 *
 * krm_heal_files of heal.h: which old resource heals which new one, and what text a healed file is
 * made of. The rest is done by heal.c and resources_write.c.
 */
#include "krm/heal.h"

#include "base/map.h"
#include "base/mem.h"
#include "krm/resource_part.h"

/* How many old resources of one name kpt's rule takes comments from. */
#define SOURCES 64

/* A resource of the save or of what was there before. */
struct item {
    struct node *root;
    struct str path, identity;
    bool template; /* code of ytt, whose comments mean something */
    bool used;
    size_t next_here, next_any; /* index + 1 of the next with this identity, in its file or at all */
};

struct items {
    struct item *list;
    size_t n, cap;
};

/* A file of the save. */
struct file {
    const struct krm_file *new;
    struct str old;     /* ptr NULL: new, or was not readable */
    bool old_commented; /* it had comments */
    bool commented;     /* it still has some */
    bool bare;          /* it lost all its comments */
    bool found;         /* one of its resources was in it before */
    size_t from, to;    /* its items */
};

struct job {
    struct arena *a;
    bool kpt;
    struct items old, new;
    struct file *files;
    size_t n_files;
    struct map by_path;   /* struct krm_file, as they were before the save */
    struct map here, any; /* path and identity, identity → index + 1 of the first */
};

static void job_done(struct job *j)
{
    map_done(&j->by_path);
    map_done(&j->here);
    map_done(&j->any);
}

#define AUTO_JOB AUTO(job_done) struct job

static int too_large(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "resources are too large");
}

/* --- items --- */

/* By our rules what is no resource is known by its place in its file. */
static struct str identity_of(const struct job *j, const struct node *root, struct str path,
                              size_t index)
{
    struct str version = node_text_at(root, "apiVersion"), kind = node_text_at(root, "kind");
    if (!j->kpt && (!version.len || !kind.len)) {
        return arena_printf(j->a, "%zu in %.*s", index, STR_ARG(path));
    }
    struct str ns = node_text_at(root, "metadata.namespace");
    struct str name = node_text_at(root, "metadata.name");
    return arena_printf(j->a, "%zu:%.*s%zu:%.*s%zu:%.*s%.*s", version.len, STR_ARG(version),
                        kind.len, STR_ARG(kind), ns.len, STR_ARG(ns), STR_ARG(name));
}

static bool is_template(struct str text)
{
    return str_find(text, STR("#@")) >= 0 || str_find(text, STR("#!")) >= 0;
}

static struct item *add_item(struct job *j, struct items *items)
{
    if (items->n == items->cap) {
        size_t cap = items->cap * 2 + 16;
        struct item *list = arena_array(j->a, struct item, cap);
        if (!list) {
            return NULL;
        }
        if (items->n) {
            memcpy(list, items->list, items->n * sizeof(*list));
        }
        items->list = list;
        items->cap = cap;
    }
    struct item *item = &items->list[items->n++];
    *item = (struct item){0};
    return item;
}

/* Adds the resources of a file; *commented tells whether it has a comment anywhere. */
static int add_file(struct job *j, struct items *items, const struct krm_file *file, bool annotate,
                    bool *commented, struct err *err)
{
    const struct krm_read_options o = {.annotate = annotate, .wrap_lists = !j->kpt};
    struct krm_parts parts;
    struct str where;
    struct node *roots = node_list(j->a);
    if (!roots) {
        return too_large(err);
    }
    if (krm_parts_read(j->a, file->text, &parts, &where, err)) {
        if (j->kpt) {
            return -1;
        }
        AUTO_ERR bare = ERR_INIT;
        err_move(&bare, err);
        return err_set(err, bare.kind, "%s%.*s", bare.message, STR_ARG(where));
    }
    *commented = false;
    for (size_t i = 0; i < parts.n; i++) {
        const struct krm_part *part = &parts.list[i];
        *commented = *commented || (part->root ? krm_heal_has_comments(part->root)
                                               : str_find_byte(part->text, '#') >= 0);
    }
    if (krm_parts_resources(j->a, &parts, file->path, &o, roots, err)) {
        return -1;
    }
    for (size_t i = 0, at = 0; i < parts.n; i++) {
        if (!parts.list[i].root) {
            continue;
        }
        struct item *item = add_item(j, items);
        if (!item) {
            return too_large(err);
        }
        item->root = roots->items[at];
        item->path = file->path;
        item->identity = identity_of(j, item->root, file->path, at++);
        item->template = is_template(parts.list[i].text);
    }
    return j->a->exhausted ? too_large(err) : 0;
}

static struct str local_key(struct arena *a, const struct item *item)
{
    return arena_printf(a, "%.*s\n%.*s", STR_ARG(item->path), STR_ARG(item->identity));
}

static void index_old(struct job *j)
{
    for (size_t i = j->old.n; i-- > 0;) {
        struct item *item = &j->old.list[i];
        void *self = (void *)(uintptr_t)(i + 1);
        item->next_here = (uintptr_t)map_set(&j->here, local_key(j->a, item), self);
        item->next_any = (uintptr_t)map_set(&j->any, item->identity, self);
    }
}

/* --- who heals whom --- */

/* The first unused resource of a chain, which then begins behind it; NULL: none. */
static struct item *take(struct job *j, struct map *chains, struct str key, bool here)
{
    size_t at = (uintptr_t)map_find(chains, key);
    while (at && j->old.list[at - 1].used) {
        at = here ? j->old.list[at - 1].next_here : j->old.list[at - 1].next_any;
    }
    map_set(chains, key, (void *)(uintptr_t)at);
    if (!at) {
        return NULL;
    }
    j->old.list[at - 1].used = true;
    return &j->old.list[at - 1];
}

static int heal_one(struct job *j, const struct item *old, struct item *new, bool layout,
                    struct err *err)
{
    const struct krm_heal_options o = {.kpt = j->kpt, .layout = layout};
    if (old->template || new->template) {
        return 0;
    }
    if (krm_heal_comments(j->a, old->root, new->root, &o, err)) {
        return err_wrap(err, "failed to copy comments");
    }
    if (layout) {
        krm_heal_order(j->a, old->root, new->root, &o);
    }
    return 0;
}

static int heal_as_kpt(struct job *j, struct err *err)
{
    for (size_t i = 0; i < j->new.n; i++) {
        struct item *item = &j->new.list[i];
        size_t at = (uintptr_t)map_find(&j->any, item->identity);
        for (size_t n = 0; at && n < SOURCES; n++, at = j->old.list[at - 1].next_any) {
            if (heal_one(j, &j->old.list[at - 1], item, false, err)) {
                return -1;
            }
        }
    }
    return 0;
}

/* A file that lost all its comments lost its layout, too: it was read as data. */
static bool is_bare(const struct file *f)
{
    return f->old_commented && !f->commented && !is_template(f->old) && !is_template(f->new->text);
}

static int heal_file(struct job *j, struct file *f, struct item **partners, struct err *err)
{
    for (size_t i = f->from; i < f->to; i++) {
        struct item *item = &j->new.list[i];
        struct item *old = partners[i] ? partners[i] : take(j, &j->any, item->identity, false);
        bool layout = f->bare && partners[i];
        if (old && heal_one(j, old, item, layout, err)) {
            return err_wrap(err, "%.*s", STR_ARG(f->new->path));
        }
    }
    return 0;
}

static int heal_by_default(struct job *j, struct err *err)
{
    struct item **partners = arena_array(j->a, struct item *, j->new.n);
    if (!partners && j->new.n) {
        return too_large(err);
    }
    for (size_t f = 0; f < j->n_files; f++) {
        struct file *file = &j->files[f];
        file->bare = is_bare(file);
        for (size_t i = file->from; i < file->to; i++) {
            partners[i] = take(j, &j->here, local_key(j->a, &j->new.list[i]), true);
            file->found = file->found || partners[i];
        }
    }
    for (size_t f = 0; f < j->n_files; f++) {
        if (heal_file(j, &j->files[f], partners, err)) {
            return -1;
        }
    }
    return 0;
}

/* --- files --- */

/* kpt reads all files, we those that changed. */
static int load_new(struct job *j, const struct krm_files *files, struct err *err)
{
    j->files = arena_array(j->a, struct file, files->n);
    for (size_t i = 0; j->files && i < files->n; i++) {
        const struct krm_file *file = &files->list[i];
        const struct krm_file *old = map_find(&j->by_path, file->path);
        if (!krm_is_resource_file(file->path, false)) {
            continue;
        }
        if (!j->kpt && old && str_eq(old->text, file->text)) {
            map_del(&j->by_path, file->path); /* its comments are in their place */
            continue;
        }
        struct file *f = &j->files[j->n_files++];
        *f = (struct file){.new = file, .from = j->new.n};
        if (add_file(j, &j->new, file, true, &f->commented, err)) {
            return j->kpt ? -1 : err_wrap(err, "%.*s", STR_ARG(file->path));
        }
        f->to = j->new.n;
    }
    return j->files || !files->n ? 0 : too_large(err);
}

/* By our rules a file that cannot be read has no comments to give. */
static int load_old(struct job *j, struct err *err)
{
    AUTO_MAP changed = MAP_INIT;
    struct map_entry *e;
    for (size_t i = 0; i < j->n_files; i++) {
        map_set(&changed, j->files[i].new->path, &j->files[i]);
    }
    for (size_t i = 0; (e = map_next(&j->by_path, &i)) != NULL;) {
        const struct krm_file *file = e->value;
        struct file *f = map_find(&changed, file->path);
        AUTO_ERR broken = ERR_INIT;
        bool commented;
        if (add_file(j, &j->old, file, false, &commented, &broken)) {
            if (j->kpt || broken.kind == ERR_TOO_LARGE) {
                err_move(err, &broken);
                return -1;
            }
        } else if (f) {
            f->old = file->text;
            f->old_commented = commented;
        }
    }
    return 0;
}

/* The texts that untouched lines come from. */
static int choose_sources(struct job *j, struct krm_files *keep, struct err *err)
{
    *keep = (struct krm_files){.list = arena_array(j->a, struct krm_file, j->n_files)};
    if (!keep->list && j->n_files) {
        return too_large(err);
    }
    for (size_t i = 0; i < j->n_files; i++) {
        const struct file *f = &j->files[i];
        keep->list[keep->n++] = (struct krm_file){
            f->new->path, f->bare && f->found ? f->old : f->new->text};
    }
    return 0;
}

static void drop_unchanged(const struct job *j, struct krm_files *out)
{
    AUTO_MAP texts = MAP_INIT;
    size_t n = 0;
    for (size_t i = 0; i < j->n_files; i++) {
        map_set(&texts, j->files[i].new->path, (void *)j->files[i].new);
    }
    for (size_t i = 0; i < out->n; i++) {
        const struct krm_file *was = map_find(&texts, out->list[i].path);
        if (!str_eq(was->text, out->list[i].text)) {
            out->list[n++] = out->list[i];
        }
    }
    out->n = n;
}

static int write_files(struct job *j, struct krm_files *out, struct err *err)
{
    struct krm_files keep;
    const struct krm_write_options o = {
        .keep = j->kpt ? NULL : &keep, .defects = j->kpt, .compact = j->kpt};
    struct node *items = node_list(j->a);
    for (size_t i = 0; items && i < j->new.n; i++) {
        node_push(j->a, items, j->new.list[i].root);
    }
    if (!items || choose_sources(j, &keep, err)) {
        return items ? -1 : too_large(err);
    }
    if (krm_resources_write(j->a, items, &o, out, err)) {
        return -1;
    }
    if (!j->kpt) {
        drop_unchanged(j, out);
    }
    return 0;
}

int krm_heal_files(struct arena *a, const struct krm_files *before, const struct krm_files *files,
                   bool kpt, struct krm_files *out, struct err *err)
{
    AUTO_JOB j = {.a = a, .kpt = kpt};
    for (size_t i = 0; i < before->n; i++) {
        if (krm_is_resource_file(before->list[i].path, false)) {
            map_set(&j.by_path, before->list[i].path, &before->list[i]);
        }
    }
    if (load_new(&j, files, err) || load_old(&j, err)) {
        return -1;
    }
    index_old(&j);
    if (kpt ? heal_as_kpt(&j, err) : heal_by_default(&j, err)) {
        return -1;
    }
    return write_files(&j, out, err);
}
