/* SPDX-License-Identifier: Apache-2.0
 *
 * Packages as lists of files: from a tree, and back. New objects go into a store transaction and
 * never into the mirror, which may vanish at any time.
 */
#include "base/limits.h"
#include "krm/path.h"
#include "repo/priv.h"

/* --- listing --- */

struct listing {
    struct handle *h;
    struct arena *a;
    struct repo_file *v;
    size_t n, cap;
};

static int list_tree(struct listing *l, const struct repo_id *tree, struct str prefix, int depth,
                     struct err *err)
{
    AUTO_OBJECT *o = NULL;
    if (depth > LIMIT_JSON_DEPTH) {
        return err_set(err, ERR_TOO_LARGE, "directories are nested too deeply");
    }
    if (object_get(l->h, tree, GIT_OBJECT_TREE, &o, err)) {
        return -1;
    }
    struct str rest = {git_odb_object_data(o), git_odb_object_size(o)};
    struct tree_entry e;
    while (tree_next(&rest, &e)) {
        struct str path = prefix.len ? arena_printf(l->a, "%.*s/%.*s", STR_ARG(prefix),
                                                    STR_ARG(e.name))
                                     : arena_str(l->a, e.name);
        if (e.mode == TREE_MODE) {
            if (list_tree(l, &e.id, path, depth + 1, err)) {
                return -1;
            }
            continue;
        }
        if (e.mode == GIT_FILEMODE_COMMIT) {
            continue; /* a submodule has no content here */
        }
        if (l->n == l->cap) {
            l->cap = l->cap ? l->cap * 2 : 32;
            l->v = mem_resize(l->v, l->cap * sizeof(*l->v));
        }
        l->v[l->n++] = (struct repo_file){.path = path, .mode = e.mode, .blob = e.id};
    }
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct repo_file *)a)->path, ((const struct repo_file *)b)->path);
}

int repo_tree_list(struct repo_pool *p, struct repo *r, const struct repo_id *tree, struct arena *a,
                   struct repo_file **out, size_t *out_n, struct err *err)
{
    AUTO_HANDLE *h = NULL;
    if (handle_take(p, r ? r->mirror : NULL, &h, err)) {
        return -1;
    }
    struct listing l = {.h = h, .a = a};
    int rc = list_tree(&l, tree, STR(""), 0, err);
    struct repo_file *files = rc ? NULL : arena_array(a, struct repo_file, l.n + 1);
    if (files) {
        if (l.n) {
            memcpy(files, l.v, l.n * sizeof(*files));
            qsort(files, l.n, sizeof(*files), by_path);
        }
        *out = files;
        *out_n = l.n;
    } else if (!rc) {
        rc = err_set(err, ERR_TOO_LARGE, "the package has too many files");
    }
    mem_free(l.v);
    return rc;
}

int repo_blob_get(struct repo_pool *p, struct repo *r, const struct repo_id *blob, struct arena *a,
                  struct str *out, struct err *err)
{
    AUTO_HANDLE *h = NULL;
    AUTO_OBJECT *o = NULL;
    if (handle_take(p, r ? r->mirror : NULL, &h, err) ||
        object_get(h, blob, GIT_OBJECT_BLOB, &o, err)) {
        return -1;
    }
    struct str bytes = {git_odb_object_data(o), git_odb_object_size(o)};
    struct str copy = arena_str(a, bytes);
    if (!copy.ptr && bytes.len) {
        return err_set(err, ERR_TOO_LARGE, "the file is too large");
    }
    *out = copy.ptr ? copy : STR("");
    return 0;
}

/* --- making --- */

struct making {
    struct repo_pool *pool;
    struct repo *from;              /* where kept blobs come from; may be NULL */
    struct handle *h;
    struct store_txn *txn;
    struct arena *a;
    const struct repo_file **files; /* sorted by path */
    size_t n;
    struct repo_id *blobs;          /* of files[i] */
    struct map added;
};

/* True when the object is there already. Rows of the store that nothing refers to may be removed
 * before this transaction refers to them, so it says that it needs them. */
static bool is_known(struct making *m, const struct repo_id *id)
{
    if (map_has(&m->added, id_key(id))) {
        return true;
    }
    if (store_content_has(m->pool->store, id->bytes)) {
        store_txn_content_need(m->txn, id->bytes);
        return true;
    }
    return odb_mirror_has(m->h->odb, oid_of(id));
}

/* Adds an object unless it is known already. */
static int add_object(struct making *m, git_object_t type, struct str bytes, struct repo_id *out,
                      struct err *err)
{
    git_oid oid;
    if (git_odb_hash(&oid, bytes.ptr ? bytes.ptr : "", bytes.len, type)) {
        return git_fail(err, ERR_INTERNAL, "cannot hash an object");
    }
    struct repo_id id = id_of(&oid);
    if (!is_known(m, &id)) {
        map_set(&m->added, id_key(&id), m);
        store_txn_content(m->txn, id.bytes, type, bytes);
    }
    *out = id;
    return 0;
}

