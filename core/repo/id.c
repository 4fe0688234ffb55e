/* SPDX-License-Identifier: Apache-2.0
 *
 * Object ids, and the few calls through which the room reads and writes git objects.
 */
#include <stdarg.h>

#include "repo/priv.h"

/* Value of a hex digit + 1, 0 = none. A table, because an advertisement has thousands of ids. */
static const unsigned char hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool repo_id_parse(struct str hex, struct repo_id *out)
{
    struct repo_id id;
    if (hex.len != 2 * sizeof(id.bytes)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        unsigned hi = hex_values[(unsigned char)hex.ptr[2 * i]];
        unsigned lo = hex_values[(unsigned char)hex.ptr[2 * i + 1]];
        if (!hi || !lo) {
            return false;
        }
        id.bytes[i] = (unsigned char)((hi - 1) << 4 | (lo - 1));
    }
    *out = id;
    return true;
}

struct str repo_id_hex(struct arena *a, const struct repo_id *id)
{
    char text[GIT_OID_HEXSZ + 1];
    git_oid_tostr(text, sizeof(text), oid_of(id));
    return arena_str(a, str_of(text));
}

bool repo_id_is_zero(const struct repo_id *id)
{
    static const struct repo_id zero = {{0}};
    return repo_id_eq(id, &zero);
}

bool repo_id_eq(const struct repo_id *a, const struct repo_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int git_fail(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    AUTO_BUF text = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    const git_error *e = git_error_last();
    err_set(err, kind, "%s: %s", text.ptr, e && e->message ? e->message : "unknown error");
    git_error_clear();
    return -1;
}

void odb_object_free_at(git_odb_object **o)
{
    git_odb_object_free(*o);
}

int object_get(struct handle *h, const struct repo_id *id, git_object_t type, git_odb_object **out,
               struct err *err)
{
    git_odb_object *o = NULL;
    char hex[GIT_OID_HEXSZ + 1];
    git_oid_tostr(hex, sizeof(hex), oid_of(id));
    int rc = git_odb_read(&o, h->odb, oid_of(id));
    if (rc) {
        return git_fail(err, rc == GIT_ENOTFOUND ? ERR_NOT_FOUND : ERR_INTERNAL,
                        "cannot read git object %s", hex);
    }
    if (git_odb_object_type(o) != type) {
        git_odb_object_free(o);
        return err_set(err, ERR_INTERNAL, "git object %s is not a %s", hex,
                       git_object_type2string(type));
    }
    *out = o;
    return 0;
}

int object_add(struct handle *h, git_object_t type, struct str bytes, struct repo_id *out,
               struct err *err)
{
    git_oid oid;
    if (git_odb_write(&oid, h->odb, bytes.ptr ? bytes.ptr : "", bytes.len, type)) {
        return git_fail(err, ERR_UNAVAILABLE, "cannot write a git object");
    }
    *out = id_of(&oid);
    return 0;
}

/* "<name> <40 hex>\n" at the start of a raw object. */
static bool header_id(struct str bytes, const char *name, struct repo_id *out)
{
    size_t n = strlen(name);
    return str_has_prefix(bytes, str_of(name)) && bytes.len > n + GIT_OID_HEXSZ &&
           repo_id_parse(str_sub(bytes, n, n + GIT_OID_HEXSZ), out);
}

static struct str object_bytes(git_odb_object *o)
{
    return (struct str){git_odb_object_data(o), git_odb_object_size(o)};
}

bool commit_peel(struct handle *h, const struct repo_id *id, struct repo_id *out)
{
    struct repo_id at = *id;
    for (int depth = 0; depth < 10; depth++) {
        AUTO_OBJECT *o = NULL;
        if (git_odb_read(&o, h->odb, oid_of(&at))) {
            return false;
        }
        if (git_odb_object_type(o) == GIT_OBJECT_COMMIT) {
            *out = at;
            return true;
        }
        if (git_odb_object_type(o) != GIT_OBJECT_TAG ||
            !header_id(object_bytes(o), "object ", &at)) {
            return false;
        }
    }
    return false;
}

int commit_tree(struct handle *h, const struct repo_id *commit, struct repo_id *out,
                struct err *err)
{
    AUTO_OBJECT *o = NULL;
    if (object_get(h, commit, GIT_OBJECT_COMMIT, &o, err)) {
        return -1;
    }
    return header_id(object_bytes(o), "tree ", out) ? 0
                                                    : err_set(err, ERR_INTERNAL, "broken commit");
}

struct str commit_message(git_odb_object *commit)
{
    struct str bytes = object_bytes(commit);
    ptrdiff_t at = str_find(bytes, STR("\n\n"));
    return at < 0 ? STR("") : str_sub(bytes, (size_t)at + 2, bytes.len);
}

struct str full_path(struct arena *a, const struct repo *r, struct str package)
{
    return r->remote.directory.len ? arena_printf(a, "%.*s/%.*s", STR_ARG(r->remote.directory),
                                                  STR_ARG(package))
                                   : arena_str(a, package);
}

struct str branch_workspace(struct arena *a, struct str branch)
{
    char *out = arena_strz(a, branch);
    for (size_t i = 0; i < branch.len; i++) {
        out[i] = out[i] == '/' ? '-' : out[i]; /* a '/' would make an invalid object name */
    }
    return (struct str){out, branch.len};
}
