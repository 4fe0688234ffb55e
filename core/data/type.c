/* SPDX-License-Identifier: Apache-2.0
 *
 * See type.h.
 */
#include "data/type.h"

#include "data/fieldset.h"
#include "data/members.h"

static const char *const UID_KEY[] = {"uid", NULL};

static const struct api_field OWNER_FIELDS[] = {
    {.name = "apiVersion", .type = API_STRING},
    {.name = "kind", .type = API_STRING},
    {.name = "name", .type = API_STRING},
    {.name = "uid", .type = API_STRING},
    {.name = "controller", .type = API_BOOLEAN},
    {.name = "blockOwnerDeletion", .type = API_BOOLEAN},
};
static const struct api_schema OWNER = {
    .name = "OwnerReference",
    .fields = OWNER_FIELDS,
    .n_fields = sizeof(OWNER_FIELDS) / sizeof(*OWNER_FIELDS),
};

static const struct api_field META_FIELDS[] = {
    {.name = "name", .type = API_STRING},
    {.name = "generateName", .type = API_STRING},
    {.name = "namespace", .type = API_STRING},
    {.name = "selfLink", .type = API_STRING},
    {.name = "uid", .type = API_STRING},
    {.name = "resourceVersion", .type = API_STRING},
    {.name = "generation", .type = API_INTEGER},
    {.name = "creationTimestamp", .type = API_TIME},
    {.name = "deletionTimestamp", .type = API_TIME},
    {.name = "deletionGracePeriodSeconds", .type = API_INTEGER},
    {.name = "labels", .type = API_MAP, .element = API_STRING},
    {.name = "annotations", .type = API_MAP, .element = API_STRING},
    {.name = "ownerReferences",
     .type = API_LIST,
     .element = API_OBJECT,
     .object = &OWNER,
     .list = API_LIST_MAP,
     .keys = UID_KEY},
    {.name = "finalizers", .type = API_LIST, .element = API_STRING, .list = API_LIST_SET},
    {.name = "managedFields", .type = API_LIST, .element = API_ANY},
    {.name = "clusterName", .type = API_STRING},
};
static const struct api_schema META = {
    .name = "ObjectMeta",
    .fields = META_FIELDS,
    .n_fields = sizeof(META_FIELDS) / sizeof(*META_FIELDS),
};

struct type type_root(const struct api_schema *schema)
{
    return (struct type){
        .kind = schema ? API_OBJECT : API_ANY,
        .object = schema,
        .root = true,
    };
}

static const struct api_field *find_field(const struct api_schema *s, struct str name)
{
    for (size_t i = 0; s && i < s->n_fields; i++) {
        if (str_eqz(name, s->fields[i].name)) {
            return &s->fields[i];
        }
    }
    return NULL;
}

struct type type_member(const struct type *t, struct str name)
{
    if (t->root && str_eq(name, STR("metadata"))) {
        return (struct type){.kind = API_OBJECT, .object = &META, .meta = true};
    }
    if (t->kind == API_MAP) {
        return (struct type){.kind = t->element, .object = t->object, .entry = true};
    }
    const struct api_field *f = t->kind == API_OBJECT ? find_field(t->object, name) : NULL;
    if (!f) {
        bool type_meta =
            t->root && (str_eq(name, STR("apiVersion")) || str_eq(name, STR("kind")));
        return (struct type){
            .kind = type_meta ? API_STRING : API_ANY,
            .entry = true,
            .undeclared = !type_meta && t->kind == API_OBJECT && t->object &&
                          !t->object->preserve_unknown,
        };
    }
    return (struct type){
        .kind = f->type,
        .element = f->element,
        .list = f->list,
        .keys = f->keys,
        .object = f->object,
    };
}

struct type type_item(const struct type *t)
{
    return (struct type){.kind = t->element, .object = t->object, .entry = true};
}

bool type_unrecorded(const struct type *t, struct str name)
{
    static const char *const fields[] = {
        "name",         "namespace",  "uid",           "creationTimestamp", "selfLink",
        "clusterName",  "generation", "managedFields", "resourceVersion",   NULL,
    };
    if (t->root) {
        return str_eq(name, STR("apiVersion")) || str_eq(name, STR("kind"));
    }
    for (size_t i = 0; t->meta && fields[i]; i++) {
        if (str_eqz(name, fields[i])) {
            return true;
        }
    }
    return false;
}

static bool is_granular(const struct type *t)
{
    if (t->kind == API_OBJECT) {
        return !t->object || !t->object->atomic;
    }
    return t->kind == API_MAP || t->kind == API_ANY;
}

enum type_shape type_shape(const struct type *t, const struct node *n)
{
    if (node_is(n, NODE_MAP)) {
        return is_granular(t) ? TYPE_FIELDS : TYPE_LEAF;
    }
    if (!node_is(n, NODE_LIST) || t->kind != API_LIST || t->list == API_LIST_ATOMIC) {
        return TYPE_LEAF;
    }
    for (size_t i = 0; i < n->n; i++) {
        bool is_map = n->items[i]->type == NODE_MAP;
        if (is_map != (t->list == API_LIST_MAP) || n->items[i]->type == NODE_LIST) {
            return TYPE_LEAF;
        }
    }
    return t->list == API_LIST_MAP ? TYPE_KEYED : TYPE_SET;
}

struct node *type_items(struct arena *a, const struct type *t, const struct node *list,
                        struct str *out_duplicate)
{
    AUTO_MEMBERS ix = {0};
    size_t n = node_is(list, NODE_LIST) ? list->n : 0;
    struct node *out = node_map(a);
    if (out_duplicate) {
        *out_duplicate = STR_NULL;
    }
    if (!out || n == 0) {
        return out;
    }
    out->members = arena_array(a, struct node_member, n);
    out->cap = out->members ? n : 0;
    for (size_t i = 0; out->members && i < n; i++) {
        struct str step = t->list == API_LIST_MAP ? fieldset_step_key(a, list->items[i], t->keys)
                                                  : fieldset_step_value(a, list->items[i]);
        if (members_find(&ix, out->members, out->n, step) == MEMBERS_NONE) {
            out->members[out->n++] = (struct node_member){step, list->items[i]};
        } else if (out_duplicate) {
            *out_duplicate = step;
        }
    }
    return out;
}
