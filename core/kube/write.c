/* SPDX-License-Identifier: Apache-2.0
 *
 * POST, PUT, PATCH and DELETE of one object (kube-wire §7): decode, patch, default, validate, track
 * field owners, then hand one engine_write to the engine. The answer comes from the engine's
 * thread. A patch or delete that names no version and loses a race starts again from the fresh
 * object.
 */
#include "kube/priv.h"

#include "data/apply.h"
#include "data/patch.h"
#include "data/yaml.h"
#include "krm/name.h"

#define MAX_TRIES 5

struct write {
    struct kube_call *c;
    struct engine_write w;
    enum kube_media media;        /* of a patch */
    struct node *patch;
    struct kube_texts duplicates; /* members that the body has twice */
    struct node *sent;            /* decoded object of create and update */
    struct store_object row;      /* what the try started from */
    struct node *stored;          /* the row parsed, in stored form */
    struct node *current;         /* the object in the route's form */
    bool client_rv, creates;
    int tries;
};

static void try_patch(struct write *x);
static void try_delete(struct write *x);

void kube_writes_begin(struct kube *k)
{
    pthread_mutex_lock(&k->lock);
    k->writes++;
    pthread_mutex_unlock(&k->lock);
}

void kube_writes_end(struct kube *k)
{
    pthread_mutex_lock(&k->lock);
    if (--k->writes == 0) {
        pthread_cond_broadcast(&k->idle);
    }
    pthread_mutex_unlock(&k->lock);
}

/* --- the answer --- */

bool kube_is_stale(const struct err *err)
{
    return err_is(err, ERR_CONFLICT) && err->message &&
           strstr(err->message, "the object has been modified") != NULL;
}

static void answer_write_err(struct kube_call *c, struct err *err)
{
    if (kube_is_resources(c->route.kind) && kube_is_stale(err) && !c->k->config.strict_conflict) {
        AUTO_ERR wrapped = ERR_INIT; /* what published clients of this kind compare with */
        err_set(&wrapped, ERR_INTERNAL, "%s", err->message);
        kube_answer_err(c, &wrapped);
        return;
    }
    kube_answer_err(c, err);
}

static void answer_deleted(struct write *x)
{
    struct kube_call *c = x->c;
    const struct api_kind *k = c->route.kind;
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                 "\"status\":\"Success\",\"details\":{\"name\":");
    buf_add_json_string(&b, c->route.name);
    if (k->group[0]) {
        buf_printf(&b, ",\"group\":\"%s\"", k->group);
    }
    buf_printf(&b, ",\"kind\":\"%s\",\"uid\":", k->resource);
    buf_add_json_string(&b, x->row.uid);
    buf_addz(&b, "}}");
    kube_answer_json(c, 200, arena_str(c->a, buf_str(&b)));
}

/* The object that the engine answers with, in the form of the route. */
static int answer_object(struct write *x, int status, struct err *err)
{
    struct kube_call *c = x->c;
    struct str json = x->w.json;
    AUTO_BUF out = BUF_INIT;
    if (kube_stored_form(c->route.kind) != c->route.kind) {
        struct node *n = json_parse(c->a, json, NULL, err);
        if (!n) {
            return -1;
        }
        json = json_emit_str(c->a, kube_convert(c->a, c->route.kind, n));
    }
    struct kube_shaper s = {c->k, c->route.kind, c->accept, c->params.include, false};
    if (kube_shape_json(&s, json, c->a, &out, err) < 0) {
        return -1;
    }
    kube_answer_json(c, status, arena_str(c->a, buf_str(&out)));
    return 0;
}

static void write_done(void *ctx, struct engine_write *w)
{
    struct write *x = ctx;
    struct kube_call *c = x->c;
    struct kube *k = c->k;
    AUTO_ERR err = ERR_INIT;
    err_move(&err, &w->err);
    bool again = kube_is_stale(&err) && !x->client_rv && x->tries < MAX_TRIES &&
                 !w->precondition_rv.len && !kube_expired(c);
    if (again && w->verb == ENGINE_DELETE) {
        try_delete(x);
    } else if (again && (x->patch || x->sent) && w->verb == ENGINE_UPDATE) {
        try_patch(x);
    } else if (err.kind != ERR_NONE) {
        answer_write_err(c, &err);
    } else if (w->verb == ENGINE_DELETE && (w->deleted || w->dry_run) &&
               !kube_is_porch(c->route.kind)) {
        answer_deleted(x);
    } else if (answer_object(x, w->verb == ENGINE_CREATE ? 201 : 200, &err) < 0) {
        kube_answer_err(c, &err);
    }
    kube_writes_end(k);
}

