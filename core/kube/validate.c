/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata of any object and the rules of single kinds (kube-wire §7.1, §17.1).
 */
#include "kube/priv.h"

#include "base/map.h"
#include "data/base64.h"
#include "krm/name.h"

static bool alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* --- metadata --- */

/* One cause for each thing that is wrong with a name. */
static void add_faults(struct arena *a, const struct krm_name_faults *f, struct str field,
                       struct str value, struct kube_invalid *v)
{
    for (size_t i = 0; i < f->n; i++) {
        struct krm_name_faults one = {.n = 1, .at = {f->at[i]}};
        kube_invalid_value(v, field, value, krm_name_faults_text(a, &one, ""));
    }
}

static void check_labels(struct arena *a, const struct node *labels, struct kube_invalid *v)
{
    struct str field = STR("metadata.labels");
    for (size_t i = 0; node_is(labels, NODE_MAP) && i < labels->n; i++) {
        struct str key = labels->members[i].key, value = node_text(labels->members[i].value);
        struct krm_name_faults faults = krm_name_check_qualified(key);
        add_faults(a, &faults, field, key, v);
        faults = krm_name_check_label_value(value);
        add_faults(a, &faults, field, value, v);
    }
}

static void check_annotations(struct arena *a, const struct node *n, struct kube_invalid *v)
{
    struct str field = STR("metadata.annotations");
    size_t total = 0;
    for (size_t i = 0; node_is(n, NODE_MAP) && i < n->n; i++) {
        struct str key = n->members[i].key;
        AUTO_BUF lower = BUF_INIT; /* keys are compared without case */
        for (size_t k = 0; k < key.len; k++) {
            char c = key.ptr[k];
            buf_addc(&lower, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
        }
        struct krm_name_faults faults = krm_name_check_qualified(buf_str(&lower));
        add_faults(a, &faults, field, key, v);
        total += key.len + node_text(n->members[i].value).len;
    }
    if (total > LIMIT_ANNOTATIONS_BYTES) {
        kube_invalid_text(v, "FieldValueTooLong", field, "kube-field-too-long",
                          LIMIT_ANNOTATIONS_BYTES);
    }
}

static bool has_text(const struct node *list, struct str text)
{
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        if (str_eq(node_text(list->items[i]), text)) {
            return true;
        }
    }
    return false;
}

static void check_finalizers(struct arena *a, const struct node *meta, const struct node *was,
                             struct kube_invalid *v)
{
    const struct node *list = node_getz(meta, "finalizers");
    bool deleting = node_text_at(was, "deletionTimestamp").len > 0;
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        struct str one = node_text(list->items[i]);
        struct krm_name_faults faults = krm_name_check_qualified(one);
        add_faults(a, &faults, STR("metadata.finalizers"), one, v);
        if (deleting && !has_text(node_getz(was, "finalizers"), one)) {
            kube_invalid_text(v, "FieldValueForbidden", STR("metadata.finalizers"),
                              "kube-field-forbidden", api_message("kube-finalizers"));
            return;
        }
    }
}

static void check_owners(struct arena *a, const struct node *meta, struct kube_invalid *v)
{
    static const char *const MEMBERS[] = {"apiVersion", "kind", "name", "uid"};
    const struct node *list = node_getz(meta, "ownerReferences");
    size_t controllers = 0;
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        for (size_t m = 0; m < 4; m++) {
            if (!node_text_at(list->items[i], MEMBERS[m]).len) {
                struct str field =
                    arena_printf(a, "metadata.ownerReferences[%zu].%s", i, MEMBERS[m]);
                kube_invalid_value(v, field, STR(""), STR("must not be empty"));
            }
        }
        controllers += node_bool_at(list->items[i], "controller", false);
    }
    if (controllers > 1) {
        kube_invalid_value(v, STR("metadata.ownerReferences"), STR(""),
                           STR("Only one reference can have Controller set to true"));
    }
}

