/* SPDX-License-Identifier: Apache-2.0
 *
 * A generation: sources compiled once, kept as dumps that only this process made and only this
 * process loads. Its number is a digest of all sources, so the same scripts have the same number on
 * every replica and after every restart.
 */
#include <openssl/sha.h>

#include "base/buf.h"
#include "base/mem.h"
#include "script/priv.h"

#define KEPT_RUNS 24 /* the verbs and functions in use; each has some 300 KiB */
#define COMPILE_BYTES (256u * 1024 * 1024) /* compiler's memory: far above any legal source's need */

struct compiler {
    size_t bytes;
};

static void *compiler_alloc(void *ud, void *p, size_t osize, size_t nsize)
{
    struct compiler *c = ud;
    osize = p ? osize : 0;
    if (nsize == 0) {
        c->bytes -= osize;
        mem_free(p);
        return NULL;
    }
    if (nsize > osize && c->bytes + (nsize - osize) > COMPILE_BYTES) {
        return NULL;
    }
    c->bytes = c->bytes - osize + nsize;
    return mem_resize(p, nsize);
}

static int dump_writer(lua_State *L, const void *p, size_t n, void *ud)
{
    buf_add(ud, p, n);
    return 0;
}

static int compile(struct script_set *s, size_t i, struct err *err)
{
    struct compiler memory = {0};
    const struct script_source *src = &s->sources[i];
    lua_State *L = lua_newstate(compiler_alloc, &memory);
    AUTO_BUF code = BUF_INIT;
    struct str chunkname = arena_printf(&s->arena, "@%.*s", STR_ARG(src->path));
    int rc = 0;
    if (luaL_loadbufferx(L, src->text.ptr ? src->text.ptr : "", src->text.len, chunkname.ptr,
                         "t") != LUA_OK) {
        const char *why = lua_tostring(L, -1);
        rc = err_set(err, ERR_INVALID, "cannot load script '%.*s': %s", STR_ARG(src->path),
                     why ? why : "unknown error");
    } else {
        /* Debug information stays in: errors name file and line. */
        (void)lua_dump(L, dump_writer, &code, 0);
        s->chunks[i] = arena_str(&s->arena, buf_str(&code));
    }
    lua_close(L);
    return rc;
}

static void digest(struct script_source *src)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)src->text.ptr, src->text.len, hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(src->sha256 + 2 * i, 3, "%02x", hash[i]);
    }
}

static uint64_t digest_all(const struct script_set *s)
{
    AUTO_BUF all = BUF_INIT;
    unsigned char hash[SHA256_DIGEST_LENGTH];
    for (size_t i = 0; i < s->n; i++) {
        buf_printf(&all, "%d:%.*s:%s\n", s->sources[i].workflow, STR_ARG(s->sources[i].name),
                   s->sources[i].sha256);
    }
    SHA256((const unsigned char *)all.ptr, all.len, hash);
    uint64_t out = 0;
    for (int i = 0; i < 6; i++) { /* 48 bits: exact as a JSON number everywhere */
        out = out << 8 | hash[i];
    }
    return out;
}

static int by_name(const void *a, const void *b)
{
    const struct script_source *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : (int)y->workflow - (int)x->workflow;
}

int script_set_load(const struct script_dirs *dirs, struct script_set **out, struct err *err)
{
    struct script_set *s = mem_new(struct script_set);
    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    if (script_source_collect(s, dirs, err) < 0) {
        script_set_unref(s);
        return -1;
    }
    if (s->n) {
        qsort(s->sources, s->n, sizeof(*s->sources), by_name);
    }
    s->chunks = arena_array(&s->arena, struct str, s->n);
    for (size_t i = 0; i < s->n; i++) {
        digest(&s->sources[i]);
        if (compile(s, i, err) < 0) {
            script_set_unref(s);
            return -1;
        }
    }
    s->generation = digest_all(s);
    *out = s;
    return 0;
}

struct script_set *script_set_ref(struct script_set *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void script_set_unref(struct script_set *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1) {
        for (struct script_run *r = s->kept, *next; r; r = next) {
            next = r->next;
            script_run_drop(r);
        }
        pthread_mutex_destroy(&s->lock);
        arena_done(&s->arena);
        mem_free(s);
    }
}

struct script_run *script_set_take_run(struct script_set *s, const struct script_source *src)
{
    struct script_run *r = NULL;
    pthread_mutex_lock(&s->lock);
    for (struct script_run **at = &s->kept; *at && !r; at = r ? at : &(*at)->next) {
        if ((*at)->kept == src) {
            r = *at;
            *at = r->next;
            s->n_kept--;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

void script_set_give_run(struct script_set *s, struct script_run *r)
{
    struct script_run *last = NULL;
    pthread_mutex_lock(&s->lock);
    r->next = s->kept;
    s->kept = r;
    if (++s->n_kept > KEPT_RUNS) {
        struct script_run **at = &s->kept;
        while ((*at)->next) {
            at = &(*at)->next;
        }
        last = *at;
        *at = NULL;
        s->n_kept--;
    }
    pthread_mutex_unlock(&s->lock);
    if (last) {
        script_run_drop(last);
    }
}

uint64_t script_set_generation(const struct script_set *s)
{
    return s->generation;
}

const struct script_source *script_set_sources(const struct script_set *s, size_t *out_n)
{
    *out_n = s->n;
    return s->sources;
}

const struct script_source *script_set_find(const struct script_set *s, struct str name,
                                            bool workflow)
{
    struct script_source key = {.name = name, .workflow = workflow};
    return s->n ? bsearch(&key, s->sources, s->n, sizeof(key), by_name) : NULL;
}