/* --- giving it to the engine --- */

static void submit(struct write *x, enum engine_verb verb, struct node *object)
{
    struct kube_call *c = x->c;
    const struct api_kind *form = kube_stored_form(c->route.kind);
    if (object && form != c->route.kind) {
        object = kube_convert(c->a, form, object);
    }
    x->tries++;
    x->w = (struct engine_write){
        .arena = c->a,
        .verb = verb,
        .kind = form,
        .subresource = c->route.subresource,
        .ns = form->flags & API_NAMESPACED ? c->route.ns : STR(""),
        .name = c->route.name,
        .object = object,
        .old = verb == ENGINE_CREATE ? NULL : x->stored,
        .old_rv = verb == ENGINE_CREATE ? 0 : x->row.rv,
        .client_rv = x->client_rv,
        .user = c->user,
        .dry_run = c->params.dry_run,
        .deadline_ns = c->req->deadline_ns,
        .precondition_uid = c->params.precondition_uid,
        .precondition_rv = c->params.precondition_rv,
    };
    if (verb == ENGINE_CREATE) {
        bool derived = strcmp(form->store_kind, "packagerevisions") == 0;
        struct str name = node_text_at(object, "metadata.name");
        x->w.name = derived || !name.ptr ? STR("") : name;
    }
    kube_writes_begin(c->k);
    engine_submit(c->k->config.engine, &x->w, write_done, x);
}

static struct apply_manager manager_of(struct kube_call *c)
{
    return (struct apply_manager){
        .manager = kube_field_manager(&c->params, c->req),
        .api_version = str_of(c->route.kind->group_version),
        .subresource = c->route.subresource,
        .time = clock_rfc3339(c->a, clock_real_ns()),
    };
}

/* Loads the row and its object; ERR_NOT_FOUND in the route's words. */
static int load(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    struct str json;
    if (kube_row_get(c, &x->row, err) < 0) {
        return -1;
    }
    x->stored = json_parse(c->a, x->row.json, NULL, err);
    if (!x->stored || kube_row_json(c->k, c->route.kind, &x->row, c->a, &json, err) < 0) {
        return -1;
    }
    x->current = json_parse(c->a, json, NULL, err);
    return x->current ? 0 : -1;
}

/* Everything between a complete object and the engine. `tracked`: managedFields are done. */
static int finish_object(struct write *x, struct node *object, bool tracked, struct err *err)
{
    struct kube_call *c = x->c;
    const struct node *old = x->current;
    AUTO_INVALID v = KUBE_INVALID_INIT;
    struct kube_schema_result result = {0};
    kube_schema_settle(c->a, c->route.kind, object, &result, &v);
    if (result.mismatch.ptr) {
        const struct api_kind *k = c->route.kind;
        return err_set(err, ERR_BAD_REQUEST,
                       "%s in version \"%s\" cannot be handled as a %s: %.*s", k->kind, k->version,
                       k->kind, STR_ARG(result.mismatch));
    }
    kube_owners_settle(c->a, c->route.kind, object, &c->warnings);
    if (kube_schema_strict(c->a, c->route.kind, c->params.validation, &x->duplicates,
                           &result.unknown, &c->warnings, err) < 0 ||
        kube_decode_check_scope(c->a, &c->route, object, old != NULL, err) < 0 ||
        kube_kind_prepare(c->a, &c->route, object, old, err) < 0 ||
        kube_validate(c->a, &c->route, object, old, &v, err) < 0 ||
        kube_check_grant(c, object, err) < 0) {
        return -1;
    }
    struct apply_manager m = manager_of(c);
    return tracked ? 0
                   : apply_track_update(c->a, old, object, c->route.kind->schema, &m, err);
}