static void check_name(struct arena *a, const struct api_kind *k, struct str name,
                       struct kube_invalid *v)
{
    struct str field = STR("metadata.name");
    if (k->name_rule == API_NAME_PATH) {
        AUTO_BUF text = BUF_INIT;
        if (str_eqz(name, ".") || str_eqz(name, "..")) {
            api_text(&text, "name-path-segment-dot", arena_strz(a, name));
        } else if (str_find_byte(name, '/') >= 0 || str_find_byte(name, '%') >= 0) {
            api_text(&text, "name-path-segment-byte", str_find_byte(name, '/') >= 0 ? "/" : "%");
        } else {
            return;
        }
        kube_invalid_value(v, field, name, buf_str(&text));
        return;
    }
    struct krm_name_faults faults = k->name_rule == API_NAME_LABEL
                                        ? krm_name_check_label(name)
                                        : krm_name_check_subdomain(name);
    add_faults(a, &faults, field, name, v);
}

/* The CEL rules of a CRD that wants its name to be a label; they stand on the whole object. */
static void check_crd_name(const struct api_kind *k, struct str name, struct kube_invalid *v)
{
    AUTO_ARENA a = ARENA_INIT;
    if (k->name_rule != API_NAME_CRD_LABEL || !name.len) {
        return;
    }
    struct krm_name_faults faults = krm_name_check_label(name);
    for (size_t i = faults.n; i-- > 0;) { /* the shape is the first rule, the length the second */
        const char *id = faults.at[i].max ? "repository-name-long" : "repository-name-label";
        kube_invalid_add(v, "FieldValueInvalid", STR("<nil>"),
                         arena_printf(&a, "Invalid value: \"object\": %s", api_message(id)));
    }
}

static void check_meta(struct arena *a, const struct kube_route *r, const struct node *object,
                       const struct node *old, struct kube_invalid *v)
{
    const struct node *meta = node_getz(object, "metadata"), *was = node_getz(old, "metadata");
    struct str name = node_text_at(meta, "name"), base = node_text_at(meta, "generateName");
    bool porch = kube_is_porch(r->kind); /* the engine makes or checks these names */
    if (!old && !porch) {
        if (!name.len && !base.len) {
            kube_invalid_text(v, "FieldValueRequired", STR("metadata.name"),
                              "kube-field-required-detail", "name or generateName is required");
        } else if (name.len) {
            check_name(a, r->kind, name, v);
        }
    }
    if (!porch) { /* of its own kinds the peer takes any metadata */
        check_labels(a, node_getz(meta, "labels"), v);
        check_annotations(a, node_getz(meta, "annotations"), v);
        check_finalizers(a, meta, was, v);
        check_owners(a, meta, v);
    }
    struct str uid = node_text_at(meta, "uid");
    if (old && uid.len && !str_eq(uid, node_text_at(was, "uid"))) {
        kube_invalid_value(v, STR("metadata.uid"), uid,
                           str_of(api_message("kube-field-immutable")));
    }
}

/* --- kinds --- */

/* stringData goes into data; the type has its default from the schema. */
static void prepare_secret(struct arena *a, struct node *object)
{
    struct node *plain = node_getz(object, "stringData");
    for (size_t i = 0; node_is(plain, NODE_MAP) && i < plain->n; i++) {
        struct node *data = node_getz(object, "data");
        if (!node_is(data, NODE_MAP)) {
            data = node_map(a);
            node_setz(a, object, "data", data);
        }
        node_set(a, data, plain->members[i].key,
                 node_str(a, base64_emit(a, node_text(plain->members[i].value))));
    }
    node_delz(object, "stringData");
}

static void prepare_namespace(struct arena *a, struct node *object, const struct node *old)
{
    struct node *meta = node_getz(object, "metadata");
    struct node *labels = node_getz(meta, "labels");
    struct str name = node_text_at(meta, "name");
    if (!node_is(labels, NODE_MAP)) {
        labels = node_map(a);
        node_setz(a, meta, "labels", labels);
    }
    if (name.len) {
        node_set(a, labels, STR("kubernetes.io/metadata.name"), node_str(a, name));
    }
    if (!old) {
        struct node *finalizers = node_list(a);
        node_push(a, finalizers, node_strz(a, "kubernetes"));
        node_set_at(a, object, "spec.finalizers", finalizers);
        struct node *status = node_map(a);
        node_set_strz(a, status, "phase", STR("Active"));
        node_setz(a, object, "status", status);
    }
}

