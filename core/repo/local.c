/* SPDX-License-Identifier: Apache-2.0
 *
 * See local.h. A first fetch links (or copies) the remote's packs and loose objects, which are
 * immutable files: no object is unpacked. Later fetches move one pack of what is new. The objects
 * become the mirror's own in both cases, so what the remote prunes does not vanish under a draft.
 */
#include "repo/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define LINK_FROM 50  /* with more new refs than this, files are linked */
#define LINK_TRIES 3  /* a repack beside us removes files that were just listed */

int local_open(const struct repo *r, git_repository **out, struct err *err)
{
    AUTO_BUF path = BUF_INIT;
    buf_add_str(&path, r->url.path);
    int rc = git_repository_open_ext(out, path.ptr, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (rc == GIT_ENOTFOUND) {
        buf_addz(&path, ".git");
        rc = git_repository_open_ext(out, path.ptr, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    }
    if (rc == GIT_ENOTFOUND) {
        git_error_clear();
        return err_set(err, ERR_NOT_FOUND, "repository not found");
    }
    return rc ? git_fail(err, ERR_UNAVAILABLE, "cannot open the repository") : 0;
}

int local_refs(git_repository *remote, struct refs **out, struct err *err)
{
    AUTO_REFS *refs = refs_new();
    git_reference_iterator *it = NULL;
    git_reference *ref = NULL;
    int rc = git_reference_iterator_new(&it, remote);
    while (!rc && (rc = git_reference_next(&ref, it)) == 0) {
        struct str name = str_of(git_reference_name(ref));
        git_oid id;
        if (git_reference_type(ref) == GIT_REFERENCE_DIRECT) {
            id = *git_reference_target(ref);
        } else if (git_reference_name_to_id(&id, remote, name.ptr)) {
            name = STR_NULL; /* dangling: git does not advertise it either */
        }
        if (name.len && refs_wanted(name)) {
            struct repo_id at = id_of(&id);
            refs_add(refs, name, &at);
        }
        git_reference_free(ref);
    }
    git_reference_iterator_free(it);
    if (rc != GIT_ITEROVER) {
        return git_fail(err, ERR_UNAVAILABLE, "cannot list the refs of the repository");
    }
    git_error_clear();
    refs_seal(refs);
    *out = TAKE(refs);
    return 0;
}

/* --- linking --- */

static int copy_file(int from_dir, int to_dir, const char *name)
{
    char next[300], chunk[65536];
    snprintf(next, sizeof(next), "tmp_%s", name);
    int in = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int out = in < 0 ? -1
                     : openat(to_dir, next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400);
    ssize_t n = out < 0 ? -1 : 1;
    while (n > 0 && (n = read(in, chunk, sizeof(chunk))) > 0) {
        if (write(out, chunk, (size_t)n) != n) {
            n = -1;
        }
    }
    int cause = errno;
    if (in >= 0) {
        close(in);
    }
    if (out >= 0 && close(out)) {
        n = -1;
    }
    errno = cause;
    return n < 0 ? -1 : renameat(to_dir, next, to_dir, name);
}

/* 0 done or already there; -1 with errno. Only regular files: a link could lead anywhere. */
static int bring_file(int from_dir, int to_dir, const char *name)
{
    struct stat st;
    if (fstatat(to_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return 0;
    }
    if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        return 0;
    }
    if (linkat(from_dir, name, to_dir, name, 0) == 0 || errno == EEXIST) {
        return 0;
    }
    return copy_file(from_dir, to_dir, name);
}

static bool is_hex(const char *name, size_t n)
{
    return strlen(name) == n && strspn(name, "0123456789abcdef") == n;
}

static bool has_suffix(const char *name, const char *suffix)
{
    return str_has_suffix(str_of(name), str_of(suffix));
}

/* Brings the files of one directory that `suffix` selects (NULL = loose objects). */
static int bring_dir(int from, int to, const char *name, const char *suffix)
{
    int from_dir = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from_dir < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    mkdirat(to, name, 0755);
    int to_dir = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = to_dir < 0 ? NULL : fdopendir(from_dir);
    int rc = d ? 0 : -1;
    for (struct dirent *e; !rc && (e = readdir(d)) != NULL;) {
        if (suffix ? has_suffix(e->d_name, suffix) && strncmp(e->d_name, "pack-", 5) == 0
                   : is_hex(e->d_name, GIT_OID_HEXSZ - 2)) {
            rc = bring_file(from_dir, to_dir, e->d_name);
        }
    }
    int cause = errno;
    if (to_dir >= 0) {
        close(to_dir);
    }
    if (d) {
        closedir(d);
    } else {
        close(from_dir);
    }
    errno = cause;
    return rc;
}

static int bring_all(int from, int to)
{
    DIR *d = fdopendir(openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int rc = d ? 0 : -1;
    for (struct dirent *e; !rc && (e = readdir(d)) != NULL;) {
        if (is_hex(e->d_name, 2)) {
            rc = bring_dir(from, to, e->d_name, NULL);
        }
    }
    if (d) {
        closedir(d);
    }
    /* Packs before their indexes: an index makes a pack visible. */
    return rc || bring_dir(from, to, "pack", ".pack") || bring_dir(from, to, "pack", ".idx") ? -1
                                                                                             : 0;
}

static int link_objects(struct handle *h, git_repository *remote)
{
    AUTO_BUF from_path = BUF_INIT;
    AUTO_BUF to_path = BUF_INIT;
    buf_printf(&from_path, "%sobjects", git_repository_commondir(remote));
    buf_printf(&to_path, "%sobjects", git_repository_path(h->git));
    int from = open(from_path.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int to = open(to_path.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = from < 0 || to < 0 ? -1 : 0;
    for (int i = 0; !rc && (rc = bring_all(from, to)) && errno == ENOENT && i < LINK_TRIES; i++) {
        rc = 0;
    }
    if (from >= 0) {
        close(from);
    }
    if (to >= 0) {
        close(to);
    }
    git_odb_refresh(h->odb);
    return rc;
}

/* --- packing --- */

/* The indexer keeps its state in the progress: one for all calls. */
struct packing {
    git_odb_writepack *pack;
    git_indexer_progress progress;
};

static int on_pack(void *bytes, size_t n, void *ctx)
{
    struct packing *p = ctx;
    return p->pack->append(p->pack, bytes, n, &p->progress);
}

/* The walk does not take what leads to no commit, such as a tag of a tree. */
static bool is_no_commit(int rc)
{
    return rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC;
}

static int hide(git_revwalk *walk, const git_oid *id)
{
    int rc = git_revwalk_hide(walk, id);
    return is_no_commit(rc) ? 0 : rc;
}

/* Selects one wanted object with what it reaches. */
static int select_wanted(git_packbuilder *pb, git_revwalk *walk, git_odb *odb, const git_oid *id)
{
    size_t len;
    git_object_t type;
    int rc = git_odb_read_header(&len, &type, odb, id);
    if (!rc && type == GIT_OBJECT_TAG) {
        rc = git_packbuilder_insert(pb, id, NULL);
    }
    rc = rc ? rc : git_revwalk_push(walk, id);
    return is_no_commit(rc) ? git_packbuilder_insert_recur(pb, id, NULL) : rc;
}

/* Selects what the wanted refs reach beyond the refs we have. */
static int select_objects(git_packbuilder *pb, git_revwalk *walk, struct handle *h,
                          git_odb *remote_odb, const struct refs *want, const struct refs *have)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < want->n; i++) {
        const git_oid *id = oid_of(&want->v[i].id);
        if (!git_odb_exists(h->odb, id)) {
            rc = select_wanted(pb, walk, remote_odb, id);
        }
    }
    for (size_t i = 0; !rc && i < have->n; i++) {
        if (git_odb_exists(remote_odb, oid_of(&have->v[i].id))) {
            rc = hide(walk, oid_of(&have->v[i].id));
        }
    }
    return rc ? rc : git_packbuilder_insert_walk(pb, walk);
}

static int pack_objects(struct handle *h, git_repository *remote, const struct refs *want,
                        const struct refs *have, struct err *err)
{
    git_packbuilder *pb = NULL;
    git_revwalk *walk = NULL;
    git_odb *remote_odb = NULL;
    struct packing to = {0};
    int rc = git_repository_odb(&remote_odb, remote);
    rc = rc ? rc : git_packbuilder_new(&pb, remote);
    rc = rc ? rc : git_revwalk_new(&walk, remote);
    if (!rc) {
        git_packbuilder_set_threads(pb, 1);
        rc = select_objects(pb, walk, h, remote_odb, want, have);
    }
    if (!rc && git_packbuilder_object_count(pb) > 0) {
        rc = git_odb_write_pack(&to.pack, h->odb, NULL, NULL);
        rc = rc ? rc : git_packbuilder_foreach(pb, on_pack, &to);
        rc = rc ? rc : to.pack->commit(to.pack, &to.progress);
    }
    if (rc) {
        git_fail(err, ERR_UNAVAILABLE, "cannot fetch");
    }
    if (to.pack) {
        to.pack->free(to.pack);
    }
    git_revwalk_free(walk);
    git_packbuilder_free(pb);
    git_odb_free(remote_odb);
    return rc ? -1 : 0;
}

int local_download(struct handle *h, git_repository *remote, const struct refs *want,
                   const struct refs *have, struct err *err)
{
    size_t missing = 0;
    for (size_t i = 0; i < want->n; i++) {
        const struct repo_id *mine = refs_find(have, want->v[i].name);
        missing += !mine || !repo_id_eq(mine, &want->v[i].id);
    }
    if (missing > LINK_FROM) {
        /* A link that fails costs nothing: packing finds what is still missing. */
        (void)link_objects(h, remote);
    }
    return pack_objects(h, remote, want, have, err);
}
