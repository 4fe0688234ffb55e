/* ROOM: kube
 * SPDX-License-Identifier: Apache-2.0
 *
 * Requests as they may come from anybody who is let in: `METHOD path?query\nName: value\n…\n\nbody`.
 * Every request gets exactly one answer with a known status, JSON answers are JSON, and a stream
 * ends or waits.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "data/node.h"
#include "engine/engine.h"
#include "kube/kube.h"

#define MAX_HEADERS 32
#define WAIT_S 60

static struct {
    struct kube *kube;
    struct str bearer;
    struct arena arena;
} world;

struct exchange {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct kube_response *resp;
    int answers;
    bool ended;
};

static void on_done(void *ctx, struct kube_response *resp)
{
    struct exchange *x = ctx;
    pthread_mutex_lock(&x->lock);
    if (resp) {
        x->resp = resp;
        x->answers++;
    }
    x->ended = !resp || !resp->running;
    pthread_cond_broadcast(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

static void on_wake(void *ctx)
{
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char dir[] = "/tmp/lanai-fuzz-XXXXXX";
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF id = BUF_INIT;
    AUTO_BUF token = BUF_INIT;
    must(mkdtemp(dir) != NULL, "no directory");
    log_setup(LOG_ERROR, LOG_TEXT);
    struct store_config store_config = {.dir = dir};
    struct store *store = NULL;
    struct auth *auth = NULL;
    struct engine *engine = NULL;
    struct str pki = arena_printf(&world.arena, "%s/pki", dir), masters = STR("system:masters");
    must(store_open(&store_config, &store, &err) == 0 &&
             auth_open(pki.ptr, store, NULL, 0, &auth, &err) == 0 && auth_seed(auth, &err) == 0 &&
             auth_token_create(auth, STR("fuzz"), &masters, 1, 0, &id, &token, &err) == 0,
         "store or auth");
    world.bearer = arena_printf(&world.arena, "Bearer %s", token.ptr);
    struct engine_config engine_config = {.store = store, .dir = dir, .workers = 1};
    must(engine_new(&engine_config, &engine, &err) == 0 && engine_start(engine, &err) == 0,
         "engine");
    struct kube_config config = {.store = store, .engine = engine, .auth = auth};
    must(kube_new(&config, &world.kube, &err) == 0, "kube");
    return 0;
}

static enum kube_method method_of(struct str s)
{
    static const char *const NAMES[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (int i = 0; i < 6; i++) {
        if (str_eqz(s, NAMES[i])) {
            return (enum kube_method)i;
        }
    }
    return KUBE_OTHER;
}

static void take_head(struct kube_request *req, struct str head, struct kube_header *list)
{
    struct str line, method;
    (void)str_split(&head, '\n', &line);
    (void)str_split(&line, ' ', &method);
    req->method = method_of(method);
    ptrdiff_t q = str_find_byte(line, '?');
    req->path = q < 0 ? line : str_sub(line, 0, (size_t)q);
    req->query = q < 0 ? STR("") : str_sub(line, (size_t)q + 1, line.len);
    req->headers = list;
    while (head.ptr && req->n_headers < MAX_HEADERS && str_split(&head, '\n', &line)) {
        ptrdiff_t colon = str_find_byte(line, ':');
        if (colon > 0 && memchr(line.ptr, 0, line.len) == NULL) {
            list[req->n_headers++] = (struct kube_header){
                str_sub(line, 0, (size_t)colon),
                str_trim(str_sub(line, (size_t)colon + 1, line.len), " ")};
        }
    }
    list[req->n_headers++] = (struct kube_header){STR("Authorization"), world.bearer};
}

static void drain(struct kube_stream *s)
{
    char block[4096];
    s->wake = on_wake;
    for (int i = 0; i < 64 && s->read(s, block, sizeof(block)) > 0; i++) {
    }
    s->close(s);
}

static void check(struct arena *a, const struct kube_response *r)
{
    must(r->status >= 200 && r->status < 600, "status");
    for (size_t i = 0; i < r->n_headers; i++) {
        struct str v = r->headers[i].value;
        must(!v.len || (!memchr(v.ptr, '\n', v.len) && !memchr(v.ptr, '\r', v.len)),
             "line break in a header");
        if (str_eqz(r->headers[i].name, "Content-Type") && str_eqz(v, "application/json") &&
            !r->stream && r->body.len) {
            AUTO_ERR err = ERR_INIT;
            must(json_parse(a, r->body, NULL, &err) != NULL, "answer is not JSON");
        }
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    AUTO_ARENA a = ARENA_INIT;
    struct kube_header list[MAX_HEADERS + 1];
    struct exchange x = {.resp = NULL};
    struct str input = arena_str(&a, (struct str){(const char *)data, size}), head = input;
    ptrdiff_t end = str_find(input, STR("\n\n"));
    struct kube_request req = {.arena = &a, .body = STR("")};
    if (end >= 0) {
        head = str_sub(input, 0, (size_t)end);
        req.body = str_sub(input, (size_t)end + 2, input.len);
    }
    take_head(&req, head, list);
    req.deadline_ns = clock_mono_ns() + WAIT_S * NS_PER_S;
    pthread_mutex_init(&x.lock, NULL);
    thread_cond_init(&x.changed);
    kube_serve(world.kube, &req, on_done, &x);
    pthread_mutex_lock(&x.lock);
    int64_t until = clock_mono_ns() + WAIT_S * NS_PER_S; /* the request may shorten its own */
    while (!x.ended && thread_cond_wait_until(&x.changed, &x.lock, until)) {
    }
    pthread_mutex_unlock(&x.lock);
    must(x.answers == 1, "not one answer");
    check(&a, x.resp);
    if (x.resp->stream) {
        drain(x.resp->stream);
    }
    pthread_cond_destroy(&x.changed);
    pthread_mutex_destroy(&x.lock);
    return 0;
}
