/* SPDX-License-Identifier: Apache-2.0
 *
 * See wire.h: choice of transport, pkt-lines, advertisements.
 */
#include "repo/wire.h"

#define PKT_MAX 65520        /* longest packet git may send */
#define ADVERT_MAX (64u << 20) /* half a million refs */

const char *wire_service_name(enum wire_service s)
{
    return s == WIRE_UPLOAD_PACK ? "git-upload-pack" : "git-receive-pack";
}

int wire_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
              struct wire **out, struct err *err)
{
    int rc = r->url.kind == URL_HTTP  ? wire_http_open(r, service, deadline_ns, out, err)
             : r->url.kind == URL_SSH ? wire_ssh_open(r, service, deadline_ns, out, err)
                                      : wire_git_open(r, service, deadline_ns, out, err);
    if (!rc) {
        (*out)->service = service;
        (*out)->deadline_ns = deadline_ns;
    }
    return rc;
}

int wire_read(struct wire *w, void *bytes, size_t cap, size_t *out_n, struct err *err)
{
    return w->ops->read(w, bytes, cap, out_n, err);
}

int wire_write(struct wire *w, const void *bytes, size_t n, struct err *err)
{
    return w->ops->write(w, bytes, n, err);
}

void wire_close(struct wire *w)
{
    if (w) {
        w->ops->close(w);
    }
}

void wire_close_at(struct wire **w)
{
    wire_close(*w);
}

/* Makes n unread bytes available; *out_short when the server ended before. */
static int fill(struct pkt_reader *p, size_t n, bool *out_short, struct err *err)
{
    *out_short = false;
    while (p->held.len - p->at < n) {
        char chunk[16384];
        size_t got = 0;
        if (wire_read(p->wire, chunk, sizeof(chunk), &got, err)) {
            return -1;
        }
        if (got == 0) {
            *out_short = true;
            return 0;
        }
        buf_add(&p->held, chunk, got);
        if (p->held.overflow) {
            return err_set(err, ERR_TOO_LARGE, "the git server's answer is too large");
        }
    }
    return 0;
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0) {
            return -1;
        }
        v = v * 16 + d;
    }
    return v;
}

int pkt_read(struct pkt_reader *p, bool keep, enum pkt_type *out_type, struct str *out,
             struct err *err)
{
    bool cut;
    if (!keep) {
        buf_consume(&p->held, p->at);
        p->at = 0;
    }
    if (fill(p, 4, &cut, err)) {
        return -1;
    }
    if (cut) {
        *out_type = PKT_END;
        return p->held.len == p->at
                   ? 0
                   : err_set(err, ERR_UNAVAILABLE, "broken pipe: the git server's answer is cut");
    }
    int len = hex4(p->held.ptr + p->at);
    if (len == 0) {
        p->at += 4;
        *out_type = PKT_FLUSH;
        return 0;
    }
    if (len < 4 || len > PKT_MAX) {
        return err_set(err, ERR_UNAVAILABLE, "the server does not speak the git protocol");
    }
    if (fill(p, (size_t)len, &cut, err)) {
        return -1;
    }
    if (cut) {
        return err_set(err, ERR_UNAVAILABLE, "broken pipe: the git server's answer is cut");
    }
    *out = (struct str){p->held.ptr + p->at + 4, (size_t)len - 4};
    *out_type = PKT_DATA;
    p->at += (size_t)len;
    return 0;
}

void pkt_write(struct buf *out, struct str line)
{
    buf_printf(out, "%04x", (unsigned)line.len + 4);
    buf_add_str(out, line);
}

void pkt_flush(struct buf *out)
{
    buf_addz(out, "0000");
}

/* One line of an advertisement: "<id> <name>[\0<capabilities>]". */
static int advert_line(struct advert *a, struct str line, bool first, struct err *err)
{
    struct repo_id id;
    line = str_trim(line, "\n");
    if (str_has_prefix(line, STR("ERR "))) {
        return err_set(err, ERR_UNAVAILABLE, "remote error: %.*s",
                       STR_ARG(str_sub(line, 4, line.len)));
    }
    if (str_has_prefix(line, STR("shallow "))) {
        return 0;
    }
    if (line.len < GIT_OID_HEXSZ + 2 || !repo_id_parse(str_sub(line, 0, GIT_OID_HEXSZ), &id)) {
        return err_set(err, ERR_UNAVAILABLE, "the server does not speak the git protocol");
    }
    struct str name = str_sub(line, GIT_OID_HEXSZ + 1, line.len);
    ptrdiff_t nul = first ? str_find_byte(name, 0) : -1;
    if (nul >= 0) {
        a->capabilities = arena_str(&a->arena, str_sub(name, (size_t)nul + 1, name.len));
        name = str_sub(name, 0, (size_t)nul);
    }
    if (str_eqz(name, "HEAD")) {
        a->head = id;
    } else if (refs_wanted(name)) {
        refs_add(a->refs, name, &id);
    }
    return 0;
}

/* Reads lines up to the flush that ends the list. */
static int advert_lines(struct pkt_reader *p, struct advert *out, struct err *err)
{
    bool first = true;
    for (;;) {
        enum pkt_type type;
        struct str line;
        if (pkt_read(p, true, &type, &line, err)) {
            return -1;
        }
        if (type == PKT_FLUSH) {
            return 0;
        }
        if (type == PKT_END) {
            return err_set(err, ERR_UNAVAILABLE, "%s",
                           first ? "remote repository not found or access denied"
                                 : "broken pipe: the git server's answer is cut");
        }
        if (first && str_has_prefix(line, STR("# service="))) {
            if (pkt_read(p, true, &type, &line, err)) {
                return -1;
            }
            continue; /* the flush behind the banner */
        }
        if (str_has_prefix(line, STR("version 1"))) {
            continue;
        }
        if (advert_line(out, line, first, err)) {
            return -1;
        }
        first = false;
    }
}

int advert_read(struct wire *w, struct advert *out, struct err *err)
{
    struct pkt_reader p = {.wire = w};
    buf_init(&p.held, ADVERT_MAX);
    *out = (struct advert){.refs = refs_new()};
    int rc = advert_lines(&p, out, err);
    refs_seal(out->refs);
    out->raw = p.held;
    return rc;
}

void advert_done(struct advert *a)
{
    refs_unref(a->refs);
    arena_done(&a->arena);
    buf_done(&a->raw);
}

bool advert_can(const struct advert *a, const char *capability)
{
    struct str rest = a->capabilities, word;
    while (str_split(&rest, ' ', &word)) {
        if (str_eqz(word, capability)) {
            return true;
        }
    }
    return false;
}
