/* SPDX-License-Identifier: Apache-2.0
 *
 * See log.h.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

static const char *const NAMES[LOG_LEVEL_MAX] = {"debug", "info", "warn", "error"};

/* Process-wide by nature: stderr is one. Set once by main. */
static _Atomic int level_now = LOG_INFO;
static _Atomic int json_now = -1;

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store(&level_now, (int)level);
    atomic_store(&json_now, format == LOG_AUTO ? !isatty(2) : format == LOG_JSON);
}

bool log_level_parse(const char *name, enum log_level *out)
{
    for (int i = 0; i < LOG_LEVEL_MAX; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load(&level_now);
}

static void add_fields(struct buf *line, bool json, va_list ap)
{
    const char *key;
    while ((key = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);
        if (json) {
            buf_addc(line, ',');
            buf_add_json_string(line, str_of(key));
            buf_addc(line, ':');
        } else {
            buf_printf(line, " %s=", key);
        }
        buf_add_json_string(line, str_of(value));
    }
}

void log_write(enum log_level level, const char *message, ...)
{
    if (!log_enabled(level)) {
        return;
    }
    bool json = atomic_load(&json_now) != 0;
    AUTO_ARENA a = ARENA_INIT;
    AUTO_BUF line = BUF_INIT;
    struct str now = clock_rfc3339(&a, clock_real_ns());
    if (json) {
        buf_printf(&line, "{\"time\":\"%.*s\",\"level\":\"%s\",\"msg\":", STR_ARG(now),
                   NAMES[level]);
        buf_add_json_string(&line, str_of(message));
    } else {
        buf_printf(&line, "%.*s %-5s %s", STR_ARG(now), NAMES[level], message);
    }
    va_list ap;
    va_start(ap, message);
    add_fields(&line, json, ap);
    va_end(ap);
    buf_addz(&line, json ? "}\n" : "\n");
    /* a log line that cannot be written has nowhere else to go */
    ssize_t n = write(2, line.ptr, line.len);
    (void)n;
}
