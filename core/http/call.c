/* SPDX-License-Identifier: Apache-2.0
 *
 * One request from its first line to its last byte; see priv.h for the whole walk.
 */
#include "http/priv.h"

#include <sys/random.h>

#include "base/err.h"

struct call_headers {
    struct call *call;
    struct kube_header *at;
};

void call_ref(struct call *c)
{
    atomic_fetch_add(&c->refs, 1);
}

void call_unref(struct call *c)
{
    if (atomic_fetch_sub(&c->refs, 1) != 1) {
        return;
    }
    struct http *h = c->http;
    buf_done(&c->body);
    arena_done(&c->arena);
    mem_free(c);
    http_unref(h);
}

void call_uncount(struct call *c)
{
    if (c->in_flight) {
        atomic_fetch_sub(c->in_flight, 1);
        c->in_flight = NULL;
    }
}

bool call_suspend(struct call *c)
{
    if (c->gone || c->cut || atomic_load(&c->http->cut)) {
        return false;
    }
    c->suspended = true;
    MHD_suspend_connection(c->conn->mhd);
    return true;
}

void call_resume(struct call *c)
{
    if (c->suspended) {
        c->suspended = false;
        MHD_resume_connection(c->conn->mhd);
    }
}

/* Ends MHD's copy of the request target behind its '?': kube/ reads the query itself, and MHD would
 * keep a record per argument until its memory is full, and then wait for ever. The text is in MHD's
 * read buffer, which it changes itself right after this. */
static void hide_query(const char *uri)
{
    char *q = uri ? strchr(uri, '?') : NULL;
    if (q) {
        q[1] = '\0';
    }
}

void *call_new(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct http *h = cls;
    struct call *c = mem_new(struct call);
    c->http = h;
    c->conn = conn_of(mhd);
    c->stripe = &h->stripes[((uintptr_t)c >> 6) % STRIPES];
    atomic_init(&c->refs, 1);
    arena_init(&c->arena, 0);
    buf_init(&c->body, h->max_body);
    c->uri = arena_str(&c->arena, str_of(uri));
    hide_query(uri);
    atomic_fetch_add(&h->refs, 1);
    return c;
}

static enum kube_method parse_method(const char *z)
{
    static const struct {
        const char *name;
        enum kube_method method;
    } METHODS[] = {{"GET", KUBE_GET},     {"HEAD", KUBE_HEAD},   {"POST", KUBE_POST},
                   {"PUT", KUBE_PUT},     {"PATCH", KUBE_PATCH}, {"DELETE", KUBE_DELETE}};
    for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++) {
        if (strcmp(METHODS[i].name, z) == 0) {
            return METHODS[i].method;
        }
    }
    return KUBE_OTHER;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct call_headers *h = cls;
    struct arena *a = &h->call->arena;
    *h->at++ = (struct kube_header){arena_str(a, (struct str){name, name_len}),
                                    arena_str(a, (struct str){value, value_len})};
    return MHD_YES;
}

static bool is_header(const struct kube_header *h, const char *name)
{
    return h->name.len == strlen(name) && strncasecmp(h->name.ptr, name, h->name.len) == 0;
}

static struct str find_header(const struct kube_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (is_header(&r->headers[i], name)) {
            return r->headers[i].value;
        }
    }
    return STR_NULL;
}

static struct str random_uuid(struct arena *a)
{
    unsigned char b[16] = {0};
    (void)!getrandom(b, sizeof(b), 0); /* an id to find log lines by, not a secret */
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return arena_printf(a,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}

/* Copies the head out of MHD's memory: kube/ may keep it longer than the connection lives. */
static void take_head(struct call *c, struct MHD_Connection *mhd, const char *method)
{
    struct arena *a = &c->arena;
    struct kube_request *r = &c->req;
    int n = MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, NULL, NULL);
    struct kube_header *headers = arena_array(a, struct kube_header, (size_t)n + 1);
    struct call_headers to = {c, headers};
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, take_header, &to);
    r->headers = headers;
    r->n_headers = (size_t)n;
    c->audit_id = find_header(r, "Audit-Id");
    if (!c->audit_id.len) { /* kube/ sees the one that the answer will carry */
        c->audit_id = random_uuid(a);
        headers[r->n_headers++] = (struct kube_header){STR("Audit-Id"), c->audit_id};
    }
    ptrdiff_t q = str_find_byte(c->uri, '?');
    r->arena = a;
    r->method = parse_method(method);
    r->path = q < 0 ? c->uri : str_sub(c->uri, 0, (size_t)q);
    r->query = q < 0 ? STR_NULL : str_sub(c->uri, (size_t)q + 1, c->uri.len);
    r->peer_der = arena_str(a, conn_peer(c->conn));
    r->peer_address = arena_str(a, str_of(c->conn->address));
}

static struct kube_response *too_large(struct call *c)
{
    atomic_fetch_add(&c->http->count.too_large, 1);
    struct str m = arena_printf(&c->arena, "Request entity too large: limit is %zu",
                                c->http->max_body);
    struct kube_response *r = answer_status(c, 413, "RequestEntityTooLarge", m.ptr);
    r->close_connection = true;
    return r;
}

static struct kube_response *too_many(struct call *c)
{
    atomic_fetch_add(&c->http->count.too_many, 1);
    return answer_status(c, 429, "TooManyRequests",
                         "Too many requests, please try again later.");
}

