/* SPDX-License-Identifier: Apache-2.0
 *
 * Commits and directories of a mirror by name: what a clone or an upgrade starts from.
 */
#include "repo/priv.h"

#define MIN_ABBREVIATION 4 /* hex digits of a commit id, as git has it */

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!strchr("0123456789abcdef", s.ptr[i])) {
            return false;
        }
    }
    return s.len >= MIN_ABBREVIATION && s.len <= GIT_OID_HEXSZ;
}

/* Id of the one commit that begins so; false when there is none or more than one. */
static bool find_commit(struct handle *h, struct str hex, struct repo_id *out)
{
    git_oid prefix, full;
    if (!is_hex(hex) || git_oid_fromstrn(&prefix, hex.ptr, hex.len) ||
        git_odb_exists_prefix(&full, h->odb, &prefix, hex.len)) {
        return false;
    }
    struct repo_id id = id_of(&full);
    return commit_peel(h, &id, out);
}

int repo_commit_of(struct repo *r, struct str name, struct repo_id *out, struct err *err)
{
    AUTO_HANDLE *h = NULL;
    if (handle_take(r->mirror->pool, r->mirror, &h, err)) {
        return -1;
    }
    AUTO_REFS *refs = mirror_refs(r->mirror, NULL);
    const struct repo_id *id = refs_find(refs, name);
    return id ? commit_peel(h, id, out) : find_commit(h, name, out);
}

int repo_directory_of(struct repo *r, const struct repo_id *commit, struct str directory,
                      struct repo_id *out, struct err *err)
{
    AUTO_HANDLE *h = NULL;
    struct repo_id root;
    struct tree_entry e;
    if (handle_take(r->mirror->pool, r->mirror, &h, err) || commit_tree(h, commit, &root, err)) {
        return -1;
    }
    int found = tree_find_path(h, &root, str_trim(directory, "/"), &e, err);
    if (found <= 0) {
        return found;
    }
    *out = e.id;
    return e.mode == TREE_MODE;
}
