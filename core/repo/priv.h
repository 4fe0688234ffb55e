/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of repo/ share: mirrors and their refs, libgit2 handles, raw trees. Not for other
 * rooms.
 *
 * A mirror is a bare repository that only we write: objects arrive as packs or loose files, refs
 * (heads and tags, named as at the server) live in packed-refs alone and are written in one piece.
 * The same list is kept in memory as an immutable, counted struct refs.
 */
#pragma once

#include <git2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/cancel.h"
#include "repo/repo.h"
#include "repo/url.h"

#define REPO_PORCH_NAME "Package Orchestration Service"
#define REPO_PORCH_EMAIL "porch@kpt.dev"

/* --- refs.c --- */

struct ref {
    struct str name; /* full: refs/heads/main */
    struct repo_id id;
};

/* Sorted by name, no duplicates. */
struct refs {
    atomic_int users;
    struct arena arena;
    struct ref *v;
    size_t n, cap;
    char version[65];
};

struct refs *refs_new(void);
struct refs *refs_ref(struct refs *r);
void refs_unref(struct refs *r);
void refs_unref_at(struct refs **r);
#define AUTO_REFS __attribute__((cleanup(refs_unref_at))) struct refs
/* Appends (name copied); call refs_seal when complete. */
void refs_add(struct refs *r, struct str name, const struct repo_id *id);
/* Sorts and computes the version. */
void refs_seal(struct refs *r);
/* Order of struct ref, for qsort. */
int refs_by_name(const void *a, const void *b);
/* NULL when absent. */
const struct repo_id *refs_find(const struct refs *r, struct str name);
/* Only heads and tags, with names that git accepts. */
bool refs_wanted(struct str name);
/* packed-refs of a mirror. A missing file is an empty list. */
int refs_load(const char *dir, struct refs **out, struct err *err);
int refs_save(const char *dir, const struct refs *r, struct err *err);

/* --- pool.c --- */

struct mirror;

/* One open libgit2 repository; used by one thread at a time. */
struct handle {
    struct mirror *mirror; /* NULL: the store's content alone */
    git_repository *git;
    git_odb *odb;
    uint64_t generation;
    struct handle *next;
};

struct mirror {
    struct repo_pool *pool;
    struct mirror *next;
    char key[65];
    char *dir;
    size_t users;         /* guarded by the pool's lock, as is */
    int64_t opened_ns;    /* when repo_open last gave it out; monotonic */
    pthread_mutex_t lock; /* guards what follows */
    struct refs *refs;
    uint64_t refs_number; /* counts replacements of refs */
    struct handle *idle;
    size_t n_idle;
    uint64_t generation; /* counts replacements of the directory */
    bool damaged;
};

struct repo_pool {
    char *dir;
    struct store *store;
    pthread_mutex_t lock; /* guards the list and the users of mirrors */
    struct mirror *mirrors;
    const char *const *retryable;
    size_t n_retryable;
};

struct repo {
    atomic_int users;
    struct mirror *mirror;
    struct url url;
    struct repo_remote remote; /* copies in arena */
    struct str branch_ref;     /* refs/heads/<branch> */
    struct net_cancel cancel;
    struct arena arena;
};

/* SHA-256 in hex of what tells mirrors apart: URL and credential. */
void mirror_key(const struct repo_remote *r, char out[65]);
void mirror_free(struct mirror *m);
/* Removes a file, or a directory with all that is in it. */
void remove_tree(int at, const char *name);

/* m NULL: a handle on the store's content. */
int handle_take(struct repo_pool *p, struct mirror *m, struct handle **out, struct err *err);
void handle_put_at(struct handle **h);
#define AUTO_HANDLE __attribute__((cleanup(handle_put_at))) struct handle

struct refs *mirror_refs(struct mirror *m, uint64_t *out_number);
/* Replaces the refs unless they were replaced since `number`; *out_done tells. Takes no ownership. */
int mirror_refs_set(struct mirror *m, struct refs *refs, uint64_t number, bool *out_done,
                    struct err *err);
