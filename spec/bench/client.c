/* SPDX-License-Identifier: Apache-2.0
 *
 * Measuring client: sends one kind of request over keep-alive TLS connections with a client
 * certificate and prints what it took as one line of JSON. `{n}` in path and body stands for the
 * request's number. Written so that the client is not what is measured: no parsing of bodies, one
 * write per request, one buffer per connection.
 *
 *   client --port P --ca F --cert F --key F [-X METHOD] [-H HEADER]... [-d BODYFILE]
 *          [-n COUNT] [-s FIRST] [-c CONNECTIONS] [-o FILE (last body)] [--watch] [--raw] PATH
 *
 * --watch: each request is on a connection of its own and ends with the first body bytes; "first"
 * is the time to the end of the headers. --raw: every time is printed, not only the summary.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 65536
#define CHUNK 65536

struct job {
    int port;
    const char *ca, *cert, *key, *method, *path, *out;
    char headers[4096];
    char *body;
    size_t body_len;
    int count, first, connections;
    bool watch, raw;
    SSL_CTX *tls;
};

struct sample {
    double us, head_us;
    int status;
    size_t bytes;
};

struct worker {
    const struct job *job;
    struct sample *samples; /* of all workers; this one fills from, from + step … */
    int from, step;
    SSL *ssl;
    char buf[CHUNK];
    size_t have, at;
    bool closing;
    FILE *out;
};

static void die(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char *read_file(const char *path, size_t *out_len)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        die(path);
    }
    char *text = NULL;
    size_t len = 0, n;
    do {
        text = realloc(text, len + CHUNK + 1);
        n = text ? fread(text + len, 1, CHUNK, f) : 0;
        len += n;
    } while (n);
    fclose(f);
    text[len] = 0;
    *out_len = len;
    return text;
}

static void drop(struct worker *w)
{
    if (w->ssl) {
        close(SSL_get_fd(w->ssl));
        SSL_free(w->ssl);
        w->ssl = NULL;
    }
}

static void dial(struct worker *w)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)w->job->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        die("cannot connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    w->ssl = SSL_new(w->job->tls);
    SSL_set_fd(w->ssl, fd);
    if (SSL_connect(w->ssl) != 1) {
        die("no TLS");
    }
    w->have = w->at = 0;
    w->closing = false;
}

/* Next byte of the answer, -1 at its end. */
static int next(struct worker *w)
{
    if (w->at == w->have) {
        int n = SSL_read(w->ssl, w->buf, sizeof(w->buf));
        if (n <= 0) {
            return -1;
        }
        w->have = (size_t)n;
        w->at = 0;
    }
    return (unsigned char)w->buf[w->at++];
}

static bool line(struct worker *w, char *out, size_t max)
{
    size_t n = 0;
    for (int c; (c = next(w)) >= 0;) {
        if (c == '\n') {
            out[n && out[n - 1] == '\r' ? n - 1 : n] = 0;
            return true;
        }
        if (n + 1 < max) {
            out[n++] = (char)c;
        }
    }
    return false;
}

static bool skip(struct worker *w, size_t n)
{
    while (n) {
        if (w->at == w->have) {
            int c = next(w);
            if (c < 0) {
                return false;
            }
            w->at--;
        }
        size_t step = w->have - w->at < n ? w->have - w->at : n;
        if (w->out) {
            fwrite(w->buf + w->at, 1, step, w->out);
        }
        w->at += step;
        n -= step;
    }
    return true;
}

static size_t read_chunks(struct worker *w, bool only_first)
{
    char text[256];
    size_t total = 0;
    while (line(w, text, sizeof(text))) {
        size_t n = strtoul(text, NULL, 16);
        if (only_first && n) {
            return n;
        }
        if (!skip(w, n) || !line(w, text, sizeof(text))) {
            break;
        }
        total += n;
        if (!n) {
            return total;
        }
    }
    w->closing = true;
    return total;
}

