/* SPDX-License-Identifier: Apache-2.0
 *
 * The roles that a new server starts with, each bound to the group of its name. They are ordinary
 * objects afterwards: changed or deleted ones stay so.
 */
#include "auth/priv.h"

#include <openssl/rand.h>

#include "base/clock.h"

#define PORCH "\"apiGroups\":[\"porch.kpt.dev\"]"
#define READ "\"verbs\":[\"get\",\"list\",\"watch\"]"
#define READ_PACKAGES                                                                              \
    "{" PORCH ",\"resources\":[\"packagerevisions\",\"packages\"]," READ "},"                      \
    "{\"apiGroups\":[\"config.porch.kpt.dev\"],\"resources\":[\"repositories\"]," READ "},"        \
    "{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\",\"events\",\"namespaces\"],"              \
    "\"verbs\":[\"get\",\"list\"]},"                                                               \
    "{\"apiGroups\":[\"events.k8s.io\"],\"resources\":[\"events\"],\"verbs\":[\"get\",\"list\"]},"

static const struct {
    const char *name, *description, *rules;
} SHIPPED[] = {
    {"lanai-admin", "Everything.",
     "[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]},"
     "{\"nonResourceURLs\":[\"*\"],\"verbs\":[\"*\"]}]"},
    {"lanai-author", "Reads packages, writes drafts and proposes them.",
     "[" READ_PACKAGES
     "{" PORCH ",\"resources\":[\"packagerevisionresources\"],"
     "\"verbs\":[\"get\",\"list\",\"update\",\"patch\"]},"
     "{" PORCH ",\"resources\":[\"packagerevisions\"],"
     "\"verbs\":[\"create\",\"update\",\"patch\",\"delete\"]}]"},
    {"lanai-approver", "Reads packages, approves and rejects proposals.",
     "[" READ_PACKAGES
     "{" PORCH ",\"resources\":[\"packagerevisionresources\"],\"verbs\":[\"get\",\"list\"]},"
     "{" PORCH ",\"resources\":[\"packagerevisions/approval\"],"
     "\"verbs\":[\"get\",\"update\",\"patch\"]}]"},
    {"lanai-reader", "Reads everything but secrets.",
     "[{\"apiGroups\":[\"porch.kpt.dev\",\"config.porch.kpt.dev\",\"events.k8s.io\","
     "\"coordination.k8s.io\",\"apiextensions.k8s.io\"],\"resources\":[\"*\"]," READ "},"
     "{\"apiGroups\":[\"\"],\"resources\":[\"namespaces\",\"configmaps\",\"events\",\"services\"],"
     READ "}]"},
};

struct seed {
    struct arena *arena;
    struct store_txn *txn;
    struct str time;
};

static struct str uuid(struct arena *a)
{
    unsigned char b[16] = {0};
    RAND_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return arena_printf(a,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}

/* `more` is the object behind its metadata: `"rules":[…]}`. */
static void add_object(struct seed *s, const char *api_kind, struct str store_kind,
                       const char *name, const char *description, const char *more,
                       struct str cells)
{
    struct arena *a = s->arena;
    struct str uid = uuid(a);
    struct str head = arena_printf(
        a, "{\"apiVersion\":\"" RBAC_GROUP "/v1\",\"kind\":\"%s\",\"metadata\":", api_kind);
    struct str meta = arena_printf(
        a,
        "{\"name\":\"%s\",\"uid\":\"%s\",\"resourceVersion\":\"\",\"creationTimestamp\":\"%s\","
        "\"annotations\":{\"lanai.dev/description\":\"%s\"}}",
        name, uid.ptr, s->time.ptr, description);
    struct str json = arena_printf(a, "%s%s,%s}", head.ptr, meta.ptr, more);
    struct str mark = STR("\"resourceVersion\":\"");
    struct store_put *p = arena_new(a, struct store_put);
    *p = (struct store_put){.kind = store_kind, .ns = STR(""), .name = str_of(name), .uid = uid,
                            .json = json, .rv_at = (size_t)str_find(json, mark) + mark.len,
                            .meta_from = head.len, .meta_to = head.len + meta.len,
                            .cells = cells, .data = STR("")};
    store_txn_put(s->txn, p);
}

static int is_seeded(struct auth *a, bool *out, struct err *err)
{
    int64_t roles = 0, bindings = 0;
    struct store_query q = {.kind = STR("clusterroles")};
    struct store_query b = {.kind = STR("clusterrolebindings")};
    if (store_count(a->store, &q, &roles, err) != 0 ||
        store_count(a->store, &b, &bindings, err) != 0) {
        return -1;
    }
    *out = roles + bindings > 0;
    return 0;
}

int auth_seed(struct auth *a, struct err *err)
{
    AUTO_ARENA arena = ARENA_INIT;
    bool seeded;
    if (is_seeded(a, &seeded, err) != 0 || seeded) {
        return err && err->kind ? -1 : 0;
    }
    struct seed s = {&arena, store_txn_new(&arena), clock_rfc3339(&arena, clock_real_ns())};
    for (size_t i = 0; i < sizeof(SHIPPED) / sizeof(SHIPPED[0]); i++) {
        const char *name = SHIPPED[i].name;
        add_object(&s, "ClusterRole", STR("clusterroles"), name, SHIPPED[i].description,
                   arena_printf(&arena, "\"rules\":%s", SHIPPED[i].rules).ptr,
                   arena_printf(&arena, "[\"%s\",\"%s\"]", name, s.time.ptr));
        add_object(&s, "ClusterRoleBinding", STR("clusterrolebindings"), name,
                   SHIPPED[i].description,
                   arena_printf(&arena,
                                "\"subjects\":[{\"kind\":\"Group\",\"apiGroup\":\"" RBAC_GROUP
                                "\",\"name\":\"%s\"}],\"roleRef\":{\"apiGroup\":\"" RBAC_GROUP
                                "\",\"kind\":\"ClusterRole\",\"name\":\"%s\"}",
                                name, name).ptr,
                   arena_printf(&arena, "[\"%s\",\"ClusterRole/%s\"]", name, name));
    }
    return store_commit(a->store, s.txn, err);
}
