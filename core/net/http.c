/* SPDX-License-Identifier: Apache-2.0
 *
 * See http.h. The transfer runs on a multi handle of its own: read pumps it until bytes are there,
 * so a slow server is met by the deadline and not by a blocked thread. The multi handle keeps the
 * connection for the next request of the conversation.
 */
#include "net/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/priv.h"
#include "net/proxy.h"

#define CONNECT_MS 20000      /* longest wait for DNS, TCP and TLS together */
#define STALL_S 30            /* a transfer below one byte per second this long is dead */
#define HELD_BYTES (1 << 20)  /* answer bytes held before the server is made to wait */
#define MAX_REDIRECTS 5L

struct net_http {
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    char *username, *password, *token, *ca_bundle;
    enum net_auth auth;
    const struct net_cancel *cancel;
    struct buf held; /* answer bytes not yet read, from held_at on */
    size_t held_at;
    bool attached, done, paused, head_seen, proxied;
    CURLcode result;
    int64_t deadline_ns;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void net_curl_init(void)
{
    pthread_once(&curl_once, curl_start);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct net_http *h = ctx;
    if (h->held.len - h->held_at > HELD_BYTES) {
        h->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    h->head_seen = true;
    buf_add(&h->held, bytes, size * n);
    return size * n;
}

/* Adds the bundle's certificates to the system's trust of this one connection. */
static CURLcode on_ssl(CURL *easy, void *ssl_ctx, void *ctx)
{
    struct net_http *h = ctx;
    X509_STORE *trust = SSL_CTX_get_cert_store(ssl_ctx);
    BIO *pem = BIO_new_mem_buf(h->ca_bundle, -1);
    for (X509 *cert; (cert = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL;) {
        X509_STORE_add_cert(trust, cert);
        X509_free(cert);
    }
    BIO_free(pem);
    ERR_clear_error(); /* the reader ends with "no start line" */
    return CURLE_OK;
}

static char *copy(struct str s)
{
    return s.len ? mem_strndup(s.ptr, s.len) : NULL;
}

int net_http_new(const struct net_http_options *o, struct net_http **out, struct err *err)
{
    net_curl_init();
    struct net_http *h = mem_new(struct net_http);
    h->auth = o->auth;
    h->cancel = o->cancel;
    h->username = copy(o->username);
    h->password = copy(o->password);
    h->token = copy(o->token);
    h->ca_bundle = copy(o->ca_bundle);
    h->easy = curl_easy_init();
    h->multi = curl_multi_init();
    if (!h->easy || !h->multi) {
        net_http_free(h);
        return err_set(err, ERR_UNAVAILABLE, "cannot start an HTTP transfer");
    }
    *out = h;
    return 0;
}

static void detach(struct net_http *h)
{
    if (h->attached) {
        curl_multi_remove_handle(h->multi, h->easy);
        h->attached = false;
    }
    curl_slist_free_all(h->headers);
    h->headers = NULL;
}

void net_http_free(struct net_http *h)
{
    if (!h) {
        return;
    }
    if (h->easy) {
        detach(h);
        curl_easy_cleanup(h->easy);
    }
    if (h->multi) {
        curl_multi_cleanup(h->multi);
    }
    mem_free(h->username);
    mem_free(h->password);
    mem_free(h->token);
    mem_free(h->ca_bundle);
    buf_done(&h->held);
    mem_free(h);
}

static void set_identity(struct net_http *h)
{
    if (h->auth == NET_AUTH_BASIC) {
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(h->easy, CURLOPT_USERNAME, h->username ? h->username : "");
        curl_easy_setopt(h->easy, CURLOPT_PASSWORD, h->password ? h->password : "");
    } else if (h->auth == NET_AUTH_BEARER) {
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(h->easy, CURLOPT_XOAUTH2_BEARER, h->token ? h->token : "");
    }
    if (h->ca_bundle) {
        curl_easy_setopt(h->easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
        curl_easy_setopt(h->easy, CURLOPT_SSL_CTX_DATA, h);
    }
}

/* Asked per request; where redirects lead goes through the same proxy. */
static void set_proxy(struct net_http *h, const char *url)
{
    AUTO_ARENA a = ARENA_INIT;
    struct net_proxies proxies = net_proxies_get();
    struct str proxy = net_proxy_find(&a, &proxies, url);
    curl_easy_setopt(h->easy, CURLOPT_PROXY, proxy.ptr);
    curl_easy_setopt(h->easy, CURLOPT_NOPROXY, "");
    h->proxied = proxy.len > 0;
}

static void set_request(struct net_http *h, const struct net_http_request *q)
{
    CURL *e = h->easy;
    curl_easy_reset(e); /* keeps connections */
    h->error[0] = 0;
    curl_easy_setopt(e, CURLOPT_URL, q->url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set_proxy(h, q->url);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "git/2.0 (lanai/" LANAI_VERSION ")");
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->error);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    int left = clock_left_ms(h->deadline_ns, 0);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(left && left < CONNECT_MS ? left : CONNECT_MS));
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, q->follow && !q->post ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(e, CURLOPT_UNRESTRICTED_AUTH, 0L);
    set_identity(h);
    h->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; q->headers && q->headers[i]; i++) {
        h->headers = curl_slist_append(h->headers, q->headers[i]);
    }
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, h->headers);
    if (q->post) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.ptr ? q->body.ptr : "");
    }
}

