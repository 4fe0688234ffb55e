/* SPDX-License-Identifier: Apache-2.0
 *
 * Three-way merge of resources and packages (cad-library §3.4-§3.6), with a report of every place
 * where both sides changed. Pure: files in, files out.
 */
#pragma once

#include "krm/resources.h"

struct krm_merge_options {
    bool kpt;   /* byte for byte what kpt does, D1-D19's left column */
    bool infer; /* lists whose elements all have a name merge by it (Kptfiles) */
};

/* What happened where both sides had a say. */
struct krm_conflict {
    struct str file;
    struct str group, kind, ns, name;  /* of the resource; empty kind: a whole file */
    struct str path;                   /* "spec.template.spec.containers[name=app].image" */
    const struct node *base, *ours, *theirs; /* NULL: absent */
    const char *taken;                 /* "ours", "theirs", "both", "deleted", "added" */
    const char *reason;                /* one of a few fixed words, see merge.c */
};
struct krm_report {
    struct krm_conflict *list;
    size_t n, cap;
};
/* The report as data: a list of maps with the members of struct krm_conflict. */
struct node *krm_report_node(struct arena *a, const struct krm_report *r);

/* Merges one resource; any of the three may be NULL (absent). The result is made of ours where
 * nothing changed; NULL without error: deleted. */
int krm_merge_resource(struct arena *a, const struct node *base, struct node *ours,
                       const struct node *theirs, const struct krm_merge_options *o,
                       struct krm_report *report, struct node **out, struct err *err);

/* Merges the files of one package (without its nested packages): resources by identity, other
 * files as a whole. */
int krm_merge_files(struct arena *a, const struct krm_files *base, const struct krm_files *ours,
                    const struct krm_files *theirs, const struct krm_merge_options *o,
                    struct krm_files *out, struct krm_report *report, struct err *err);
