/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of kube/ share. A request walks: kube.c (who, route, may) → read.c, list.c,
 * watch.c or write.c → answer.c. One struct kube_call lives in the request's arena from kube_serve
 * to the answer; streams live there too, until http/ closes them.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kinds.h"
#include "auth/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/thread.h"
#include "base/user.h"
#include "data/node.h"
#include "engine/engine.h"
#include "kube/kube.h"
#include "kube/selector.h"
#include "store/store.h"

struct kube_watch;
struct kube_metrics;
struct kube_pending;

/* All watches, and the thread that reads the log for them: hub.c. */
struct kube_hub {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct kube_watch *first;
    size_t n;
    int64_t newest; /* number of the newest commit */
    bool stopping;
    pthread_t thread;
};

/* Calls that the engine works on, and the thread that looks at their time: deadline.c. */
struct kube_deadlines {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct kube_pending *first;
    int64_t wake_ns; /* when the thread looks again */
    bool stopping;
    pthread_t thread;
};

struct kube {
    struct kube_config config;
    struct store *store;
    atomic_bool ready, draining;
    struct kube_hub hub;
    struct kube_deadlines deadlines;
    struct kube_metrics *metrics;
    pthread_mutex_t lock; /* writes */
    pthread_cond_t idle;
    size_t writes; /* given to the engine and not answered */
};

/* A growing list of texts in an arena. */
struct kube_texts {
    struct str *items;
    size_t n, cap;
};
void kube_texts_add(struct arena *a, struct kube_texts *t, struct str s);

/* --- route.c: what a path and a method mean --- */
enum kube_route_type {
    KUBE_ROUTE_NONE,     /* plain text 404 */
    KUBE_ROUTE_UNKNOWN,  /* Status 404: the group version is ours, the resource is not */
    KUBE_ROUTE_DOCUMENT, /* discovery, OpenAPI */
    KUBE_ROUTE_VERSION,
    KUBE_ROUTE_HEALTH,
    KUBE_ROUTE_METRICS,
    KUBE_ROUTE_ROOT,
    KUBE_ROUTE_RESOURCE
};
struct kube_route {
    enum kube_route_type type;
    const struct api_kind *kind;
    const struct api_subresource *sub;
    struct str subresource; /* "" for the main resource */
    struct str ns;          /* ptr NULL: cluster scope, or all namespaces */
    struct str name;        /* ptr NULL: the collection */
    struct str path;        /* decoded, without a trailing slash */
    const char *verb;       /* get, list, … of resources; NULL: method not allowed */
    bool watch;             /* the old path of watches, …/watch/…; a name there selects */
};
void kube_route_parse(struct arena *a, const struct kube_request *req, bool watch,
                      struct kube_route *out);
struct str kube_percent_decode(struct arena *a, struct str s, bool plus);
/* Fills err with the 405 that this method gets here. */
int kube_route_refuse(struct arena *a, const struct kube_request *req, const struct kube_route *r,
                      struct err *err);

/* --- query.c: parameters --- */
enum kube_field_validation { KUBE_WARN, KUBE_IGNORE, KUBE_STRICT };
struct kube_params {
    bool watch, pretty;
    bool dry_run, force, has_force;
    struct str field_manager; /* ptr NULL: absent */
    enum kube_field_validation validation;
    int64_t limit;            /* 0 = none */
    struct str continue_token, rv, rv_match, labels, fields;
    bool bookmarks, initial_events, has_initial_events;
    int64_t timeout_s;        /* of a watch, 0 = none */
    char include;             /* 'M'etadata, 'O'bject, 'N'one */
    bool has_orphan, orphan;
    struct str propagation, precondition_uid, precondition_rv;
};
bool kube_query_watch(struct arena *a, struct str query);
/* verb decides which parameters count. */
int kube_params_parse(struct arena *a, const struct kube_request *req, const char *verb,
                      struct kube_params *out, struct err *err);
/* Value of a parameter, ptr NULL when absent. */
struct str kube_query_get(struct arena *a, struct str query, const char *name);
/* Shortens the deadline by ?timeout=. */
int kube_query_timeout(struct arena *a, struct kube_request *req, struct err *err);
/* Go's duration ("1m30s") in nanoseconds; false when malformed. */
bool kube_duration_parse(struct str s, int64_t *out_ns);
/* Field manager of a write: the parameter, or what stands before '/' in User-Agent. */
struct str kube_field_manager(const struct kube_params *p, const struct kube_request *req);

