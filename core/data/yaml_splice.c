/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_splice.h.
 */
#include "data/yaml_splice.h"

#include <stdlib.h>

void yaml_splice_add(struct yaml_splices *s, size_t from, size_t to, struct str text)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct yaml_splice *list = arena_array(s->a, struct yaml_splice, cap);
        if (!list) {
            return;
        }
        if (s->n) {
            memcpy(list, s->list, s->n * sizeof(*list));
        }
        s->list = list;
        s->cap = cap;
    }
    s->list[s->n] = (struct yaml_splice){from, to, s->n, arena_str(s->a, text)};
    s->n++;
}

void yaml_splice_add_lines(struct yaml_splices *s, size_t at, struct str lines)
{
    bool open = at && at == s->source.len && s->source.ptr[at - 1] != '\n';
    if (!open) {
        yaml_splice_add(s, at, at, lines);
        return;
    }
    /* The last line has no line feed and the new last line shall have none either. */
    struct str text = arena_printf(s->a, "\n%.*s", STR_ARG(lines));
    yaml_splice_add(s, at, at, str_sub(text, 0, text.len - str_has_suffix(text, STR("\n"))));
}

static void add_converted(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            buf_addc(out, '\r');
        }
        buf_addc(out, text.ptr[i]);
    }
}

static int compare(const void *pa, const void *pb)
{
    const struct yaml_splice *a = pa, *b = pb;
    if (a->from != b->from) {
        return a->from < b->from ? -1 : 1;
    }
    return a->turn < b->turn ? -1 : 1;
}

struct str yaml_splice_apply(struct yaml_splices *s)
{
    AUTO_BUF out = BUF_INIT;
    size_t at = 0;
    if (s->n) {
        qsort(s->list, s->n, sizeof(*s->list), compare);
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct yaml_splice *p = &s->list[i];
        if (p->from < at || p->to < p->from || p->to > s->source.len) {
            s->overlap = true;
            return STR_NULL;
        }
        buf_add_str(&out, str_sub(s->source, at, p->from));
        if (s->crlf) {
            add_converted(&out, p->text);
        } else {
            buf_add_str(&out, p->text);
        }
        at = p->to;
    }
    buf_add_str(&out, str_sub(s->source, at, s->source.len));
    return arena_str(s->a, buf_str(&out));
}

size_t yaml_line_start(struct str text, size_t at)
{
    while (at && text.ptr[at - 1] != '\n') {
        at--;
    }
    return at;
}

size_t yaml_line_end(struct str text, size_t at)
{
    const char *nl = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;
    return nl ? (size_t)(nl - text.ptr) + 1 : text.len;
}

size_t yaml_skip_back(struct str text, size_t at)
{
    while (at && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t')) {
        at--;
    }
    return at;
}

bool yaml_starts_line(struct str text, size_t at)
{
    size_t p = yaml_skip_back(text, at);
    return p == 0 || text.ptr[p - 1] == '\n';
}
