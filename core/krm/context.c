/* SPDX-License-Identifier: Apache-2.0
 *
 * See context.h.
 */
#include "krm/context.h"

#include "krm/annotation.h"
#include "krm/tree.h"

#define CONTEXT_NAME "kptfile.kpt.dev"
#define CONTEXT_FILE "package-context.yaml"

static bool is_context(const struct node *n)
{
    return str_eqz(krm_tree_text(node_getz(n, "kind")), "ConfigMap") &&
           str_eqz(krm_tree_text(node_at(n, "metadata.name")), CONTEXT_NAME);
}

static bool is_root_kptfile(const struct node *n)
{
    return str_eqz(krm_tree_text(node_getz(n, "kind")), "Kptfile") &&
           str_eqz(krm_annotation_either(n, KRM_PATH, KRM_OLD_PATH), "Kptfile");
}

static struct node *quoted(struct arena *a, const char *text, enum node_style style)
{
    struct node *n = node_strz(a, text);
    if (n) {
        n->style = (uint8_t)style;
    }
    return n;
}

static struct node *new_context(struct arena *a, struct str name, struct str package_path)
{
    struct node *out = node_map(a), *metadata = node_map(a), *notes = node_map(a);
    node_setz(a, out, "apiVersion", node_strz(a, "v1"));
    node_setz(a, out, "kind", node_strz(a, "ConfigMap"));
    node_setz(a, metadata, "name", node_strz(a, CONTEXT_NAME));
    node_setz(a, notes, "config.kubernetes.io/local-config", quoted(a, "true", STYLE_DOUBLE));
    node_setz(a, notes, KRM_PATH, quoted(a, CONTEXT_FILE, STYLE_SINGLE));
    node_setz(a, metadata, "annotations", notes);
    node_setz(a, out, "metadata", metadata);
    struct node *data = node_map(a);
    node_set_strz(a, data, "name", name);
    if (package_path.len) {
        node_set_strz(a, data, "package-path", package_path);
    }
    node_setz(a, out, "data", data);
    return a->exhausted ? NULL : out;
}

bool krm_package_context(struct arena *a, struct node *items, struct str package_path)
{
    const struct node *kptfile = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < items->n; i++) {
        struct node *n = items->items[i];
        kptfile = !kptfile && is_root_kptfile(n) ? n : kptfile;
        if (!is_context(n)) {
            items->items[kept++] = n;
        }
    }
    items->n = (uint32_t)kept;
    struct node *context =
        kptfile ? new_context(a, krm_tree_text(node_at(kptfile, "metadata.name")), package_path)
                : NULL;
    if (context) {
        node_push(a, items, context);
    }
    return context != NULL;
}

struct node *krm_package_context_result(struct arena *a)
{
    struct node *out = node_map(a), *file = node_map(a);
    node_setz(a, out, "message", node_strz(a, "generated package context"));
    node_setz(a, out, "severity", node_strz(a, "info"));
    node_setz(a, file, "path", node_strz(a, CONTEXT_FILE));
    node_setz(a, out, "file", file);
    return a->exhausted ? NULL : out;
}
