/* ROOM: kube
 * SPDX-License-Identifier: Apache-2.0
 *
 * Selectors from the query string: `labels\0fields`, for a porch kind and a generic one. What
 * parses must also match without reading out of bounds.
 */
#include "api/kinds.h"
#include "data/node.h"
#include "kube/selector.h"

static void try_kind(const char *group, const char *version, const char *resource,
                     struct str labels, struct str fields)
{
    const struct api_kind *kind =
        api_kind_find(str_of(group), str_of(version), str_of(resource));
    struct kube_selector s;
    struct str f1, f2, leaf, ns;
    bool nothing;
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    if (!kind || kube_selector_parse(&a, kind, labels, fields, &s, &err) < 0) {
        return;
    }
    struct node *object =
        json_parse(&a,
                   STR("{\"metadata\":{\"name\":\"a\",\"labels\":{\"a\":\"b\",\"n\":\"5\"}},"
                       "\"spec\":{\"packageName\":\"a/b\",\"revision\":1}}"),
                   NULL, &err);
    (void)kube_selector_match(&s, object);
    kube_selector_index(&s, &f1, &f2, &leaf);
    (void)kube_selector_scope(&s, STR("ns"), &ns, &nothing, &err);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str rest = {(const char *)data, size}, labels = STR("");
    (void)str_split(&rest, '\0', &labels);
    rest = rest.ptr ? rest : STR("");
    try_kind("porch.kpt.dev", "v1alpha1", "packagerevisions", labels, rest);
    try_kind("", "v1", "secrets", labels, rest);
    return 0;
}
