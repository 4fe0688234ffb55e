/* SPDX-License-Identifier: Apache-2.0
 *
 * See protobuf.h. protobuf-c unpacks by the messages of api/proto/k8s.proto into the arena; one
 * generic walk over the descriptors makes the nodes. A few messages have a JSON form of their own:
 * times, map entries, field sets.
 */
#include "data/protobuf.h"

#include "base/clock.h"
#include "data/base64.h"
#include "data/members.h"
#include "k8s.pb-c.h"

#define MAGIC "k8s\0"
#define CONTENT_TYPE "application/vnd.kubernetes.protobuf"

struct decoder {
    struct arena *a;
    struct err *err;
};

/* How a message looks in JSON when it is no plain object. */
enum form {
    FORM_OBJECT,
    FORM_TIME,
    FORM_MICRO_TIME,
    FORM_TEXT_MAP,
    FORM_MAP,
    FORM_ITEMS,
    FORM_JSON
};

struct kind {
    const char *api_version; /* prefix up to the version; NULL: any */
    const char *kind;
    const ProtobufCMessageDescriptor *message;
};

static const struct kind kinds[] = {
    {"v1", "ConfigMap", &k8s__config_map__descriptor},
    {"v1", "Event", &k8s__event__descriptor},
    {"v1", "Namespace", &k8s__namespace__descriptor},
    {"v1", "Secret", &k8s__secret__descriptor},
    {"authentication.k8s.io/", "SelfSubjectReview", &k8s__self_subject_review__descriptor},
    {"authentication.k8s.io/", "TokenReview", &k8s__token_review__descriptor},
    {"authorization.k8s.io/", "LocalSubjectAccessReview", &k8s__subject_access_review__descriptor},
    {"authorization.k8s.io/", "SelfSubjectAccessReview",
     &k8s__self_subject_access_review__descriptor},
    {"authorization.k8s.io/", "SelfSubjectRulesReview",
     &k8s__self_subject_rules_review__descriptor},
    {"authorization.k8s.io/", "SubjectAccessReview", &k8s__subject_access_review__descriptor},
    {"coordination.k8s.io/", "Lease", &k8s__lease__descriptor},
    {"events.k8s.io/", "Event", &k8s__events_event__descriptor},
    {"rbac.authorization.k8s.io/", "ClusterRole", &k8s__cluster_role__descriptor},
    {"rbac.authorization.k8s.io/", "ClusterRoleBinding", &k8s__role_binding__descriptor},
    {"rbac.authorization.k8s.io/", "Role", &k8s__cluster_role__descriptor},
    {"rbac.authorization.k8s.io/", "RoleBinding", &k8s__role_binding__descriptor},
    {NULL, "DeleteOptions", &k8s__delete_options__descriptor},
};

/* Fields that are pointers in Go: their zero says something (`--grace-period=0`). */
static const char *const pointers[] = {
    "blockOwnerDeletion", "controller",           "deletionGracePeriodSeconds",
    "gracePeriodSeconds", "holderIdentity",       "immutable",
    "leaseTransitions",   "leaseDurationSeconds", "orphanDependents",
    "propagationPolicy",
};

static struct node *walk_message(struct decoder *d, const ProtobufCMessage *m);

static struct node *fail(struct decoder *d, const char *problem, const char *what)
{
    err_set(d->err, ERR_BAD_REQUEST, "cannot decode protobuf body: %s %s", problem, what);
    return NULL;
}

static struct node *or_too_large(struct decoder *d, struct node *n)
{
    return n ? n : fail(d, "too large", "");
}

static enum form form_of(const ProtobufCMessageDescriptor *m)
{
    return m == &k8s__time__descriptor           ? FORM_TIME
           : m == &k8s__micro_time__descriptor   ? FORM_MICRO_TIME
           : m == &k8s__string_entry__descriptor ? FORM_TEXT_MAP
           : m == &k8s__bytes_entry__descriptor  ? FORM_MAP
           : m == &k8s__extra_entry__descriptor  ? FORM_MAP
           : m == &k8s__extra_value__descriptor  ? FORM_ITEMS
           : m == &k8s__fields_v1__descriptor    ? FORM_JSON
                                                 : FORM_OBJECT;
}

