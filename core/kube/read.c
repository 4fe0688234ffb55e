/* SPDX-License-Identifier: Apache-2.0
 *
 * GET of one object and of its subresources: the stored bytes, or a view of them.
 */
#include "kube/priv.h"
#include "krm/name.h"

/* Packages and resources are looked for in their Repository first. */
static bool repository_missing(struct kube_call *c, struct str *out_name)
{
    const struct api_kind *k = c->route.kind;
    struct krm_name n;
    struct store_object row;
    AUTO_ERR err = ERR_INIT;
    bool package = strcmp(k->store_kind, "packages") == 0;
    if (!(package ? krm_name_parse_package(c->a, c->route.name, &n, &err) == 0
                  : kube_is_resources(k) && krm_name_parse(c->a, c->route.name, &n, &err) == 0)) {
        return false;
    }
    *out_name = n.repository;
    return store_get(c->k->store, STR("repositories"), c->route.ns, n.repository, c->a, &row,
                     &err) < 0 &&
           err_is(&err, ERR_NOT_FOUND);
}

/* A name that cannot be one of these is missing for that reason (porch-api.md §3.1). */
static int missing(struct kube_call *c, struct err *err)
{
    const struct api_kind *k = c->route.kind;
    struct krm_name parsed;
    struct str repository;
    AUTO_ERR why = ERR_INIT;
    if (repository_missing(c, &repository)) {
        k = api_kind_find(STR("config.porch.kpt.dev"), STR("v1alpha1"), STR("repositories"));
        return kube_not_found(k, repository, err);
    }
    bool package = strcmp(k->store_kind, "packages") == 0;
    if (!kube_is_porch(k) ||
        (package ? krm_name_parse_package(c->a, c->route.name, &parsed, &why)
                 : krm_name_parse(c->a, c->route.name, &parsed, &why)) == 0) {
        return kube_not_found(k, c->route.name, err);
    }
    return err_set(err, ERR_NOT_FOUND, "%s", why.message);
}

int kube_row_get(struct kube_call *c, struct store_object *out, struct err *err)
{
    const struct kube_route *r = &c->route;
    struct str ns = r->kind->flags & API_NAMESPACED ? r->ns : STR("");
    if (store_get(c->k->store, kube_store_kind(r->kind), ns, r->name, c->a, out, err) < 0) {
        return err_is(err, ERR_NOT_FOUND) ? missing(c, err) : -1;
    }
    return 0;
}

void kube_serve_get(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF out = BUF_INIT;
    struct store_object row;
    struct kube_shaper s = {c->k, c->route.kind, c->accept, c->params.include, false};
    if (kube_row_get(c, &row, &err) < 0 || kube_shape_single(&s, &row, c->a, &out, &err) < 0) {
        kube_answer_err(c, &err);
        return;
    }
    kube_answer_json(c, 200, arena_str(c->a, buf_str(&out)));
}
