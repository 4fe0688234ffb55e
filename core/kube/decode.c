/* SPDX-License-Identifier: Apache-2.0
 *
 * Request bodies: media type, bytes to nodes, and whether the object belongs to the URL it was sent
 * to (kube-wire §4.2, §7.1).
 */
#include "kube/priv.h"

#include <strings.h>

#include "data/protobuf.h"
#include "data/yaml.h"

/* Media type of the body without parameters. */
static struct str media_type(const struct kube_request *req)
{
    struct str v = kube_header_get(req, "Content-Type");
    ptrdiff_t end = str_find_byte(v, ';');
    return str_trim(end < 0 ? v : str_sub(v, 0, (size_t)end), " \t");
}

static bool is_type(struct str v, const char *name)
{
    return v.len == strlen(name) && strncasecmp(v.ptr, name, v.len) == 0;
}

int kube_media_body(const struct kube_request *req, enum kube_media *out, struct err *err)
{
    struct str v = media_type(req);
    if (!v.len) {
        struct str body = str_trim(req->body, " \t\r\n");
        bool json = !body.len || body.ptr[0] == '{' || body.ptr[0] == '[' || body.ptr[0] == '"';
        *out = protobuf_is(req->body) ? KUBE_MEDIA_PROTOBUF
               : json                 ? KUBE_MEDIA_JSON
                                      : KUBE_MEDIA_YAML;
    } else if (is_type(v, "application/json")) {
        *out = KUBE_MEDIA_JSON;
    } else if (is_type(v, "application/yaml")) {
        *out = KUBE_MEDIA_YAML;
    } else if (is_type(v, "application/vnd.kubernetes.protobuf")) {
        *out = KUBE_MEDIA_PROTOBUF;
    } else {
        return api_err(err, ERR_UNSUPPORTED_MEDIA, "kube-unsupported-media",
                       api_message("kube-media-objects"));
    }
    return 0;
}

int kube_media_patch(const struct kube_request *req, const struct kube_route *r,
                     enum kube_media *out, struct err *err)
{
    static const struct {
        const char *name;
        enum kube_media media;
    } TYPES[] = {
        {"application/json-patch+json", KUBE_MEDIA_JSON_PATCH},
        {"application/merge-patch+json", KUBE_MEDIA_MERGE_PATCH},
        {"application/strategic-merge-patch+json", KUBE_MEDIA_STRATEGIC_PATCH},
        {"application/apply-patch+yaml", KUBE_MEDIA_APPLY},
    };
    struct str v = media_type(req);
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (is_type(v, TYPES[i].name)) {
            *out = TYPES[i].media;
            return 0;
        }
    }
    if (kube_is_porch(r->kind)) {
        api_err(err, ERR_UNSUPPORTED_MEDIA, "kube-unsupported-media-path");
        return err_details(err, "", "", "");
    }
    return api_err(err, ERR_UNSUPPORTED_MEDIA, "kube-unsupported-media",
                   api_message("kube-media-patches"));
}

struct duplicates {
    struct arena *a;
    struct kube_texts *list;
};

static void take_duplicate(void *ctx, struct str path)
{
    struct duplicates *d = ctx;
    kube_texts_add(d->a, d->list, path);
}

/* The first bytes of a body that was not understood, as an error shows them. */
static struct str excerpt(struct arena *a, struct str body)
{
    if (!body.len) {
        return STR("<empty>");
    }
    if (body.ptr[0] == '{') {
        return body.len > 30 ? arena_printf(a, "%.*s ...", STR_ARG(str_sub(body, 0, 30))) : body;
    }
    AUTO_BUF hex = BUF_INIT;
    for (size_t i = 0; i < body.len && i < 30; i++) {
        buf_printf(&hex, "%02x", (unsigned char)body.ptr[i]);
    }
    return arena_printf(a, "%s%s", hex.ptr, body.len > 30 ? " ..." : "");
}

static int unrecognized(struct arena *a, const struct kube_request *req, const struct kube_route *r,
                        struct str why, struct err *err)
{
    return api_err(err, ERR_BAD_REQUEST, "kube-unrecognized", r->kind->kind, arena_strz(a, why),
                   arena_strz(a, excerpt(a, req->body)));
}

/* The body is not JSON (or YAML) of an object: err says why. */
static int unreadable(struct arena *a, const struct kube_request *req, const struct kube_route *r,
                      struct err *err)
{
    struct str why = arena_printf(a, "couldn't get version/kind; json parse error: %s",
                                  err->message);
    return unrecognized(a, req, r, why, err);
}

/* Servers of CRDs know an object by its kind only. */
static int check_kind_sent(struct arena *a, const struct kube_request *req,
                           const struct kube_route *r, const struct node *object, struct err *err)
{
    if (!kube_kind_is_crd(r->kind) || node_text_at(object, "kind").len) {
        return 0;
    }
    AUTO_BUF why = BUF_INIT;
    api_text(&why, "kube-kind-required", arena_strz(a, req->body));
    return unrecognized(a, req, r, buf_str(&why), err);
}