static bool is_pointer(const char *name)
{
    for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers); i++) {
        if (strcmp(pointers[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static struct node *make_text(struct decoder *d, struct str s, const char *name)
{
    if (!str_is_utf8(s)) {
        return fail(d, "invalid UTF-8 in", name);
    }
    return or_too_large(d, node_str(d->a, s));
}

/* Both times have the same layout. Seconds outside the years 1 to 9999 have no RFC 3339 form. */
static struct node *make_time(struct decoder *d, const K8s__Time *t, bool micro)
{
    char text[64];
    time_t seconds = t->seconds;
    struct tm tm;
    if (t->seconds < -62135596800 || t->seconds > 253402300799 || !gmtime_r(&seconds, &tm)) {
        return fail(d, "time out of range", "");
    }
    unsigned us = t->nanos > 0 && t->nanos < NS_PER_S ? (unsigned)t->nanos / 1000 : 0;
    int n = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    struct str s = micro ? arena_printf(d->a, "%.*s.%06uZ", n, text, us)
                         : arena_printf(d->a, "%.*sZ", n, text);
    return or_too_large(d, node_str(d->a, s));
}

/* A time that is zero and a field set without bytes are absent. */
static bool is_zero_message(const ProtobufCMessage *m)
{
    const K8s__Time *t = (const K8s__Time *)m;
    enum form f = form_of(m->descriptor);
    if (f == FORM_JSON) {
        return ((const K8s__FieldsV1 *)m)->raw.len == 0;
    }
    return (f == FORM_TIME || f == FORM_MICRO_TIME) && t->seconds == 0 && t->nanos == 0;
}

static const void *member_at(const ProtobufCMessage *m, size_t offset)
{
    return (const char *)m + offset;
}

/* One value of a field; `at` points to where protobuf-c keeps it. */
static struct node *make_value(struct decoder *d, const ProtobufCFieldDescriptor *f, const void *at)
{
    const ProtobufCBinaryData *bytes = at;
    struct str raw;
    switch (f->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return or_too_large(d, node_bool(d->a, *(const protobuf_c_boolean *)at));
    case PROTOBUF_C_TYPE_INT32:
        return or_too_large(d, node_int(d->a, *(const int32_t *)at));
    case PROTOBUF_C_TYPE_INT64:
        return or_too_large(d, node_int(d->a, *(const int64_t *)at));
    case PROTOBUF_C_TYPE_STRING:
        return make_text(d, str_of(*(char *const *)at), f->name);
    case PROTOBUF_C_TYPE_BYTES:
        raw = (struct str){(const char *)bytes->data, bytes->len};
        return or_too_large(d, node_str(d->a, base64_emit(d->a, raw)));
    case PROTOBUF_C_TYPE_MESSAGE:
        return walk_message(d, *(const ProtobufCMessage *const *)at);
    default:
        return fail(d, "unexpected type of", f->name);
    }
}

/* Absent, or the zero of a field that is no pointer. */
static bool is_empty(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const void *at = member_at(m, f->offset);
    bool there = f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE
                     ? *(const void *const *)at != NULL
                     : *(const protobuf_c_boolean *)member_at(m, f->quantifier_offset);
    if (!there) {
        return true;
    }
    switch (f->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return !*(const protobuf_c_boolean *)at && !is_pointer(f->name);
    case PROTOBUF_C_TYPE_INT32:
        return !*(const int32_t *)at && !is_pointer(f->name);
    case PROTOBUF_C_TYPE_INT64:
        return !*(const int64_t *)at && !is_pointer(f->name);
    case PROTOBUF_C_TYPE_STRING:
        return !**(const char *const *)at && !is_pointer(f->name);
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len == 0;
    default:
        return is_zero_message(*(const ProtobufCMessage *const *)at);
    }
}

static struct node *entry_value(struct decoder *d, const ProtobufCMessage *entry, enum form form)
{
    const ProtobufCFieldDescriptor *f = &entry->descriptor->fields[1];
    const void *at = member_at(entry, f->offset);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE && !*(const void *const *)at) {
        return or_too_large(d, node_list(d->a));
    }
    if (form == FORM_TEXT_MAP) {
        const ProtobufCBinaryData *bytes = at;
        return make_text(d, (struct str){(const char *)bytes->data, bytes->len}, "map value");
    }
    return make_value(d, f, at);
}

/* Entries of a map: as in Go the last of equal keys wins. */
static struct node *make_map(struct decoder *d, ProtobufCMessage *const *entries, size_t n,
                             enum form form)
{
    AUTO_MEMBERS ix = {0};
    struct node *map = node_map(d->a);
    struct node_member *members = arena_array(d->a, struct node_member, n);
    if (!map || !members) {
        return fail(d, "too large", "");
    }
    map->members = members;
    map->cap = n;
    for (size_t i = 0; i < n; i++) {
        const ProtobufCMessage *entry = entries[i];
        const char *z = *(char *const *)member_at(entry, entry->descriptor->fields[0].offset);
        struct node_member m = {str_of(z ? z : ""), entry_value(d, entry, form)};
        if (!m.value) {
            return NULL;
        }
        if (!str_is_utf8(m.key)) {
            return fail(d, "invalid UTF-8 in", "map key");
        }
        size_t same = members_find(&ix, members, map->n, m.key);
        members[same == MEMBERS_NONE ? map->n++ : same] = m;
    }
    return map;
}

static size_t element_size(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_BYTES   ? sizeof(ProtobufCBinaryData)
           : f->type == PROTOBUF_C_TYPE_INT32 ? sizeof(int32_t)
           : f->type == PROTOBUF_C_TYPE_INT64 ? sizeof(int64_t)
           : f->type == PROTOBUF_C_TYPE_BOOL  ? sizeof(protobuf_c_boolean)
                                              : sizeof(void *);
}

static struct node *make_repeated(struct decoder *d, const ProtobufCMessage *m,
                                  const ProtobufCFieldDescriptor *f)
{
    size_t n = *(const size_t *)member_at(m, f->quantifier_offset);
    const char *at = *(const char *const *)member_at(m, f->offset);
    enum form form = f->type == PROTOBUF_C_TYPE_MESSAGE ? form_of(f->descriptor) : FORM_OBJECT;
    if (form == FORM_MAP || form == FORM_TEXT_MAP) {
        return make_map(d, (ProtobufCMessage *const *)(const void *)at, n, form);
    }
    struct node *list = or_too_large(d, node_list(d->a));
    for (size_t i = 0; list && i < n; i++) {
        struct node *v = make_value(d, f, at + i * element_size(f));
        if (!v) {
            return NULL;
        }
        node_push(d->a, list, v);
    }
    return list;
}

static int add_fields(struct decoder *d, const ProtobufCMessage *m, struct node *map)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        struct node *v;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            if (*(const size_t *)member_at(m, f->quantifier_offset) == 0) {
                continue;
            }
            v = make_repeated(d, m, f);
        } else {
            if (is_empty(m, f)) {
                continue;
            }
            v = make_value(d, f, member_at(m, f->offset));
        }
        if (!v) {
            return -1;
        }
        node_setz(d->a, map, f->name, v);
    }
    return 0;
}

