/* SPDX-License-Identifier: Apache-2.0
 *
 * PackageRevision objects: how they look (porch-api.md §2.1), and how a Kptfile shows in them.
 */
#include "engine/priv.h"
#include "krm/kptfile.h"
#include "krm/name.h"

bool engine_lifecycle_published(struct str lifecycle)
{
    return str_eqz(lifecycle, "Published") || str_eqz(lifecycle, "DeletionProposed");
}

struct str engine_revision_name(struct arena *a, struct str repository, struct str package,
                                struct str workspace)
{
    struct krm_name n = {.repository = repository, .workspace = workspace};
    krm_name_set_package(&n, package);
    return krm_name_emit(a, &n);
}

int engine_repository_get(struct engine *e, struct arena *a, struct str ns, struct str name,
                          struct engine_repository *out, struct node **out_object, struct err *err)
{
    struct engine_row row;
    if (engine_row_get(e, KIND_REPOSITORIES, ns, name, a, &row, err) < 0) {
        return -1;
    }
    struct str branch = node_text_at(row.object, "spec.git.branch");
    *out = (struct engine_repository){
        .ns = ns,
        .name = name,
        .uid = node_text_at(row.object, "metadata.uid"),
        .url = node_text_at(row.object, "spec.git.repo"),
        .branch = branch.len ? branch : STR("main"),
        .directory = str_trim(node_text_at(row.object, "spec.git.directory"), "/"),
        .author = node_text_at(row.object, "spec.git.author"),
        .email = node_text_at(row.object, "spec.git.email"),
        .deployment = node_bool_at(row.object, "spec.deployment", false),
    };
    if (out_object) {
        *out_object = row.object;
    }
    return 0;
}

/* The member of `map`, made as an empty map when it is missing. */
static struct node *ensure(struct arena *a, struct node *map, const char *key)
{
    struct node *n = node_getz(map, key);
    if (!node_is(n, NODE_MAP)) {
        n = node_map(a);
        node_setz(a, map, key, n);
    }
    return n;
}

static void set_or_delete(struct arena *a, struct node *map, const char *key, struct node *value)
{
    if (value) {
        node_setz(a, map, key, value);
    } else {
        node_delz(map, key);
    }
}

void engine_revision_set_kptfile(struct arena *a, struct node *object, struct str text)
{
    struct kptfile k = kptfile_read(a, text);
    struct node *spec = ensure(a, object, "spec"), *status = ensure(a, object, "status");
    struct node *package = node_map(a);
    set_or_delete(a, package, "labels", k.labels);
    set_or_delete(a, package, "annotations", k.annotations);
    set_or_delete(a, spec, "readinessGates", k.gates);
    node_setz(a, spec, "packageMetadata", package);
    set_or_delete(a, status, "conditions", k.conditions);
    node_setz(a, status, "upstreamLock", k.upstream_lock ? k.upstream_lock : node_map(a));
}

void engine_revision_set_lock(struct arena *a, struct node *object, struct str ref,
                              struct str commit)
{
    struct node *lock = ensure(a, ensure(a, object, "status"), "selfLock");
    struct node *git = ensure(a, lock, "git");
    node_set_strz(a, git, "ref", ref);
    node_set_strz(a, git, "commit", commit);
}

static struct node *make_meta(struct arena *a, const struct engine_revision *r)
{
    static const char *const kept[] = {"deletionTimestamp", "deletionGracePeriodSeconds", "labels",
                                       "annotations", "ownerReferences", "finalizers",
                                       "managedFields", NULL};
    struct node *meta = node_map(a);
    struct str created = node_text_at(r->meta, "creationTimestamp");
    node_set_strz(a, meta, "name", r->name);
    node_set_strz(a, meta, "namespace", r->repository->ns);
    char uid[KRM_UID_SIZE];
    krm_name_uid(r->repository->ns, r->name, uid);
    node_set_strz(a, meta, "uid", arena_str(a, str_of(uid)));
    node_set_strz(a, meta, "creationTimestamp",
                  created.len ? created : clock_rfc3339(a, clock_real_ns()));
    for (size_t i = 0; kept[i]; i++) {
        struct node *v = node_getz(r->meta, kept[i]);
        bool empty = v && (v->type == NODE_MAP || v->type == NODE_LIST) && v->n == 0;
        if (v && v->type != NODE_NULL && !empty) {
            node_setz(a, meta, kept[i], v);
        }
    }
    return meta;
}

static struct node *make_spec(struct arena *a, const struct engine_revision *r)
{
    struct node *spec = node_map(a);
    node_set_strz(a, spec, "packageName", r->package);
    node_set_strz(a, spec, "repository", r->repository->name);
    node_set_strz(a, spec, "workspaceName", r->workspace);
    if (r->revision) {
        node_setz(a, spec, "revision", node_int(a, r->revision));
    }
    node_set_strz(a, spec, "lifecycle", r->lifecycle);
    if (r->task) {
        struct node *tasks = node_list(a);
        node_push(a, tasks, r->task);
        node_setz(a, spec, "tasks", tasks);
    }
    return spec;
}

static struct node *make_status(struct arena *a, const struct engine_revision *r)
{
    struct node *status = node_map(a), *lock = node_map(a), *git = node_map(a);
    node_setz(a, status, "upstreamLock", node_map(a));
    node_set_strz(a, git, "repo", r->repository->url);
    node_set_strz(a, git, "directory", r->package);
    node_set_strz(a, git, "ref", r->lock_ref);
    node_set_strz(a, git, "commit", r->lock_commit);
    node_set_strz(a, lock, "type", STR("git"));
    node_setz(a, lock, "git", git);
    node_setz(a, status, "selfLock", lock);
    if (r->published_by.len) {
        node_set_strz(a, status, "publishedBy", r->published_by);
    }
    node_setz(a, status, "publishTimestamp",
              r->published_at ? node_str(a, clock_rfc3339(a, r->published_at * NS_PER_S))
                              : node_null(a));
    if (r->repository->deployment) {
        node_setz(a, status, "deployment", node_bool(a, true));
    }
    return status;
}

struct node *engine_revision_make(struct arena *a, const struct engine_revision *r)
{
    struct node *o = node_map(a);
    node_set_strz(a, o, "kind", STR("PackageRevision"));
    node_set_strz(a, o, "apiVersion", STR("porch.kpt.dev/v1alpha1"));
    node_setz(a, o, "metadata", make_meta(a, r));
    node_setz(a, o, "spec", make_spec(a, r));
    node_setz(a, o, "status", make_status(a, r));
    engine_revision_set_kptfile(a, o, r->kptfile);
    return o;
}

int engine_tree_file(struct engine *e, struct repo *r, const struct repo_id *tree,
                     const char *path, struct arena *a, struct str *out, struct err *err)
{
    struct repo_file *files;
    size_t n;
    *out = STR_NULL;
    if (repo_tree_list(e->pool, r, tree, a, &files, &n, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (str_eqz(files[i].path, path)) {
            return repo_blob_get(e->pool, r, &files[i].blob, a, out, err);
        }
    }
    return 0;
}
