/* SPDX-License-Identifier: Apache-2.0
 *
 * Floor of every read: a bare libmicrohttpd over TLS that answers each request with the bytes of
 * one file, nothing else. Same threading and certificate handling as the server: epoll pool of two
 * threads, a client certificate is asked for. Prints its port; ends when standard input does.
 *
 *   floor_tls CERT KEY CA FILE
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bytes {
    char *ptr;
    size_t len;
};

static struct bytes load(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct bytes b = {NULL, 0};
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t n;
    do {
        b.ptr = realloc(b.ptr, b.len + 65536 + 1);
        n = b.ptr ? fread(b.ptr + b.len, 1, 65536, f) : 0;
        b.len += n;
    } while (n);
    fclose(f);
    b.ptr[b.len] = 0;
    return b;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **state)
{
    const struct bytes *b = ctx;
    static const char seen;
    if (!*state) {
        *state = (void *)&seen; /* first call: headers only */
        return MHD_YES;
    }
    struct MHD_Response *r =
        MHD_create_response_from_buffer(b->len, b->ptr, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", "application/json");
    enum MHD_Result rc = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: floor_tls CERT KEY CA FILE\n", stderr);
        return 2;
    }
    struct bytes cert = load(argv[1]), key = load(argv[2]), ca = load(argv[3]);
    struct bytes body = load(argv[4]);
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer, &body,
        MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_HTTPS_MEM_CERT,
        cert.ptr, MHD_OPTION_HTTPS_MEM_KEY, key.ptr, MHD_OPTION_HTTPS_MEM_TRUST, ca.ptr,
        MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
    if (!d) {
        fputs("floor_tls: cannot start\n", stderr);
        return 1;
    }
    printf("%d\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    MHD_stop_daemon(d);
    free(cert.ptr);
    free(key.ptr);
    free(ca.ptr);
    free(body.ptr);
    return 0;
}
