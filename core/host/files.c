/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.files: directories of this machine, for verbs of the command line. A tree is listed without
 * following symbolic links, and nothing is written through one: what a package holds never decides
 * about places outside its directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "host/priv.h"
#include "krm/path.h"

static int push_errno(lua_State *L, const char *what, const char *path)
{
    enum err_kind kind = errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
    err_set(host_err(L), kind, "cannot %s '%s': %s", what, path, strerror(errno));
    return host_push_error(L);
}

static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return mode & 0100 ? "executable" : "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    default:
        return "other";
    }
}

/* kind(path) follows links, except one that leads nowhere. */
static int files_kind(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat st;
    if (stat(path, &st) < 0 && lstat(path, &st) < 0) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, kind_of(st.st_mode));
    }
    return 1;
}

static int files_is_link(lua_State *L)
{
    struct stat st;
    lua_pushboolean(L, lstat(luaL_checkstring(L, 1), &st) == 0 && S_ISLNK(st.st_mode));
    return 1;
}

static int files_real(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char real[PATH_MAX];
    if (!realpath(path, real)) {
        return push_errno(L, "find", path);
    }
    lua_pushstring(L, real);
    return 1;
}

/* --- reading --- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

struct entry {
    struct str path;
    const char *kind;
};
struct listing {
    struct entry *v;
    size_t n, cap;
};

static int add_entry(struct listing *l, struct arena *a, size_t root_len, const FTSENT *e)
{
    if (l->n == LIMIT_LOCAL_FILES) {
        errno = EFBIG;
        return -1;
    }
    const char *relative = e->fts_path + root_len;
    while (*relative == '/') {
        relative++;
    }
    struct entry *next = HOST_PUSH(a, l->v, l->n, l->cap);
    *next = (struct entry){arena_str(a, str_of(relative)), kind_of(e->fts_statp->st_mode)};
    return 0;
}

/* Everything below root, a directory before what it holds, names in order. -1 with errno. */
static int walk(const char *root, struct arena *a, struct listing *out)
{
    char *const roots[] = {(char *)root, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    int cause = fts ? 0 : errno;
    for (FTSENT *e; fts && !cause && (e = fts_read(fts)) != NULL;) {
        if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS) {
            cause = e->fts_errno;
        } else if (e->fts_level > 0 && e->fts_info != FTS_DP) {
            cause = add_entry(out, a, strlen(root), e) < 0 ? errno : 0;
            if (e->fts_info == FTS_D && strcmp(e->fts_name, ".git") == 0) {
                fts_set(fts, e, FTS_SKIP);
            }
        }
    }
    if (fts) {
        fts_close(fts);
    }
    errno = cause;
    return cause ? -1 : 0;
}

static int files_list(lua_State *L)
{
    const char *root = luaL_checkstring(L, 1);
    struct listing l = {0};
    if (walk(root, script_arena(L), &l) < 0) {
        return push_errno(L, "read directory", root);
    }
    script_check_memory(L, 0);
    lua_createtable(L, (int)l.n, 0);
    for (size_t i = 0; i < l.n; i++) {
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, l.v[i].path.ptr, l.v[i].path.len);
        lua_setfield(L, -2, "path");
        lua_pushstring(L, l.v[i].kind);
        lua_setfield(L, -2, "kind");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static void close_at(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static int read_file(const char *path, struct arena *a, struct str *out)
{
    AUTO(close_at) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return -1;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)LIMIT_LOCAL_FILE_BYTES) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        return -1;
    }
    char *at = arena_alloc(a, (size_t)st.st_size + 1);
    *out = (struct str){at, 0};
    while (out->len < (size_t)st.st_size) {
        ssize_t n = read(fd, at + out->len, (size_t)st.st_size - out->len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n == 0) {
            break; /* it became shorter */
        }
        out->len += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int files_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct str bytes;
    if (read_file(path, script_arena(L), &bytes) < 0) {
        return push_errno(L, "read", path);
    }
    script_check_memory(L, 0);
    lua_pushlstring(L, bytes.ptr, bytes.len);
    return 1;
}

/* --- writing --- */

/* Opens the directory that holds the last name of path, below root and through no link, and makes
 * what is missing when asked. -1 with errno. */
static int open_parent(const char *root, struct str path, bool make, struct str *out_name)
{
    int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct str rest = path, name;
    while (at >= 0 && str_split(&rest, '/', &name)) {
        if (!rest.ptr) {
            *out_name = name;
            return at;
        }
        AUTO_ARENA a = ARENA_INIT;
        const char *z = arena_strz(&a, name);
        if (make && mkdirat(at, z, 0777) < 0 && errno != EEXIST) {
            close(at);
            return -1;
        }
        int next = openat(at, z, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int cause = errno;
        close(at);
        errno = cause;
        at = next;
    }
    return at;
}

static int write_all(int fd, struct str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.ptr, s.len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        s = str_sub(s, n > 0 ? (size_t)n : 0, s.len);
    }
    return 0;
}