/* The version that the client named in an update; stale or missing ones are errors. */
static int check_version(struct write *x, const struct node *object, bool patch, struct err *err)
{
    const struct api_kind *k = x->c->route.kind;
    struct str rv = node_text_at(object, "metadata.resourceVersion");
    if (rv.len) {
        struct str now = arena_printf(x->c->a, "%lld", (long long)x->row.rv);
        x->client_rv = !patch;
        if (!str_eq(rv, now)) {
            x->client_rv = true;
            if (kube_is_porch(k)) { /* the engine compares once the rest is found good */
                x->row.rv = -1;
                return 0;
            }
            return kube_conflict(k, x->c->route.name, err);
        }
        return 0;
    }
    if (kube_is_porch(k)) {
        return api_err(err, ERR_INTERNAL, "update-version-required");
    }
    if (!patch && !(k->flags & API_UNCONDITIONAL)) {
        AUTO_INVALID v = KUBE_INVALID_INIT;
        AUTO_BUF text = BUF_INIT;
        api_text(&text, "kube-field-invalid", "0", api_message("kube-version-required"));
        kube_invalid_add(&v, "FieldValueInvalid", STR("metadata.resourceVersion"), buf_str(&text));
        return kube_invalid_end(&v, k->group, k->kind, x->c->route.name, err);
    }
    return 0;
}

int kube_refused(struct kube_call *c, const char *id, struct err *err)
{
    if (!id) {
        return 0;
    }
    api_err(err, ERR_METHOD_NOT_ALLOWED, id);
    return err_details(err, NULL, c->route.kind->group, c->route.kind->resource);
}

/* --- create and update --- */

static int start_create(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    struct node *object;
    if (kube_refused(c, c->route.kind->refuse_create, err) < 0 ||
        kube_decode_object(c->a, c->req, &c->route, &object, &x->duplicates, err) < 0 ||
        finish_object(x, object, false, err) < 0) {
        return -1;
    }
    submit(x, ENGINE_CREATE, object);
    return 0;
}

/* One attempt of a PUT; decoding is repeated because finishing changes the object. */
static int start_update(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    struct node *object;
    x->duplicates = (struct kube_texts){0};
    if (kube_decode_object(c->a, c->req, &c->route, &object, &x->duplicates, err) < 0 ||
        kube_decode_check_scope(c->a, &c->route, object, true, err) < 0 ||
        kube_refused(c, c->route.kind->refuse_update, err) < 0 || load(x, err) < 0) {
        return -1;
    }
    x->sent = object;
    if (check_version(x, object, false, err) < 0 || finish_object(x, object, false, err) < 0) {
        return -1;
    }
    submit(x, ENGINE_UPDATE, object);
    return 0;
}

/* --- patch --- */

struct duplicates {
    struct arena *a;
    struct kube_texts *list;
};

static void take_duplicate(void *ctx, struct str path)
{
    struct duplicates *d = ctx;
    kube_texts_add(d->a, d->list, path);
}

static int decode_patch(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    struct duplicates ctx = {c->a, &x->duplicates};
    struct json_options options = {.duplicate = take_duplicate, .ctx = &ctx};
    AUTO_ERR inner = ERR_INIT;
    bool apply = x->media == KUBE_MEDIA_APPLY, list = x->media == KUBE_MEDIA_JSON_PATCH;
    x->patch = apply ? yaml_parse(c->a, c->req->body, &options, &inner)
                     : json_parse(c->a, c->req->body, &options, &inner);
    if (!x->patch) {
        return api_err(err, ERR_BAD_REQUEST, apply ? "kube-apply-decode" : "kube-patch-decode",
                       inner.message);
    }
    if (apply && x->patch->type != NODE_MAP) {
        return api_err(err, ERR_BAD_REQUEST, "kube-apply-not-map");
    }
    if (x->patch->type != (list ? NODE_LIST : NODE_MAP)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-patch-decode",
                       list ? "json: cannot unmarshal object into Go value of type "
                              "[]handlers.jsonPatchOp"
                            : "json: cannot unmarshal array into Go value of type "
                              "map[string]interface {}");
    }
    if (!apply && c->params.has_force) {
        AUTO_INVALID v = KUBE_INVALID_INIT;
        kube_invalid_text(&v, "FieldValueForbidden", STR("force"), "kube-force");
        return kube_invalid_end(&v, "meta.k8s.io", "PatchOptions", STR(""), err);
    }
    return 0;
}

