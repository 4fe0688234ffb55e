/* SPDX-License-Identifier: Apache-2.0
 *
 * PackageRevisionResources: a revision's files as the API shows them (porch-api.md §2.3). Nothing
 * of it is stored; the tree is.
 */
#include "base/log.h"
#include "engine/priv.h"

static struct node *resources_meta(struct arena *a, const struct node *revision, int64_t rv)
{
    static const char *const shared[] = {"name", "namespace", "uid", "resourceVersion",
                                         "creationTimestamp", NULL};
    const struct node *from = node_getz(revision, "metadata");
    struct node *meta = node_map(a);
    for (size_t i = 0; shared[i]; i++) {
        struct node *v = node_getz(from, shared[i]);
        if (v) {
            node_setz(a, meta, shared[i], v);
        }
    }
    node_set_strz(a, meta, "resourceVersion", arena_printf(a, "%lld", (long long)rv));
    return meta;
}

/* Text files of the tree as a map; binary ones cannot be JSON strings and are left out. */
static int add_files(struct engine *e, struct arena *a, struct repo *repo,
                     const struct repo_id *tree, struct node *files, struct err *err)
{
    struct repo_file *list;
    size_t n;
    if (repo_tree_list(e->pool, repo, tree, a, &list, &n, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct str bytes;
        if (repo_blob_get(e->pool, repo, &list[i].blob, a, &bytes, err) < 0) {
            return -1;
        }
        if (str_find_byte(bytes, 0) < 0 && str_is_utf8(bytes)) {
            node_set(a, files, list[i].path, node_str(a, bytes));
        }
    }
    return 0;
}

static struct node *empty_status(struct arena *a)
{
    struct node *status = node_map(a), *render = node_map(a), *result = node_map(a);
    node_setz(a, status, "renderStatus", render);
    node_setz(a, render, "result", result);
    node_setz(a, result, "metadata", node_map(a));
    node_setz(a, result, "exitCode", node_int(a, 0));
    node_set_strz(a, render, "error", STR(""));
    return status;
}

static struct node *resources_spec(struct arena *a, const struct node *revision,
                                   struct node *files)
{
    static const char *const shared[] = {"packageName", "workspaceName", "revision", "repository",
                                         NULL};
    struct node *spec = node_map(a);
    for (size_t i = 0; shared[i]; i++) {
        struct node *v = node_getz(node_getz(revision, "spec"), shared[i]);
        if (v) {
            node_setz(a, spec, shared[i], v);
        }
    }
    node_setz(a, spec, "resources", files);
    return spec;
}

int engine_resources_get(struct engine *e, const struct store_object *row, struct arena *a,
                         struct str *out, struct err *err)
{
    struct node *revision = json_parse(a, row->json, NULL, err);
    struct node *data = revision && row->data.len ? json_parse(a, row->data, NULL, err) : NULL;
    struct repo_id tree;
    if (!revision || !data || !repo_id_parse(node_text_at(data, "tree"), &tree)) {
        return err_set(err, ERR_INTERNAL,
                       "Internal error occurred: content of package revision '%.*s' is not known",
                       STR_ARG(row->name));
    }
    struct str repository = node_text_at(revision, "spec.repository");
    struct repo *repo = NULL;
    struct node *files = node_map(a);
    if (engine_open_repo(e, row->ns, repository, &repo, err) < 0) {
        return -1;
    }
    int rc = add_files(e, a, repo, &tree, files, err);
    repo_unref(repo);
    if (rc < 0) {
        if (err_is(err, ERR_NOT_FOUND)) {
            /* the mirror is a cache: have it filled again and ask the client to come back */
            engine_repository_compare(e, row->ns, repository);
            engine_repository_changed(e, row->ns, repository);
            err_set(err, ERR_UNAVAILABLE, "content of package revision \"%.*s\" is being fetched",
                    STR_ARG(row->name));
            err->retry_after_s = 1;
        }
        return -1;
    }
    struct node *o = node_map(a);
    node_set_strz(a, o, "kind", STR("PackageRevisionResources"));
    node_set_strz(a, o, "apiVersion", STR("porch.kpt.dev/v1alpha1"));
    node_setz(a, o, "metadata", resources_meta(a, revision, row->rv));
    node_setz(a, o, "spec", resources_spec(a, revision, files));
    struct node *render = node_getz(data, "render"), *status = empty_status(a);
    if (render) {
        node_setz(a, status, "renderStatus", render);
    }
    node_setz(a, o, "status", status);
    *out = json_emit_str(a, o);
    return 0;
}