/* Old clients do not know spec.packageMetadata: what they leave out stays. */
static void prepare_revision(struct arena *a, struct node *object, const struct node *old)
{
    struct node *was = node_at(old, "spec.packageMetadata");
    if (was && !node_at(object, "spec.packageMetadata")) {
        node_set_at(a, object, "spec.packageMetadata", was);
    }
}

/* Status belongs to /status; everything else does not. */
static void split_status(struct arena *a, const struct kube_route *r, struct node *object,
                         const struct node *old)
{
    if (!(r->kind->flags & API_STATUS)) {
        return;
    }
    if (!str_eqz(r->subresource, "status")) {
        struct node *was = node_getz(old, "status");
        if (was) {
            node_setz(a, object, "status", node_copy(a, was));
        } else {
            node_delz(object, "status");
        }
        return;
    }
    struct node *status = node_getz(object, "status");
    struct node *fields = node_at(object, "metadata.managedFields");
    struct node *rv = node_at(object, "metadata.resourceVersion");
    struct node *uid = node_at(object, "metadata.uid");
    *object = *node_copy(a, old);
    node_delz(object, "status");
    if (status) {
        node_setz(a, object, "status", status);
    }
    struct node *meta = node_getz(object, "metadata");
    if (fields) {
        node_setz(a, meta, "managedFields", fields);
    }
    if (uid) {
        node_setz(a, meta, "uid", uid);
    }
    if (rv) {
        node_setz(a, meta, "resourceVersion", rv);
    } else {
        node_delz(meta, "resourceVersion");
    }
}

/* System metadata is the server's: a create starts without, an update keeps what is there. */
static void settle_meta(struct arena *a, struct node *object, const struct node *old)
{
    static const char *const OWNED[] = {"generation", "creationTimestamp", "deletionTimestamp",
                                        "deletionGracePeriodSeconds", "selfLink", "uid"};
    struct node *meta = node_getz(object, "metadata");
    const struct node *was = node_getz(old, "metadata");
    for (size_t i = 0; i < sizeof(OWNED) / sizeof(OWNED[0]); i++) {
        bool uid = strcmp(OWNED[i], "uid") == 0;
        struct node *v = node_getz(was, OWNED[i]);
        if (uid && old && node_text_at(meta, "uid").len) {
            continue; /* compared by check_meta */
        }
        if (v) {
            node_setz(a, meta, OWNED[i], v);
        } else {
            node_delz(meta, OWNED[i]);
        }
    }
    if (!old) {
        node_delz(meta, "resourceVersion");
    }
}

/* Members that clients must name; kinds that are not validated show them empty. */
static void fill_owner(struct arena *a, struct node *owner)
{
    static const char *const MEMBERS[] = {"apiVersion", "kind", "name", "uid"};
    for (size_t m = 0; node_is(owner, NODE_MAP) && m < 4; m++) {
        if (!node_getz(owner, MEMBERS[m])) {
            node_set_strz(a, owner, MEMBERS[m], STR(""));
        }
    }
}

void kube_owners_settle(struct arena *a, const struct api_kind *k, struct node *object,
                        struct kube_texts *warnings)
{
    struct node *list = node_at(object, "metadata.ownerReferences");
    AUTO_MAP seen = MAP_INIT;
    AUTO_BUF uids = BUF_INIT;
    size_t kept = 0;
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        struct node *owner = list->items[i];
        if (kube_is_porch(k)) {
            fill_owner(a, owner);
        }
        struct str text = json_emit_str(a, owner);
        if (!map_has(&seen, text)) {
            (void)map_set(&seen, text, owner);
            list->items[kept++] = owner;
        } else {
            buf_printf(&uids, "%s%.*s", uids.len ? ", " : "",
                       STR_ARG(node_text_at(owner, "uid")));
        }
    }
    if (uids.ptr && kept < list->n) {
        list->n = kept;
        AUTO_BUF text = BUF_INIT;
        api_text(&text, "kube-owners-doubled", uids.ptr);
        kube_texts_add(a, warnings, arena_str(a, buf_str(&text)));
    }
}