int kube_decode_object(struct arena *a, const struct kube_request *req, const struct kube_route *r,
                       struct node **out, struct kube_texts *duplicates, struct err *err)
{
    struct duplicates ctx = {a, duplicates};
    struct json_options options = {.duplicate = take_duplicate, .ctx = &ctx};
    enum kube_media media;
    struct node *n = NULL;
    if (kube_media_body(req, &media, err) < 0) {
        return -1;
    }
    if (media == KUBE_MEDIA_YAML && !media_type(req).len && kube_is_porch(r->kind)) {
        media = KUBE_MEDIA_JSON; /* the peer's server does not guess (peers.md §2a) */
    }
    if (media == KUBE_MEDIA_PROTOBUF) {
        if (protobuf_decode_object(a, req->body, &n, err) < 0) {
            return -1;
        }
    } else {
        bool yaml = media == KUBE_MEDIA_YAML;
        n = yaml ? yaml_parse(a, req->body, &options, err)
                 : json_parse(a, req->body, &options, err);
        if (!n) {
            return err_is(err, ERR_BAD_REQUEST) ? unreadable(a, req, r, err) : -1;
        }
    }
    if (n->type == NODE_NULL) {
        n = node_map(a); /* Go decodes null into the zero value */
    }
    if (n->type != NODE_MAP) {
        err_set(err, ERR_BAD_REQUEST, "json: cannot unmarshal into an object");
        return unreadable(a, req, r, err);
    }
    if (check_kind_sent(a, req, r, n, err) < 0) {
        return -1;
    }
    *out = n;
    return kube_decode_check_type(a, r, n, err);
}

/* True when the API version of k has the kind, or lists of it. */
static bool known_kind(const struct api_kind *k, struct str kind)
{
    for (size_t i = 0; i < api_n_kinds; i++) {
        const struct api_kind *other = &api_kinds[i];
        if (strcmp(other->group_version, k->group_version) == 0 &&
            (str_eqz(kind, other->kind) || str_eqz(kind, other->list_kind))) {
            return true;
        }
    }
    return false;
}

static int wrong_type(struct arena *a, const struct kube_route *r, const struct node *object,
                      struct str version, struct str kind, struct err *err)
{
    const struct api_kind *k = r->kind;
    if (kube_kind_is_crd(k)) {
        if (!str_eqz(version, k->group_version)) {
            return api_err(err, ERR_BAD_REQUEST, "kube-api-version", arena_strz(a, version),
                           k->group_version);
        }
        AUTO_INVALID v = KUBE_INVALID_INIT;
        AUTO_BUF detail = BUF_INIT;
        api_text(&detail, "kube-kind", k->kind);
        kube_invalid_value(&v, STR("kind"), kind, buf_str(&detail));
        struct str name = node_text_at(object, "metadata.name");
        return kube_invalid_end(&v, k->group, arena_strz(a, kind), name.ptr ? name : STR(""), err);
    }
    ptrdiff_t slash = str_find_byte(version, '/');
    struct str v = slash < 0 ? version : str_sub(version, (size_t)slash + 1, version.len);
    char *kind_z = arena_strz(a, kind), *v_z = arena_strz(a, v);
    if (str_eqz(version, k->group_version) && known_kind(k, kind)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-kind-other", kind_z, v_z, k->kind, v_z, kind_z,
                       v_z, k->kind);
    }
    if (kube_is_porch(k) || str_eqz(version, k->group_version)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-kind-unknown", kind_z, v_z, k->kind, kind_z,
                       arena_strz(a, version));
    }
    return api_err(err, ERR_BAD_REQUEST, "kube-api-version", arena_strz(a, version),
                   k->group_version);
}

/* Puts apiVersion and kind first when they were missing. */
static void set_type(struct arena *a, const struct api_kind *k, struct node *object)
{
    struct node *out = node_map(a);
    node_set_strz(a, out, "apiVersion", str_of(k->group_version));
    node_set_strz(a, out, "kind", str_of(k->kind));
    for (size_t i = 0; i < object->n; i++) {
        struct str key = object->members[i].key;
        if (!str_eqz(key, "apiVersion") && !str_eqz(key, "kind")) {
            node_set(a, out, key, object->members[i].value);
        }
    }
    *object = *out;
}

int kube_decode_check_type(struct arena *a, const struct kube_route *r, struct node *object,
                           struct err *err)
{
    struct str version = node_text_at(object, "apiVersion"), kind = node_text_at(object, "kind");
    if (!version.len) {
        version = str_of(r->kind->group_version);
    }
    if (!kind.len) {
        kind = str_of(r->kind->kind);
    }
    if (!str_eqz(version, r->kind->group_version) || !str_eqz(kind, r->kind->kind)) {
        return wrong_type(a, r, object, version, kind, err);
    }
    set_type(a, r->kind, object);
    return 0;
}