/* --- negotiate.c --- */
enum kube_style { KUBE_JSON, KUBE_PRETTY, KUBE_YAML };
enum kube_shape { KUBE_OBJECT, KUBE_TABLE, KUBE_PARTIAL };
struct kube_accept {
    enum kube_style style;
    enum kube_shape shape;
    const char *meta_version; /* of Table and PartialObjectMetadata: "v1" or "v1beta1" */
};
struct str kube_header_get(const struct kube_request *req, const char *name);
/* All values of a header joined with commas. */
struct str kube_header_join(struct arena *a, const struct kube_request *req, const char *name);
/* For resources. list: the answer is a list; watch: yaml is not offered. */
int kube_accept_resource(struct arena *a, const struct kube_request *req,
                         const struct kube_route *r, bool pretty, struct kube_accept *out,
                         struct err *err);
/* Picks among media types that a document comes in; `variants` are full media types with their
 * parameters ("application/json;as=…"), NULL-terminated, most preferred first. -1: none. */
int kube_accept_pick(struct arena *a, const struct kube_request *req, const char *const *variants);
/* For discovery documents. porch: the path is one of the peer's own server, which has its own
 * words for what it refuses. */
int kube_accept_document(struct arena *a, const struct kube_request *req, bool porch,
                         enum kube_style *out, struct err *err);

/* --- decode.c: bodies --- */
enum kube_media { KUBE_MEDIA_JSON, KUBE_MEDIA_YAML, KUBE_MEDIA_PROTOBUF, KUBE_MEDIA_JSON_PATCH,
                  KUBE_MEDIA_MERGE_PATCH, KUBE_MEDIA_STRATEGIC_PATCH, KUBE_MEDIA_APPLY };
int kube_media_body(const struct kube_request *req, enum kube_media *out, struct err *err);
int kube_media_patch(const struct kube_request *req, const struct kube_route *r,
                     enum kube_media *out, struct err *err);
/* Body of a create or update as an object of the route's kind; duplicate members are listed. */
int kube_decode_object(struct arena *a, const struct kube_request *req, const struct kube_route *r,
                       struct node **out, struct kube_texts *duplicates, struct err *err);
/* apiVersion and kind: filled in when missing, refused when different. */
int kube_decode_check_type(struct arena *a, const struct kube_route *r, struct node *object,
                           struct err *err);
/* metadata.name and metadata.namespace against the URL. */
int kube_decode_check_scope(struct arena *a, const struct kube_route *r, struct node *object,
                            bool named, struct err *err);
/* DeleteOptions of the body, over what the query said. */
int kube_decode_delete(struct arena *a, const struct kube_request *req, struct kube_params *p,
                       struct err *err);

/* --- invalid.c: collects field errors into one 422 --- */
struct kube_invalid {
    struct err err; /* causes */
    struct buf text;
    size_t n;
};
#define KUBE_INVALID_INIT {.err = ERR_INIT}
void kube_invalid_done(struct kube_invalid *v);
#define AUTO_INVALID __attribute__((cleanup(kube_invalid_done))) struct kube_invalid
void kube_invalid_add(struct kube_invalid *v, const char *reason, struct str field,
                      struct str message);
void kube_invalid_text(struct kube_invalid *v, const char *reason, struct str field, const char *id,
                       ...);
/* "Invalid value: <json of value>: detail" */
void kube_invalid_value(struct kube_invalid *v, struct str field, struct str value,
                        struct str detail);
/* True when one of the errors is that the object does not fit its schema. */
bool kube_invalid_blocks(const struct kube_invalid *v);
/* 0 when nothing was added, else -1 with `Kind.group "name" is invalid: …`. */
int kube_invalid_end(struct kube_invalid *v, const char *group, const char *kind, struct str name,
                     struct err *err);
bool kube_kind_is_crd(const struct api_kind *k);

/* --- schema.c: objects against their schema --- */
struct kube_schema_result {
    struct kube_texts unknown; /* paths */
    struct str mismatch;       /* text of the first wrong type, as Go's decoder says it */
};
/* Drops unknown fields, applies defaults; wrong types go to out->mismatch, or to v for kinds whose
 * servers validate (CRDs). */
