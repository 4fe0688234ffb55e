/* SPDX-License-Identifier: Apache-2.0
 *
 * See url.h.
 */
#include "repo/url.h"

#include <git2.h>

#include "base/limits.h"

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= ' ' || c == 0x7f) {
            return false;
        }
    }
    return s.len > 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static struct str decode(struct arena *a, struct str s)
{
    char *out = arena_strz(a, s);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int hi = s.ptr[i] == '%' && i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        if (lo >= 0 && (hi || lo)) {
            out[n++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            out[n++] = s.ptr[i];
        }
    }
    out[n] = 0;
    return (struct str){out, n};
}

static int refuse(struct str text, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "invalid repository URL \"%.*s\": %s", STR_ARG(text), why);
}

/* "[user@]host[:port]" */
static bool parse_authority(struct arena *a, struct str s, struct url *u)
{
    ptrdiff_t at = str_rfind_byte(s, '@');
    if (at >= 0) {
        struct str user = str_sub(s, 0, (size_t)at);
        ptrdiff_t colon = str_find_byte(user, ':');
        u->user = decode(a, colon >= 0 ? str_sub(user, 0, (size_t)colon) : user);
        s = str_sub(s, (size_t)at + 1, s.len);
    }
    struct str port = {0};
    if (s.len && s.ptr[0] == '[') {
        ptrdiff_t end = str_find_byte(s, ']');
        if (end < 0) {
            return false;
        }
        u->host = str_sub(s, 1, (size_t)end);
        port = str_sub(s, (size_t)end + 1, s.len);
    } else {
        ptrdiff_t colon = str_find_byte(s, ':');
        u->host = colon >= 0 ? str_sub(s, 0, (size_t)colon) : s;
        port = colon >= 0 ? str_sub(s, (size_t)colon, s.len) : port;
    }
    int64_t number = 0;
    if (port.len > 1) {
        if (port.ptr[0] != ':' || !str_to_int64(str_sub(port, 1, port.len), &number) ||
            number < 1 || number > 65535) {
            return false;
        }
        u->port = (int)number;
    }
    u->host = arena_str(a, u->host);
    return u->host.len && u->host.ptr[0] != '-' && (!u->user.len || u->user.ptr[0] != '-');
}

static int parse_remote(struct arena *a, struct str rest, struct url *u, struct err *err)
{
    ptrdiff_t slash = str_find_byte(rest, '/');
    struct str authority = slash >= 0 ? str_sub(rest, 0, (size_t)slash) : rest;
    u->port = u->kind == URL_SSH ? 22 : 9418;
    if (!parse_authority(a, authority, u)) {
        return refuse(u->text, "bad host or port", err);
    }
    if (u->kind == URL_HTTP) {
        return 0;
    }
    if (slash < 0 || (size_t)slash + 1 >= rest.len) {
        return refuse(u->text, "no path", err);
    }
    u->path = decode(a, str_sub(rest, (size_t)slash, rest.len));
    if (str_has_prefix(u->path, STR("/~"))) {
        u->path = str_sub(u->path, 1, u->path.len); /* home directories, as git has it */
    }
    return 0;
}

static bool take_prefix(struct str *s, const char *prefix)
{
    if (!str_has_prefix(*s, str_of(prefix))) {
        return false;
    }
    *s = str_sub(*s, strlen(prefix), s->len);
    return true;
}

/* "[user@]host:path" */
static int parse_scp(struct arena *a, struct url *u, struct err *err)
{
    ptrdiff_t colon = str_find_byte(u->text, ':'), slash = str_find_byte(u->text, '/');
    if (colon <= 0 || (slash >= 0 && slash < colon) || (size_t)colon + 1 >= u->text.len) {
        return err_set(err, ERR_INVALID, "repository not found"); /* a relative path */
    }
    u->kind = URL_SSH;
    u->port = 22;
    u->path = str_sub(u->text, (size_t)colon + 1, u->text.len);
    if (!parse_authority(a, str_sub(u->text, 0, (size_t)colon), u) || u->path.ptr[0] == '-') {
        return refuse(u->text, "bad host or path", err);
    }
    return 0;
}

int url_parse(struct arena *a, struct str text, struct url *out, struct err *err)
{
    struct url u = {.text = arena_str(a, text)};
    struct str rest = u.text;
    if (!plain(text) || text.ptr[0] == '-') {
        return refuse(text, "not a URL", err);
    }
    ptrdiff_t helper = str_find(text, STR("::"));
    if (helper >= 0 && str_find_byte(str_sub(text, 0, (size_t)helper), '[') < 0 &&
        str_find_byte(str_sub(text, 0, (size_t)helper), '/') < 0) {
        return refuse(text, "remote helpers are not supported", err);
    }
    int rc = 0;
    if (take_prefix(&rest, "file://")) {
        u.kind = URL_FILE;
        u.path = decode(a, rest);
        rc = u.path.len && u.path.ptr[0] == '/' ? 0 : refuse(text, "not an absolute path", err);
    } else if (rest.ptr[0] == '/') {
        u.kind = URL_FILE;
        u.path = u.text;
    } else if (take_prefix(&rest, "http://") || take_prefix(&rest, "https://")) {
        u.kind = URL_HTTP;
        rc = parse_remote(a, rest, &u, err);
    } else if (take_prefix(&rest, "ssh://")) {
        u.kind = URL_SSH;
        rc = parse_remote(a, rest, &u, err);
    } else if (take_prefix(&rest, "git://")) {
        u.kind = URL_GIT;
        rc = parse_remote(a, rest, &u, err);
    } else if (str_find(rest, STR("://")) >= 0) {
        rc = err_set(err, ERR_INVALID, "unsupported scheme \"%.*s\"",
                     STR_ARG(str_sub(text, 0, (size_t)str_find(text, STR("://")))));
    } else {
        rc = parse_scp(a, &u, err);
    }
    if (!rc) {
        *out = u;
    }
    return rc;
}

bool ref_name_ok(struct str full_name)
{
    char name[LIMIT_PATH_BYTES + 1];
    int valid = 0;
    if (full_name.len > LIMIT_PATH_BYTES || memchr(full_name.ptr, 0, full_name.len)) {
        return false;
    }
    memcpy(name, full_name.ptr, full_name.len);
    name[full_name.len] = 0;
    return !git_reference_name_is_valid(&valid, name) && valid;
}
