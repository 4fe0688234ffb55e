/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules for Repository objects that look at the other ones (porch-api-repository.md §4).
 */
#include "engine/priv.h"

/* URL as the conflict rule compares it: "://" → "---", then ':' and '/' → '-'. */
static struct str normal_url(struct arena *a, struct str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    struct str out = scheme < 0 ? arena_str(a, url)
                                : arena_printf(a, "%.*s---%.*s", (int)scheme, url.ptr,
                                               STR_ARG(str_sub(url, (size_t)scheme + 3, url.len)));
    char *p = (char *)out.ptr;
    for (size_t i = 0; i < out.len; i++) {
        p[i] = p[i] == ':' || p[i] == '/' ? '-' : p[i];
    }
    return out;
}

/* True when one directory lies inside the other (neither is the root, both are trimmed). */
static bool inside(struct str outer, struct str inner)
{
    return inner.len > outer.len && str_has_prefix(inner, outer) && inner.ptr[outer.len] == '/';
}

static bool conflicts(struct str ns, struct str dir, struct str other_ns, struct str other_dir)
{
    if (str_eq(dir, other_dir)) {
        return str_eq(ns, other_ns);
    }
    return dir.len == 0 || other_dir.len == 0 || inside(dir, other_dir) || inside(other_dir, dir);
}

int engine_repository_check(struct engine *e, struct engine_write *w, struct err *err)
{
    if (w->subresource.len || !node_at(w->object, "spec.git")) {
        return 0;
    }
    struct arena *a = w->arena;
    struct str url = normal_url(a, node_text_at(w->object, "spec.git.repo"));
    struct str branch = node_text_at(w->object, "spec.git.branch");
    struct str dir = str_trim(node_text_at(w->object, "spec.git.directory"), "/");
    struct store_query q = {.kind = STR(KIND_REPOSITORIES)};
    int64_t rv;
    struct store_list *l = store_list_open(e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got;
    while ((got = store_list_next(l, &row, err)) > 0) {
        if (str_eq(row.ns, w->ns) && str_eq(row.name, w->name)) {
            continue;
        }
        struct node *o = json_parse(a, row.json, NULL, err);
        if (!o) {
            got = -1;
            break;
        }
        if (str_eq(normal_url(a, node_text_at(o, "spec.git.repo")), url) &&
            str_eq(node_text_at(o, "spec.git.branch"), branch) &&
            conflicts(w->ns, dir, row.ns, str_trim(node_text_at(o, "spec.git.directory"), "/"))) {
            got = api_err(err, ERR_REPOSITORY, "repository-conflict", arena_strz(a, row.ns),
                          arena_strz(a, row.name));
            break;
        }
    }
    store_list_close(l);
    return got;
}
