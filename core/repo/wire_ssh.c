/* SPDX-License-Identifier: Apache-2.0
 *
 * ssh:// over libssh2: key from memory, the server's key must stand in the known_hosts text that
 * came with the credential. The session never blocks: each call that would is repeated after a
 * wait with the deadline.
 */
#include <libssh2.h>
#include <poll.h>

#include "net/sock.h"
#include "repo/wire.h"

struct wire_ssh {
    struct wire base;
    struct net_sock *sock;
    LIBSSH2_SESSION *session;
    LIBSSH2_CHANNEL *channel;
};

static pthread_once_t ssh_once = PTHREAD_ONCE_INIT;

static void ssh_start(void)
{
    libssh2_init(0);
}

static int ssh_fail(struct wire_ssh *w, enum err_kind kind, const char *what, struct err *err)
{
    char *text = NULL;
    libssh2_session_last_error(w->session, &text, NULL, 0);
    return err_set(err, kind, "%s: %s", what, text && *text ? text : "unknown ssh error");
}

/* Waits for what the session waits for. */
static int ssh_wait(struct wire_ssh *w, struct err *err)
{
    int directions = libssh2_session_block_directions(w->session);
    short events = (short)((directions & LIBSSH2_SESSION_BLOCK_INBOUND ? POLLIN : 0) |
                           (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND ? POLLOUT : 0));
    return net_sock_wait(w->sock, events ? events : POLLIN, w->base.deadline_ns, err);
}

/* Repeats a libssh2 call until it is done; rc gets its result. -1 only past the deadline. */
#define SSH_CALL(w, rc, call, err)                                                                 \
    ({                                                                                             \
        int late_ = 0;                                                                             \
        while (((rc) = (call)) == LIBSSH2_ERROR_EAGAIN && !(late_ = ssh_wait((w), (err)))) {       \
        }                                                                                          \
        late_;                                                                                     \
    })

static int on_read(struct wire *base, void *bytes, size_t cap, size_t *out_n, struct err *err)
{
    struct wire_ssh *w = (struct wire_ssh *)base;
    ssize_t n;
    if (SSH_CALL(w, n, libssh2_channel_read(w->channel, bytes, cap), err)) {
        return -1;
    }
    if (n < 0) {
        return ssh_fail(w, ERR_UNAVAILABLE, "broken pipe: cannot read from the server", err);
    }
    *out_n = (size_t)n;
    return 0;
}

