/* SPDX-License-Identifier: Apache-2.0
 *
 * Three-way merge of resources and packages (cad-library §3.4-§3.6), with a report of every place
 * where both sides changed. Pure: files in, files out.
 */
#pragma once

#include "krm/resources.h"

struct krm_merge_options {
    bool kpt;         /* byte for byte what kpt does, D1-D19's left column */
    bool infer;       /* lists whose elements all have a name merge by it (Kptfiles) */
    bool comments;    /* with kpt: changes of comments and quotes are changes, as in kyaml's own
                       * merge and in kpt before beta.63 */
    bool is_root;     /* files: of the package that is updated, not of one inside it */
    struct str rules; /* annotation lanai.dev/merge of the root Kptfile (core/krm/README.md) */
};

/* What happened where both sides had a say. */
struct krm_conflict {
    struct str file;
    struct str group, kind, ns, name;        /* of the resource; empty kind: a whole file */
    struct str path;                         /* "spec.template.spec.containers[name=app].image" */
    const struct node *base, *ours, *theirs; /* NULL: absent */
    const char *taken;  /* "ours", "theirs", "both" (they agree); of a resource or file without
                         * path also "deleted" and "added" */
    const char *reason; /* one of the texts of merge_report.h */
};
struct krm_report {
    struct krm_conflict *list;
    size_t n, cap;
};
/* The report as data: a list of maps with the members of struct krm_conflict. */
struct node *krm_report_node(struct arena *a, const struct krm_report *r);

/* Merges one resource; any of the three may be NULL (absent). ours becomes the result: it is
 * changed, base and theirs are not, and the result shares no node with them. Report lines may point
 * into all three. NULL without error: deleted. Without `kpt` a side that did not change takes the
 * other as it is. Errors: ERR_INVALID. */
int krm_merge_resource(struct arena *a, const struct node *base, struct node *ours,
                       const struct node *theirs, const struct krm_merge_options *o,
                       struct krm_report *report, struct node **out, struct err *err);

/* Merges the files of one package (without its nested packages), in path order: the Kptfile (with
 * upstream from theirs unless is_root), resources of *.yaml and *.yml by identity and path, other
 * files as a whole. Texts of *out are the arena's or borrowed from the inputs. A file that is
 * broken stays ours, with a line; with kpt it is an error. Rules come from the Kptfile of ours
 * unless o has some (a rules.ptr that is not NULL). Errors: ERR_INVALID, with kpt also
 * ERR_BAD_REQUEST. */
int krm_merge_files(struct arena *a, const struct krm_files *base, const struct krm_files *ours,
                    const struct krm_files *theirs, const struct krm_merge_options *o,
                    struct krm_files *out, struct krm_report *report, struct err *err);

/* Merges the Kptfiles of a package (§3.4): labels, annotations, info, pipeline, inventory and
 * status; with take_upstream also upstream and upstreamLock, which are theirs then. Everything else
 * is ours. Texts with ptr NULL are not there, and *out is so when ours and theirs are. Errors: what
 * kptfile_decode says (with kpt), ERR_BAD_REQUEST for broken YAML, ERR_INVALID. */
struct krm_texts {
    struct str base, ours, theirs;
};
int krm_merge_kptfile(struct arena *a, const struct krm_texts *in, bool take_upstream,
                      const struct krm_merge_options *o, struct krm_report *report, struct str *out,
                      struct err *err);
