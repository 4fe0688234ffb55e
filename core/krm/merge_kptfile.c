/* SPDX-License-Identifier: Apache-2.0
 *
 * Merging of Kptfiles (merge.h). As kpt does it: from struct to struct, functions paired by name or
 * by image, comments lost. As we do it: on the tree of our file, functions paired by what is known
 * of them, so that no naming makes it fail or doubles a function.
 */
#include "krm/annotation.h"
#include "krm/kptfile_form.h"
#include "krm/merge_three.h"
#include "krm/tree.h"

static const char *const LISTS[] = {"mutators", "validators"};

/* exec, or image up to the first colon. */
static struct str function_key(const struct node *function)
{
    struct str exec = krm_tree_text(node_getz(function, "exec"));
    struct str image = krm_tree_text(node_getz(function, "image")), key = exec;
    return exec.len ? exec : (str_split(&image, ':', &key), key);
}

static struct node *functions_of(const struct node *kptfile, size_t list)
{
    struct node *n = node_getz(node_getz(kptfile, "pipeline"), LISTS[list]);
    return node_is(n, NODE_LIST) ? n : NULL;
}

/* --- as kpt --- */

#define SYNTHETIC "_kpt-merge_"

static bool wants_names(const struct node *kptfile)
{
    for (size_t l = 0; l < 2; l++) {
        const struct node *list = functions_of(kptfile, l);
        AUTO_MAP seen = MAP_INIT;
        for (size_t i = 0; list && i < list->n; i++) {
            struct node *f = list->items[i];
            if (node_getz(f, "name") || map_set(&seen, function_key(f), f)) {
                return false;
            }
        }
    }
    return true;
}

static void add_names(struct arena *a, const struct node *kptfile)
{
    for (size_t l = 0; l < 2; l++) {
        const struct node *list = functions_of(kptfile, l);
        for (size_t i = 0; list && i < list->n; i++) {
            struct str key = function_key(list->items[i]);
            node_setz(a, list->items[i], "name",
                      node_str(a, arena_printf(a, SYNTHETIC "%.*s", STR_ARG(key))));
        }
    }
}

static void drop_names(const struct node *kptfile)
{
    for (size_t l = 0; l < 2; l++) {
        const struct node *list = functions_of(kptfile, l);
        for (size_t i = 0; list && i < list->n; i++) {
            if (str_has_prefix(node_text(node_getz(list->items[i], "name")), STR(SYNTHETIC))) {
                (void)node_delz(list->items[i], "name");
            }
        }
    }
}

