/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups in the generated tables: binary search, no allocation, no state. The sort orders are
 * made by api/gen/ckinds.lua and ctables.lua and are bytewise.
 */
#include "api/tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

static int cmp_z(struct str a, const char *z)
{
    return str_cmp(a, str_of(z));
}

static int cmp_url(const struct api_kind *k, struct str group, struct str version,
                   struct str resource)
{
    int c = cmp_z(group, k->group);
    if (c == 0) {
        c = cmp_z(version, k->version);
    }
    return c ? c : cmp_z(resource, k->resource);
}

const struct api_kind *api_kind_find(struct str group, struct str version, struct str resource)
{
    size_t low = 0, high = api_n_kinds;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = cmp_url(&api_kinds[mid], group, version, resource);
        if (c == 0) {
            return &api_kinds[mid];
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

const struct api_kind *api_kind_find_object(struct str api_version, struct str kind)
{
    size_t low = 0, high = api_n_kinds;
    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct api_kind *k = &api_kinds[api_kinds_by_object[mid]];
        int c = cmp_z(api_version, k->group_version);
        if (c == 0) {
            c = cmp_z(kind, k->kind);
        }
        if (c == 0) {
            return k;
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

/* Fields keep the order of the kind file (it is the order of output); the lists are short. */
const struct api_field *api_field_find(const struct api_schema *s, struct str name)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        if (str_eqz(name, s->fields[i].name)) {
            return &s->fields[i];
        }
    }
    return NULL;
}

/* First kind whose (group, version) is not below the given one; kinds are sorted by them. */
static const struct api_kind *first_of(struct str group, struct str version)
{
    size_t low = 0, high = api_n_kinds;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (cmp_url(&api_kinds[mid], group, version, STR_NULL) > 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < api_n_kinds ? &api_kinds[low] : NULL;
}

bool api_group_version_has(struct str group, struct str version)
{
    const struct api_kind *k = first_of(group, version);
    return k && str_eqz(group, k->group) && str_eqz(version, k->version);
}

const char *api_message(const char *id)
{
    struct str key = str_of(id);
    size_t low = 0, high = api_n_messages;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = cmp_z(key, api_messages[mid].id);
        if (c == 0) {
            return api_messages[mid].format;
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    (void)fprintf(stderr, "api: no message '%s'\n", id);
    abort();
}

/* The formats come from api/messages.lua; the generator admits %s, %d and %% only. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void api_text(struct buf *b, const char *id, ...)
{
    va_list ap;
    va_start(ap, id);
    buf_vprintf(b, api_message(id), ap);
    va_end(ap);
}

int api_err_at(struct err *e, enum err_kind kind, const char *file, int line, const char *id, ...)
{
    AUTO_BUF text = BUF_INIT;
    va_list ap;
    va_start(ap, id);
    buf_vprintf(&text, api_message(id), ap);
    va_end(ap);
    return err_set_at(e, kind, file, line, "%s", text.ptr);
}

int api_err_cause(struct err *e, const char *reason, const char *field, const char *id, ...)
{
    AUTO_BUF text = BUF_INIT;
    va_list ap;
    va_start(ap, id);
    buf_vprintf(&text, api_message(id), ap);
    va_end(ap);
    return err_add_cause(e, reason, field, "%s", text.ptr);
}

const struct api_document *api_document_find(struct str path, const char *variant)
{
    size_t low = 0, high = api_n_documents;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = cmp_z(path, api_documents[mid].path);
        if (c == 0) {
            c = strcmp(variant, api_documents[mid].variant);
        }
        if (c == 0) {
            return &api_documents[mid];
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}