void kube_schema_settle(struct arena *a, const struct api_kind *k, struct node *object,
                        struct kube_schema_result *out, struct kube_invalid *v);
/* Required, enum, length; then rules, immutable against old (may be NULL) among them. A CRD's rules
 * wait until the object fits its schema. */
void kube_schema_validate(struct arena *a, const struct api_kind *k, const struct node *object,
                          const struct node *old, struct kube_invalid *v);
/* Unknown and duplicate fields by fieldValidation: an error, warnings, or nothing. */
int kube_schema_strict(struct arena *a, const struct api_kind *k, enum kube_field_validation how,
                       const struct kube_texts *duplicates, const struct kube_texts *unknown,
                       struct kube_texts *warnings, struct err *err);

/* --- validate.c: metadata and rules of single kinds --- */
/* Drops owner references that come twice, with a warning. */
void kube_owners_settle(struct arena *a, const struct api_kind *k, struct node *object,
                        struct kube_texts *warnings);
/* Before validation: what the server sets or drops on this kind. old is NULL on create. */
int kube_kind_prepare(struct arena *a, const struct kube_route *r, struct node *object,
                      const struct node *old, struct err *err);
/* Everything that makes a 422. */
int kube_validate(struct arena *a, const struct kube_route *r, const struct node *object,
                  const struct node *old, struct kube_invalid *v, struct err *err);

/* --- convert.c: kinds that share their rows with another form --- */
/* Key of the kind in the store. */
struct str kube_store_kind(const struct api_kind *k);
bool kube_is_resources(const struct api_kind *k);
bool kube_is_porch(const struct api_kind *k);
/* Groups whose kinds are custom resources elsewhere. */
bool kube_group_is_crd(struct str group);
/* The kind whose form is stored: k itself unless it is an alias. */
const struct api_kind *kube_stored_form(const struct api_kind *k);
struct node *kube_convert(struct arena *a, const struct api_kind *to, const struct node *object);
/* JSON of a stored row in the form of k: the row's own bytes, or made in a. */
int kube_row_json(struct kube *k, const struct api_kind *kind, const struct store_object *row,
                  struct arena *a, struct str *out, struct err *err);
/* `NAME.GROUP` of a kind. */
struct str kube_resource(struct arena *a, const struct api_kind *k);
int kube_not_found(const struct api_kind *k, struct str name, struct err *err);
int kube_conflict(const struct api_kind *k, struct str name, struct err *err);

/* --- table.c: one object in the asked shape --- */
struct kube_shaper {
    struct kube *kube;
    const struct api_kind *kind;
    struct kube_accept accept;
    char include;
    bool no_columns; /* events after the first of a Table watch */
};
/* {"columnDefinitions":…} value of a Table. */
void kube_table_columns(struct buf *out, const struct api_kind *k);
/* One item as it stands in items or rows. Memory of a is per item. */
int kube_shape_item(const struct kube_shaper *s, const struct store_object *row, struct arena *a,
                    struct buf *out, struct err *err);
/* A whole answer: the object, a Table with one row, or PartialObjectMetadata. Text is JSON. */
int kube_shape_single(const struct kube_shaper *s, const struct store_object *row, struct arena *a,
                      struct buf *out, struct err *err);
/* Same from an object that is not in the store (answers of writes). */
int kube_shape_json(const struct kube_shaper *s, struct str json, struct arena *a, struct buf *out,
                    struct err *err);

/* --- call --- */
struct kube_call {
    struct kube *k;
    struct kube_request *req;
    struct arena *a;
    struct kube_pending *pending; /* set while its deadline is looked after */
    kube_done_fn done;
    void *done_ctx;
    int64_t start_ns;
    struct user user;
    struct kube_route route;
    struct kube_params params;
    struct kube_accept accept;
    struct kube_texts warnings;
    struct kube_response resp;
    struct str fresh_continue; /* for Status.metadata of an expired list */
};

/* --- answer.c --- */
void kube_answer_header(struct kube_call *c, const char *name, struct str value);
/* body: arena or constant; content_type NULL: none is said. Adds the common headers, counts, calls
 * done. */
