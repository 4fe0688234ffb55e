/* SPDX-License-Identifier: Apache-2.0
 *
 * The repository port: a registered git repository as packages. Content is git trees and blobs by
 * id; drafts live in the store (content rows), what is published lives in git. Behaviour is
 * porch-api-git.md; every network call ends by its deadline.
 *
 * struct repo_pool owns the on-disk bare mirrors (a cache that may be deleted at any time) and is
 * shared by all threads. struct repo is a counted handle on one mirror (URL and credential
 * identity); its functions may be called from any thread, each opens its own git_repository.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

/* A git object id. */
struct repo_id {
    unsigned char bytes[20];
};

bool repo_id_parse(struct str hex, struct repo_id *out);
struct str repo_id_hex(struct arena *a, const struct repo_id *id);
bool repo_id_is_zero(const struct repo_id *id);
bool repo_id_eq(const struct repo_id *a, const struct repo_id *b);

enum repo_credential_type { REPO_CREDENTIAL_NONE, REPO_BASIC, REPO_BEARER, REPO_SSH_KEY };

struct repo_credential {
    enum repo_credential_type type;
    struct str username, password; /* basic; username also for ssh */
    struct str token;              /* bearer */
    struct str private_key, passphrase, known_hosts; /* ssh, PEM and known_hosts text */
};

/* A Repository object's spec.git with its Secret resolved. All borrowed during the call. */
struct repo_remote {
    struct str ns, name;  /* of the Repository, for messages; no name: an upstream that is none */
    struct str url;       /* file://, /path, http(s)://, ssh://, git@host:path, git:// */
    struct str branch;    /* registered branch, "main" */
    bool any_branch;      /* no branch needs to be there: fetch for repo_commit_of */
    struct str directory; /* "" = root; slashes trimmed */
    bool create_branch;
    struct repo_credential credential;
    struct str ca_bundle; /* PEM, or empty for the system's trust */
};

struct repo_pool;
struct repo;

/* dir: where mirrors are kept. */
int repo_pool_open(const char *dir, struct store *store, struct repo_pool **out, struct err *err);
void repo_pool_close(struct repo_pool *p);
/* Parts of error texts (any case) for which a push is tried again, besides the built-in ones
 * (porch-api-git.md §4). Borrowed while the pool lives; call it before the pool is used. */
void repo_pool_set_retryable(struct repo_pool *p, const char *const *texts, size_t n);

/* Removes from disk the mirrors that no handle uses, that belong to none of the n remotes in keep,
 * and that nobody has opened since before_ns (monotonic): take the time, then look which remotes
 * there are. */
int repo_pool_sweep(struct repo_pool *p, const struct repo_remote *keep, size_t n,
                    int64_t before_ns, size_t *out_removed, struct err *err);

/* Gets the handle for a remote; makes the empty mirror when missing, a damaged one is replaced.
 * No network. Release with repo_unref. */
int repo_open(struct repo_pool *p, const struct repo_remote *r, struct repo **out, struct err *err);
struct repo *repo_ref(struct repo *r);
void repo_unref(struct repo *r);
/* Ends what waits for the network through this handle, now or later, with ERR_UNAVAILABLE. From any
 * thread. */
void repo_cancel(struct repo *r);

/* Asks the server for its refs only (health check): messages of porch-api-repository.md §2.2. */
int repo_probe(struct repo *r, int64_t deadline_ns, struct err *err);

struct repo_state {
    struct repo_id head;      /* of the registered branch; zero = branch missing */
    char version[65];         /* SHA-256 hex over all mirrored refs (names and ids) */
};
/* Fetches heads and tags into the mirror with prune (a no-change fetch costs one ls-remote),
 * creates the branch when asked. Failures are tried again, three times in all, with the text of
 * porch-api-repository.md §1.1. Missing branch: error text of porch-api-git.md §6. */
int repo_fetch(struct repo *r, int64_t deadline_ns, struct repo_state *out, struct err *err);
/* Words an error that keeps a fetch from starting (its credential, its URL) as repo_fetch would.
 * Returns -1. */
int repo_fetch_failed(const struct repo_remote *r, struct err *err);
/* The same facts from the mirror, without network. */
int repo_state_get(struct repo *r, struct repo_state *out, struct err *err);

/* Commit in the mirror that a full ref name ("refs/tags/v1"; tag objects are followed) or a commit
 * id (whole, or the first 4 hex digits and more when only one begins so) names. 1, 0 when there is
 * none, -1 with err. */
int repo_commit_of(struct repo *r, struct str name, struct repo_id *out, struct err *err);
/* Tree of a directory ("" = root) of a commit. 1, 0 when there is none, -1 with err. */
int repo_directory_of(struct repo *r, const struct repo_id *commit, struct str directory,
                      struct repo_id *out, struct err *err);

/* As repo_fetch, once and without the words of the API: for verbs of the command line. */
int repo_fetch_once(struct repo *r, int64_t deadline_ns, struct err *err);

