/* SPDX-License-Identifier: Apache-2.0
 *
 * struct err: the one error object. It is filled where something fails, travels through C, Lua and
 * threads unchanged, and becomes a Kubernetes Status in kube/. The caller owns it; initialise with
 * ERR_INIT and release with err_done (AUTO_ERR does both).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Kinds map one to one to a Kubernetes reason and an HTTP code (err_kind_info). */
enum err_kind {
    ERR_NONE,
    ERR_INTERNAL,           /* 500 InternalError */
    ERR_PLAIN,              /* 500, empty reason: plain error of the peer's get/list/parse */
    ERR_BAD_REQUEST,        /* 400 BadRequest */
    ERR_REPOSITORY,         /* 400 RepositoryConflict: two Repositories claim one place in git */
    ERR_UNAUTHORIZED,       /* 401 Unauthorized */
    ERR_FORBIDDEN,          /* 403 Forbidden */
    ERR_NOT_FOUND,          /* 404 NotFound */
    ERR_METHOD_NOT_ALLOWED, /* 405 MethodNotAllowed */
    ERR_NOT_ACCEPTABLE,     /* 406 NotAcceptable */
    ERR_ALREADY_EXISTS,     /* 409 AlreadyExists */
    ERR_CONFLICT,           /* 409 Conflict */
    ERR_GONE,               /* 410 Gone */
    ERR_EXPIRED,            /* 410 Expired */
    ERR_TOO_LARGE,          /* 413 RequestEntityTooLarge */
    ERR_UNSUPPORTED_MEDIA,  /* 415 UnsupportedMediaType */
    ERR_INVALID,            /* 422 Invalid */
    ERR_TOO_MANY,           /* 429 TooManyRequests */
    ERR_UNAVAILABLE,        /* 503 ServiceUnavailable */
    ERR_TIMEOUT,            /* 504 Timeout */
    ERR_KIND_MAX
};

/* One field cause of an error (details.causes[] of a Status). All strings are owned by the err. */
struct err_cause {
    char *reason; /* FieldValueInvalid …; may be NULL */
    char *message;
    char *field; /* may be NULL */
};

struct err {
    enum err_kind kind;
    char *message; /* NULL when kind is ERR_NONE */
    struct err_cause *causes;
    size_t n_causes;
    int retry_after_s; /* 0 = none */
    const char *file;  /* where it was set */
    int line;
    /* Status.details: what the error is about; all may be NULL, owned. */
    char *detail_name, *detail_group, *detail_kind, *detail_uid;
};

#define ERR_INIT {0}
#define AUTO_ERR __attribute__((cleanup(err_done))) struct err

/* Sets err (which must be clear, else the old content is released) and returns -1, so that
 * `return err_set(err, ERR_CONFLICT, "…", …);` sets and leaves in one statement. err may be NULL. */
#define err_set(e, kind, ...) err_set_at((e), (kind), __FILE__, __LINE__, __VA_ARGS__)
int err_set_at(struct err *e, enum err_kind kind, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Puts "<fmt>: " in front of the message; kind stays. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a field cause; strings are copied, reason and field may be NULL. Returns -1. */
int err_add_cause(struct err *e, const char *reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Sets details.name/group/kind (copied; each may be NULL = leave). Returns -1. */
int err_details(struct err *e, const char *name, const char *group, const char *kind);
/* Swallows an error; say why in a comment beside the call. */
void err_drop(struct err *e);
/* Moves src into dst (dst is released first) and leaves src clear. Returns -1. */
int err_move(struct err *dst, struct err *src);
/* Deep copy. */
void err_copy(struct err *dst, const struct err *src);
void err_done(struct err *e);
static inline bool err_is(const struct err *e, enum err_kind kind)
{
    return e && e->kind == kind;
}
/* HTTP code and Kubernetes reason ("" for ERR_PLAIN) of a kind. */
void err_kind_info(enum err_kind kind, int *out_code, const char **out_reason);
/* Inverse by name as scripts write it: "conflict", "not-found", "invalid" …; ERR_NONE if unknown. */
enum err_kind err_kind_parse(struct str name);
const char *err_kind_name(enum err_kind kind);