static void answer(struct worker *w, struct sample *s, double began)
{
    char text[HEAD_MAX];
    size_t length = 0;
    bool chunked = false;
    if (!line(w, text, sizeof(text)) || sscanf(text, "HTTP/1.1 %d", &s->status) != 1) {
        s->status = 0;
        w->closing = true;
        return;
    }
    while (line(w, text, sizeof(text)) && text[0]) {
        if (strncasecmp(text, "content-length:", 15) == 0) {
            length = strtoul(text + 15, NULL, 10);
        } else if (strncasecmp(text, "transfer-encoding: chunked", 26) == 0) {
            chunked = true;
        } else if (strncasecmp(text, "connection: close", 17) == 0) {
            w->closing = true;
        }
    }
    s->head_us = now_us() - began;
    if (chunked) {
        s->bytes = read_chunks(w, w->job->watch);
    } else {
        s->bytes = skip(w, length) ? length : 0;
    }
}

/* Appends text with {n} replaced; returns the new end. */
static size_t expand(char *out, size_t at, size_t max, const char *text, size_t len, int n)
{
    for (size_t i = 0; i < len && at + 16 < max;) {
        if (i + 3 <= len && memcmp(text + i, "{n}", 3) == 0) {
            at += (size_t)snprintf(out + at, max - at, "%d", n);
            i += 3;
        } else {
            out[at++] = text[i++];
        }
    }
    return at;
}

static void ask(struct worker *w, int i, char *request, size_t max)
{
    const struct job *j = w->job;
    size_t start = max / 2; /* the body is expanded first: its length goes before it */
    int n = j->first + i;
    size_t body = expand(request, start, max, j->body ? j->body : "", j->body_len, n) - start;
    size_t len = (size_t)snprintf(request, start, "%s ", j->method);
    len = expand(request, len, start, j->path, strlen(j->path), n);
    len += (size_t)snprintf(request + len, start - len,
                            " HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %zu\r\n\r\n",
                            j->headers, body);
    memmove(request + len, request + start, body);
    struct sample *s = &w->samples[i];
    if (w->ssl && (w->closing || j->watch)) {
        drop(w);
    }
    if (!w->ssl) {
        dial(w);
    }
    double began = now_us();
    if (SSL_write(w->ssl, request, (int)(len + body)) <= 0) {
        w->closing = true;
        return;
    }
    answer(w, s, began);
    s->us = now_us() - began;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    size_t max = 2 * (HEAD_MAX + 2 * w->job->body_len);
    char *request = malloc(max);
    for (int i = w->from; request && i < w->job->count; i += w->step) {
        if (w->job->out && i + w->step >= w->job->count) {
            w->out = fopen(w->job->out, "wb");
        }
        ask(w, i, request, max);
    }
    if (w->out) {
        fclose(w->out);
    }
    free(request);
    drop(w);
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->us, y = ((const struct sample *)b)->us;
    return (x > y) - (x < y);
}

static int by_head(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->head_us, y = ((const struct sample *)b)->head_us;
    return (x > y) - (x < y);
}

static double at(const struct sample *s, int n, double part, bool head)
{
    int i = (int)((double)(n - 1) * part + 0.5);
    return head ? s[i].head_us : s[i].us;
}

static void report(const struct job *j, struct sample *s, double seconds)
{
    size_t bytes = 0;
    int bad = 0, last = 0;
    for (int i = 0; i < j->count; i++) {
        bytes += s[i].bytes;
        if (s[i].status < 200 || s[i].status > 299) {
            bad++;
            last = s[i].status;
        }
        if (j->raw) {
            printf("%.1f %d\n", s[i].us, s[i].status);
        }
    }
    qsort(s, (size_t)j->count, sizeof(*s), by_head);
    double head50 = at(s, j->count, 0.5, true), head99 = at(s, j->count, 0.99, true);
    qsort(s, (size_t)j->count, sizeof(*s), by_time);
    printf("{\"n\":%d,\"bad\":%d,\"bad_status\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f,\"min_us\":%.1f,"
           "\"max_us\":%.1f,\"head50_us\":%.1f,\"head99_us\":%.1f,\"bytes\":%zu,\"seconds\":%.6f}\n",
           j->count, bad, last, at(s, j->count, 0.5, false), at(s, j->count, 0.99, false),
           s[0].us, s[j->count - 1].us, head50, head99, bytes, seconds);
}