static int check_apply(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    const struct api_kind *k = c->route.kind;
    struct node *config = x->patch;
    if (!c->params.field_manager.len) {
        AUTO_INVALID v = KUBE_INVALID_INIT;
        kube_invalid_text(&v, "FieldValueRequired", STR("fieldManager"),
                          "kube-field-manager-required");
        return kube_invalid_end(&v, "meta.k8s.io", "PatchOptions", STR(""), err);
    }
    struct str version = node_text_at(config, "apiVersion"), kind = node_text_at(config, "kind");
    if (!str_eqz(version, k->group_version) || !str_eqz(kind, k->kind)) {
        const char *group = str_find_byte(version, '/') < 0 ? "/" : ""; /* of the core: none */
        return api_err(err, ERR_BAD_REQUEST, "kube-apply-kind", group, arena_strz(c->a, version),
                       arena_strz(c->a, kind));
    }
    if (!node_text_at(config, "metadata.name").len) {
        node_set_at(c->a, config, "metadata.name", node_str(c->a, c->route.name));
    }
    /* on a copy: errors of the apply show the namespace that was sent */
    return kube_decode_check_scope(c->a, &c->route, node_copy(c->a, config), true, err);
}

/* What the endpoint does not write does not count as applied either. */
static struct node *apply_config(struct write *x)
{
    struct kube_call *c = x->c;
    struct node *config = node_copy(c->a, x->patch);
    if (!(c->route.kind->flags & API_STATUS)) {
        return config;
    }
    if (!str_eqz(c->route.subresource, "status")) {
        node_delz(config, "status");
        return config;
    }
    struct node *out = node_map(c->a);
    static const char *const KEPT[] = {"apiVersion", "kind", "status"};
    for (size_t i = 0; i < 3; i++) {
        struct node *v = node_getz(config, KEPT[i]);
        if (v) {
            node_setz(c->a, out, KEPT[i], v);
        }
    }
    node_set_at(c->a, out, "metadata.name", node_str(c->a, c->route.name));
    return out;
}

/* The engine names a revision after its spec; an apply to another name would make a second object
 * each time. */
static int check_derived_name(struct kube_call *c, const struct node *object, struct err *err)
{
    if (strcmp(c->route.kind->store_kind, "packagerevisions") != 0) {
        return 0;
    }
    struct krm_name n = {.repository = node_text_at(object, "spec.repository"),
                         .workspace = node_text_at(object, "spec.workspaceName")};
    krm_name_set_package(&n, node_text_at(object, "spec.packageName"));
    struct str name = krm_name_emit(c->a, &n);
    if (name.len && !str_eq(name, c->route.name)) {
        return api_err(err, ERR_BAD_REQUEST, "kube-name-url", arena_strz(c->a, name),
                       arena_strz(c->a, c->route.name));
    }
    return 0;
}

/* Apply of an object that is not there creates it, which is another right. */
static int apply_create(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    const struct kube_route *r = &c->route;
    struct str reason = STR_NULL, uid = node_text_at(x->patch, "metadata.uid");
    struct user_action act = {.verb = STR("create"), .group = str_of(r->kind->group),
                              .version = str_of(r->kind->version),
                              .resource = str_of(r->kind->resource), .ns = r->ns, .name = r->name};
    if (!kube_may(c, &act, &reason)) {
        return kube_forbidden(c, &act, reason, err);
    }
    if (kube_refused(c, r->kind->refuse_create, err) < 0) {
        return -1;
    }
    if (uid.len) {
        return api_err(err, ERR_CONFLICT, "kube-apply-uid", arena_strz(c->a, uid));
    }
    struct apply_manager m = manager_of(c);
    struct node *object =
        apply_merge(c->a, NULL, apply_config(x), r->kind->schema, &m, c->params.force, err);
    if (!object || kube_decode_check_scope(c->a, r, object, true, err) < 0 ||
        check_derived_name(c, object, err) < 0 || finish_object(x, object, true, err) < 0) {
        return -1;
    }
    x->creates = true;
    submit(x, ENGINE_CREATE, object);
    return 0;
}

static struct node *patched(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    const struct api_schema *schema = c->route.kind->schema;
    struct apply_manager m;
    switch (x->media) {
    case KUBE_MEDIA_JSON_PATCH:
        return patch_json(c->a, x->current, x->patch, err);
    case KUBE_MEDIA_STRATEGIC_PATCH:
        return patch_strategic(c->a, x->current, x->patch, schema, err);
    case KUBE_MEDIA_APPLY:
        m = manager_of(c);
        return apply_merge(c->a, x->current, apply_config(x), schema, &m, c->params.force, err);
    default:
        return patch_merge(c->a, x->current, x->patch);
    }
}