/* A head or tag of the mirror by its full name. */
struct repo_ref {
    struct str name;
    struct repo_id id; /* of the commit, or of the tag object */
};
/* All of them in name order, in a. */
void repo_refs(struct repo *r, struct arena *a, struct repo_ref **out, size_t *out_n);
/* The branch that the server's HEAD stands for ("main"), in a; asks the server. 1, 0 when it does
 * not say, -1 with err. */
int repo_default_branch(struct repo *r, int64_t deadline_ns, struct arena *a, struct str *out,
                        struct err *err);

enum repo_ref_kind { REPO_REF_BRANCH, REPO_REF_TAG, REPO_REF_DRAFT, REPO_REF_PROPOSED };

/* One package revision found in the mirrored refs (porch-api-git.md §2). */
struct repo_found {
    enum repo_ref_kind kind;
    struct str ref;       /* short: "main", "pkg/v1", "drafts/pkg/ws" */
    struct str package;   /* path relative to the directory, may contain '/' */
    struct str workspace;
    int64_t revision;     /* 0 drafts, >= 1 published, -1 placeholder and foreign tags */
    bool deletion_proposed;
    struct repo_id commit, tree; /* tree = the package directory's */
    struct repo_id kptfile;      /* blob of its root Kptfile */
    struct str author_name, author_email; /* of the commit (placeholder: newest with our package) */
    int64_t author_time;  /* unix seconds; without a commit with our package: the branch head's */
    struct str task;      /* JSON of spec.tasks[0], or empty */
};
/* Walks the mirror's refs; everything in a. Fast for 5,000 tags (one pass over history). Problems
 * that skip something are added to *out_warnings (array of n in a). */
int repo_discover(struct repo *r, struct arena *a, struct repo_found **out, size_t *out_n,
                  struct str **out_warnings, size_t *out_n_warnings, struct err *err);

/* --- content: from the mirror (r may be NULL) and the store --- */

struct repo_file {
    struct str path;      /* relative to the package root */
    uint32_t mode;        /* 0100644, 0100755, 0120000 */
    struct repo_id blob;
    struct str bytes;     /* ptr NULL = unchanged: blob says what it is */
};
/* Lists a tree's files recursively in path order (bytes not loaded). */
int repo_tree_list(struct repo_pool *p, struct repo *r, const struct repo_id *tree, struct arena *a,
                   struct repo_file **out, size_t *out_n, struct err *err);
int repo_blob_get(struct repo_pool *p, struct repo *r, const struct repo_id *blob, struct arena *a,
                  struct str *out, struct err *err);
/* Makes the tree of these files (any order; bytes set = new blob, else blob kept) for a package of
 * r and adds to txn, as content rows, what r and the store do not have; kept blobs may also come
 * from `from` (NULL: r). Pure computation besides existence checks. */
int repo_tree_make(struct repo_pool *p, struct repo *r, struct repo *from, struct store_txn *txn,
                   struct arena *a, const struct repo_file *files, size_t n, struct repo_id *out,
                   struct err *err);

/* --- publishing --- */

enum repo_op_type {
    REPO_OP_PUBLISH,          /* draft commit(s) + merge commit on the branch + tag */
    REPO_OP_MARK_DELETION,    /* create deletionProposed/… */
    REPO_OP_UNMARK_DELETION,
    REPO_OP_DELETE_TAG,       /* tag and marker */
    REPO_OP_DELETE_PACKAGE,   /* commit that removes the directory from the branch, and marker */
    REPO_OP_DELETE_DRAFT      /* drafts/… and proposed/… branches */
};

/* One wish; several go out in one push. Deterministic: the same op on the same branch head gives
 * the same commit ids, and an op that is already done at the remote (seen by tag and annotation)
 * succeeds without a push, so a journalled op can be run again after a crash. */
struct repo_op {
    enum repo_op_type type;
    struct str package;      /* relative to the directory */
    struct str workspace;
    int64_t revision;        /* tag number; marker and delete use workspace when <= 0 */
    struct repo_id tree;     /* PUBLISH: package content */
    struct str task;         /* PUBLISH: JSON of the task for the annotation; "" = none */
    struct str subject;      /* PUBLISH: subject of the draft commit (porch-api-git.md §3) */
    struct str author_name, author_email;
    int64_t time;            /* unix seconds of all commits made for this op */
    struct repo_id expect;   /* MARK/DELETE: commit the ref must be at; zero = do not care */
    /* results */
    struct err err;          /* set when this op failed; caller releases */
    bool unknown;            /* it failed, but the remote may have done it, now or later */
    struct repo_id commit;   /* PUBLISH: merge commit (tag); DELETE_PACKAGE: new head */
    struct repo_id head;     /* branch head after the push */
};
/* Runs ops in order as one atomic push with expected old values (force-with-lease); fetches,
 * rebuilds and retries when the branch moved (porch-api-git.md §4, retry table). Returns -1 with
 * err only when nothing could be tried (connection, credentials): then no op happened. */
int repo_push(struct repo *r, struct repo_op *ops, size_t n, int64_t deadline_ns, struct err *err);
/* Looks whether the remote has what an op asks for (PUBLISH: its tag with our annotation), and
 * changes nothing. -1: cannot be said. */
int repo_push_seen(struct repo *r, const struct repo_op *op, int64_t deadline_ns, bool *out,
                   struct err *err);
