/* SPDX-License-Identifier: Apache-2.0
 *
 * Mirrors on disk and the handles on them. A mirror is keyed by SHA-256 of URL and credential, so
 * what one credential could read is never shown to another. Directories survive restarts; one that
 * is damaged is moved away and made anew, handles opened before that die when they come back.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "repo/priv.h"
#include "repo/transport.h"

#define IDLE_HANDLES 8 /* open repositories kept per mirror */

static pthread_once_t git_once = PTHREAD_ONCE_INIT;

/* Process-wide: libgit2 must not look at anybody's git configuration, nor at who owns a cache. */
static void git_start(void)
{
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_PROGRAMDATA, "");
    /* Objects we write were made by us or came from the store: no need to look each one up. */
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
    transport_register();
}

int repo_pool_open(const char *dir, struct store *store, struct repo_pool **out, struct err *err)
{
    pthread_once(&git_once, git_start);
    if (mkdir(dir, 0700) && errno != EEXIST) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make directory %s: %m", dir);
    }
    struct repo_pool *p = mem_new(struct repo_pool);
    p->dir = mem_strdup(dir);
    p->store = store;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return 0;
}

void repo_pool_set_retryable(struct repo_pool *p, const char *const *texts, size_t n)
{
    p->retryable = texts;
    p->n_retryable = n;
}

static void handle_free(struct handle *h)
{
    if (h) {
        git_odb_free(h->odb);
        git_repository_free(h->git);
        mem_free(h);
    }
}

static void handles_free(struct handle *h)
{
    while (h) {
        struct handle *next = h->next;
        handle_free(h);
        h = next;
    }
}

void mirror_free(struct mirror *m)
{
    handles_free(m->idle);
    refs_unref(m->refs);
    pthread_mutex_destroy(&m->lock);
    mem_free(m->dir);
    mem_free(m);
}

void repo_pool_close(struct repo_pool *p)
{
    if (!p) {
        return;
    }
    while (p->mirrors) {
        struct mirror *m = p->mirrors;
        p->mirrors = m->next;
        mirror_free(m);
    }
    pthread_mutex_destroy(&p->lock);
    mem_free(p->dir);
    mem_free(p);
}

/* --- the directory --- */

void remove_tree(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        unlinkat(at, name, 0);
        return;
    }
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            remove_tree(fd, e->d_name);
        }
    }
    closedir(d);
    unlinkat(at, name, AT_REMOVEDIR);
}

static int mirror_init(const char *dir, struct err *err)
{
    git_repository *git = NULL;
    git_repository_init_options o = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_MKPATH;
    o.initial_head = "main";
    if (git_repository_init_ext(&git, dir, &o)) {
        return git_fail(err, ERR_UNAVAILABLE, "cannot make the mirror %s", dir);
    }
    git_repository_free(git);
    return 0;
}

/* Opens the directory far enough to know that it is usable. */
static int mirror_check(const char *dir, struct refs **out, struct err *err)
{
    git_repository *git = NULL;
    git_odb *odb = NULL;
    if (git_repository_open_bare(&git, dir) || git_repository_odb(&odb, git)) {
        git_repository_free(git);
        return git_fail(err, ERR_INTERNAL, "cannot open the mirror %s", dir);
    }
    AUTO_REFS *refs = NULL;
    int rc = refs_load(dir, &refs, err);
    for (size_t i = 0; !rc && i < refs->n && i < 8; i++) {
        size_t len;
        git_object_t type;
        if (git_odb_read_header(&len, &type, odb, oid_of(&refs->v[i].id))) {
            rc = git_fail(err, ERR_INTERNAL, "the mirror %s is damaged", dir);
        }
    }
    git_odb_free(odb);
    git_repository_free(git);
    if (!rc) {
        *out = TAKE(refs);
    }
    return rc;
}

static int mirror_replace(const char *dir, struct err *err)
{
    AUTO_BUF trash = BUF_INIT;
    buf_printf(&trash, "%s.damaged", dir);
    remove_tree(AT_FDCWD, trash.ptr);
    if (rename(dir, trash.ptr) && errno != ENOENT) {
        return err_set(err, ERR_UNAVAILABLE, "cannot move the damaged mirror %s away: %m", dir);
    }
    remove_tree(AT_FDCWD, trash.ptr);
    return mirror_init(dir, err);
}

static int mirror_open_dir(struct mirror *m, struct err *err)
{
    struct stat st;
    AUTO_ERR why = ERR_INIT;
    if (stat(m->dir, &st)) {
        return mirror_init(m->dir, err) || mirror_check(m->dir, &m->refs, err) ? -1 : 0;
    }
    if (mirror_check(m->dir, &m->refs, &why) == 0) {
        return 0;
    }
    log_debug("mirror replaced", "directory", m->dir, "reason", why.message, NULL);
    return mirror_replace(m->dir, err) || mirror_check(m->dir, &m->refs, err) ? -1 : 0;
}