/* A file that is there keeps its mode; it is replaced whole or not at all. */
static int write_file(const char *root, struct str path, struct str bytes, mode_t mode)
{
    struct str name;
    AUTO(close_at) int at = open_parent(root, path, true, &name);
    if (at < 0) {
        return -1;
    }
    AUTO_ARENA a = ARENA_INIT;
    const char *z = arena_strz(&a, name);
    const char *next = arena_printf(&a, ".%.*s.lanai", STR_ARG(name)).ptr;
    struct stat st;
    bool there = fstatat(at, z, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && !S_ISREG(st.st_mode)) {
        errno = S_ISLNK(st.st_mode) ? ELOOP : EISDIR;
        return -1;
    }
    (void)unlinkat(at, next, 0); /* of a run that was killed */
    AUTO(close_at) int fd = openat(at, next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 || write_all(fd, bytes) < 0 ||
        (there && fchmod(fd, st.st_mode & 07777) < 0) || renameat(at, next, at, z) < 0) {
        int cause = errno;
        (void)unlinkat(at, next, 0);
        errno = cause;
        return -1;
    }
    return 0;
}

static struct str check_path(lua_State *L, int arg)
{
    struct str path;
    path.ptr = luaL_checklstring(L, arg, &path.len);
    return path;
}

static int refuse_path(lua_State *L, struct str path)
{
    err_set(host_err(L), ERR_INVALID, "file path \"%.*s\" is invalid: %s", STR_ARG(path),
            krm_path_fault(path));
    return host_push_error(L);
}

static int files_write(lua_State *L)
{
    const char *root = luaL_checkstring(L, 1), *kind = luaL_optstring(L, 4, "file");
    struct str path = check_path(L, 2), bytes = check_path(L, 3);
    if (krm_path_fault(path)) {
        return refuse_path(L, path);
    }
    if (write_file(root, path, bytes, strcmp(kind, "executable") == 0 ? 0777 : 0666) < 0) {
        return push_errno(L, "write", lua_tostring(L, 2));
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* Removes a file and the directories that become empty by it; a missing file is fine. */
static int remove_file(const char *root, struct str path)
{
    for (int flags = 0; path.len; flags = AT_REMOVEDIR) {
        struct str name;
        AUTO(close_at) int at = open_parent(root, path, false, &name);
        AUTO_ARENA a = ARENA_INIT;
        if (at < 0 || unlinkat(at, arena_strz(&a, name), flags) < 0) {
            return errno == ENOENT || (flags && (errno == ENOTEMPTY || errno == EEXIST)) ? 0 : -1;
        }
        ptrdiff_t slash = str_rfind_byte(path, '/');
        path = str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
    }
    return 0;
}

static int files_remove(lua_State *L)
{
    const char *root = luaL_checkstring(L, 1);
    struct str path = check_path(L, 2);
    if (krm_path_fault(path)) {
        return refuse_path(L, path);
    }
    if (remove_file(root, path) < 0) {
        return push_errno(L, "remove", lua_tostring(L, 2));
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int files_make(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char *z = arena_strz(script_arena(L), str_of(path));
    for (char *p = z + 1; *z; p++) {
        char c = *p;
        if (c == '/' || c == 0) {
            *p = 0;
            if (mkdir(z, 0777) < 0 && errno != EEXIST) {
                return push_errno(L, "make directory", z);
            }
            *p = c;
        }
        if (c == 0) {
            break;
        }
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* --- temporary directories --- */

static int files_temporary(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    struct arena *a = st->run->arena;
    const char *tmp = getenv("TMPDIR");
    char *z = arena_strz(a, arena_printf(a, "%s/lanai-XXXXXX", tmp && *tmp ? tmp : "/tmp"));
    if (!mkdtemp(z)) {
        return push_errno(L, "make a directory in", tmp && *tmp ? tmp : "/tmp");
    }
    *HOST_PUSH(a, st->temporary, st->n_temporary, st->cap_temporary) = str_of(z);
    lua_pushstring(L, z);
    return 1;
}

static void remove_tree(const char *path)
{
    char *const roots[] = {(char *)path, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; fts && (e = fts_read(fts)) != NULL;) {
        if (e->fts_info != FTS_D) {
            (void)(e->fts_info == FTS_DP ? rmdir(e->fts_path) : unlink(e->fts_path));
        }
    }
    if (fts) {
        fts_close(fts);
    }
}

void host_files_done(struct host_state *st)
{
    for (size_t i = 0; i < st->n_temporary; i++) {
        remove_tree(st->temporary[i].ptr);
    }
}

const struct host_function host_files_functions[] = {
    {"lanai.files", "kind", files_kind, HOST_LOCAL, NULL},
    {"lanai.files", "is_link", files_is_link, HOST_LOCAL, NULL},
    {"lanai.files", "real", files_real, HOST_LOCAL, NULL},
    {"lanai.files", "list", files_list, HOST_LOCAL, NULL},
    {"lanai.files", "read", files_read, HOST_LOCAL, NULL},
    {"lanai.files", "write", files_write, HOST_LOCAL, NULL},
    {"lanai.files", "remove", files_remove, HOST_LOCAL, NULL},
    {"lanai.files", "make", files_make, HOST_LOCAL, NULL},
    {"lanai.files", "temporary", files_temporary, HOST_LOCAL, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
