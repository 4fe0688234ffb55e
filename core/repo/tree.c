/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw git trees: "<octal mode> <name>\0<20 bytes>" per entry. Reading the bytes as they lie finds
 * one name in a directory of thousands without making an object per entry, and changing one entry
 * is a splice. Directories are compared with a trailing '/', which is git's order.
 */
#include "repo/priv.h"

bool tree_next(struct str *rest, struct tree_entry *out)
{
    ptrdiff_t blank = str_find_byte(*rest, ' ');
    if (blank < 5 || blank > 6) {
        return false;
    }
    uint32_t mode = 0;
    for (ptrdiff_t i = 0; i < blank; i++) {
        unsigned digit = (unsigned)(rest->ptr[i] - '0');
        if (digit > 7) {
            return false;
        }
        mode = mode * 8 + digit;
    }
    struct str tail = str_sub(*rest, (size_t)blank + 1, rest->len);
    ptrdiff_t end = str_find_byte(tail, 0);
    if (end < 1 || tail.len < (size_t)end + 1 + sizeof(out->id.bytes)) {
        return false;
    }
    out->mode = mode;
    out->name = str_sub(tail, 0, (size_t)end);
    memcpy(out->id.bytes, tail.ptr + end + 1, sizeof(out->id.bytes));
    *rest = str_sub(tail, (size_t)end + 1 + sizeof(out->id.bytes), tail.len);
    return true;
}

static struct str tree_bytes(git_odb_object *o)
{
    return (struct str){git_odb_object_data(o), git_odb_object_size(o)};
}

int tree_find(struct handle *h, const struct repo_id *tree, struct str name,
              struct tree_entry *out, struct err *err)
{
    AUTO_OBJECT *o = NULL;
    if (object_get(h, tree, GIT_OBJECT_TREE, &o, err)) {
        return -1;
    }
    struct str rest = tree_bytes(o);
    struct tree_entry e;
    while (tree_next(&rest, &e)) {
        if (str_eq(e.name, name)) {
            *out = e;
            out->name = name;
            return 1;
        }
    }
    return 0;
}

int tree_find_path(struct handle *h, const struct repo_id *tree, struct str path,
                   struct tree_entry *out, struct err *err)
{
    struct tree_entry at = {.mode = TREE_MODE, .id = *tree};
    struct str rest = path.len ? path : STR_NULL, name;
    while (str_split(&rest, '/', &name)) {
        if (at.mode != TREE_MODE) {
            return 0;
        }
        int found = tree_find(h, &at.id, name, &at, err);
        if (found != 1) {
            return found;
        }
    }
    *out = at;
    return 1;
}

void tree_emit(struct buf *out, uint32_t mode, struct str name, const struct repo_id *id)
{
    buf_printf(out, "%o ", (unsigned)mode);
    buf_add_str(out, name);
    buf_addc(out, 0);
    buf_add(out, id->bytes, sizeof(id->bytes));
}

int tree_name_cmp(struct str a, bool a_is_tree, struct str b, bool b_is_tree)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (c) {
        return c;
    }
    unsigned char x = a.len > n ? (unsigned char)a.ptr[n] : a_is_tree ? '/' : 0;
    unsigned char y = b.len > n ? (unsigned char)b.ptr[n] : b_is_tree ? '/' : 0;
    return x - y;
}

/* Copies a raw tree without `name`, with `put` (may be NULL) in its place. */
static void splice(struct buf *out, struct str tree, struct str name, const struct repo_id *put)
{
    struct tree_entry e;
    struct str rest = tree, before = tree;
    bool placed = put == NULL;
    while (tree_next(&rest, &e)) {
        if (!placed && tree_name_cmp(name, true, e.name, e.mode == TREE_MODE) < 0) {
            tree_emit(out, TREE_MODE, name, put);
            placed = true;
        }
        if (!str_eq(e.name, name)) {
            buf_add(out, before.ptr, before.len - rest.len);
        }
        before = rest;
    }
    if (!placed) {
        tree_emit(out, TREE_MODE, name, put);
    }
}

int tree_put(struct handle *h, const struct repo_id *root, struct str path,
             const struct repo_id *subtree, struct repo_id *out, struct err *err)
{
    AUTO_OBJECT *o = NULL;
    if (!repo_id_is_zero(root) && object_get(h, root, GIT_OBJECT_TREE, &o, err)) {
        return -1;
    }
    struct str bytes = o ? tree_bytes(o) : STR("");
    ptrdiff_t slash = str_find_byte(path, '/');
    struct str name = slash < 0 ? path : str_sub(path, 0, (size_t)slash);
    struct repo_id child = {{0}};
    if (slash < 0 && subtree) {
        child = *subtree;
    } else if (slash >= 0) {
        struct tree_entry e, found = {.mode = TREE_MODE};
        for (struct str rest = bytes; tree_next(&rest, &e);) {
            found = str_eq(e.name, name) ? e : found;
        }
        if (found.mode != TREE_MODE) {
            char hex[GIT_OID_HEXSZ + 1];
            git_oid_tostr(hex, sizeof(hex), oid_of(root));
            return err_set(err, ERR_INVALID,
                           "path \"%.*s\" is %07o, not a directory in tree %s", STR_ARG(name),
                           (unsigned)found.mode, hex);
        }
        if (tree_put(h, &found.id, str_sub(path, (size_t)slash + 1, path.len), subtree, &child,
                     err)) {
            return -1;
        }
    }
    AUTO_BUF next = BUF_INIT;
    splice(&next, bytes, name, repo_id_is_zero(&child) ? NULL : &child);
    if (next.len == 0) {
        *out = (struct repo_id){{0}};
        return 0;
    }
    return object_add(h, GIT_OBJECT_TREE, buf_str(&next), out, err);
}
