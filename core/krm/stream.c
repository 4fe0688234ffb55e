/* SPDX-License-Identifier: Apache-2.0
 *
 * See stream.h.
 */
#include "krm/stream.h"

#include <stdlib.h>

#include "data/yaml_doc.h"
#include "krm/annotation.h"
#include "krm/resource_part.h"

static int too_large(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "resources are too large");
}

static bool unwrap(struct arena *a, const struct krm_parts *parts, struct krm_stream *out)
{
    struct node *root = parts->n == 1 ? parts->list[0].root : NULL;
    struct str kind = node_text(node_getz(root, "kind"));
    struct node *items = node_getz(root, "items");
    if ((!str_eqz(kind, "List") && !str_eqz(kind, "ResourceList")) ||
        (!items && !node_getz(root, "functionConfig"))) {
        return false;
    }
    *out = (struct krm_stream){
        .items = node_is(items, NODE_LIST) ? items : node_list(a),
        .config = node_getz(root, "functionConfig"),
        .results = node_getz(root, "results"),
        .api_version = node_text(node_getz(root, "apiVersion")),
        .kind = kind,
    };
    return true;
}

int krm_stream_read(struct arena *a, struct str text, const struct krm_read_options *o,
                    struct krm_stream *out, struct err *err)
{
    struct krm_parts parts;
    struct str where;
    if (krm_parts_read(a, text, &parts, &where, err)) {
        return -1;
    }
    if (unwrap(a, &parts, out)) {
        return out->items ? 0 : too_large(err);
    }
    *out = (struct krm_stream){.items = node_list(a)};
    return !out->items || krm_parts_resources(a, &parts, STR_NULL, o, out->items, err) ? -1 : 0;
}

/* --- writing --- */

struct entry {
    struct node *node;
    struct str path;
    int64_t index;
    size_t turn;
};

static int compare(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int order = str_cmp(a->path, b->path);
    if (order == 0 && a->index != b->index) {
        order = a->index < b->index ? -1 : 1;
    }
    return order ? order : a->turn < b->turn ? -1 : 1;
}

static int sort(struct arena *a, struct entry *list, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct node *item = list[i].node;
        if (node_is(item, NODE_MAP) && krm_annotation_mirror(a, item, err)) {
            return -1;
        }
        list[i].path = krm_annotation(item, KRM_PATH);
        (void)str_to_int64(krm_annotation(item, KRM_INDEX), &list[i].index);
    }
    if (n) {
        qsort(list, n, sizeof(*list), compare);
    }
    return 0;
}

static struct node *settle(struct arena *a, struct node *item, const struct krm_stream_options *o)
{
    static const char *const own[] = {KRM_INDEX, KRM_OLD_INDEX, KRM_SEQINDENT};
    if (!node_is(item, NODE_MAP)) {
        return item;
    }
    if (!o->keep_annotations) {
        item = krm_annotation_without(a, item, own, sizeof(own) / sizeof(*own));
    }
    return item ? krm_annotation_without(a, item, o->keys, o->n_keys) : NULL;
}

static int write_list(struct arena *a, const struct krm_stream *s, struct entry *list,
                      const struct krm_stream_options *o, struct buf *out, struct err *err)
{
    struct krm_stream_options kept = *o;
    kept.keep_annotations = true;
    struct node *root = node_map(a), *items = node_list(a);
    for (size_t i = 0; items && i < s->items->n; i++) {
        node_push(a, items, settle(a, list[i].node, &kept));
    }
    if (!root || !items || a->exhausted) {
        return too_large(err);
    }
    node_set_strz(a, root, "apiVersion", s->api_version);
    node_set_strz(a, root, "kind", s->kind);
    node_setz(a, root, "items", items);
    if (s->config) {
        node_setz(a, root, "functionConfig", s->config);
    }
    if (s->results) {
        node_setz(a, root, "results", s->results);
    }
    yaml_write_node(out, root, &(struct yaml_form){.defects = o->defects});
    return a->exhausted ? too_large(err) : 0;
}

int krm_stream_write(struct arena *a, const struct krm_stream *s,
                     const struct krm_stream_options *o, struct buf *out, struct err *err)
{
    struct entry *list = arena_array(a, struct entry, s->items->n + 1);
    if (!list) {
        return too_large(err);
    }
    for (size_t i = 0; i < s->items->n; i++) {
        list[i] = (struct entry){.node = s->items->items[i], .turn = i};
    }
    if (o->sort && sort(a, list, s->items->n, err)) {
        return -1;
    }
    if (s->kind.len) {
        return write_list(a, s, list, o, out, err);
    }
    const struct node *only = s->items->n == 1 ? list[0].node : NULL;
    if (only && str_has_suffix(krm_annotation(only, KRM_PATH), STR(".json"))) {
        return krm_resource_json(a, settle(a, list[0].node, o), out, err);
    }
    for (size_t i = 0; i < s->items->n; i++) {
        bool wide = str_eqz(krm_annotation(list[i].node, KRM_SEQINDENT), "wide");
        struct node *node = settle(a, list[i].node, o);
        if (!node) {
            return too_large(err);
        }
        buf_addz(out, i ? "---\n" : "");
        yaml_write_node(out, krm_resource_root(a, node, o->defects),
                        &(struct yaml_form){.wide = wide, .defects = o->defects});
    }
    return 0;
}
