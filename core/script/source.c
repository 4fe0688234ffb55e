/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the sources of a generation: what is embedded, then each directory in order. In a
 * directory of workflows every *.lua is a workflow named by its path, except below lib/, where files
 * are modules ("lib.NAME"); in one of functions all are modules ("fn.NAME"). Symbolic links are followed as long as they stay inside (a mounted ConfigMap
 * consists of them); hidden names are skipped.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "script/embedded.h"
#include "script/priv.h"

#define MAX_DEPTH 8      /* directories below a workflow directory */
#define MAX_SOURCES 2000 /* of one generation */

struct collect {
    struct script_set *set;
    struct map by_key; /* "w:approve" or "m:lib.x" → index + 1 */
    size_t cap;
    struct str root;   /* resolved directory being read */
    bool functions;    /* it holds functions */
};

static int add(struct collect *c, struct str name, bool workflow, struct str path, struct str text,
               struct err *err)
{
    struct arena *a = &c->set->arena;
    if (text.len > LIMIT_SCRIPT_BYTES) {
        return err_set(err, ERR_TOO_LARGE, "script '%.*s' is larger than %u bytes", STR_ARG(path),
                       LIMIT_SCRIPT_BYTES);
    }
    struct str key = arena_printf(a, "%c:%.*s", workflow ? 'w' : 'm', STR_ARG(name));
    size_t at = (size_t)(uintptr_t)map_find(&c->by_key, key);
    if (!at) {
        if (c->set->n == MAX_SOURCES) {
            return err_set(err, ERR_TOO_LARGE, "more than %d scripts", MAX_SOURCES);
        }
        if (c->set->n == c->cap) {
            struct script_source *more = arena_array(a, struct script_source, c->cap * 2 + 64);
            if (c->set->n) {
                memcpy(more, c->set->sources, c->set->n * sizeof(*more));
            }
            c->cap = c->cap * 2 + 64;
            c->set->sources = more;
        }
        at = ++c->set->n;
        map_set(&c->by_key, key, (void *)(uintptr_t)at);
    }
    c->set->sources[at - 1] = (struct script_source){
        .name = arena_str(a, name),
        .path = arena_str(a, path),
        .text = arena_str(a, text),
        .workflow = workflow,
    };
    return 0;
}

/* "a/b.lua" → "a/b", or "a.b" for modules. */
static struct str name_of(struct arena *a, struct str path, bool workflow)
{
    char *z = arena_strz(a, str_sub(path, 0, path.len - 4));
    for (char *p = z; *p && !workflow; p++) {
        *p = *p == '/' ? '.' : *p;
    }
    return str_of(z);
}

static int add_embedded(struct collect *c, struct err *err)
{
    struct arena *a = &c->set->arena;
    for (size_t i = 0; i < script_n_embedded; i++) {
        const struct script_embedded *e = &script_embedded[i];
        struct str path = str_of(e->path);
        bool workflow = str_has_prefix(path, STR("workflows/"));
        size_t skip = workflow ? strlen("workflows/") : strlen("lua/");
        struct str name = name_of(a, str_sub(path, skip, path.len), workflow);
        struct str shown = arena_printf(a, "embedded:%s", e->path);
        if (add(c, name, workflow, shown, (struct str){e->text, e->len}, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_all(int fd, struct buf *out, const char *path, struct err *err)
{
    for (;;) {
        char block[16384];
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_set(err, ERR_UNAVAILABLE, "cannot read '%s': %s", path, strerror(errno));
        }
        if (n == 0) {
            return 0;
        }
        buf_add(out, block, (size_t)n);
        if (out->overflow) {
            return err_set(err, ERR_TOO_LARGE, "script '%s' is larger than %u bytes", path,
                           LIMIT_SCRIPT_BYTES);
        }
    }
}

static void close_at(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static int add_file(struct collect *c, const char *path, struct str relative, struct err *err)
{
    AUTO(close_at) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_INVALID, "script '%s' is not a regular file", path);
    }
    AUTO_BUF text = BUF_INIT;
    buf_init(&text, LIMIT_SCRIPT_BYTES);
    if (read_all(fd, &text, path, err) < 0) {
        return -1;
    }
    struct arena *a = &c->set->arena;
    bool workflow = !c->functions && !str_has_prefix(relative, STR("lib/"));
    struct str name = name_of(a, relative, workflow);
    if (c->functions) {
        name = arena_printf(a, "fn.%.*s", STR_ARG(name));
    }
    return add(c, name, workflow, str_of(path), buf_str(&text), err);
}

static int add_dir(struct collect *c, const char *path, struct str relative, int depth,
                   struct err *err);

/* Resolves an entry, refuses what leads out of the root, and goes on by its type. */
static int add_entry(struct collect *c, const char *path, struct str relative, int depth,
                     struct err *err)
{
    char resolved[PATH_MAX];
    struct stat st;
    if (!realpath(path, resolved) || stat(resolved, &st) < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': %s", path, strerror(errno));
    }
    struct str r = str_of(resolved);
    if (!str_has_prefix(r, c->root) || (r.len > c->root.len && r.ptr[c->root.len] != '/')) {
        return err_set(err, ERR_INVALID, "script '%s' leads out of its directory", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return add_dir(c, path, relative, depth + 1, err);
    }
    return str_has_suffix(relative, STR(".lua")) ? add_file(c, resolved, relative, err) : 0;
}

static void close_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

static int add_dir(struct collect *c, const char *path, struct str relative, int depth,
                   struct err *err)
{
    struct arena *a = &c->set->arena;
    if (depth > MAX_DEPTH) {
        return err_set(err, ERR_INVALID, "'%s' is nested too deeply", path);
    }
    AUTO(close_dir) DIR *d = opendir(path);
    if (!d) {
        return err_set(err, ERR_UNAVAILABLE, "cannot read '%s': %s", path, strerror(errno));
    }
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.') {
            continue;
        }
        struct str sub = relative.len
                             ? arena_printf(a, "%.*s/%s", STR_ARG(relative), e->d_name)
                             : arena_str(a, str_of(e->d_name));
        struct str full = arena_printf(a, "%s/%s", path, e->d_name);
        if (add_entry(c, full.ptr, sub, depth, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_dirs(struct collect *c, const char *const *dirs, size_t n_dirs, struct err *err)
{
    for (size_t i = 0; i < n_dirs; i++) {
        char resolved[PATH_MAX];
        if (realpath(dirs[i], resolved)) {
            c->root = str_of(resolved);
            if (add_dir(c, resolved, STR_NULL, 0, err) < 0) {
                return -1;
            }
        } else if (errno != ENOENT) {
            return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': %s", dirs[i], strerror(errno));
        }
    }
    return 0;
}

int script_source_collect(struct script_set *s, const struct script_dirs *dirs, struct err *err)
{
    struct collect c = {.set = s};
    int rc = add_embedded(&c, err);
    if (rc == 0 && dirs) {
        rc = add_dirs(&c, dirs->workflows, dirs->n_workflows, err);
    }
    if (rc == 0 && dirs) {
        c.functions = true;
        rc = add_dirs(&c, dirs->functions, dirs->n_functions, err);
    }
    map_done(&c.by_key);
    return rc;
}
