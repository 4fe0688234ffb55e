/* SPDX-License-Identifier: Apache-2.0
 *
 * See identity.h.
 */
#include "krm/identity.h"

#include "krm/annotation.h"
#include "krm/tree.h"

#define STAMP STR("kpt-merge:")

/* --- who it is --- */

static struct str group_of(const struct node *resource)
{
    struct str version = node_text(node_getz(resource, "apiVersion"));
    ptrdiff_t slash = str_find_byte(version, '/');
    return slash < 0 ? STR("") : str_sub(version, 0, (size_t)slash);
}

/* The line comment of the key `metadata`. */
static struct str metadata_comment(const struct node *resource)
{
    size_t at = krm_tree_find(resource, STR("metadata"));
    const struct node *name = at == SIZE_MAX ? NULL : resource->members[at].name;
    return name && name->notes ? name->notes->line : STR_NULL;
}

/* "# kpt-merge: namespace/name"; false when the comment is something else. */
static bool read_stamp(struct str comment, struct str *ns, struct str *name)
{
    struct str s =
        str_trim(str_sub(comment, comment.len && comment.ptr[0] == '#', comment.len), " \t\r\n");
    if (!str_has_prefix(s, STAMP)) {
        return false;
    }
    s = str_trim(str_sub(s, STAMP.len, s.len), " \t\r\n");
    ptrdiff_t slash = str_find_byte(s, '/');
    if (slash < 0) {
        return false;
    }
    *ns = str_sub(s, 0, (size_t)slash);
    *name = str_sub(s, (size_t)slash + 1, s.len);
    return true;
}

static struct str text_at(const struct node *resource, const char *path)
{
    return krm_tree_text(node_at(resource, path));
}

bool krm_identity_of(const struct node *resource, struct krm_identity *out)
{
    out->group = group_of(resource);
    out->kind = krm_tree_text(node_getz(resource, "kind"));
    if (!read_stamp(metadata_comment(resource), &out->ns, &out->name)) {
        out->ns = text_at(resource, "metadata.namespace");
        out->name = text_at(resource, "metadata.name");
    }
    return node_getz(resource, "apiVersion") || node_getz(resource, "kind") ||
           node_getz(resource, "metadata");
}

/* --- stamps --- */

static struct node *name_with_comment(struct arena *a, const struct node *old, struct str comment)
{
    struct node *name = old ? krm_tree_shallow(a, old) : node_strz(a, "metadata");
    struct node_notes *notes = arena_new(a, struct node_notes);
    if (name && notes) {
        *notes = old && old->notes ? *old->notes : (struct node_notes){0};
        notes->line = comment;
        name->notes = notes;
    }
    return name;
}

int krm_identity_stamp(struct arena *a, struct node *resource, struct err *err)
{
    struct str name = text_at(resource, "metadata.name");
    struct str ns = text_at(resource, "metadata.namespace");
    const struct node *labels = node_at(resource, "metadata.labels");
    if (name.len == 0 && ns.len == 0 && !(labels && labels->n > 0)) {
        return 0;
    }
    struct str comment = metadata_comment(resource);
    if (str_find(comment, STAMP) < 0) {
        struct node_member *m = &resource->members[krm_tree_find(resource, STR("metadata"))];
        comment = arena_printf(a, "# kpt-merge: %.*s/%.*s", STR_ARG(ns), STR_ARG(name));
        m->name = name_with_comment(a, m->name, comment);
    }
    (void)read_stamp(comment, &ns, &name);
    struct str group = group_of(resource), kind = krm_tree_text(node_getz(resource, "kind"));
    struct str id = arena_printf(a, "%.*s|%.*s|%.*s|%.*s", STR_ARG(group), STR_ARG(kind),
                                 STR_ARG(ns.len ? ns : STR("default")), STR_ARG(name));
    return krm_annotation_set(a, resource, KRM_UPSTREAM_IDENTIFIER, id, err);
}

/* --- attribution --- */

static bool contains(struct str s, const char *word)
{
    return str_find(s, str_of(word)) >= 0;
}

/* "krm-pkg-fn": the groups that a part names, with one more. `seen` keeps those of earlier parts,
 * as the peer does. */
static void add_groups(struct buf *seen, struct str part, const char *group)
{
    static const char *const groups[] = {"pkg", "fn", "live"};
    for (size_t i = 0; i < 3; i++) {
        if (contains(part, groups[i]) || strcmp(group, groups[i]) == 0) {
            buf_printf(seen, "-%s", groups[i]);
        }
    }
}

static struct str attributed(struct arena *a, struct str value, const char *group)
{
    if (value.len == 0) {
        return arena_printf(a, "krm-%s", group);
    }
    if (!contains(value, "krm-")) {
        return arena_printf(a, "%.*s,krm-%s", STR_ARG(value), group);
    }
    AUTO_BUF out = BUF_INIT;
    AUTO_BUF krm = BUF_INIT;
    buf_addz(&krm, "krm");
    struct str part;
    while (str_split(&value, ',', &part)) {
        if (out.len) {
            buf_addc(&out, ',');
        }
        if (contains(part, "krm")) {
            add_groups(&krm, part, group);
            part = buf_str(&krm);
        }
        buf_add_str(&out, part);
    }
    return arena_str(a, buf_str(&out));
}

int krm_attribute(struct arena *a, struct node *resource, const char *group, struct err *err)
{
    const struct node *metadata = node_getz(resource, "metadata");
    if (!contains(krm_tree_text(node_getz(resource, "apiVersion")), ".cnrm.") ||
        !node_is(metadata, NODE_MAP) || metadata->n == 0) {
        return 0;
    }
    struct str value = attributed(a, krm_annotation(resource, KRM_BLUEPRINT), group);
    return krm_annotation_set(a, resource, KRM_BLUEPRINT, value, err);
}

/* --- what is a resource --- */

static bool is_kustomization(const struct node *n, struct str path)
{
    struct str base = path, version = krm_tree_text(node_getz(n, "apiVersion"));
    ptrdiff_t slash = str_rfind_byte(path, '/');
    base = str_sub(path, (size_t)(slash + 1), path.len);
    return str_eqz(base, "kustomization.yaml") || str_eqz(base, "kustomization.yml") ||
           str_eqz(base, "Kustomization") ||
           str_has_prefix(version, STR("kustomize.config.k8s.io")) ||
           (version.len == 0 && str_eqz(krm_tree_text(node_getz(n, "kind")), "Kustomization"));
}

int krm_check_resource(const struct node *n, struct str path, struct err *err)
{
    struct krm_identity id;
    const char *colon = path.len ? ": " : "";
    if (is_kustomization(n, path)) {
        return 0;
    }
    if (!node_is(n, NODE_MAP) || !krm_identity_of(n, &id)) {
        return err_set(err, ERR_INVALID,
                       "%.*s%sresource must have `apiVersion`, `kind`, and `name`", STR_ARG(path),
                       colon);
    }
    const char *missing = !krm_tree_text(node_getz(n, "apiVersion")).len ? "apiVersion"
                          : !id.kind.len                                 ? "kind"
                          : !text_at(n, "metadata.name").len             ? "metadata.name"
                                                                         : NULL;
    return !missing ? 0
                    : err_set(err, ERR_INVALID, "%.*s%sresource must have `%s`", STR_ARG(path),
                              colon, missing);
}
