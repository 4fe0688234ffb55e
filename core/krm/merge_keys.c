/* SPDX-License-Identifier: Apache-2.0
 *
 * See merge_keys.h. The tables are written by core/krm/merge_keys.lua at build time.
 */
#include "krm/merge_keys.h"

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
