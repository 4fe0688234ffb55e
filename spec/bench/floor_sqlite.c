/* SPDX-License-Identifier: Apache-2.0
 *
 * Floor of every write: one durable SQLite commit. One row of SIZE bytes with two indexes, WAL,
 * synchronous=FULL, prepared statements, one thread; prints the times as one line of JSON.
 *
 *   floor_sqlite DIRECTORY [COUNT [SIZE]]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(sqlite3 *db, int rc)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        fprintf(stderr, "floor_sqlite: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double put(sqlite3 *db, sqlite3_stmt *stmt, int i, const char *bytes, int size)
{
    char name[64];
    snprintf(name, sizeof(name), "repository.package-%d.workspace", i);
    double began = now_us();
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, bytes, size, SQLITE_STATIC);
    must(db, sqlite3_step(stmt));
    must(db, sqlite3_reset(stmt));
    return now_us() - began;
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1000;
    int size = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 2048;
    if (argc < 2 || count < 1 || size < 1) {
        fputs("usage: floor_sqlite DIRECTORY [COUNT [SIZE]]\n", stderr);
        return 2;
    }
    char path[4096];
    snprintf(path, sizeof(path), "%s/floor-%d.db", argv[1], (int)getpid());
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    must(db, sqlite3_open(path, &db));
    must(db, sqlite3_exec(db,
                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                          "CREATE TABLE object(name TEXT PRIMARY KEY, f1 TEXT, f2 TEXT, json BLOB);"
                          "CREATE INDEX i1 ON object(f1); CREATE INDEX i2 ON object(f2);",
                          NULL, NULL, NULL));
    must(db, sqlite3_prepare_v2(db,
                                "INSERT INTO object VALUES(?1, substr(?1, 1, 10), ?1, ?2) "
                                "ON CONFLICT(name) DO UPDATE SET json = excluded.json",
                                -1, &stmt, NULL));
    char *bytes = malloc((size_t)size);
    double *times = malloc((size_t)count * sizeof(*times));
    if (!bytes || !times) {
        return 1;
    }
    memset(bytes, 'x', (size_t)size);
    for (int i = 0; i < count; i++) {
        times[i] = put(db, stmt, i, bytes, size);
    }
    qsort(times, (size_t)count, sizeof(*times), by_value);
    printf("{\"n\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", count, times[count / 2],
           times[(int)((double)(count - 1) * 0.99)]);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    free(bytes);
    free(times);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        char file[4200];
        snprintf(file, sizeof(file), "%s%s", path, *end);
        (void)unlink(file);
    }
    return 0;
}
