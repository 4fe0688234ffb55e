/* SPDX-License-Identifier: Apache-2.0
 *
 * See merge_keys.h. The tables are written by core/krm/merge_keys.lua at build time.
 */
#include "krm/merge_keys.h"

#include "data/node.h"

static int compare_root(const struct krm_place_root *r, struct str api_version, struct str kind)
{
    int c = str_cmp(str_of(r->api_version), api_version);
    return c ? c : str_cmp(str_of(r->kind), kind);
}

const struct krm_place *krm_place_of(struct str api_version, struct str kind)
{
    size_t from = 0, to = krm_place_n_roots;
    while (from < to) {
        size_t mid = (from + to) / 2;
        int c = compare_root(&krm_place_roots[mid], api_version, kind);
        if (c == 0) {
            return krm_place_roots[mid].place;
        }
        if (c < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return NULL;
}

const struct krm_place *krm_place_field(const struct krm_place *p, struct str name)
{
    for (size_t i = 0; p && i < p->n_fields; i++) {
        if (str_eqz(name, p->fields[i].name)) {
            return p->fields[i].place;
        }
    }
    return NULL;
}

const struct krm_place *krm_place_items(const struct krm_place *p)
{
    return p ? p->items : NULL;
}

/* --- schemas in comments --- */

/* The two definitions that such comments are known to name. */
static const struct krm_place *definition(struct str ref)
{
    const struct krm_place *pod = krm_place_field(krm_place_of(STR("v1"), STR("Pod")), STR("spec"));
    if (str_eqz(ref, "#/definitions/io.k8s.api.core.v1.PodSpec")) {
        return pod;
    }
    if (str_eqz(ref, "#/definitions/io.k8s.api.core.v1.Container")) {
        return krm_place_items(krm_place_field(pod, STR("containers")));
    }
    return NULL;
}

static bool has_word(struct str list, const char *word)
{
    struct str part;
    while (str_split(&list, ',', &part)) {
        if (str_eqz(part, word)) {
            return true;
        }
    }
    return false;
}

static const char *const *keys_of(struct arena *a, const struct node *schema)
{
    const struct node *list = node_getz(schema, "x-kubernetes-list-map-keys");
    struct str one = node_text(node_getz(schema, "x-kubernetes-patch-merge-key"));
    const char **keys = arena_array(a, const char *, KRM_PLACE_KEYS + 1);
    for (size_t i = 0; keys && node_is(list, NODE_LIST) && i < list->n && i < KRM_PLACE_KEYS; i++) {
        keys[i] = arena_strz(a, node_text(list->items[i]));
    }
    if (keys && !list && one.len) {
        keys[0] = arena_strz(a, one);
    }
    return (const char *const *)keys;
}

const struct krm_place *krm_place_of_comment(struct arena *a, struct str comment)
{
    struct str text = str_trim(comment, "# \t");
    if (text.len == 0 || text.ptr[0] != '{') {
        return NULL;
    }
    AUTO_ERR none = ERR_INIT; /* other comments may begin so, too */
    const struct node *schema = json_parse(a, text, NULL, &none);
    const struct krm_place *named = definition(node_text(node_getz(schema, "$ref")));
    struct krm_place *p = schema && !named ? arena_new(a, struct krm_place) : NULL;
    if (p) {
        p->items = definition(node_text_at(schema, "items.$ref"));
        p->merges = has_word(node_text(node_getz(schema, "x-kubernetes-patch-strategy")), "merge");
        p->keys = keys_of(a, schema);
    }
    return named ? named : p;
}
