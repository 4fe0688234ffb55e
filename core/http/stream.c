/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies that are made while they are sent: MHD's content reader on top of kube_stream. It runs on
 * the connection's listener thread only.
 */
#include "http/priv.h"

#include <sys/mman.h>
#include <unistd.h>

#define HTTP10_BLOCK 1024u /* used by MHD only where it cannot send chunks */

static void wake(void *ctx)
{
    struct call *c = ctx;
    pthread_mutex_lock(c->stripe);
    c->woken = true;
    call_resume(c);
    pthread_mutex_unlock(c->stripe);
}

/* MHD hands in all that is left of the connection's memory, and cleared it before. Its content is
 * ours to define, so an idle watch returns its pages. */
static void give_back(char *buf, size_t max)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)buf + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)buf + max) / page * page;
    if (from < to) {
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* only a saving */
    }
}

/* Nothing to send now. Returns false when there is a reason to read again at once. */
static bool rest(struct call *c, char *buf, size_t max)
{
    struct kube_stream *s = c->stream;
    if (s->watch && c->dirty > WATCH_BLOCK) {
        give_back(buf, max);
        c->dirty = 0;
    }
    conn_until(c->conn, s->watch ? 0 : c->start_ns + c->http->request_ns);
    conn_poll(c->conn);
    int64_t next_ns = s->next_ns;
    pthread_mutex_lock(c->stripe);
    bool again = c->woken || (c->ending && s->watch) ||
                 (next_ns && clock_mono_ns() >= next_ns) || !call_suspend(c);
    pthread_mutex_unlock(c->stripe);
    return !again;
}

static void sent(struct call *c, size_t n)
{
    int64_t now = clock_mono_ns();
    int64_t until = now + c->http->stall_ns;
    int64_t end = c->start_ns + c->http->request_ns;
    conn_until(c->conn, c->stream->watch || until < end ? until : end);
    c->dirty = n > c->dirty ? n : c->dirty;
    atomic_fetch_add_explicit(&c->http->count.bytes_out, n, memory_order_relaxed);
}

static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct call *c = cls;
    struct kube_stream *s = c->stream;
    for (;;) {
        pthread_mutex_lock(c->stripe);
        c->woken = false;
        bool broken = c->gone || c->cut || atomic_load(&c->http->cut);
        bool ending = c->ending && s->watch;
        pthread_mutex_unlock(c->stripe);
        if (broken) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        ssize_t n = s->read(s, buf, max);
        if (n > 0) {
            sent(c, (size_t)n);
            return n;
        }
        if (n == -1 || (n == 0 && ending)) {
            return MHD_CONTENT_READER_END_OF_STREAM;
        }
        if (n < 0) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        if (rest(c, buf, max)) {
            return 0;
        }
    }
}

/* MHD destroys the response when it was sent or the connection ended: once, whatever happened. */
static void free_stream(void *cls)
{
    struct call *c = cls;
    c->stream->close(c->stream);
    atomic_fetch_sub(&c->http->count.streams, 1);
    call_unref(c);
}

struct MHD_Response *stream_response(struct call *c, struct kube_stream *s)
{
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP10_BLOCK, read_stream, c,
                                          free_stream);
    if (!r) {
        return NULL;
    }
    s->wake = wake;
    s->wake_ctx = c;
    pthread_mutex_lock(c->stripe);
    c->stream = s;
    c->ending = atomic_load(&c->http->closing);
    pthread_mutex_unlock(c->stripe);
    c->dirty = POOL_BYTES; /* MHD has cleared, thus touched, all of it */
    call_ref(c);
    atomic_fetch_add(&c->http->count.streams, 1);
    if (s->watch) {
        call_uncount(c);
    }
    return r;
}