int kube_decode_check_scope(struct arena *a, const struct kube_route *r, struct node *object,
                            bool named, struct err *err)
{
    struct node *meta = node_getz(object, "metadata");
    if (!meta || meta->type == NODE_NULL) {
        meta = node_map(a);
        node_setz(a, object, "metadata", meta);
    }
    if (meta->type != NODE_MAP) {
        return err_set(err, ERR_BAD_REQUEST, "metadata of the object is not an object");
    }
    struct str name = node_text_at(meta, "name"), ns = node_text_at(meta, "namespace");
    if (named && !name.len) {
        return api_err(err, ERR_BAD_REQUEST, "kube-name-undetermined", arena_strz(a, r->name));
    }
    if (named && !str_eq(name, r->name)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-name-url", arena_strz(a, name),
                       arena_strz(a, r->name));
    }
    if (!(r->kind->flags & API_NAMESPACED)) {
        node_delz(meta, "namespace");
        return 0;
    }
    if (ns.len && !str_eq(ns, r->ns)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-namespace");
    }
    node_set_strz(a, meta, "namespace", r->ns);
    return 0;
}

/* --- DeleteOptions --- */

static int take_options(struct arena *a, const struct node *o, struct kube_params *p,
                        struct kube_invalid *v, struct err *err)
{
    struct str kind = node_text_at(o, "kind");
    struct node *grace = node_getz(o, "gracePeriodSeconds");
    if (grace && grace->type != NODE_NULL && grace->type != NODE_INT) {
        return api_err(err, ERR_BAD_REQUEST, "kube-grace-type");
    }
    if (kind.len && !str_eqz(kind, "DeleteOptions")) {
        return err_set(err, ERR_BAD_REQUEST,
                       "no kind \"%.*s\" is registered for version \"%.*s\"", STR_ARG(kind),
                       STR_ARG(node_text_at(o, "apiVersion")));
    }
    p->propagation = node_text_at(o, "propagationPolicy");
    p->precondition_uid = node_text_at(o, "preconditions.uid");
    p->precondition_rv = node_text_at(o, "preconditions.resourceVersion");
    const struct node *orphan = node_getz(o, "orphanDependents");
    p->has_orphan = node_is(orphan, NODE_BOOL);
    p->orphan = p->has_orphan && orphan->boolean;
    const struct node *dry = node_getz(o, "dryRun");
    for (size_t i = 0; node_is(dry, NODE_LIST) && i < dry->n; i++) {
        struct str one = node_text(dry->items[i]);
        if (str_eqz(one, "All")) {
            p->dry_run = true;
        } else {
            kube_invalid_text(v, "FieldValueNotSupported", STR("dryRun"), "kube-dry-run",
                              arena_strz(a, one));
        }
    }
    return 0;
}

int kube_decode_delete(struct arena *a, const struct kube_request *req, struct kube_params *p,
                       struct err *err)
{
    AUTO_INVALID v = KUBE_INVALID_INIT;
    enum kube_media media;
    if (req->body.len) {
        struct node *o = NULL;
        if (kube_media_body(req, &media, err) < 0) {
            return -1;
        }
        if (media == KUBE_MEDIA_PROTOBUF) {
            (void)protobuf_decode_object(a, req->body, &o, err); /* o stays NULL on failure */
        } else {
            o = media == KUBE_MEDIA_YAML ? yaml_parse(a, req->body, NULL, err)
                                         : json_parse(a, req->body, NULL, err);
        }
        if (o && o->type != NODE_MAP && o->type != NODE_NULL) {
            return api_err(err, ERR_BAD_REQUEST, "kube-delete-options");
        }
        if (!o || (o->type == NODE_MAP && take_options(a, o, p, &v, err) < 0)) {
            return -1;
        }
    }
    struct str policy = p->propagation;
    if (policy.len && p->has_orphan) {
        AUTO_BUF text = BUF_INIT;
        api_text(&text, "kube-propagation-both", arena_strz(a, policy));
        kube_invalid_add(&v, "FieldValueInvalid", STR("propagationPolicy"), buf_str(&text));
    } else if (policy.len && !str_eqz(policy, "Foreground") && !str_eqz(policy, "Background") &&
               !str_eqz(policy, "Orphan")) {
        kube_invalid_text(&v, "FieldValueNotSupported", STR("propagationPolicy"),
                          "kube-propagation-policy", arena_strz(a, policy));
    }
    return kube_invalid_end(&v, "meta.k8s.io", "DeleteOptions", STR(""), err);
}