/* A blob that is kept may come from another repository's mirror (a clone): then it is copied. */
static int keep_blob(struct making *m, const struct repo_file *f, struct err *err)
{
    AUTO_HANDLE *other = NULL;
    AUTO_OBJECT *o = NULL;
    struct repo_id id;
    if (is_known(m, &f->blob)) {
        return 0;
    }
    if (!m->from || m->from->mirror == m->h->mirror ||
        handle_take(m->pool, m->from->mirror, &other, err) ||
        object_get(other, &f->blob, GIT_OBJECT_BLOB, &o, err)) {
        char hex[GIT_OID_HEXSZ + 1];
        git_oid_tostr(hex, sizeof(hex), oid_of(&f->blob));
        return err_set(err, ERR_INTERNAL, "content %s of file \"%.*s\" is gone", hex,
                       STR_ARG(f->path));
    }
    struct str bytes = {git_odb_object_data(o), git_odb_object_size(o)};
    return add_object(m, GIT_OBJECT_BLOB, arena_str(m->a, bytes), &id, err);
}

static bool mode_ok(uint32_t mode)
{
    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE ||
           mode == GIT_FILEMODE_LINK;
}

static int make_blobs(struct making *m, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct repo_file *f = m->files[i];
        const char *fault = krm_path_fault(f->path);
        if (fault) {
            return err_set(err, ERR_INVALID, "file \"%.*s\": %s", STR_ARG(f->path), fault);
        }
        if (i && str_eq(f->path, m->files[i - 1]->path)) {
            return err_set(err, ERR_INVALID, "file \"%.*s\" is there twice", STR_ARG(f->path));
        }
        if (!mode_ok(f->mode)) {
            return err_set(err, ERR_INVALID, "file \"%.*s\" has mode %o", STR_ARG(f->path),
                           (unsigned)f->mode);
        }
        m->blobs[i] = f->blob;
        if (f->bytes.ptr ? add_object(m, GIT_OBJECT_BLOB, f->bytes, &m->blobs[i], err)
                         : keep_blob(m, f, err)) {
            return -1;
        }
    }
    return 0;
}

struct child {
    struct str name;
    uint32_t mode;
    struct repo_id id;
};

static int by_name(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    return tree_name_cmp(x->name, x->mode == TREE_MODE, y->name, y->mode == TREE_MODE);
}

static int emit_children(struct making *m, struct child *v, size_t n, struct repo_id *out,
                         struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    qsort(v, n, n ? sizeof(*v) : 1, by_name);
    for (size_t i = 0; i < n; i++) {
        tree_emit(&text, v[i].mode, v[i].name, &v[i].id);
    }
    struct str bytes = arena_str(m->a, buf_str(&text));
    if (!bytes.ptr && text.len) {
        return err_set(err, ERR_TOO_LARGE, "the package is too large");
    }
    return add_object(m, GIT_OBJECT_TREE, bytes, out, err);
}

static int by_file_path(const void *a, const void *b)
{
    const struct repo_file *const *x = a, *const *y = b;
    return str_cmp((*x)->path, (*y)->path);
}

static bool is_file(const struct making *m, struct str path)
{
    struct repo_file wanted = {.path = path};
    const struct repo_file *key = &wanted;
    return bsearch(&key, m->files, m->n, sizeof(*m->files), by_file_path) != NULL;
}

/* Makes the tree of files [from, to), which share the first `skip` bytes of their paths. The files
 * of one directory lie together because they are sorted by whole path. */
static int make_tree(struct making *m, size_t from, size_t to, size_t skip, struct repo_id *out,
                     struct err *err)
{
    struct child *v = mem_array(to - from + 1, sizeof(*v));
    size_t n = 0;
    int rc = 0;
    while (!rc && from < to) {
        struct str path = m->files[from]->path;
        struct str rest = str_sub(path, skip, path.len);
        ptrdiff_t slash = str_find_byte(rest, '/');
        if (slash < 0) {
            v[n++] = (struct child){rest, m->files[from]->mode, m->blobs[from]};
            from++;
            continue;
        }
        struct str dir = str_sub(path, 0, skip + (size_t)slash + 1);
        size_t end = from + 1;
        while (end < to && str_has_prefix(m->files[end]->path, dir)) {
            end++;
        }
        struct str name = str_sub(rest, 0, (size_t)slash);
        v[n] = (struct child){name, TREE_MODE, {{0}}};
        rc = is_file(m, str_sub(dir, 0, dir.len - 1))
                 ? err_set(err, ERR_INVALID, "\"%.*s\" is both a file and a directory",
                           STR_ARG(dir))
                 : make_tree(m, from, end, dir.len, &v[n].id, err);
        n++;
        from = end;
    }
    rc = rc ? rc : emit_children(m, v, n, out, err);
    mem_free(v);
    return rc;
}

int repo_tree_make(struct repo_pool *p, struct repo *r, struct repo *from, struct store_txn *txn,
                   struct arena *a, const struct repo_file *files, size_t n, struct repo_id *out,
                   struct err *err)
{
    AUTO_HANDLE *h = NULL;
    if (n > LIMIT_PACKAGE_FILES) {
        return err_set(err, ERR_TOO_LARGE, "the package has more than %d files",
                       LIMIT_PACKAGE_FILES);
    }
    if (handle_take(p, r ? r->mirror : NULL, &h, err)) {
        return -1;
    }
    struct making m = {.pool = p, .from = from, .h = h, .txn = txn, .a = a, .n = n};
    m.files = mem_array(n + 1, sizeof(*m.files));
    m.blobs = mem_array(n + 1, sizeof(*m.blobs));
    for (size_t i = 0; i < n; i++) {
        m.files[i] = &files[i];
    }
    qsort(m.files, n, sizeof(*m.files), by_file_path);
    int rc = make_blobs(&m, n, err);
    rc = rc ? rc : make_tree(&m, 0, n, 0, out, err);
    map_done(&m.added);
    mem_free(m.files);
    mem_free(m.blobs);
    return rc;
}
