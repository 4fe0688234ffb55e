/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables that api/gen makes from api/kinds/ (one Lua file per kind) and api/messages.lua: what
 * kinds exist, their fields, columns and verbs, the OpenAPI and discovery documents, error texts.
 * Everything is constant data. Rank 0: any room may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct buf;

enum api_type {
    API_STRING,
    API_INTEGER,
    API_BOOLEAN,
    API_TIME,   /* RFC 3339 string */
    API_BYTES,  /* base64 string */
    API_OBJECT, /* `object` describes the members */
    API_MAP,    /* string keys; values of type `element` (`object` when that is API_OBJECT) */
    API_LIST,   /* items of type `element` (`object` when that is API_OBJECT) */
    API_ANY     /* free form, unknown fields preserved */
};

enum api_list_type { API_LIST_ATOMIC, API_LIST_SET, API_LIST_MAP };

struct api_schema;

struct api_field {
    const char *name;
    const char *description;
    enum api_type type;
    enum api_type element;           /* of API_MAP and API_LIST */
    const struct api_schema *object; /* of API_OBJECT and of object elements */
    enum api_list_type list;
    const char *const *keys;   /* API_LIST_MAP: member names, NULL-terminated; also the merge key */
    const char *default_json;  /* NULL: none; applied by the server when the member is missing, or
                                  null although not nullable */
    const char *always_json;   /* NULL, or what is emitted when the member is missing (Go's
                                  non-omitempty fields: `{}`, `null`, `""`) */
    const char *const *values; /* allowed values, NULL-terminated, or NULL */
    bool required;             /* a missing member is an error, unless always_json fills it in */
    bool nullable;
    bool merge;                 /* strategic merge patch merges this list (by keys or as a set) */
    const char *immutable;      /* message when an update changes it, or NULL */
    const char *values_message; /* text of "Invalid value" when not in `values`; NULL: it is
                                   "Unsupported value" */
    size_t min_length, max_length; /* of strings, in characters; 0 = none */
    const char *pattern;           /* of strings: POSIX extended regular expression, or NULL */
    bool not_negative;             /* of integers */
    const char *stored_as; /* name of the member in the stored form, NULL = same (alias kinds) */
};

struct api_schema {
    const char *name; /* OpenAPI component name */
    const char *description;
    const struct api_field *fields;
    size_t n_fields;
    bool preserve_unknown;
    bool atomic; /* field ownership does not look inside (x-kubernetes-map-type: atomic) */
};

struct api_column {
    const char *name, *type, *format, *description;
    int priority;
    /* Where the cell comes from: a dotted path (".spec.git.repo", several separated by '|' = first
     * that is there), "condition:Ready" (status of that condition), "label:KEY" (boolean: label is
     * "true"), "count:.spec.resources" (number of members; "count:.data+.binaryData" adds),
     * "ref:.roleRef" ("KIND/NAME" of an object reference), "ref-lower:.involvedObject" (same with
     * the kind in lower case), "age:.lastTimestamp|.eventTime" (age of a time; the stored cell is
     * the time itself, it becomes an age when a client is answered), or "age" (age of
     * metadata.creationTimestamp, always the last column, not stored). */
    const char *source;
    const char *missing; /* JSON of the cell when the source gives nothing, NULL = null */
};

struct api_subresource {
    const char *name;
    const char *const *verbs; /* NULL-terminated */
};

enum api_verb {
    API_GET = 1 << 0,
    API_LIST_VERB = 1 << 1,
    API_WATCH = 1 << 2,
    API_CREATE = 1 << 3,
    API_UPDATE = 1 << 4,
    API_PATCH = 1 << 5,
    API_DELETE = 1 << 6,
    API_DELETECOLLECTION = 1 << 7
};