static int on_write(struct wire *base, const void *bytes, size_t n, struct err *err)
{
    struct wire_ssh *w = (struct wire_ssh *)base;
    const char *at = bytes;
    while (n) {
        ssize_t sent;
        if (SSH_CALL(w, sent, libssh2_channel_write(w->channel, at, n), err)) {
            return -1;
        }
        if (sent < 0) {
            return ssh_fail(w, ERR_UNAVAILABLE, "broken pipe: cannot write to the server", err);
        }
        at += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static void on_close(struct wire *base)
{
    struct wire_ssh *w = (struct wire_ssh *)base;
    /* No goodbye: it could block, and the server sees the connection end. */
    if (w->channel) {
        libssh2_channel_free(w->channel);
    }
    if (w->session) {
        libssh2_session_free(w->session);
    }
    net_sock_close(w->sock);
    mem_free(w);
}

static const struct wire_ops OPS = {on_read, on_write, on_close};

static int load_hosts(LIBSSH2_KNOWNHOSTS *hosts, struct str text, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str rest = text.len ? text : STR_NULL, line;
    while (str_split(&rest, '\n', &line)) {
        /* A copy that ends with NUL: the reader looks at the byte behind the line. */
        line = arena_str(&a, str_trim(line, " \t\r"));
        if (line.len && line.ptr[0] != '#' &&
            libssh2_knownhost_readline(hosts, line.ptr, line.len,
                                       LIBSSH2_KNOWNHOST_FILE_OPENSSH)) {
            return err_set(err, ERR_INVALID, "cannot read the known_hosts line \"%.*s\"",
                           STR_ARG(line));
        }
    }
    return 0;
}

static int check_host(struct wire_ssh *w, const struct repo *r, struct err *err)
{
    size_t len = 0;
    int type = 0;
    const char *key = libssh2_session_hostkey(w->session, &len, &type);
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(w->session);
    if (!key || !hosts) {
        return ssh_fail(w, ERR_UNAVAILABLE, "cannot check the host key", err);
    }
    int rc = load_hosts(hosts, r->remote.credential.known_hosts, err);
    if (!rc) {
        struct libssh2_knownhost *found = NULL;
        int verdict = libssh2_knownhost_checkp(
            hosts, r->url.host.ptr, r->url.port, key, len,
            LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW, &found);
        if (verdict == LIBSSH2_KNOWNHOST_CHECK_MISMATCH) {
            rc = err_set(err, ERR_UNAVAILABLE, "host key of %.*s differs from known_hosts",
                         STR_ARG(r->url.host));
        } else if (verdict != LIBSSH2_KNOWNHOST_CHECK_MATCH) {
            rc = err_set(err, ERR_UNAVAILABLE, "host key of %.*s is unknown: not in known_hosts",
                         STR_ARG(r->url.host));
        }
    }
    libssh2_knownhost_free(hosts);
    return rc;
}

/* Asks for host keys of the types that known_hosts has, as ssh does: else a server with several
 * keys could answer with one that is not listed. */
static void prefer_listed_keys(struct wire_ssh *w, struct str known_hosts)
{
    static const char *const TYPES[] = {"ssh-ed25519", "ecdsa-sha2-nistp256",
                                        "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"};
    AUTO_BUF wanted = BUF_INIT;
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(*TYPES); i++) {
        if (str_find(known_hosts, str_of(TYPES[i])) >= 0) {
            const char *name = i == 4 ? "rsa-sha2-512,rsa-sha2-256,ssh-rsa" : TYPES[i];
            buf_printf(&wanted, "%s%s", wanted.len ? "," : "", name);
        }
    }
    if (wanted.len) {
        libssh2_session_method_pref(w->session, LIBSSH2_METHOD_HOSTKEY, wanted.ptr);
    }
}

static int login(struct wire_ssh *w, const struct repo *r, struct err *err)
{
    const struct repo_credential *c = &r->remote.credential;
    struct str user = r->url.user.len ? r->url.user : c->username.len ? c->username : STR("git");
    int rc;
    if (c->type == REPO_BASIC) {
        if (SSH_CALL(w, rc,
                     libssh2_userauth_password_ex(w->session, user.ptr, (unsigned)user.len,
                                                  c->password.ptr, (unsigned)c->password.len, NULL),
                     err)) {
            return -1;
        }
    } else if (c->type == REPO_SSH_KEY) {
        if (SSH_CALL(w, rc,
                     libssh2_userauth_publickey_frommemory(
                         w->session, user.ptr, user.len, NULL, 0, c->private_key.ptr,
                         c->private_key.len, c->passphrase.len ? c->passphrase.ptr : NULL),
                     err)) {
            return -1;
        }
    } else {
        return err_set(err, ERR_UNAUTHORIZED, "authentication required");
    }
    return rc ? ssh_fail(w, ERR_UNAUTHORIZED, "authentication failed", err) : 0;
}

/* Single quotes around the path for the server's shell, as git does. */
static void add_quoted(struct buf *out, struct str path)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '\'' || path.ptr[i] == '!') {
            buf_printf(out, "'\\%c'", path.ptr[i]);
        } else {
            buf_addc(out, path.ptr[i]);
        }
    }
    buf_addc(out, '\'');
}

static int start_service(struct wire_ssh *w, const struct repo *r, struct err *err)
{
    AUTO_BUF command = BUF_INIT;
    buf_printf(&command, "%s ", wire_service_name(w->base.service));
    add_quoted(&command, r->url.path);
    int rc = 0;
    while (!(w->channel = libssh2_channel_open_session(w->session)) &&
           libssh2_session_last_errno(w->session) == LIBSSH2_ERROR_EAGAIN) {
        if (ssh_wait(w, err)) {
            return -1;
        }
    }
    if (!w->channel) {
        return ssh_fail(w, ERR_UNAVAILABLE, "cannot open an ssh channel", err);
    }
    if (SSH_CALL(w, rc, libssh2_channel_exec(w->channel, command.ptr), err)) {
        return -1;
    }
    return rc ? ssh_fail(w, ERR_UNAVAILABLE, "cannot start the git service", err) : 0;
}

int wire_ssh_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
                  struct wire **out, struct err *err)
{
    pthread_once(&ssh_once, ssh_start);
    struct wire_ssh *w = mem_new(struct wire_ssh);
    w->base = (struct wire){&OPS, service, deadline_ns, false};
    int rc = net_sock_open(r->url.host.ptr, r->url.port, deadline_ns, &r->cancel, &w->sock, err);
    if (!rc) {
        w->session = libssh2_session_init();
        libssh2_session_set_blocking(w->session, 0);
        prefer_listed_keys(w, r->remote.credential.known_hosts);
        int code = 0;
        rc = SSH_CALL(w, code, libssh2_session_handshake(w->session, net_sock_fd(w->sock)), err);
        rc = rc     ? rc
             : code ? ssh_fail(w, ERR_UNAVAILABLE, "ssh handshake failed", err)
                    : check_host(w, r, err);
    }
    if (rc || login(w, r, err) || start_service(w, r, err)) {
        on_close(&w->base);
        return -1;
    }
    *out = &w->base;
    return 0;
}