static struct node *walk_message(struct decoder *d, const ProtobufCMessage *m)
{
    const K8s__FieldsV1 *fields = (const K8s__FieldsV1 *)m;
    struct node *map;
    switch (form_of(m->descriptor)) {
    case FORM_TIME:
        return make_time(d, (const K8s__Time *)m, false);
    case FORM_MICRO_TIME:
        return make_time(d, (const K8s__Time *)m, true);
    case FORM_ITEMS:
        return make_repeated(d, m, &m->descriptor->fields[0]);
    case FORM_JSON:
        return json_parse(d->a, (struct str){(const char *)fields->raw.data, fields->raw.len},
                          NULL, d->err);
    default:
        map = or_too_large(d, node_map(d->a));
        return map && add_fields(d, m, map) == 0 ? map : NULL;
    }
}

/* protobuf-c memory comes from the arena and goes with it. */
static void *allocate(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

static void release(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

static ProtobufCMessage *unpack(struct decoder *d, const ProtobufCMessageDescriptor *type,
                                struct str bytes)
{
    ProtobufCAllocator allocator = {allocate, release, d->a};
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &allocator, bytes.len,
                                                    (const uint8_t *)bytes.ptr);
    if (!m) {
        (void)fail(d, "broken message", type->short_name);
    }
    return m;
}

static const ProtobufCMessageDescriptor *find_message(struct str api_version, struct str kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const char *v = kinds[i].api_version;
        bool group = v && strchr(v, '/');
        if (str_eqz(kind, kinds[i].kind) &&
            (!v || (group ? str_has_prefix(api_version, str_of(v)) : str_eqz(api_version, v)))) {
            return kinds[i].message;
        }
    }
    return NULL;
}

bool protobuf_is(struct str body)
{
    return body.len >= 4 && memcmp(body.ptr, MAGIC, 4) == 0;
}

static int decode_raw(struct decoder *d, const K8s__Unknown *u, struct node **out)
{
    struct str version = str_of(u->typemeta ? u->typemeta->apiversion : NULL);
    struct str kind = str_of(u->typemeta ? u->typemeta->kind : NULL);
    struct str raw = {(const char *)u->raw.data, u->raw.len};
    const ProtobufCMessageDescriptor *type = find_message(version, kind);
    bool plain = !u->contenttype || !*u->contenttype || strcmp(u->contenttype, CONTENT_TYPE) == 0;
    if (!type || !plain || (u->contentencoding && *u->contentencoding)) {
        return err_set(d->err, ERR_UNSUPPORTED_MEDIA,
                       "kind '%.*s' of '%.*s' cannot be read from a protobuf body",
                       STR_ARG(str_sub(kind, 0, 100)), STR_ARG(str_sub(version, 0, 100)));
    }
    ProtobufCMessage *m = unpack(d, type, raw);
    struct node *object = node_map(d->a);
    if (!m || !object) {
        return -1;
    }
    node_set_strz(d->a, object, "apiVersion", version);
    node_set_strz(d->a, object, "kind", kind);
    if (!str_is_utf8(version) || add_fields(d, m, object)) {
        return err_is(d->err, ERR_NONE) ? err_set(d->err, ERR_BAD_REQUEST, "invalid apiVersion")
                                        : -1;
    }
    if (d->a->exhausted) {
        (void)fail(d, "too large", "");
        return -1;
    }
    *out = object;
    return 0;
}

int protobuf_decode_object(struct arena *a, struct str body, struct node **out, struct err *err)
{
    struct decoder d = {a, err};
    if (!protobuf_is(body)) {
        return err_set(err, ERR_BAD_REQUEST, "cannot decode protobuf body: no envelope");
    }
    ProtobufCMessage *m = unpack(&d, &k8s__unknown__descriptor, str_sub(body, 4, body.len));
    return m ? decode_raw(&d, (const K8s__Unknown *)m, out) : -1;
}
