/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: PackageRevision and PorchPackage object names (porch-api §3) and the generic Kubernetes
 * name rules that metadata and selectors are checked with. Pure functions; the texts are the ones
 * that clients of the peer match.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The parts of an object name. `path` may be empty; its segments are separated by '/'. */
struct krm_name {
    struct str repository;
    struct str path;      /* package path without its last segment */
    struct str package;   /* last segment */
    struct str workspace; /* empty in the name of a PorchPackage */
};

/* --- object names --- */

/* Splits a whole package name ("a/b/c") into path and last segment of *out. */
void krm_name_set_package(struct krm_name *out, struct str package_name);
/* "path/package" in a. */
struct str krm_name_package(struct arena *a, const struct krm_name *n);
/* <repository>.<path.package>.<workspace>; empty when one of the three is empty. */
struct str krm_name_emit(struct arena *a, const struct krm_name *n);
/* The same without the workspace: name of a PorchPackage. */
struct str krm_name_emit_package(struct arena *a, const struct krm_name *n);
/* Splits and checks a PackageRevision name; *out borrows from a. Failure: ERR_PLAIN with the
 * aggregate text of krm_name_check. */
int krm_name_parse(struct arena *a, struct str name, struct krm_name *out, struct err *err);
/* Splits and checks a PorchPackage name. */
int krm_name_parse_package(struct arena *a, struct str name, struct krm_name *out, struct err *err);
/* Splits without checking: revisions that git tags name may have dots in their workspace. */
void krm_name_split(struct arena *a, struct str name, struct krm_name *out);
/* Checks the parts; the text lists every bad part (porch-api §3.2), kind is the caller's. */
int krm_name_check(const struct krm_name *n, enum err_kind kind, struct err *err);
int krm_name_check_package(const struct krm_name *n, enum err_kind kind, struct err *err);

#define KRM_UID_SIZE 37 /* 36 characters and NUL */
/* UID of the revision with this namespace and name (porch-api §3.3). */
void krm_name_uid(struct str ns, struct str name, char out[KRM_UID_SIZE]);
/* UID of the PorchPackage with this namespace and name (porch-api §2.4). */
void krm_name_uid_package(struct str ns, struct str name, char out[KRM_UID_SIZE]);

/* --- generic rules --- */

struct krm_name_fault {
    const char *part;    /* put in front: "name part ", "prefix part " or "" */
    const char *message; /* id in api/messages.lua */
    int max;             /* its argument when it is about length */
};

/* What is wrong with a value; n is 0 when it is fine. */
struct krm_name_faults {
    size_t n;
    struct krm_name_fault at[4];
};

/* DNS-1123 label (<= 63) and subdomain (<= 253). */
struct krm_name_faults krm_name_check_label(struct str s);
struct krm_name_faults krm_name_check_subdomain(struct str s);
/* [prefix/]name as label and annotation keys, finalizers and condition types are written. */
struct krm_name_faults krm_name_check_qualified(struct str s);
struct krm_name_faults krm_name_check_label_value(struct str s);
/* A directory or branch inside a repository: no "//", one label once the slashes are gone; the
 * empty path and "/" pass. */
struct krm_name_faults krm_name_check_path(struct str s);
/* The texts joined by sep, in a. */
struct str krm_name_faults_text(struct arena *a, const struct krm_name_faults *f, const char *sep);