/* As the peer, a Go program, words it. */
static int connect_failed(const char *target, long number, struct err *err)
{
    char why[128];
    snprintf(why, sizeof(why), "%s", strerrordesc_np((int)number));
    why[0] = (char)tolower((unsigned char)why[0]);
    return err_set(err, ERR_UNAVAILABLE, "dial tcp %s: connect: %s", target, why);
}

/* The words that callers and the repository's retry table look for. */
int net_curl_fail(CURL *easy, CURLcode code, const char *target, const char *detail,
                  struct err *err)
{
    const char *text = detail && *detail ? detail : curl_easy_strerror(code);
    long number = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT && target && number > 0 &&
        strerrordesc_np((int)number)) {
        return connect_failed(target, number, err);
    }
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_TIMEOUT, "deadline exceeded: %s", text);
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_UNAVAILABLE, "no such host: %s", text);
    case CURLE_COULDNT_CONNECT:
        return err_set(err, ERR_UNAVAILABLE, "connection refused or unreachable: %s", text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(err, ERR_UNAVAILABLE, "cannot verify the server's certificate: %s", text);
    case CURLE_SSL_CONNECT_ERROR:
        return err_set(err, ERR_UNAVAILABLE, "tls handshake failed: %s", text);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return err_set(err, ERR_UNAVAILABLE, "broken pipe: %s", text);
    default:
        return err_set(err, ERR_UNAVAILABLE, "%s", text);
    }
}

static int transfer_failed(struct net_http *h, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    CURLU *u = curl_url();
    const char *target = NULL;
    if (!h->proxied && u && !curl_url_set(u, CURLUPART_URL, net_http_url(h), 0)) {
        target = arena_printf(&a, "%s:%s", net_url_part(&a, u, CURLUPART_HOST).ptr,
                              net_url_part(&a, u, CURLUPART_PORT).ptr)
                     .ptr;
    }
    curl_url_cleanup(u);
    return net_curl_fail(h->easy, h->result, target, h->error, err);
}

/* Runs the transfer until it moved or the deadline is over. */
static int pump(struct net_http *h, struct err *err)
{
    int running = 0, left = 0;
    if (curl_multi_perform(h->multi, &running) != CURLM_OK) {
        return err_set(err, ERR_UNAVAILABLE, "cannot run the HTTP transfer");
    }
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left)) != NULL;) {
        if (m->msg == CURLMSG_DONE) {
            h->done = true;
            h->result = m->data.result;
        }
    }
    if (h->done && h->result != CURLE_OK) {
        return transfer_failed(h, err);
    }
    if (h->done || h->held.len > h->held_at) {
        return 0;
    }
    int wait = clock_left_ms(h->deadline_ns, STALL_S * 1000);
    if (wait == 0) {
        return err_set(err, ERR_TIMEOUT, "deadline exceeded while waiting for the server");
    }
    struct curl_waitfd stop = {.fd = h->cancel ? h->cancel->fd : -1, .events = CURL_WAIT_POLLIN};
    curl_multi_poll(h->multi, &stop, stop.fd >= 0, wait, NULL);
    return net_cancel_check(h->cancel, err);
}

int net_http_send(struct net_http *h, const struct net_http_request *q, int64_t deadline_ns,
                  int *out_status, struct err *err)
{
    detach(h);
    buf_clear(&h->held);
    h->held_at = 0;
    h->done = h->paused = h->head_seen = false;
    h->deadline_ns = deadline_ns;
    if (deadline_ns && clock_left_ms(deadline_ns, 0) == 0) {
        return err_set(err, ERR_TIMEOUT, "deadline exceeded before the request was sent");
    }
    set_request(h, q);
    if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK) {
        return err_set(err, ERR_UNAVAILABLE, "cannot start an HTTP transfer");
    }
    h->attached = true;
    while (!h->done && !h->head_seen) {
        if (pump(h, err)) {
            return -1;
        }
    }
    long status = 0;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    *out_status = (int)status;
    return 0;
}

int net_http_read(struct net_http *h, void *bytes, size_t cap, size_t *out_n, struct err *err)
{
    while (h->held_at == h->held.len && !h->done) {
        buf_clear(&h->held);
        h->held_at = 0;
        if (h->paused) {
            h->paused = false;
            curl_easy_pause(h->easy, CURLPAUSE_CONT);
        }
        if (pump(h, err)) {
            return -1;
        }
    }
    size_t n = h->held.len - h->held_at;
    n = n < cap ? n : cap;
    if (n) {
        memcpy(bytes, h->held.ptr + h->held_at, n);
    }
    h->held_at += n;
    *out_n = n;
    return 0;
}

const char *net_http_url(const struct net_http *h)
{
    char *url = NULL;
    curl_easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url ? url : "";
}

struct str net_url_part(struct arena *a, CURLU *u, CURLUPart part)
{
    char *text = NULL;
    struct str out = STR("");
    if (!curl_url_get(u, part, &text, CURLU_DEFAULT_PORT)) {
        out = arena_str(a, str_of(text));
    }
    curl_free(text);
    return out;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = NULL, *y = NULL;
    bool same = !curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) &&
                !curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) && strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

bool net_url_same_origin(const char *a, const char *b)
{
    CURLU *x = curl_url(), *y = curl_url();
    bool same = x && y && !curl_url_set(x, CURLUPART_URL, a, 0) &&
                !curl_url_set(y, CURLUPART_URL, b, 0) && same_part(x, y, CURLUPART_SCHEME) &&
                same_part(x, y, CURLUPART_HOST) && same_part(x, y, CURLUPART_PORT);
    curl_url_cleanup(x);
    curl_url_cleanup(y);
    return same;
}