/* First call: only here an answer can be given before the body. */
static enum MHD_Result begin(struct call *c, struct MHD_Connection *mhd, const char *method)
{
    c->has_head = true;
    c->start_ns = clock_mono_ns();
    conn_until(c->conn, c->start_ns + c->http->body_ns);
    take_head(c, mhd, method);
    int64_t length = 0;
    struct str sent = find_header(&c->req, "Content-Length");
    if (str_to_int64(sent, &length) && length > (int64_t)c->http->max_body) {
        c->too_large = true;
        /* Answering while the client still sends may lose the answer to a reset, so bodies that
         * are a bit too large are read first, unless the client waits for permission. */
        bool waits = find_header(&c->req, "Expect").len > 0;
        if (waits || length > (int64_t)c->http->max_body * DISCARD_FACTOR) {
            return answer_queue(c, too_large(c));
        }
    }
    return MHD_YES;
}

static enum MHD_Result take_body(struct call *c, const char *bytes, size_t *len)
{
    struct http *h = c->http;
    atomic_fetch_add(&h->count.bytes_in, *len);
    if (!c->too_large && !c->over_budget) {
        c->too_large = c->body.len + *len > h->max_body;
        c->uploaded += *len;
        c->over_budget =
            atomic_fetch_add(&h->count.upload_bytes, (int64_t)*len) + (int64_t)*len > UPLOAD_BYTES;
        if (!c->too_large && !c->over_budget) {
            buf_add(&c->body, bytes, *len);
        }
    }
    if (c->too_large || c->over_budget) {
        buf_done(&c->body);
        c->discarded += *len;
    }
    *len = 0;
    return c->discarded > h->max_body * DISCARD_FACTOR ? MHD_NO : MHD_YES;
}

static void done(void *ctx, struct kube_response *resp)
{
    struct call *c = ctx;
    if (!resp) { /* what went on behind the answer has ended */
        call_unref(c);
        return;
    }
    bool running = resp->running;
    pthread_mutex_lock(c->stripe);
    bool late = c->cut;
    if (!late) {
        c->resp = resp;
        c->answered = true;
        call_resume(c);
    }
    pthread_mutex_unlock(c->stripe);
    if (late && resp->stream) { /* the listener answered in our place */
        resp->stream->close(resp->stream);
    }
    if (!running) {
        call_unref(c);
    }
}

static bool count_in(struct call *c)
{
    struct http_counters *n = &c->http->count;
    bool read = c->req.method == KUBE_GET || c->req.method == KUBE_HEAD;
    int limit = read ? LIMIT_IN_FLIGHT_READS : LIMIT_IN_FLIGHT_WRITES;
    c->in_flight = read ? &n->reads : &n->writes;
    if (atomic_fetch_add(c->in_flight, 1) < limit) {
        return true;
    }
    call_uncount(c);
    return false;
}

/* Queues the answer when there is one, else suspends until there is. */
static enum MHD_Result proceed(struct call *c)
{
    pthread_mutex_lock(c->stripe);
    bool cut = !c->answered && !call_suspend(c);
    c->cut = c->cut || cut;
    struct kube_response *resp = c->answered ? c->resp : NULL;
    pthread_mutex_unlock(c->stripe);
    if (cut) {
        resp = answer_status(c, 503, "ServiceUnavailable", "the server is shutting down");
        resp->close_connection = true;
    }
    return resp ? answer_queue(c, resp) : MHD_YES;
}

static enum MHD_Result call_run(struct call *c)
{
    struct http *h = c->http;
    conn_until(c->conn, 0);
    atomic_fetch_add(&h->count.requests, 1);
    if (c->too_large) {
        return answer_queue(c, too_large(c));
    }
    if (c->over_budget || !count_in(c)) {
        return answer_queue(c, too_many(c));
    }
    c->req.body = buf_str(&c->body);
    c->req.deadline_ns = clock_mono_ns() + h->request_ns;
    conn_set_call(c->conn, c);
    call_ref(c);
    kube_serve(h->kube, &c->req, done, c);
    return proceed(c);
}

enum MHD_Result call_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                            const char *method, const char *version, const char *upload,
                            size_t *upload_len, void **con_cls)
{
    struct call *c = *con_cls;
    if (!c->has_head) {
        return begin(c, mhd, method);
    }
    if (*upload_len) {
        return take_body(c, upload, upload_len);
    }
    return c->conn->call == c ? proceed(c) : call_run(c);
}

/* The request is over for MHD: answered and sent, or the connection broke. */
void call_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                    enum MHD_RequestTerminationCode code)
{
    struct call *c = *con_cls;
    if (!c) {
        return;
    }
    *con_cls = NULL;
    struct http *h = c->http;
    conn_set_call(c->conn, NULL);
    bool crowd = atomic_load(&h->count.connections) > CROWD;
    conn_until(c->conn, clock_mono_ns() + h->idle_ns / (crowd ? CROWD_FACTOR : 1));
    call_uncount(c);
    atomic_fetch_sub(&h->count.upload_bytes, (int64_t)c->uploaded);
    pthread_mutex_lock(c->stripe);
    /* From here on done finds nobody to answer; an answer that was never queued ends here. */
    c->cut = true;
    struct kube_stream *unsent = c->answered && !c->stream ? c->resp->stream : NULL;
    pthread_mutex_unlock(c->stripe);
    if (unsent) {
        unsent->close(unsent);
    }
    call_unref(c);
}