void mirror_damaged(struct mirror *m)
{
    pthread_mutex_lock(&m->lock);
    m->damaged = true;
    pthread_mutex_unlock(&m->lock);
}

int mirror_repair(struct mirror *m, struct err *err)
{
    int rc = 0;
    pthread_mutex_lock(&m->lock);
    if (m->damaged) {
        struct refs *old = m->refs;
        handles_free(m->idle);
        m->idle = NULL;
        m->n_idle = 0;
        m->generation++;
        m->refs_number++;
        m->refs = NULL;
        rc = mirror_replace(m->dir, err) || mirror_check(m->dir, &m->refs, err) ? -1 : 0;
        if (rc) {
            m->refs = old;
        } else {
            refs_unref(old);
            m->damaged = false;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* --- refs of a mirror --- */

struct refs *mirror_refs(struct mirror *m, uint64_t *out_number)
{
    pthread_mutex_lock(&m->lock);
    struct refs *r = refs_ref(m->refs);
    if (out_number) {
        *out_number = m->refs_number;
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

static int replace_refs(struct mirror *m, struct refs *refs, struct err *err)
{
    if (refs_save(m->dir, refs, err)) {
        return -1;
    }
    refs_unref(m->refs);
    m->refs = refs_ref(refs);
    m->refs_number++;
    return 0;
}

int mirror_refs_set(struct mirror *m, struct refs *refs, uint64_t number, bool *out_done,
                    struct err *err)
{
    pthread_mutex_lock(&m->lock);
    bool current = m->refs_number == number;
    int rc = current ? replace_refs(m, refs, err) : 0;
    pthread_mutex_unlock(&m->lock);
    *out_done = current;
    return rc;
}

int mirror_refs_update(struct mirror *m, const struct ref *changes, size_t n, struct err *err)
{
    AUTO_MEM struct ref *sorted = mem_array(n, sizeof(*sorted));
    if (n) {
        memcpy(sorted, changes, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), refs_by_name);
    }
    pthread_mutex_lock(&m->lock);
    AUTO_REFS *next = refs_new();
    const struct ref *old = m->refs->v, *end = old + m->refs->n;
    for (size_t i = 0; i <= n; i++) { /* both are in order, and so is what comes of them */
        int order = 1;
        while (old < end && (i == n || (order = refs_by_name(old, &sorted[i])) < 0)) {
            refs_add(next, old->name, &old->id);
            old++;
        }
        old += order == 0;
        if (i < n && !repo_id_is_zero(&sorted[i].id)) {
            refs_add(next, sorted[i].name, &sorted[i].id);
        }
    }
    refs_seal(next);
    int rc = replace_refs(m, next, err);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* --- handles --- */

static int handle_open(struct repo_pool *p, struct mirror *m, struct handle **out, struct err *err)
{
    struct handle *h = mem_new(struct handle);
    h->mirror = m;
    int rc = 0;
    if (m) {
        rc = git_repository_open_bare(&h->git, m->dir);
        rc = rc ? rc : git_repository_odb(&h->odb, h->git);
    } else {
        rc = git_odb_new(&h->odb);
        rc = rc ? rc : git_repository_wrap_odb(&h->git, h->odb);
    }
    if (rc) {
        handle_free(h);
        return git_fail(err, ERR_UNAVAILABLE, "cannot open the mirror");
    }
    if (p->store && odb_store_add(h->odb, p->store, err)) {
        handle_free(h);
        return -1;
    }
    *out = h;
    return 0;
}

int handle_take(struct repo_pool *p, struct mirror *m, struct handle **out, struct err *err)
{
    if (!m) {
        return handle_open(p, NULL, out, err);
    }
    pthread_mutex_lock(&m->lock);
    struct handle *h = m->idle;
    uint64_t generation = m->generation;
    if (h) {
        m->idle = h->next;
        m->n_idle--;
    }
    pthread_mutex_unlock(&m->lock);
    if (!h && handle_open(p, m, &h, err)) {
        return -1;
    }
    h->next = NULL;
    h->generation = generation;
    *out = h;
    return 0;
}

void handle_put_at(struct handle **at)
{
    struct handle *h = *at;
    struct mirror *m = h ? h->mirror : NULL;
    if (m) {
        pthread_mutex_lock(&m->lock);
        if (m->generation == h->generation && !m->damaged && m->n_idle < IDLE_HANDLES) {
            h->next = m->idle;
            m->idle = h;
            m->n_idle++;
            h = NULL;
        }
        pthread_mutex_unlock(&m->lock);
    }
    handle_free(h);
}

/* --- repositories --- */

static void hash_add(EVP_MD_CTX *md, struct str s)
{
    uint64_t len = s.len; /* so that fields cannot run into each other */
    EVP_DigestUpdate(md, &len, sizeof(len));
    if (s.len) {
        EVP_DigestUpdate(md, s.ptr, s.len);
    }
}

void mirror_key(const struct repo_remote *r, char out[65])
{
    const struct repo_credential *c = &r->credential;
    unsigned char sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    hash_add(md, r->url);
    hash_add(md, c->username);
    hash_add(md, c->password);
    hash_add(md, c->token);
    hash_add(md, c->private_key);
    EVP_DigestFinal_ex(md, sum, NULL);
    EVP_MD_CTX_free(md);
    for (size_t i = 0; i < 32; i++) {
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    }
}

/* Finds or makes the mirror; called with the pool's lock held. */
static int mirror_get(struct repo_pool *p, const char *key, struct mirror **out, struct err *err)
{
    for (struct mirror *m = p->mirrors; m; m = m->next) {
        if (strcmp(m->key, key) == 0) {
            m->opened_ns = clock_mono_ns();
            *out = m;
            return 0;
        }
    }
    struct mirror *m = mem_new(struct mirror);
    pthread_mutex_init(&m->lock, NULL);
    m->pool = p;
    memcpy(m->key, key, sizeof(m->key));
    AUTO_BUF dir = BUF_INIT;
    buf_printf(&dir, "%s/%s.git", p->dir, key);
    m->dir = buf_take(&dir, NULL);
    if (mirror_open_dir(m, err)) {
        mirror_free(m);
        return -1;
    }
    m->opened_ns = clock_mono_ns();
    m->next = p->mirrors;
    p->mirrors = m;
    *out = m;
    return 0;
}

static void copy_remote(struct repo *r, const struct repo_remote *from)
{
    struct arena *a = &r->arena;
    struct repo_remote *to = &r->remote;
    *to = *from;
    to->ns = arena_str(a, from->ns);
    to->name = arena_str(a, from->name);
    to->url = arena_str(a, from->url);
    to->branch = arena_str(a, from->branch.len ? from->branch : STR("main"));
    to->directory = arena_str(a, str_trim(from->directory, "/"));
    to->ca_bundle = arena_str(a, from->ca_bundle);
    struct repo_credential *c = &to->credential;
    c->username = arena_str(a, c->username);
    c->password = arena_str(a, c->password);
    c->token = arena_str(a, c->token);
    c->private_key = arena_str(a, c->private_key);
    c->passphrase = arena_str(a, c->passphrase);
    c->known_hosts = arena_str(a, c->known_hosts);
    r->branch_ref = arena_printf(a, "refs/heads/%.*s", STR_ARG(to->branch));
}

static void repo_free(struct repo *r)
{
    net_cancel_done(&r->cancel);
    arena_done(&r->arena);
    mem_free(r);
}

int repo_open(struct repo_pool *p, const struct repo_remote *remote, struct repo **out,
              struct err *err)
{
    struct repo *r = mem_new(struct repo);
    atomic_init(&r->users, 1);
    net_cancel_init(&r->cancel);
    copy_remote(r, remote);
    int rc = url_parse(&r->arena, r->remote.url, &r->url, err);
    if (!rc && (r->remote.branch.ptr[0] == '-' || !ref_name_ok(r->branch_ref))) {
        rc = err_set(err, ERR_INVALID, "invalid branch name \"%.*s\"", STR_ARG(r->remote.branch));
    }
    if (!rc) {
        char key[65];
        mirror_key(&r->remote, key);
        pthread_mutex_lock(&p->lock);
        rc = mirror_get(p, key, &r->mirror, err);
        if (!rc) {
            r->mirror->users++;
        }
        pthread_mutex_unlock(&p->lock);
    }
    if (rc) {
        repo_free(r);
        return -1;
    }
    *out = r;
    return 0;
}

struct repo *repo_ref(struct repo *r)
{
    atomic_fetch_add(&r->users, 1);
    return r;
}

void repo_unref(struct repo *r)
{
    if (!r || atomic_fetch_sub(&r->users, 1) != 1) {
        return;
    }
    struct mirror *m = r->mirror;
    struct handle *idle = NULL;
    pthread_mutex_lock(&m->pool->lock);
    if (--m->users == 0) {
        /* The mirror stays known (and on disk); only its open files go. */
        pthread_mutex_lock(&m->lock);
        idle = m->idle;
        m->idle = NULL;
        m->n_idle = 0;
        pthread_mutex_unlock(&m->lock);
    }
    pthread_mutex_unlock(&m->pool->lock);
    handles_free(idle);
    repo_free(r);
}

void repo_cancel(struct repo *r)
{
    net_cancel_set(&r->cancel);
}
