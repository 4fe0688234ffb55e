/* SPDX-License-Identifier: Apache-2.0
 *
 * Label and field selectors of list, watch and deletecollection (kube-wire §8, porch-api §7):
 * parsed once per request, then matched against every object that the store returns. Pure
 * functions; everything parsed lives in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct api_kind;
struct node;

enum kube_label_op {
    KUBE_LABEL_IN, /* also =, == */
    KUBE_LABEL_NOT_IN, /* also != */
    KUBE_LABEL_EXISTS,
    KUBE_LABEL_MISSING,
    KUBE_LABEL_GREATER,
    KUBE_LABEL_LESS
};

struct kube_label_term {
    enum kube_label_op op;
    struct str key;
    struct str *values; /* IN, NOT_IN */
    size_t n_values;
    int64_t number; /* GREATER, LESS */
};

/* How the value of a field is compared. */
enum kube_field_rule {
    KUBE_FIELD_TEXT,    /* equal text; numbers and booleans as they are written */
    KUBE_FIELD_PACKAGE, /* whole path, or its last segment when the value has no slash */
    KUBE_FIELD_REVISION /* integer */
};

struct kube_field_term {
    struct str path; /* "spec.repository"; of "spec.packageMetadata.labels[app]" the map's path */
    struct str key;  /* "app"; ptr NULL when the path takes no key */
    bool not_equal;
    enum kube_field_rule rule;
    struct str value; /* unescaped; of REVISION the number in decimal */
};

struct kube_selector {
    const struct api_kind *kind;
    struct kube_label_term *labels;
    size_t n_labels;
    struct kube_field_term *fields;
    size_t n_fields;
};

/* Parses both query values (percent-decoded, empty = everything) for a kind. Failure is
 * ERR_BAD_REQUEST with the peer's text. Terms are ANDed. */
int kube_selector_parse(struct arena *a, const struct api_kind *kind, struct str labels,
                        struct str fields, struct kube_selector *out, struct err *err);
/* True when there is nothing to match: every object passes. */
static inline bool kube_selector_is_empty(const struct kube_selector *s)
{
    return s->n_labels == 0 && s->n_fields == 0;
}
/* Label terms against a metadata.labels map (may be NULL). */
bool kube_selector_match_labels(const struct kube_selector *s, const struct node *labels);
/* Both against an object. A PackageRevisionResources object is selected through its
 * PackageRevision: pass that one. */
bool kube_selector_match(const struct kube_selector *s, const struct node *object);

/* The value that a path must be equal to, or STR_NULL. Never a last-segment value of
 * spec.packageName. When terms contradict each other one of them is given; the match settles it. */
struct str kube_selector_exact(const struct kube_selector *s, const char *path);
/* Values for the kind's indexed columns of a store query; STR_NULL where the index cannot help.
 * *out_f2_leaf: the last segment when that is all that is asked of the second one. */
void kube_selector_index(const struct kube_selector *s, struct str *out_f1, struct str *out_f2,
                         struct str *out_f2_leaf);
/* Brings the namespace of the request (ptr NULL = all) and that of the selector together. A
 * contradiction is an error for the porch kinds (ERR_PLAIN) and otherwise *out_nothing. */
int kube_selector_scope(const struct kube_selector *s, struct str request_ns, struct str *out_ns,
                        bool *out_nothing, struct err *err);
