/* SPDX-License-Identifier: Apache-2.0
 *
 * Field errors of one request, collected into a single 422 (kube-wire §11).
 */
#include <stdarg.h>

#include "kube/priv.h"

void kube_invalid_done(struct kube_invalid *v)
{
    err_done(&v->err);
    buf_done(&v->text);
}

void kube_invalid_add(struct kube_invalid *v, const char *reason, struct str field,
                      struct str message)
{
    AUTO_ARENA a = ARENA_INIT;
    if (v->n++) {
        buf_addz(&v->text, ", ");
    }
    buf_printf(&v->text, "%.*s: %.*s", STR_ARG(field), STR_ARG(message));
    err_add_cause(&v->err, reason, arena_strz(&a, field), "%.*s", STR_ARG(message));
}

/* The conversions of api_text by hand: %s and %d only. */
static void add_text(struct buf *b, const char *id, va_list ap)
{
    for (const char *f = api_message(id); *f; f++) {
        if (f[0] == '%' && f[1] == 's') {
            buf_addz(b, va_arg(ap, const char *));
            f++;
        } else if (f[0] == '%' && f[1] == 'd') {
            buf_printf(b, "%d", va_arg(ap, int));
            f++;
        } else {
            buf_addc(b, *f);
        }
    }
}

void kube_invalid_text(struct kube_invalid *v, const char *reason, struct str field, const char *id,
                       ...)
{
    AUTO_BUF text = BUF_INIT;
    va_list ap;
    va_start(ap, id);
    add_text(&text, id, ap);
    va_end(ap);
    kube_invalid_add(v, reason, field, buf_str(&text));
}

void kube_invalid_value(struct kube_invalid *v, struct str field, struct str value,
                        struct str detail)
{
    AUTO_BUF json = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    AUTO_ARENA a = ARENA_INIT;
    buf_add_json_string(&json, value);
    api_text(&text, "kube-field-invalid", json.ptr, arena_strz(&a, detail));
    kube_invalid_add(v, "FieldValueInvalid", field, buf_str(&text));
}

bool kube_invalid_blocks(const struct kube_invalid *v)
{
    static const char *const REASONS[] = {"FieldValueRequired", "FieldValueNotSupported",
                                          "FieldValueTooLong", "FieldValueTooMany",
                                          "FieldValueTypeInvalid"};
    for (size_t i = 0; i < v->err.n_causes; i++) {
        for (size_t r = 0; r < sizeof(REASONS) / sizeof(REASONS[0]); r++) {
            if (strcmp(v->err.causes[i].reason, REASONS[r]) == 0) {
                return true;
            }
        }
    }
    return false;
}

int kube_invalid_end(struct kube_invalid *v, const char *group, const char *kind, struct str name,
                     struct err *err)
{
    if (v->n == 0) {
        return 0;
    }
    AUTO_ARENA a = ARENA_INIT;
    struct str what = group[0] ? arena_printf(&a, "%s.%s", kind, group) : str_of(kind);
    struct str list = v->n > 1 ? arena_printf(&a, "[%s]", v->text.ptr) : buf_str(&v->text);
    api_err(err, ERR_INVALID, "kube-frame-invalid", what.ptr, arena_strz(&a, name),
            arena_strz(&a, list));
    if (err) {
        err->causes = TAKE(v->err.causes);
        err->n_causes = v->err.n_causes;
        v->err.n_causes = 0;
    }
    return err_details(err, name.len ? arena_strz(&a, name) : NULL, group[0] ? group : NULL, kind);
}
