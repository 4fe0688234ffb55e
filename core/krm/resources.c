/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading resources.h: files in, annotated resources out. resources_write.c is the way back.
 */
#include "krm/resources.h"

#include "base/limits.h"
#include "krm/annotation.h"
#include "krm/resource_part.h"
#include "data/yaml_doc.h"

static struct str base_name(struct str path)
{
    ptrdiff_t slash = str_rfind_byte(path, '/');
    return str_sub(path, (size_t)(slash + 1), path.len);
}

bool krm_is_resource_file(struct str path, bool json)
{
    struct str base = base_name(path);
    return str_eqz(base, "Kptfile") || str_has_suffix(base, STR(".yaml")) ||
           str_has_suffix(base, STR(".yml")) || (json && str_has_suffix(base, STR(".json")));
}

struct node *krm_resource_wrap(struct arena *a, struct node *list)
{
    struct node *map = node_map(a);
    if (map) {
        node_setz(a, map, KRM_WRAPPED_LIST, list);
    }
    return map;
}

struct node *krm_resource_unwrap(const struct node *resource)
{
    return node_is(resource, NODE_MAP) ? node_getz(resource, KRM_WRAPPED_LIST) : NULL;
}

/* In the order of their names, as the peer does it. */
static int annotate(struct arena *a, struct node *resource, struct str path, size_t index,
                    const char *style, struct err *err)
{
    struct str number = arena_printf(a, "%zu", index);
    const struct {
        const char *key;
        struct str value;
    } set[] = {{KRM_OLD_INDEX, number}, {KRM_OLD_PATH, path},           {KRM_INDEX, number},
               {KRM_PATH, path},        {KRM_SEQINDENT, str_of(style)}};
    if (krm_annotation_mirror(a, resource, err)) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++) {
        if (set[i].value.len && krm_annotation_set(a, resource, set[i].key, set[i].value, err)) {
            return -1;
        }
    }
    return 0;
}

static int add_resource(struct arena *a, const struct krm_part *part, struct str path,
                        size_t index, const struct krm_read_options *o, struct node *out,
                        struct err *err)
{
    struct node *root = part->root;
    if (root->type == NODE_LIST && o->wrap_lists) {
        root = krm_resource_wrap(a, root);
    }
    if (!root || root->type != NODE_MAP) {
        return root ? krm_wrong_kind(root, "MappingNode", err)
                    : err_set(err, ERR_TOO_LARGE, "resources are too large");
    }
    const char *style = !o->detect_wide                                       ? NULL
                        : yaml_is_wide(krm_plain_lines(a, part->text)) ? "wide"
                                                                              : "compact";
    if (o->annotate && annotate(a, root, path, index, style, err)) {
        return -1;
    }
    node_push(a, out, root);
    return 0;
}

int krm_parts_resources(struct arena *a, const struct krm_parts *parts, struct str path,
                        const struct krm_read_options *o, struct node *out, struct err *err)
{
    size_t index = 0;
    for (size_t i = 0; i < parts->n; i++) {
        if (parts->list[i].root &&
            add_resource(a, &parts->list[i], path, index++, o, out, err)) {
            return -1;
        }
    }
    return 0;
}

static int read_file(struct arena *a, const struct krm_file *file,
                     const struct krm_read_options *o, struct node *out, struct err *err)
{
    struct krm_parts parts;
    struct str where = STR_NULL;
    int rc = krm_parts_read(a, file->text, &parts, &where, err);
    if (rc == 0) {
        rc = krm_parts_resources(a, &parts, file->path, o, out, err);
    }
    if (rc && file->path.len) {
        if (where.len) {
            AUTO_ERR bare = ERR_INIT;
            err_move(&bare, err);
            return err_set(err, bare.kind, "%.*s: %s%.*s", STR_ARG(file->path), bare.message,
                           STR_ARG(where));
        }
        return err_wrap(err, "%.*s", STR_ARG(file->path));
    }
    return rc;
}

int krm_resources_read(struct arena *a, const struct krm_files *files,
                       const struct krm_read_options *o, struct node **out, size_t *broken,
                       struct err *err)
{
    struct node *list = node_list(a);
    for (size_t i = 0; list && i < files->n; i++) {
        const struct krm_file *file = &files->list[i];
        if (krm_is_resource_file(file->path, o->json) && read_file(a, file, o, list, err)) {
            if (broken) {
                *broken = i;
            }
            return -1;
        }
    }
    if (!list || a->exhausted) {
        return err_set(err, ERR_TOO_LARGE, "resources are too large");
    }
    *out = list;
    return 0;
}