enum api_kind_flag {
    API_NAMESPACED = 1 << 0,
    API_STATUS = 1 << 1,        /* has a /status subresource; main endpoint ignores status */
    API_GENERATION = 1 << 2,    /* metadata.generation counts spec changes */
    API_SEALED = 1 << 3,        /* encrypted at rest */
    API_WORKFLOWS = 1 << 4,     /* writes go through Lua workflows (PackageRevision …) */
    API_VIRTUAL = 1 << 5,       /* create-only review kinds: nothing is stored */
    API_UNCONDITIONAL = 1 << 6, /* PUT without resourceVersion is allowed */
    API_EVENTS = 1 << 7         /* rows expire after LIMIT_EVENT_TTL_S */
};

/* What metadata.name may look like. */
enum api_name_rule {
    API_NAME_SUBDOMAIN, /* RFC 1123 subdomain: the rule when nothing else is said */
    API_NAME_LABEL,     /* RFC 1123 label */
    API_NAME_PATH,      /* any path segment: not "." or "..", no '/' or '%' (roles) */
    API_NAME_CRD_LABEL  /* subdomain, then the CEL texts repository-name-* for a label */
};

struct api_kind {
    const char *group, *version; /* group "" = core */
    const char *group_version;   /* "v1", "porch.kpt.dev/v1alpha1" */
    const char *kind, *list_kind, *resource, *singular;
    const char *const *short_names; /* NULL-terminated */
    const char *const *categories;
    const char *store_kind; /* key in the store; alias versions share it: "packagerevisions" */
    unsigned verbs;         /* enum api_verb */
    unsigned flags;         /* enum api_kind_flag */
    const struct api_schema *schema;
    const struct api_column *columns;
    size_t n_columns;
    const struct api_subresource *subresources;
    size_t n_subresources;
    const char *const *selectable; /* field selector paths besides metadata.name/namespace */
    const char *const *indexed;    /* at most two of them, in store column order (f1, f2) */
    const char *const *references; /* where the name of the object is that this one came from; an
                                      object has at most one of them. "a.b[0].c": first item of b */
    enum api_name_rule name_rule;
    /* Verbs that are advertised but answer 405 with this message id; NULL = not refused. update
     * stands for PUT and PATCH. */
    const char *refuse_create, *refuse_update, *refuse_delete;
};

extern const struct api_kind api_kinds[];
extern const size_t api_n_kinds;

/* Selectable paths that end in "[]" take a key: spec.packageMetadata.labels[app]. */

/* By URL parts; NULL when unknown. */
const struct api_kind *api_kind_find(struct str group, struct str version, struct str resource);
/* By apiVersion and kind of an object. */
const struct api_kind *api_kind_find_object(struct str api_version, struct str kind);
const struct api_field *api_field_find(const struct api_schema *s, struct str name);
bool api_group_version_has(struct str group, struct str version);

/* printf format of a message of api/messages.lua; unknown ids abort (programming error). The only
 * conversions are %s (const char *, NUL-terminated) and %d (int). */
const char *api_message(const char *id);
/* Appends the message with its arguments. */
void api_text(struct buf *b, const char *id, ...);
/* err_set and err_add_cause with the text of a message; both return -1. */
#define api_err(e, kind, ...) api_err_at((e), (kind), __FILE__, __LINE__, __VA_ARGS__)
int api_err_at(struct err *e, enum err_kind kind, const char *file, int line, const char *id, ...);
int api_err_cause(struct err *e, const char *reason, const char *field, const char *id, ...);

/* A document that clients fetch, ready-made. Paths without a leading slash are not for clients:
 * "crd:NAME" is the CustomResourceDefinition object of a kind of ours, to put into the store. */
struct api_document {
    const char *path;    /* "/apis", "/openapi/v3/apis/porch.kpt.dev/v1alpha1", … */
    const char *variant; /* "" legacy/JSON, "v2" or "v2beta1" aggregated discovery, "pb" */
    const char *content_type;
    const char *etag; /* upper-case SHA-512 hex of the body */
    const unsigned char *body;
    size_t len;
};

extern const struct api_document api_documents[];
extern const size_t api_n_documents;
const struct api_document *api_document_find(struct str path, const char *variant);