int kube_kind_prepare(struct arena *a, const struct kube_route *r, struct node *object,
                      const struct node *old, struct err *err)
{
    split_status(a, r, object, old);
    settle_meta(a, object, old);
    const char *kind = r->kind->store_kind;
    if (strcmp(kind, "secrets") == 0) {
        prepare_secret(a, object);
    } else if (strcmp(kind, "namespaces") == 0) {
        prepare_namespace(a, object, old);
    } else if (strcmp(kind, "packagerevisions") == 0) {
        prepare_revision(a, object, old);
    }
    return 0;
}

/* immutable: true freezes the data of Secrets and ConfigMaps and itself. */
static void check_frozen(const struct node *object, const struct node *old, struct kube_invalid *v)
{
    static const char *const FIELDS[] = {"data", "binaryData"};
    if (!node_bool_at(old, "immutable", false)) {
        return;
    }
    if (!node_bool_at(object, "immutable", false)) {
        kube_invalid_text(v, "FieldValueForbidden", STR("immutable"), "kube-field-forbidden",
                          "field is immutable when `immutable` is set");
    }
    for (size_t i = 0; i < 2; i++) {
        const struct node *x = node_getz(object, FIELDS[i]), *y = node_getz(old, FIELDS[i]);
        bool same = (!x && !y) || (x && y && node_equal(x, y));
        if (!same) {
            kube_invalid_text(v, "FieldValueForbidden", str_of(FIELDS[i]), "kube-field-forbidden",
                              "field is immutable when `immutable` is set");
        }
    }
}

static void check_data_keys(struct arena *a, const struct node *object, struct kube_invalid *v)
{
    static const char *const FIELDS[] = {"data", "binaryData"};
    for (size_t f = 0; f < 2; f++) {
        const struct node *map = node_getz(object, FIELDS[f]);
        for (size_t i = 0; node_is(map, NODE_MAP) && i < map->n; i++) {
            struct str key = map->members[i].key;
            bool ok = key.len && key.len <= LIMIT_NAME && !str_eqz(key, ".") &&
                      !str_has_prefix(key, STR(".."));
            for (size_t c = 0; ok && c < key.len; c++) {
                ok = alnum(key.ptr[c]) || key.ptr[c] == '-' || key.ptr[c] == '_' ||
                     key.ptr[c] == '.';
            }
            if (!ok) {
                kube_invalid_value(v, arena_printf(a, "%s[%.*s]", FIELDS[f], STR_ARG(key)), key,
                                   STR("a valid config key must consist of alphanumeric "
                                       "characters, '-', '_' or '.' (e.g. 'key.name',  or "
                                       "'KEY_NAME',  or 'key-name', regex used for validation is "
                                       "'[-._a-zA-Z0-9]+')"));
            }
        }
    }
}

int kube_validate(struct arena *a, const struct kube_route *r, const struct node *object,
                  const struct node *old, struct kube_invalid *v, struct err *err)
{
    const struct api_kind *k = r->kind;
    struct str name = node_text_at(object, "metadata.name");
    check_meta(a, r, object, old, v);
    kube_schema_validate(a, k, object, old, v);
    if (strcmp(k->store_kind, "secrets") == 0 || strcmp(k->store_kind, "configmaps") == 0) {
        check_frozen(object, old, v);
        check_data_keys(a, object, v);
    }
    if (!old && !kube_invalid_blocks(v)) {
        check_crd_name(k, name, v);
    }
    return kube_invalid_end(v, k->group, k->kind, old ? r->name : name, err);
}