void kube_answer(struct kube_call *c, int status, const char *content_type, struct str body);
/* The plain 404 of a path that is not there. */
void kube_answer_nothing(struct kube_call *c);
/* JSON text in the style that was asked for. */
void kube_answer_json(struct kube_call *c, int status, struct str json);
void kube_answer_stream(struct kube_call *c, const char *content_type, struct kube_stream *s);
/* The error as a Status. Takes nothing: err stays the caller's. */
void kube_answer_err(struct kube_call *c, const struct err *err);
/* A Status as JSON; continue_token may be empty. */
void kube_status_json(struct buf *out, const struct err *err, struct str continue_token,
                      int *out_code);
/* Text of a JSON document in a style. */
int kube_style_text(struct arena *a, enum kube_style style, struct str json, struct str *out,
                    struct err *err);
/* Appends text with every line but the first behind `indent` blanks. */
void kube_add_indented(struct buf *out, struct str text, size_t indent);

/* --- access.c: identity and rights --- */
int kube_identify(struct kube_call *c, struct err *err);
int kube_authorize(struct kube_call *c, struct err *err);
bool kube_may(struct kube_call *c, const struct user_action *act, struct str *out_reason);
/* Who writes RBAC objects needs `escalate` on the role, or `bind` on the role that a binding names:
 * the right to hand out rights does not give them to oneself. */
int kube_check_grant(struct kube_call *c, const struct node *object, struct err *err);
int kube_forbidden(struct kube_call *c, const struct user_action *act, struct str reason,
                   struct err *err);

/* --- the rest of the walk --- */
void kube_serve_get(struct kube_call *c);
void kube_serve_list(struct kube_call *c);
void kube_serve_watch(struct kube_call *c);
void kube_serve_write(struct kube_call *c);      /* create, update, patch, delete */
void kube_serve_collection(struct kube_call *c); /* deletecollection */
void kube_serve_review(struct kube_call *c);
void kube_serve_document(struct kube_call *c);
void kube_serve_health(struct kube_call *c);
void kube_serve_version(struct kube_call *c);
void kube_serve_root(struct kube_call *c);
void kube_serve_metrics(struct kube_call *c);

/* Reads the current row of the route's object; 404 names the route's kind. */
int kube_row_get(struct kube_call *c, struct store_object *out, struct err *err);

/* --- list.c --- */
/* resourceVersion, resourceVersionMatch and continue of a list or an initial watch. */
int kube_list_check_version(struct kube_call *c, int64_t current, struct err *err);
struct kube_list_scope {
    struct kube_selector selector;
    struct str ns; /* ptr NULL = all */
    bool nothing;
};
int kube_list_scope(struct kube_call *c, struct kube_list_scope *out, struct err *err);
struct store_query kube_list_query(const struct kube_list_scope *s, const struct api_kind *k);
/* Whether a row is selected; parses what it needs into a. */
int kube_list_match(const struct kube_list_scope *s, const struct api_kind *k,
                    const struct store_object *row, struct arena *a, bool *out, struct err *err);

/* --- deadline.c --- */
void kube_deadlines_start(struct kube_deadlines *d);
void kube_deadlines_stop(struct kube_deadlines *d);
/* From here on the call may be answered by its deadline. What is made for it until its answer is
 * made in an arena of its own, which is c->a now; call it before others get c->a. */
void kube_pending_begin(struct kube_call *c);
/* False: the deadline came first, the answer is not to be given. The memory of c may be gone. */
bool kube_pending_end(struct kube_call *c);
/* True when the client has been given up: what has not begun need not. */
bool kube_expired(const struct kube_call *c);
int kube_timeout(struct err *err); /* sets the 504 */

/* --- hub.c --- */
void kube_hub_start(struct kube *k);
void kube_hub_stop(struct kube *k);
void kube_hub_wake_all(struct kube *k);

/* --- metrics.c --- */
struct kube_metrics *kube_metrics_new(void);
void kube_metrics_free(struct kube_metrics *m);
void kube_metrics_request(struct kube_call *c, int code);
void kube_metrics_event(struct kube *k, const struct api_kind *kind, size_t n);

/* --- write.c --- */
/* The conflict of a lost race, which a fresh object may cure. */
bool kube_is_stale(const struct err *err);
/* The 405 with message id of a verb that the kind advertises and refuses; id NULL is fine. */
int kube_refused(struct kube_call *c, const char *id, struct err *err);
/* Counts what the engine holds, for draining. */
void kube_writes_begin(struct kube *k);
void kube_writes_end(struct kube *k);
