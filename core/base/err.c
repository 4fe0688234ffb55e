/* SPDX-License-Identifier: Apache-2.0
 *
 * See err.h.
 */
#include "base/err.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct {
    const char *name;
    int code;
    const char *reason;
} KINDS[ERR_KIND_MAX] = {
    [ERR_NONE] = {"none", 200, ""},
    [ERR_INTERNAL] = {"internal", 500, "InternalError"},
    [ERR_PLAIN] = {"plain", 500, ""},
    [ERR_BAD_REQUEST] = {"bad-request", 400, "BadRequest"},
    [ERR_REPOSITORY] = {"repository-conflict", 400, "RepositoryConflict"},
    [ERR_UNAUTHORIZED] = {"unauthorized", 401, "Unauthorized"},
    [ERR_FORBIDDEN] = {"forbidden", 403, "Forbidden"},
    [ERR_NOT_FOUND] = {"not-found", 404, "NotFound"},
    [ERR_METHOD_NOT_ALLOWED] = {"method-not-allowed", 405, "MethodNotAllowed"},
    [ERR_NOT_ACCEPTABLE] = {"not-acceptable", 406, "NotAcceptable"},
    [ERR_ALREADY_EXISTS] = {"already-exists", 409, "AlreadyExists"},
    [ERR_CONFLICT] = {"conflict", 409, "Conflict"},
    [ERR_GONE] = {"gone", 410, "Gone"},
    [ERR_EXPIRED] = {"expired", 410, "Expired"},
    [ERR_TOO_LARGE] = {"too-large", 413, "RequestEntityTooLarge"},
    [ERR_UNSUPPORTED_MEDIA] = {"unsupported-media", 415, "UnsupportedMediaType"},
    [ERR_INVALID] = {"invalid", 422, "Invalid"},
    [ERR_TOO_MANY] = {"too-many", 429, "TooManyRequests"},
    [ERR_UNAVAILABLE] = {"unavailable", 503, "ServiceUnavailable"},
    [ERR_TIMEOUT] = {"timeout", 504, "Timeout"},
};

void err_done(struct err *e)
{
    if (!e) {
        return;
    }
    for (size_t i = 0; i < e->n_causes; i++) {
        mem_free(e->causes[i].reason);
        mem_free(e->causes[i].message);
        mem_free(e->causes[i].field);
    }
    mem_free(e->causes);
    mem_free(e->message);
    mem_free(e->detail_name);
    mem_free(e->detail_group);
    mem_free(e->detail_kind);
    mem_free(e->detail_uid);
    *e = (struct err){0};
}

int err_set_at(struct err *e, enum err_kind kind, const char *file, int line, const char *fmt, ...)
{
    if (!e) {
        return -1;
    }
    AUTO_BUF text = BUF_INIT; /* first: arguments may point into e */
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    err_done(e);
    e->kind = kind;
    e->message = buf_take(&text, NULL);
    e->file = file;
    e->line = line;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    if (!e) {
        return -1;
    }
    AUTO_BUF text = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_addz(&text, ": ");
    buf_addz(&text, e->message ? e->message : "");
    mem_free(e->message);
    e->message = buf_take(&text, NULL);
    return -1;
}

int err_add_cause(struct err *e, const char *reason, const char *field, const char *fmt, ...)
{
    if (!e) {
        return -1;
    }
    AUTO_BUF text = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    e->causes = mem_resize(e->causes, (e->n_causes + 1) * sizeof(*e->causes));
    e->causes[e->n_causes++] = (struct err_cause){
        .reason = mem_strdup(reason),
        .message = buf_take(&text, NULL),
        .field = mem_strdup(field),
    };
    return -1;
}

static void replace(char **at, const char *value)
{
    if (value) {
        char *copy = mem_strdup(value);
        mem_free(*at);
        *at = copy;
    }
}

int err_details(struct err *e, const char *name, const char *group, const char *kind)
{
    if (e) {
        replace(&e->detail_name, name);
        replace(&e->detail_group, group);
        replace(&e->detail_kind, kind);
    }
    return -1;
}

void err_drop(struct err *e)
{
    err_done(e);
}

int err_move(struct err *dst, struct err *src)
{
    if (!dst) {
        err_done(src);
        return -1;
    }
    err_done(dst);
    *dst = *src;
    *src = (struct err){0};
    return -1;
}

void err_copy(struct err *dst, const struct err *src)
{
    err_done(dst);
    *dst = (struct err){
        .kind = src->kind,
        .message = mem_strdup(src->message),
        .retry_after_s = src->retry_after_s,
        .file = src->file,
        .line = src->line,
        .detail_name = mem_strdup(src->detail_name),
        .detail_group = mem_strdup(src->detail_group),
        .detail_kind = mem_strdup(src->detail_kind),
        .detail_uid = mem_strdup(src->detail_uid),
    };
    for (size_t i = 0; i < src->n_causes; i++) {
        const struct err_cause *c = &src->causes[i];
        err_add_cause(dst, c->reason, c->field, "%s", c->message);
    }
}

void err_kind_info(enum err_kind kind, int *out_code, const char **out_reason)
{
    if (out_code) {
        *out_code = KINDS[kind].code;
    }
    if (out_reason) {
        *out_reason = KINDS[kind].reason;
    }
}

enum err_kind err_kind_parse(struct str name)
{
    for (int k = 1; k < ERR_KIND_MAX; k++) {
        if (str_eqz(name, KINDS[k].name)) {
            return (enum err_kind)k;
        }
    }
    return ERR_NONE;
}

const char *err_kind_name(enum err_kind kind)
{
    return KINDS[kind].name;
}
