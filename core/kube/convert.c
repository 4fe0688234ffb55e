/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds and rows: PackageRevisionResources live in the rows of their PackageRevision, the Event of
 * events.k8s.io in those of the core Event under other member names (stored_as).
 */
#include "kube/priv.h"

bool kube_is_porch(const struct api_kind *k)
{
    return strcmp(k->group, "porch.kpt.dev") == 0;
}

bool kube_is_resources(const struct api_kind *k)
{
    return strcmp(k->resource, "packagerevisionresources") == 0;
}

bool kube_group_is_crd(struct str group)
{
    return str_eqz(group, "config.porch.kpt.dev");
}

bool kube_kind_is_crd(const struct api_kind *k)
{
    return kube_group_is_crd(str_of(k->group));
}

struct str kube_store_kind(const struct api_kind *k)
{
    return kube_is_resources(k) ? STR("packagerevisions") : str_of(k->store_kind);
}

static bool is_alias(const struct api_kind *k)
{
    for (size_t i = 0; i < k->schema->n_fields; i++) {
        if (k->schema->fields[i].stored_as) {
            return true;
        }
    }
    return false;
}

const struct api_kind *kube_stored_form(const struct api_kind *k)
{
    for (size_t i = 0; i < api_n_kinds && is_alias(k); i++) {
        if (strcmp(api_kinds[i].store_kind, k->store_kind) == 0 && !is_alias(&api_kinds[i])) {
            return &api_kinds[i];
        }
    }
    return k;
}

/* Both directions: a member gets the name that `to` has for it. */
static struct str renamed(const struct api_kind *from, const struct api_kind *to, struct str name)
{
    for (size_t i = 0; i < to->schema->n_fields; i++) {
        const struct api_field *f = &to->schema->fields[i];
        if (f->stored_as && str_eqz(name, f->stored_as)) {
            return str_of(f->name);
        }
    }
    const struct api_field *f = api_field_find(from->schema, name);
    return f && f->stored_as ? str_of(f->stored_as) : name;
}

struct node *kube_convert(struct arena *a, const struct api_kind *to, const struct node *object)
{
    struct str version = node_text_at(object, "apiVersion"), kind = node_text_at(object, "kind");
    const struct api_kind *from = api_kind_find_object(version, kind);
    if (!from || from == to) {
        return node_copy(a, object);
    }
    struct node *out = node_map(a);
    for (size_t i = 0; i < object->n; i++) {
        node_set(a, out, renamed(from, to, object->members[i].key), object->members[i].value);
    }
    node_set_strz(a, out, "apiVersion", str_of(to->group_version));
    node_set_strz(a, out, "kind", str_of(to->kind));
    return out;
}

int kube_row_json(struct kube *k, const struct api_kind *kind, const struct store_object *row,
                  struct arena *a, struct str *out, struct err *err)
{
    if (kube_is_resources(kind)) {
        return engine_resources_get(k->config.engine, row, a, out, err);
    }
    if (!is_alias(kind)) {
        *out = row->json;
        return 0;
    }
    struct node *object = json_parse(a, row->json, NULL, err);
    if (!object) {
        return -1;
    }
    *out = json_emit_str(a, kube_convert(a, kind, object));
    return 0;
}

struct str kube_resource(struct arena *a, const struct api_kind *k)
{
    return k->group[0] ? arena_printf(a, "%s.%s", k->resource, k->group) : str_of(k->resource);
}

int kube_not_found(const struct api_kind *k, struct str name, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str resource = kube_resource(&a, k);
    api_err(err, ERR_NOT_FOUND, "kube-not-found", arena_strz(&a, resource), arena_strz(&a, name));
    return err_details(err, arena_strz(&a, name), k->group[0] ? k->group : NULL, k->resource);
}

int kube_conflict(const struct api_kind *k, struct str name, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str resource = kube_resource(&a, k);
    api_err(err, ERR_CONFLICT, "kube-frame-conflict", arena_strz(&a, resource),
            arena_strz(&a, name), api_message("kube-modified"));
    return err_details(err, arena_strz(&a, name), k->group[0] ? k->group : NULL, k->resource);
}
