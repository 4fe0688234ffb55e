/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing: directory, lock file, database settings, integrity probe, schema, key,
 * writer thread. Whatever is wrong with the files is found here, before anything is served, and
 * the message names the file.
 */
#include "store/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

/* Up to this size the probe reads the whole database, above it only the tables that are small. */
#define FULL_CHECK_BYTES (64 * 1024 * 1024)

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static int dir_lock(struct store *s, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    const char *path = arena_printf(&a, "%s/lock", s->dir).ptr;
    if (mkdir(s->dir, 0700) && errno != EEXIST) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make the data directory '%s': %s", s->dir,
                       strerror(errno));
    }
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': %s", path, strerror(errno));
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB)) {
        return err_set(err, ERR_UNAVAILABLE, "cannot lock the data directory '%s': %s", s->dir,
                       errno == EWOULDBLOCK ? "it is in use by another process" : strerror(errno));
    }
    return 0;
}

/* Makes the database file private; SQLite gives its side files the same mode. */
static int file_make(struct store *s, struct err *err)
{
    AUTO(close_fd) int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': %s", s->path, strerror(errno));
    }
    return 0;
}

/* The names in the directory must be as durable as the commits. */
static int dir_sync(struct store *s, struct err *err)
{
    AUTO(close_fd) int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd)) {
        return err_set(err, ERR_UNAVAILABLE, "cannot sync the data directory '%s': %s", s->dir,
                       strerror(errno));
    }
    return 0;
}

static int check_run(struct conn *c, const char *sql, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) == SQLITE_OK ? 0 : -1;
    if (rc || sqlite3_step(st) != SQLITE_ROW) {
        rc = conn_fail(c, "check", err);
    } else if (!str_eq(stmt_col(st, 0), STR("ok"))) {
        rc = err_set(err, ERR_INTERNAL, "cannot open '%s': the file is damaged (%.*s)",
                     c->store->path, STR_ARG(stmt_col(st, 0)));
    }
    (void)sqlite3_finalize(st);
    return rc;
}

static int integrity_check(struct conn *c, struct err *err)
{
    struct stat info;
    if (stat(c->store->path, &info)) {
        return err_set(err, ERR_UNAVAILABLE, "cannot read '%s': %s", c->store->path,
                       strerror(errno));
    }
    if (info.st_size <= FULL_CHECK_BYTES) {
        return check_run(c, "PRAGMA quick_check(1)", err);
    }
    if (check_run(c, "PRAGMA quick_check(object)", err) ||
        check_run(c, "PRAGMA quick_check(journal)", err)) {
        return -1;
    }
    return check_run(c, "PRAGMA quick_check(meta)", err);
}

static int database_open(struct store *s, struct err *err)
{
    struct conn *c = NULL;
    char pragmas[256];
    if (conn_open(s, WRITER_CACHE_KIB, &c, err)) {
        return -1;
    }
    s->writer.conn = c;
    /* secure_delete would rewrite every freed page; what must stay secret is sealed instead.
     * The writer checkpoints by itself after it has answered. */
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             " PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=0;"
             " PRAGMA journal_size_limit=%d",
             STORE_PAGE_BYTES, 2 * WAL_RESTART_PAGES * STORE_PAGE_BYTES);
    if (conn_exec(c, pragmas, err)) {
        return -1;
    }
    int64_t version;
    if (sqlite3_db_readonly(c->db, "main") != 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': it is read-only", s->path);
    }
    if (conn_int(c, "PRAGMA user_version", 0, &version, err) ||
        (version > 0 && integrity_check(c, err))) {
        return -1;
    }
    return migrate_run(c, err);
}

/* A new key must never be made beside rows that an older one sealed: they would be lost without
 * a word. So the database remembers which key it belongs to. */
static int key_load(struct store *s, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct conn *c = s->writer.conn;
    struct str known;
    char mine[65];
    if (meta_get(c, "seal_key", &a, &known, err) ||
        seal_load(&s->seal, s->dir, known.len == 0, err) ||
        seal_fingerprint(&s->seal, mine, err)) {
        return -1;
    }
    if (known.len == 0) {
        return meta_set(c, "seal_key", str_of(mine), err);
    }
    if (!str_eqz(known, mine)) {
        return err_set(err, ERR_INTERNAL, "cannot open '%s': '%s/seal.key' is not its key", s->path,
                       s->dir);
    }
    return 0;
}

static int numbers_load(struct store *s, struct err *err)
{
    struct conn *c = s->writer.conn;
    int64_t newest;
    if (conn_int(c, "SELECT value FROM meta WHERE key='rv_base'", 1, &s->rv_base, err) ||
        conn_int(c, "SELECT value FROM meta WHERE key='log_floor'", 0, &s->writer.floor, err) ||
        conn_int(c, "SELECT max(rv) FROM change", 0, &newest, err)) {
        return -1;
    }
    s->writer.rv = newest > s->rv_base ? newest : s->rv_base;
    atomic_store(&s->rv, s->writer.rv);
    return 0;
}

static int store_start(struct store *s, struct err *err)
{
    if (dir_lock(s, err) || file_make(s, err) || database_open(s, err) || key_load(s, err) ||
        numbers_load(s, err) || dir_sync(s, err)) {
        return -1;
    }
    if (pthread_key_create(&s->reader_key, conn_reader_end)) {
        return err_set(err, ERR_INTERNAL, "cannot make a thread key for '%s'", s->path);
    }
    s->has_key = true;
    return write_start(s, err);
}

int store_open(const struct store_config *c, struct store **out, struct err *err)
{
    /* One process-wide lock less per allocation; refused harmlessly once SQLite is in use. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    AUTO_ARENA a = ARENA_INIT;
    struct store *s = mem_new(struct store);
    s->dir = mem_strdup(c->dir);
    s->path = mem_strdup(arena_printf(&a, "%s/lanai.db", c->dir).ptr);
    s->lock_fd = -1;
    s->change_rows = c->change_rows ? c->change_rows : LIMIT_CHANGE_ROWS;
    s->change_age_s = c->change_age_s ? c->change_age_s : LIMIT_CHANGE_AGE_S;
    s->audit_rows = c->audit_rows ? c->audit_rows : LIMIT_AUDIT_ROWS;
    s->audit_age_s = c->audit_age_s ? c->audit_age_s : LIMIT_AUDIT_AGE_S;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    if (store_start(s, err)) {
        store_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s) {
        return;
    }
    write_stop(s);
    if (s->has_key) {
        (void)pthread_key_delete(s->reader_key); /* from here on no thread end touches us */
    }
    while (s->readers) {
        struct conn *c = s->readers;
        s->readers = c->next;
        conn_close(c);
    }
    conn_close(s->writer.conn);
    map_done(&s->writer.named);
    buf_done(&s->writer.json);
    buf_done(&s->writer.sealed_json);
    buf_done(&s->writer.sealed_data);
    for (struct wake *w = atomic_load(&s->wakes), *next; w; w = next) {
        next = w->next;
        mem_free(w);
    }
    close_fd(&s->lock_fd);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    explicit_bzero(&s->seal, sizeof(s->seal));
    mem_free(s->dir);
    mem_free(s->path);
    mem_free(s);
}