/* A 400 about unknown fields or types is a 422 of the patch where a patch brought them in; it names
 * no object and shows the result as it came out of the patch. */
static int patch_fault(struct write *x, struct str result, struct err *err)
{
    struct kube_call *c = x->c;
    if (!err_is(err, ERR_BAD_REQUEST) || !strstr(err->message, "cannot be handled as")) {
        return -1;
    }
    AUTO_INVALID v = KUBE_INVALID_INIT;
    char *colon = strstr(err->message, ": ");
    struct str why = arena_str(c->a, str_of(colon ? colon + 2 : err->message));
    kube_invalid_value(&v, STR("patch"), result, why);
    return kube_invalid_end(&v, "", "", STR(""), err);
}

static int patch_once(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    bool apply = x->media == KUBE_MEDIA_APPLY;
    if (load(x, err) < 0) {
        /* what is missing because its name cannot be one has no details */
        if (!apply || !err_is(err, ERR_NOT_FOUND) || c->route.subresource.len ||
            !err->detail_name) {
            return -1;
        }
        err_drop(err); /* absent: apply makes it */
        return apply_create(x, err);
    }
    struct node *object = patched(x, err);
    if (!object) {
        return -1;
    }
    object = node_copy(c->a, object); /* the current object stays as it is */
    if (object->type != NODE_MAP) {
        return api_err(err, ERR_BAD_REQUEST, "kube-patch-decode", "the result is not an object");
    }
    struct str result = json_emit_str(c->a, object);
    if (kube_decode_check_type(c->a, &c->route, object, err) < 0 ||
        kube_decode_check_scope(c->a, &c->route, object, true, err) < 0) {
        return patch_fault(x, result, err);
    }
    /* An applied object may name the version it was read at; absent means whatever is there. */
    if (!(apply && !node_at(object, "metadata.resourceVersion")) &&
        check_version(x, object, true, err) < 0) {
        return -1;
    }
    if (finish_object(x, object, apply, err) < 0) {
        return patch_fault(x, result, err);
    }
    submit(x, ENGINE_UPDATE, object);
    return 0;
}

/* Again from the fresh object, on the engine's thread. */
static void try_patch(struct write *x)
{
    AUTO_ERR err = ERR_INIT;
    if ((x->patch ? patch_once(x, &err) : start_update(x, &err)) < 0) {
        answer_write_err(x->c, &err);
    }
}

static int start_patch(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    if (kube_media_patch(c->req, &c->route, &x->media, err) < 0 ||
        kube_refused(c, c->route.kind->refuse_update, err) < 0 || decode_patch(x, err) < 0 ||
        (x->media == KUBE_MEDIA_APPLY && check_apply(x, err) < 0)) {
        return -1;
    }
    return patch_once(x, err);
}

/* --- delete --- */

static int delete_once(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    if (kube_row_get(c, &x->row, err) < 0) {
        return -1;
    }
    x->stored = json_parse(c->a, x->row.json, NULL, err);
    if (!x->stored) {
        return -1;
    }
    submit(x, ENGINE_DELETE, NULL);
    return 0;
}

static void try_delete(struct write *x)
{
    AUTO_ERR err = ERR_INIT;
    if (delete_once(x, &err) < 0) {
        answer_write_err(x->c, &err);
    }
}

static int start_delete(struct write *x, struct err *err)
{
    struct kube_call *c = x->c;
    if (kube_refused(c, c->route.kind->refuse_delete, err) < 0 ||
        kube_decode_delete(c->a, c->req, &c->params, err) < 0) {
        return -1;
    }
    return delete_once(x, err);
}

void kube_serve_write(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    kube_pending_begin(c);
    struct write *x = arena_new(c->a, struct write);
    x->c = c;
    int rc = -1;
    switch (c->req->method) {
    case KUBE_POST:
        rc = start_create(x, &err);
        break;
    case KUBE_PUT:
        rc = start_update(x, &err);
        break;
    case KUBE_PATCH:
        rc = start_patch(x, &err);
        break;
    default:
        rc = start_delete(x, &err);
        break;
    }
    if (rc < 0) {
        answer_write_err(c, &err);
    }
}