/* Changes single refs (zero id deletes) on top of whatever is there. */
int mirror_refs_update(struct mirror *m, const struct ref *changes, size_t n, struct err *err);
/* Marks the mirror as unusable; the next repo_open or fetch makes a new one. */
void mirror_damaged(struct mirror *m);
/* Replaces a damaged mirror by an empty one. */
int mirror_repair(struct mirror *m, struct err *err);

/* --- odb_store.c --- */

/* Adds the store's content table as a source of objects behind the others. */
int odb_store_add(git_odb *odb, struct store *store, struct err *err);
/* True when another source than the store has the object. Asks the sources themselves: libgit2
 * also remembers objects that it has read, and those of the store may be gone by now. */
bool odb_mirror_has(git_odb *odb, const git_oid *id);

/* --- id.c: libgit2's errors and objects --- */

/* Sets err to "<text>: <libgit2's words>". Returns -1. */
int git_fail(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static inline const git_oid *oid_of(const struct repo_id *id)
{
    return (const git_oid *)(const void *)id->bytes;
}
static inline struct repo_id id_of(const git_oid *oid)
{
    struct repo_id id;
    memcpy(id.bytes, oid->id, sizeof(id.bytes));
    return id;
}
static inline struct str id_key(const struct repo_id *id)
{
    return (struct str){(const char *)id->bytes, sizeof(id->bytes)};
}
void odb_object_free_at(git_odb_object **o);
#define AUTO_OBJECT __attribute__((cleanup(odb_object_free_at))) git_odb_object
/* Reads an object that must be of this type. */
int object_get(struct handle *h, const struct repo_id *id, git_object_t type, git_odb_object **out,
               struct err *err);
/* Writes into the mirror itself. */
int object_add(struct handle *h, git_object_t type, struct str bytes, struct repo_id *out,
               struct err *err);
/* Follows tag objects to the commit; false when there is none. */
bool commit_peel(struct handle *h, const struct repo_id *id, struct repo_id *out);
/* The root tree of a commit. */
int commit_tree(struct handle *h, const struct repo_id *commit, struct repo_id *out,
                struct err *err);
/* The message part of a raw commit. */
struct str commit_message(git_odb_object *commit);

/* --- tree.c: raw git trees --- */

struct tree_entry {
    uint32_t mode; /* 040000 for a directory */
    struct str name;
    struct repo_id id;
};
#define TREE_MODE 040000u

/* Next entry of a raw tree; false at its end or where it is malformed. */
bool tree_next(struct str *rest, struct tree_entry *out);
/* Finds one name in a tree. 1 found, 0 not there, -1 unreadable. */
int tree_find(struct handle *h, const struct repo_id *tree, struct str name,
              struct tree_entry *out, struct err *err);
/* Finds a path of directories and a last name; path "" gives the tree itself. */
int tree_find_path(struct handle *h, const struct repo_id *tree, struct str path,
                   struct tree_entry *out, struct err *err);
/* The tree with `path` set to a directory (or removed when subtree is NULL; directories that
 * become empty go too, and *out is zero when nothing is left). root may be zero = empty. */
int tree_put(struct handle *h, const struct repo_id *root, struct str path,
             const struct repo_id *subtree, struct repo_id *out, struct err *err);
/* Appends one entry in git's format. */
void tree_emit(struct buf *out, uint32_t mode, struct str name, const struct repo_id *id);
/* Git's order of entry names: a directory sorts as if it ended with '/'. */
int tree_name_cmp(struct str a, bool a_is_tree, struct str b, bool b_is_tree);

/* --- annotation.c --- */

struct annotation {
    struct str package, workspace, revision;
    struct str task;      /* JSON text or empty */
    struct str task_type; /* init, clone … */
};
/* Annotations of a commit message, in a. Broken ones are skipped. */
size_t annotation_parse(struct arena *a, struct str message, struct annotation **out);
/* True when the annotation speaks of this package and workspace (old style included). */
bool annotation_is(const struct annotation *n, struct str package, struct str workspace);
/* Appends "kpt:{…}\n". task "" = none. */
void annotation_emit(struct buf *out, struct str package, struct str workspace, int64_t revision,
                     struct str task);

/* --- paths of refs --- */

/* FP = directory + "/" + package. */
struct str full_path(struct arena *a, const struct repo *r, struct str package);
struct str branch_workspace(struct arena *a, struct str branch);