/* The merged parts of from into the Kptfile `to`, whose other parts stay. */
static struct node *join_forms(struct arena *a, struct node *to, const struct node *from)
{
    static const char *const parts[] = {"info", "pipeline", "inventory", "status"};
    static const char *const maps[] = {"labels", "annotations"};
    struct node *metadata = node_getz(to, "metadata");
    if (!metadata) {
        metadata = node_map(a);
        node_setz(a, to, "metadata", metadata);
    }
    for (size_t i = 0; i < 2; i++) {
        node_setz(a, metadata, maps[i], node_getz(node_getz(from, "metadata"), maps[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        node_setz(a, to, parts[i], node_getz(from, parts[i]));
    }
    return kptfile_form(a, to);
}

static int decode_or_empty(struct arena *a, struct str text, struct node **out, struct err *err)
{
    if (text.ptr) {
        return kptfile_decode(a, text, out, err);
    }
    *out = node_map(a);
    return 0;
}

static int merge_as_kpt(struct arena *a, const struct krm_texts *in, bool take_upstream,
                        const struct krm_merge_options *o, struct krm_report *report,
                        struct str *out, struct err *err)
{
    struct node *base, *ours, *theirs, *merged;
    if (decode_or_empty(a, in->ours, &ours, err) < 0 ||
        decode_or_empty(a, in->theirs, &theirs, err) < 0 ||
        decode_or_empty(a, in->base, &base, err) < 0) {
        return -1;
    }
    struct node *local = krm_tree_take(a, ours);
    if (wants_names(ours) && wants_names(theirs) && wants_names(base)) {
        add_names(a, ours);
        add_names(a, theirs);
        add_names(a, base);
    }
    struct krm_merge_options strict = *o;
    strict.infer = strict.comments = true;
    struct krm_conflict line = {.file = STR(KPTFILE_NAME)};
    krm_report_identity(&line, ours);
    if (krm_three_merge(a, base, ours, theirs, NULL, &strict, &line, report, &merged, err) < 0) {
        return -1;
    }
    drop_names(merged);
    static const char *const sources[] = {"upstream", "upstreamLock"};
    for (size_t i = 0; i < 2; i++) {
        struct node *v = node_getz(theirs, sources[i]);
        if (take_upstream && v) {
            node_setz(a, local, sources[i], v);
        }
    }
    AUTO_BUF text = BUF_INIT;
    kptfile_encode(&text, join_forms(a, local, merged ? merged : node_map(a)), false);
    *out = arena_str(a, buf_str(&text));
    return 0;
}

/* --- as we do it --- */

#define PAIR "function" /* member of functions while they are merged: who is who */

static const char *const PAIR_KEYS[] = {PAIR, NULL};
static const struct krm_place FUNCTIONS = {.merges = true, .keys = PAIR_KEYS};
static const struct krm_place_field PIPELINE_FIELDS[] = {{"mutators", &FUNCTIONS},
                                                         {"validators", &FUNCTIONS}};
static const struct krm_place PIPELINE = {.fields = PIPELINE_FIELDS, .n_fields = 2};
static const struct krm_place_field KPTFILE_FIELDS[] = {{"pipeline", &PIPELINE}};
static const struct krm_place KPTFILE_PLACE = {.fields = KPTFILE_FIELDS, .n_fields = 1};

/* Pairs of one list of functions: what is known of a function → the pair's id. */
struct pairs {
    struct map by_content, by_name, by_key; /* keys have their number in the list */
};

static struct str numbered_key(struct arena *a, struct map *counts, const struct node *function)
{
    struct str key = function_key(function);
    uintptr_t n = (uintptr_t)map_find(counts, key) + 1;
    (void)map_set(counts, key, (void *)n);
    return n == 1 ? key : arena_printf(a, "%.*s#%zu", STR_ARG(key), (size_t)n);
}

static struct str *untaken(const struct map *m, struct str what, const struct map *taken)
{
    struct str *id = what.len ? map_find(m, what) : NULL;
    return id && !map_has(taken, *id) ? id : NULL;
}

/* An id that no function has yet, made of what a reader of the report knows. */
static struct str *new_pair(struct arena *a, const struct pairs *p, const struct map *taken,
                            struct str name, struct str key)
{
    struct str *id = arena_new(a, struct str);
    *id = name.len && !map_has(&p->by_name, name) ? name : key;
    while (map_has(taken, *id) || map_has(&p->by_key, *id) || map_has(&p->by_name, *id)) {
        *id = arena_printf(a, "%.*s'", STR_ARG(*id));
    }
    return id;
}

/* Makes a function known under everything it is, unless another one is. */
static void remember(struct pairs *p, struct str content, struct str name, struct str key,
                     struct str *id)
{
    struct map *const maps[] = {&p->by_content, &p->by_name, &p->by_key};
    const struct str whats[] = {content, name, key};
    for (size_t i = 0; i < 3; i++) {
        if (whats[i].len && !map_has(maps[i], whats[i])) {
            (void)map_set(maps[i], whats[i], id);
        }
    }
}

/* Pairs the functions of one version with those of earlier ones: first what is equal, then by name,
 * then by exec or image and its number. No two functions of a list get the same id. */
static void mark_list(struct arena *a, struct pairs *p, const struct node *list)
{
    AUTO_MAP counts = MAP_INIT;
    AUTO_MAP taken = MAP_INIT;
    size_t n = list ? list->n : 0;
    struct str *content = arena_array(a, struct str, n), **ids = arena_array(a, struct str *, n);
    if (!content || !ids) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        content[i] = json_emit_str(a, list->items[i]);
        ids[i] = untaken(&p->by_content, content[i], &taken);
        (void)(ids[i] && map_set(&taken, *ids[i], ids[i]));
    }
    for (size_t i = 0; i < n; i++) {
        struct node *f = list->items[i];
        if (!node_is(f, NODE_MAP)) {
            continue;
        }
        struct str key = numbered_key(a, &counts, f);
        struct str name = krm_tree_text(node_getz(f, "name"));
        ids[i] = ids[i] ? ids[i] : untaken(&p->by_name, name, &taken);
        ids[i] = ids[i] ? ids[i] : untaken(&p->by_key, key, &taken);
        ids[i] = ids[i] ? ids[i] : new_pair(a, p, &taken, name, key);
        (void)map_set(&taken, *ids[i], ids[i]);
        remember(p, content[i], name, key, ids[i]);
        node_set_strz(a, f, PAIR, *ids[i]);
    }
}

static void mark_pairs(struct arena *a, const struct node *base, const struct node *ours,
                       const struct node *theirs)
{
    for (size_t l = 0; l < 2; l++) {
        struct pairs p = {MAP_INIT, MAP_INIT, MAP_INIT};
        mark_list(a, &p, functions_of(base, l));
        mark_list(a, &p, functions_of(ours, l));
        mark_list(a, &p, functions_of(theirs, l));
        map_done(&p.by_content);
        map_done(&p.by_name);
        map_done(&p.by_key);
    }
}

static void unmark(const struct node *kptfile)
{
    for (size_t l = 0; l < 2; l++) {
        const struct node *list = functions_of(kptfile, l);
        for (size_t i = 0; list && i < list->n; i++) {
            (void)node_delz(list->items[i], PAIR);
        }
    }
}

static bool is_merged(struct str key)
{
    return str_eqz(key, "info") || str_eqz(key, "pipeline") || str_eqz(key, "inventory") ||
           str_eqz(key, "status");
}

static bool is_merged_meta(struct str key)
{
    return str_eqz(key, "labels") || str_eqz(key, "annotations");
}

/* The members that merge, as a map of their own; metadata likewise. */
static struct node *view(struct arena *a, const struct node *kptfile)
{
    struct node *out = node_map(a), *metadata = node_map(a);
    const struct node *from = node_getz(kptfile, "metadata");
    for (size_t i = 0; node_is(kptfile, NODE_MAP) && i < kptfile->n; i++) {
        if (is_merged(kptfile->members[i].key)) {
            krm_tree_push(a, out, kptfile->members[i]);
        }
    }
    for (size_t i = 0; node_is(from, NODE_MAP) && i < from->n; i++) {
        if (is_merged_meta(from->members[i].key)) {
            krm_tree_push(a, metadata, from->members[i]);
        }
    }
    node_setz(a, out, "metadata", metadata);
    return out;
}

/* Puts the members of a merged view back: each in its old place, new ones at the end. */
static void put_back(struct arena *a, struct node *to, const struct node *from,
                     bool (*merged)(struct str))
{
    size_t kept = 0;
    for (size_t i = 0; i < to->n; i++) {
        struct node_member m = to->members[i];
        size_t at = merged(m.key) ? krm_tree_find(from, m.key) : SIZE_MAX;
        if (at != SIZE_MAX) {
            m = from->members[at];
        }
        if (at != SIZE_MAX || !merged(m.key)) {
            to->members[kept++] = m;
        }
    }
    to->n = (uint32_t)kept;
    for (size_t i = 0; node_is(from, NODE_MAP) && i < from->n; i++) {
        if (merged(from->members[i].key) && krm_tree_find(to, from->members[i].key) == SIZE_MAX) {
            krm_tree_push(a, to, from->members[i]);
        }
    }
}

static void put_view_back(struct arena *a, struct node *kptfile, const struct node *merged)
{
    struct node *metadata = node_getz(kptfile, "metadata");
    const struct node *from = node_getz(merged, "metadata");
    if (!node_is(metadata, NODE_MAP) && from && from->n) {
        metadata = node_map(a);
        node_setz(a, kptfile, "metadata", metadata);
    }
    if (node_is(metadata, NODE_MAP)) {
        put_back(a, metadata, from, is_merged_meta);
    }
    put_back(a, kptfile, merged, is_merged);
}

static int read_kptfile(struct arena *a, struct str text, struct node **out, struct err *err)
{
    struct krm_file file = {STR(KPTFILE_NAME), text};
    struct krm_files files = {&file, 1, 1};
    struct krm_read_options o = {.annotate = true, .detect_wide = true};
    struct node *items = NULL;
    *out = NULL;
    if (!text.ptr) {
        return 0;
    }
    if (krm_resources_read(a, &files, &o, &items, NULL, err) < 0) {
        return -1;
    }
    *out = items->n ? items->items[0] : NULL;
    return 0;
}

static int write_kptfile(struct arena *a, struct node *kptfile, struct str was, struct str *out,
                         struct err *err)
{
    struct krm_file file = {STR(KPTFILE_NAME), was};
    struct krm_files keep = {&file, 1, 1}, written = {0};
    struct krm_write_options o = {.keep = &keep};
    struct node *items = node_list(a);
    node_push(a, items, kptfile);
    if (krm_resources_write(a, items, &o, &written, err) < 0) {
        return -1;
    }
    *out = written.n ? written.list[0].text : STR_NULL;
    return 0;
}

/* The bookkeeping annotations of the reader are ours alone here. */
static struct node *part_view(struct arena *a, const struct node *kptfile)
{
    static const char *const keys[] = {KRM_PATH,      KRM_INDEX, KRM_SEQINDENT, KRM_OLD_PATH,
                                       KRM_OLD_INDEX, KRM_ID,    KRM_OLD_ID};
    struct node *copy = kptfile ? krm_tree_take(a, kptfile) : NULL;
    return copy ? view(a, krm_annotation_without(a, copy, keys, 7)) : view(a, NULL);
}

static int merge_parts(struct arena *a, const struct node *base, struct node *ours,
                       const struct node *theirs, const struct krm_merge_options *o,
                       struct krm_report *report, struct err *err)
{
    static const char *const keys[] = {KRM_PATH,      KRM_INDEX, KRM_SEQINDENT, KRM_OLD_PATH,
                                       KRM_OLD_INDEX, KRM_ID,    KRM_OLD_ID};
    struct node *b = part_view(a, base), *t = part_view(a, theirs), *merged;
    struct node *local = krm_annotation_without(a, ours, keys, 7);
    struct krm_conflict line = {.file = STR(KPTFILE_NAME)};
    krm_report_identity(&line, ours);
    mark_pairs(a, b, local, t);
    if (krm_three_merge(a, b, view(a, local), t, &KPTFILE_PLACE, o, &line, report, &merged, err) <
        0) {
        return -1;
    }
    unmark(merged);
    unmark(local);
    put_view_back(a, local, merged);
    *ours = *local;
    return krm_annotation_set(a, ours, KRM_PATH, STR(KPTFILE_NAME), err);
}

static int merge_as_ours(struct arena *a, const struct krm_texts *in, bool take_upstream,
                         const struct krm_merge_options *o, struct krm_report *report,
                         struct str *out, struct err *err)
{
    struct node *base, *ours, *theirs;
    if (!in->ours.ptr || !in->theirs.ptr) {
        *out = in->ours.ptr ? in->ours : in->theirs;
        return 0;
    }
    if (!take_upstream && in->base.ptr && str_eq(in->base, in->theirs)) {
        *out = in->ours;
        return 0;
    }
    if (read_kptfile(a, in->base, &base, err) < 0 || read_kptfile(a, in->ours, &ours, err) < 0 ||
        read_kptfile(a, in->theirs, &theirs, err) < 0) {
        return -1;
    }
    if (!ours || !theirs) {
        *out = ours ? in->ours : in->theirs;
        return 0;
    }
    if (merge_parts(a, base, ours, theirs, o, report, err) < 0) {
        return -1;
    }
    static const char *const sources[] = {"upstream", "upstreamLock"};
    for (size_t i = 0; i < 2; i++) {
        const struct node *v = node_getz(theirs, sources[i]);
        if (take_upstream && v) {
            node_setz(a, ours, sources[i], krm_tree_take(a, v));
        }
    }
    return write_kptfile(a, ours, in->ours, out, err);
}

int krm_merge_kptfile(struct arena *a, const struct krm_texts *in, bool take_upstream,
                      const struct krm_merge_options *o, struct krm_report *report, struct str *out,
                      struct err *err)
{
    if (!in->ours.ptr && !in->theirs.ptr) {
        *out = STR_NULL;
        return 0;
    }
    return o->kpt ? merge_as_kpt(a, in, take_upstream, o, report, out, err)
                  : merge_as_ours(a, in, take_upstream, o, report, out, err);
}