static void parse(struct job *j, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        if (strcmp(flag, "--watch") == 0) {
            j->watch = true;
        } else if (strcmp(flag, "--raw") == 0) {
            j->raw = true;
        } else if (flag[0] != '-') {
            j->path = flag;
        } else if (i + 1 == argc) {
            die(flag);
        } else if (strcmp(flag, "--port") == 0) {
            j->port = (int)strtol(argv[++i], NULL, 10);
        } else if (strcmp(flag, "--ca") == 0) {
            j->ca = argv[++i];
        } else if (strcmp(flag, "--cert") == 0) {
            j->cert = argv[++i];
        } else if (strcmp(flag, "--key") == 0) {
            j->key = argv[++i];
        } else if (strcmp(flag, "-X") == 0) {
            j->method = argv[++i];
        } else if (strcmp(flag, "-H") == 0) {
            size_t n = strlen(j->headers);
            snprintf(j->headers + n, sizeof(j->headers) - n, "%s\r\n", argv[++i]);
        } else if (strcmp(flag, "-d") == 0) {
            j->body = read_file(argv[++i], &j->body_len);
        } else if (strcmp(flag, "-n") == 0) {
            j->count = (int)strtol(argv[++i], NULL, 10);
        } else if (strcmp(flag, "-s") == 0) {
            j->first = (int)strtol(argv[++i], NULL, 10);
        } else if (strcmp(flag, "-c") == 0) {
            j->connections = (int)strtol(argv[++i], NULL, 10);
        } else if (strcmp(flag, "-o") == 0) {
            j->out = argv[++i];
        } else {
            die(flag);
        }
    }
    if (!j->path || !j->port || !j->ca || j->count < 1 || j->connections < 1) {
        die("--port, --ca and PATH are needed");
    }
}

int main(int argc, char **argv)
{
    struct job j = {.method = "GET", .count = 1, .connections = 1};
    parse(&j, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    j.tls = SSL_CTX_new(TLS_client_method());
    if (!j.tls || SSL_CTX_load_verify_locations(j.tls, j.ca, NULL) != 1 ||
        (j.cert && SSL_CTX_use_certificate_chain_file(j.tls, j.cert) != 1) ||
        (j.key && SSL_CTX_use_PrivateKey_file(j.tls, j.key, SSL_FILETYPE_PEM) != 1)) {
        die("certificates");
    }
    SSL_CTX_set_verify(j.tls, SSL_VERIFY_PEER, NULL);
    struct sample *samples = calloc((size_t)j.count, sizeof(*samples));
    struct worker *workers = calloc((size_t)j.connections, sizeof(*workers));
    pthread_t *threads = calloc((size_t)j.connections, sizeof(*threads));
    if (!samples || !workers || !threads) {
        die("no memory");
    }
    for (int i = 0; i < j.connections; i++) {
        workers[i] = (struct worker){.job = &j, .samples = samples, .from = i,
                                     .step = j.connections};
        dial(&workers[i]);
    }
    double began = now_us();
    for (int i = 0; i < j.connections; i++) {
        if (pthread_create(&threads[i], NULL, work, &workers[i])) {
            die("no thread");
        }
    }
    for (int i = 0; i < j.connections; i++) {
        pthread_join(threads[i], NULL);
    }
    report(&j, samples, (now_us() - began) / 1e6);
    free(samples);
    free(workers);
    free(threads);
    free(j.body);
    SSL_CTX_free(j.tls);
    return 0;
}
