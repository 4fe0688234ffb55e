/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of a repository's branches and tags, and which branch is its default one: what a package
 * argument without a version, or with a short one, is resolved by.
 */
#include "repo/local.h"
#include "repo/remote.h"

int repo_fetch_once(struct repo *r, int64_t deadline_ns, struct err *err)
{
    AUTO_REFS *refs = NULL;
    return remote_fetch(r, deadline_ns, &refs, err);
}

void repo_refs(struct repo *r, struct arena *a, struct repo_ref **out, size_t *out_n)
{
    AUTO_REFS *refs = mirror_refs(r->mirror, NULL);
    struct repo_ref *list = arena_array(a, struct repo_ref, refs->n + 1);
    for (size_t i = 0; i < refs->n; i++) {
        list[i] = (struct repo_ref){arena_str(a, refs->v[i].name), refs->v[i].id};
    }
    *out = list;
    *out_n = refs->n;
}

/* The name behind refs/heads/; 0 for anything else. */
static int branch_of(struct arena *a, struct str ref, struct str *out)
{
    static const struct str HEADS = STR("refs/heads/");
    if (!str_has_prefix(ref, HEADS)) {
        return 0;
    }
    *out = arena_str(a, str_sub(ref, HEADS.len, ref.len));
    return 1;
}

static int local_default_branch(struct repo *r, struct arena *a, struct str *out, struct err *err)
{
    git_repository *git = NULL;
    git_reference *head = NULL;
    if (local_open(r, &git, err)) {
        return -1;
    }
    int found = 0;
    if (git_reference_lookup(&head, git, "HEAD") == 0 &&
        git_reference_type(head) == GIT_REFERENCE_SYMBOLIC) {
        found = branch_of(a, str_of(git_reference_symbolic_target(head)), out);
    }
    git_reference_free(head);
    git_repository_free(git);
    git_error_clear();
    return found;
}

int repo_default_branch(struct repo *r, int64_t deadline_ns, struct arena *a, struct str *out,
                        struct err *err)
{
    if (r->url.kind == URL_FILE) {
        return local_default_branch(r, a, out, err);
    }
    AUTO_WIRE *w = NULL;
    AUTO_ADVERT advert = {0};
    if (wire_open(r, WIRE_UPLOAD_PACK, deadline_ns, &w, err) || advert_read(w, &advert, err)) {
        return -1;
    }
    struct str rest = advert.capabilities, word;
    while (str_split(&rest, ' ', &word)) {
        if (str_has_prefix(word, STR("symref=HEAD:"))) {
            return branch_of(a, str_sub(word, strlen("symref=HEAD:"), word.len), out);
        }
    }
    return 0;
}
