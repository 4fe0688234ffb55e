/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's content table as a source of git objects: drafts' trees and blobs are found through
 * the same libgit2 handle as the mirror's. Read only; it stands behind the mirror's own files, so
 * it is asked for what those do not have.
 */
#include <git2/sys/odb_backend.h>

#include "repo/priv.h"

struct odb_store {
    git_odb_backend base;
    struct store *store;
};

/* Content of the table in a; 0 or a code of libgit2. */
static int get(git_odb_backend *b, const git_oid *oid, struct arena *a, int *type, struct str *out)
{
    struct odb_store *s = (struct odb_store *)b;
    AUTO_ERR err = ERR_INIT;
    if (store_content_get(s->store, oid->id, a, type, out, &err)) {
        if (err_is(&err, ERR_NOT_FOUND)) {
            return GIT_ENOTFOUND;
        }
        git_error_set_str(GIT_ERROR_ODB, err.message);
        return -1;
    }
    return 0;
}

static int on_read(void **out, size_t *out_len, git_object_t *out_type, git_odb_backend *b,
                   const git_oid *oid)
{
    AUTO_ARENA a = ARENA_INIT;
    int type = 0;
    struct str bytes;
    int rc = get(b, oid, &a, &type, &bytes);
    if (rc) {
        return rc;
    }
    void *copy = git_odb_backend_data_alloc(b, bytes.len ? bytes.len : 1);
    if (!copy) {
        return -1;
    }
    if (bytes.len) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    *out = copy;
    *out_len = bytes.len;
    *out_type = (git_object_t)type;
    return 0;
}

static int on_read_header(size_t *out_len, git_object_t *out_type, git_odb_backend *b,
                          const git_oid *oid)
{
    AUTO_ARENA a = ARENA_INIT;
    int type = 0;
    struct str bytes;
    int rc = get(b, oid, &a, &type, &bytes);
    if (!rc) {
        *out_len = bytes.len;
        *out_type = (git_object_t)type;
    }
    return rc;
}

static int on_exists(git_odb_backend *b, const git_oid *oid)
{
    return store_content_has(((struct odb_store *)b)->store, oid->id);
}

/* "Not here": git_odb_write must put its object into the mirror even when the table has it. */
static int on_freshen(git_odb_backend *b, const git_oid *oid)
{
    return GIT_ENOTFOUND;
}

static void on_free(git_odb_backend *b)
{
    mem_free(b);
}

int odb_store_add(git_odb *odb, struct store *store, struct err *err)
{
    struct odb_store *s = mem_new(struct odb_store);
    git_odb_init_backend(&s->base, GIT_ODB_BACKEND_VERSION);
    s->base.read = on_read;
    s->base.read_header = on_read_header;
    s->base.exists = on_exists;
    s->base.freshen = on_freshen;
    s->base.free = on_free;
    s->store = store;
    if (git_odb_add_alternate(odb, &s->base, 1)) {
        mem_free(s);
        return git_fail(err, ERR_INTERNAL, "cannot add the store to a repository");
    }
    return 0;
}

bool odb_mirror_has(git_odb *odb, const git_oid *id)
{
    for (size_t i = git_odb_num_backends(odb); i-- > 0;) {
        git_odb_backend *b;
        if (git_odb_get_backend(&b, odb, i) == 0 && b->exists && b->exists != on_exists &&
            b->exists(b, id)) {
            return true;
        }
    }
    return false;
}
