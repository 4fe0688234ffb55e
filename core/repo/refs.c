/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of a mirror's refs: in memory an immutable counted array, on disk packed-refs, written
 * whole and renamed into place. libgit2 reads the same file when it negotiates a fetch.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo/priv.h"

struct refs *refs_new(void)
{
    struct refs *r = mem_new(struct refs);
    atomic_init(&r->users, 1);
    return r;
}

struct refs *refs_ref(struct refs *r)
{
    atomic_fetch_add(&r->users, 1);
    return r;
}

void refs_unref(struct refs *r)
{
    if (r && atomic_fetch_sub(&r->users, 1) == 1) {
        arena_done(&r->arena);
        mem_free(r->v);
        mem_free(r);
    }
}

void refs_unref_at(struct refs **r)
{
    refs_unref(*r);
}

void refs_add(struct refs *r, struct str name, const struct repo_id *id)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        r->v = mem_resize(r->v, r->cap * sizeof(*r->v));
    }
    r->v[r->n++] = (struct ref){arena_str(&r->arena, name), *id};
}

int refs_by_name(const void *a, const void *b)
{
    return str_cmp(((const struct ref *)a)->name, ((const struct ref *)b)->name);
}

static bool is_sorted(const struct refs *r)
{
    size_t i = 1;
    while (i < r->n && refs_by_name(&r->v[i - 1], &r->v[i]) <= 0) {
        i++;
    }
    return i >= r->n;
}

void refs_seal(struct refs *r)
{
    static const char digits[] = "0123456789abcdef";
    if (!is_sorted(r)) { /* servers list them in order */
        qsort(r->v, r->n, sizeof(*r->v), refs_by_name);
    }
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    for (size_t i = 0; i < r->n; i++) {
        EVP_DigestUpdate(md, r->v[i].name.ptr, r->v[i].name.len + 1); /* with the NUL */
        EVP_DigestUpdate(md, r->v[i].id.bytes, sizeof(r->v[i].id.bytes));
    }
    EVP_DigestFinal_ex(md, sum, &len);
    EVP_MD_CTX_free(md);
    for (size_t i = 0; i < 32; i++) {
        r->version[2 * i] = digits[sum[i] >> 4];
        r->version[2 * i + 1] = digits[sum[i] & 15];
    }
    r->version[64] = 0;
}

const struct repo_id *refs_find(const struct refs *r, struct str name)
{
    size_t from = 0, to = r->n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int c = str_cmp(r->v[mid].name, name);
        if (c == 0) {
            return &r->v[mid].id;
        }
        if (c < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return NULL;
}

bool refs_wanted(struct str name)
{
    return (str_has_prefix(name, STR("refs/heads/")) || str_has_prefix(name, STR("refs/tags/"))) &&
           ref_name_ok(name);
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : err_set(err, ERR_UNAVAILABLE, "cannot open %s: %m", path);
    }
    char chunk[65536];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
        buf_add(out, chunk, (size_t)n);
    }
    close(fd);
    return n < 0 ? err_set(err, ERR_UNAVAILABLE, "cannot read %s: %m", path) : 0;
}

int refs_load(const char *dir, struct refs **out, struct err *err)
{
    AUTO_BUF path = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    buf_printf(&path, "%s/packed-refs", dir);
    if (read_file(path.ptr, &text, err)) {
        return -1;
    }
    AUTO_REFS *r = refs_new();
    struct str rest = buf_str(&text), line;
    while (str_split(&rest, '\n', &line)) {
        struct repo_id id;
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        if (line.len < GIT_OID_HEXSZ + 2 || line.ptr[GIT_OID_HEXSZ] != ' ' ||
            !repo_id_parse(str_sub(line, 0, GIT_OID_HEXSZ), &id)) {
            return err_set(err, ERR_INTERNAL, "%s is damaged", path.ptr);
        }
        refs_add(r, str_sub(line, GIT_OID_HEXSZ + 1, line.len), &id);
    }
    refs_seal(r);
    *out = TAKE(r);
    return 0;
}

int refs_save(const char *dir, const struct refs *r, struct err *err)
{
    AUTO_BUF path = BUF_INIT;
    AUTO_BUF next = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    buf_printf(&path, "%s/packed-refs", dir);
    buf_printf(&next, "%s/packed-refs.next", dir);
    buf_addz(&text, "# pack-refs with: sorted \n");
    for (size_t i = 0; i < r->n; i++) {
        char hex[GIT_OID_HEXSZ];
        git_oid_fmt(hex, oid_of(&r->v[i].id));
        buf_add(&text, hex, sizeof(hex));
        buf_addc(&text, ' ');
        buf_add_str(&text, r->v[i].name);
        buf_addc(&text, '\n');
    }
    int fd = open(next.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot write %s: %m", next.ptr);
    }
    size_t at = 0;
    while (at < text.len) {
        ssize_t n = write(fd, text.ptr + at, text.len - at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            err_set(err, ERR_UNAVAILABLE, "cannot write %s: %m", next.ptr);
            close(fd);
            return -1;
        }
        at += (size_t)n;
    }
    /* No fsync: a torn file after a power cut is found by refs_load, and the mirror made anew. */
    if (close(fd) || rename(next.ptr, path.ptr)) {
        return err_set(err, ERR_UNAVAILABLE, "cannot write %s: %m", path.ptr);
    }
    return 0;
}
