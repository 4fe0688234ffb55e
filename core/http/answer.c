/* SPDX-License-Identifier: Apache-2.0
 *
 * Responses: from a kube_response to MHD's, gzip for large bodies, and the few Status objects that
 * the listener makes itself.
 */
#include "http/priv.h"

#include <zlib.h>

#include "base/log.h"

static bool name_is(struct str name, const char *z)
{
    return name.len == strlen(z) && strncasecmp(name.ptr, z, name.len) == 0;
}

static bool has_header(const struct kube_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (name_is(r->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* One element of Accept-Encoding: "gzip", "gzip;q=0.5", "*;q=0". */
static bool allows_gzip(struct str item)
{
    struct str rest = item, name;
    if (!str_split(&rest, ';', &name)) {
        return false;
    }
    name = str_trim(name, " \t");
    struct str q = str_trim(rest, " \tqQ=");
    bool zero = q.len > 0 && q.ptr[0] == '0' && str_trim(q, "0.").len == 0;
    return name_is(name, "gzip") && !zero;
}

static bool accepts_gzip(const struct kube_request *req)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        struct str rest = req->headers[i].value, item;
        if (!name_is(req->headers[i].name, "Accept-Encoding")) {
            continue;
        }
        while (str_split(&rest, ',', &item)) {
            if (allows_gzip(item)) {
                return true;
            }
        }
    }
    return false;
}

static bool gzip(struct arena *a, struct str in, struct str *out)
{
    z_stream z = {0};
    if (in.len > UINT32_MAX / 2 ||
        deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    size_t room = deflateBound(&z, in.len);
    char *to = arena_alloc(a, room);
    z.next_in = (Bytef *)(uintptr_t)in.ptr;
    z.avail_in = (uInt)in.len;
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    bool ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
    *out = (struct str){to, z.total_out};
    deflateEnd(&z);
    return ok;
}

static void add_header(struct call *c, struct MHD_Response *r, struct str name, struct str value)
{
    const char *n = arena_strz(&c->arena, name), *v = arena_strz(&c->arena, value);
    if (MHD_add_response_header(r, n, v) != MHD_YES) {
        log_warn("response header left out", "name", n, "path", c->uri.ptr, NULL);
    }
}

static void release_call(void *cls)
{
    call_unref(cls);
}

static struct MHD_Response *bytes_response(struct call *c, struct kube_response *resp)
{
    struct str body = resp->body;
    struct http *h = c->http;
    bool large = body.len > GZIP_FROM_BYTES && c->req.method == KUBE_GET &&
                 !has_header(resp, "Content-Encoding");
    struct str packed;
    bool zipped = large && accepts_gzip(&c->req) && gzip(&c->arena, body, &packed);
    body = zipped ? packed : body;
    struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(
        body.len, (void *)(uintptr_t)(body.len ? body.ptr : ""), release_call, c);
    if (!r) {
        return NULL;
    }
    call_ref(c);
    if (zipped) {
        add_header(c, r, STR("Content-Encoding"), STR("gzip"));
    }
    if (large && !has_header(resp, "Vary")) {
        add_header(c, r, STR("Vary"), STR("Accept-Encoding"));
    }
    if (c->req.method != KUBE_HEAD) {
        atomic_fetch_add_explicit(&h->count.bytes_out, body.len, memory_order_relaxed);
    }
    conn_until(c->conn, clock_mono_ns() + h->request_ns);
    return r;
}

enum MHD_Result answer_queue(struct call *c, struct kube_response *resp)
{
    struct MHD_Response *r =
        resp->stream ? stream_response(c, resp->stream) : bytes_response(c, resp);
    if (!r) {
        return MHD_NO;
    }
    for (size_t i = 0; i < resp->n_headers; i++) {
        add_header(c, r, resp->headers[i].name, resp->headers[i].value);
    }
    if (!has_header(resp, "Audit-Id")) {
        add_header(c, r, STR("Audit-Id"), c->audit_id);
    }
    if (resp->close_connection || atomic_load(&c->http->closing)) {
        add_header(c, r, STR("Connection"), STR("close"));
    }
    enum MHD_Result queued = MHD_queue_response(c->conn->mhd, (unsigned)resp->status, r);
    MHD_destroy_response(r);
    return queued;
}

struct kube_response *answer_status(struct call *c, int code, const char *reason,
                                    const char *message)
{
    struct arena *a = &c->arena;
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                 "\"status\":\"Failure\",\"message\":");
    buf_add_json_string(&b, str_of(message));
    buf_printf(&b, ",\"reason\":\"%s\",", reason);
    if (code == 429) {
        buf_addz(&b, "\"details\":{\"retryAfterSeconds\":1},");
    }
    buf_printf(&b, "\"code\":%d}\n", code);
    struct kube_response *r = arena_new(a, struct kube_response);
    r->status = code;
    r->body = arena_str(a, buf_str(&b));
    r->headers[r->n_headers++] =
        (struct kube_header){STR("Content-Type"), STR("application/json")};
    r->headers[r->n_headers++] =
        (struct kube_header){STR("Cache-Control"), STR("no-cache, private")};
    if (code == 429) {
        r->headers[r->n_headers++] = (struct kube_header){STR("Retry-After"), STR("1")};
    }
    return r;
}
