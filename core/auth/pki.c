/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's own authority: which certificates exist, where their files are, and when the
 * server's is made anew. The authority is never replaced silently: every kubeconfig trusts it.
 */
#include "auth/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/log.h"

#define DAY_S 86400LL
#define CA_SECONDS (10 * 365 * DAY_S)
#define SERVER_SECONDS (820 * DAY_S) /* some clients refuse server certificates above 825 days */
#define RENEW_DAYS 90                /* a server may run for long without a restart */
#define FILE_MAX_BYTES (256 * 1024)

struct file {
    const char *dir, *name;
};

static int dir_open(const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make '%s': %s", dir, strerror(errno));
    }
    int fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open '%s': %s", dir, strerror(errno));
    }
    return fd;
}

static bool write_all(int fd, struct str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.ptr, s.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        s = n > 0 ? str_sub(s, (size_t)n, s.len) : s;
    }
    return true;
}

/* A reader sees the old content or the new one, also after power loss. */
static int file_save(struct file f, struct str content, struct err *err)
{
    int dir = dir_open(f.dir, err);
    if (dir < 0) {
        return -1;
    }
    char tmp[64];
    snprintf(tmp, sizeof(tmp), ".%s.new", f.name);
    int fd = openat(dir, tmp, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, content) && fsync(fd) == 0;
    int cause = errno;
    if (fd >= 0 && close(fd) != 0) {
        ok = false;
        cause = errno;
    }
    if (ok && (renameat(dir, tmp, dir, f.name) != 0 || fsync(dir) != 0)) {
        ok = false;
        cause = errno;
    }
    if (!ok) {
        err_set(err, ERR_UNAVAILABLE, "cannot write '%s/%s': %s", f.dir, f.name, strerror(cause));
        unlinkat(dir, tmp, 0);
    }
    close(dir);
    return ok ? 0 : -1;
}

/* 1 = read, 0 = there is none, -1 = error. */
static int file_load(struct file f, struct buf *out, struct err *err)
{
    int dir = dir_open(f.dir, err);
    if (dir < 0) {
        return -1;
    }
    int fd = openat(dir, f.name, O_RDONLY | O_CLOEXEC);
    int cause = errno;
    close(dir);
    if (fd < 0) {
        return cause == ENOENT ? 0
                               : err_set(err, ERR_UNAVAILABLE, "cannot read '%s/%s': %s", f.dir,
                                         f.name, strerror(cause));
    }
    buf_init(out, FILE_MAX_BYTES);
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof(part))) > 0) {
        buf_add(out, part, (size_t)n);
    }
    cause = errno;
    close(fd);
    if (n < 0 || out->overflow) {
        return err_set(err, ERR_UNAVAILABLE, "cannot read '%s/%s': %s", f.dir, f.name,
                       n < 0 ? strerror(cause) : "file too large");
    }
    return 1;
}

/* Reads a certificate and its key; both stay NULL when the files do not exist. */
static int pair_load(const char *dir, const char *cert_name, const char *key_name, X509 **out_cert,
                     EVP_PKEY **out_key, struct err *err)
{
    AUTO_BUF cert = BUF_INIT;
    AUTO_BUF key = BUF_INIT;
    int has_cert = file_load((struct file){dir, cert_name}, &cert, err);
    int has_key = has_cert < 0 ? -1 : file_load((struct file){dir, key_name}, &key, err);
    if (has_key < 0 || (!has_cert && !has_key)) {
        return has_key;
    }
    if (!has_cert || !has_key) {
        return err_set(err, ERR_INVALID, "cannot use '%s': '%s' is there but '%s' is missing", dir,
                       has_cert ? cert_name : key_name, has_cert ? key_name : cert_name);
    }
    BIO *bio = BIO_new_mem_buf(cert.ptr, (int)cert.len);
    AUTO_CERT *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    bio = BIO_new_mem_buf(key.ptr, (int)key.len);
    AUTO_KEY *k = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    bool match = x && k && X509_check_private_key(x, k) == 1;
    ERR_clear_error();
    if (!match) {
        return err_set(err, ERR_INVALID, "cannot use '%s/%s' and '%s/%s': %s", dir, cert_name, dir,
                       key_name, !x   ? "not a certificate"
                                 : !k ? "not a private key"
                                      : "they do not belong together");
    }
    *out_cert = TAKE(x);
    *out_key = TAKE(k);
    return 0;
}

/* The key goes first: a crash between the two leaves no certificate that lacks its key. */
static int pair_save(const char *dir, const char *cert_name, const char *key_name,
                     const struct buf *cert, const struct buf *key, struct err *err)
{
    return file_save((struct file){dir, key_name}, buf_str(key), err) != 0
               ? -1
               : file_save((struct file){dir, cert_name}, buf_str(cert), err);
}

static int ca_make(struct pki *p, const char *dir, struct err *err)
{
    struct cert_spec spec = {.name = STR("lanai-ca"), .seconds = CA_SECONDS};
    AUTO_BUF key = BUF_INIT;
    AUTO_BUF cert = BUF_INIT;
    p->ca_key = cert_new_key(err);
    p->ca = p->ca_key ? cert_new(&spec, p->ca_key, NULL, NULL, err) : NULL;
    if (!p->ca || cert_key_add_pem(&key, p->ca_key, err) != 0 ||
        cert_add_pem(&cert, p->ca, err) != 0) {
        return -1;
    }
    return pair_save(dir, "ca.crt", "ca.key", &cert, &key, err);
}

static int ca_open(struct pki *p, const char *dir, struct err *err)
{
    if (pair_load(dir, "ca.crt", "ca.key", &p->ca, &p->ca_key, err) != 0 ||
        (!p->ca && ca_make(p, dir, err) != 0)) {
        return -1;
    }
    if (X509_cmp_current_time(X509_get0_notAfter(p->ca)) < 0) {
        return err_set(err, ERR_INVALID, "cannot use '%s/ca.crt': it has expired", dir);
    }
    if (X509_check_ca(p->ca) != 1) {
        return err_set(err, ERR_INVALID, "cannot use '%s/ca.crt': it is not an authority", dir);
    }
    p->trust = X509_STORE_new();
    if (!p->trust || X509_STORE_add_cert(p->trust, p->ca) != 1) {
        return cert_fail(err, "use the authority");
    }
    return cert_add_pem(&p->ca_pem, p->ca, err);
}

/* Why the server's certificate has to be made, or NULL when x will do. hosts NULL: any. */
static const char *server_reason(struct pki *p, X509 *x, const char *const *hosts, size_t n)
{
    time_t soon = time(NULL) + RENEW_DAYS * DAY_S;
    if (!x) {
        return "there was none";
    }
    if (X509_cmp_time(X509_get0_notAfter(x), &soon) < 0) {
        return "it expires";
    }
    if (X509_verify(x, p->ca_key) != 1) {
        ERR_clear_error();
        return "it is of another authority";
    }
    return !hosts || cert_has_hosts(x, hosts, n) ? NULL : "the host names changed";
}

static int server_open(struct pki *p, const char *dir, const char *const *hosts, size_t n,
                       bool keep_hosts, struct err *err)
{
    AUTO_CERT *x = NULL;
    AUTO_KEY *key = NULL;
    AUTO_ERR broken = ERR_INIT;
    if (pair_load(dir, "server.crt", "server.key", &x, &key, &broken) != 0 &&
        !err_is(&broken, ERR_INVALID)) {
        return err_move(err, &broken);
    }
    const char *reason =
        broken.kind ? "it was damaged" : server_reason(p, x, keep_hosts ? NULL : hosts, n);
    if (reason) {
        struct cert_spec spec = {.name = STR("lanai"), .hosts = hosts, .n_hosts = n,
                                 .seconds = SERVER_SECONDS, .usage = "serverAuth"};
        cert_free(&x);
        cert_key_free(&key);
        x = NULL;
        key = cert_new_key(err);
        x = key ? cert_new(&spec, key, p->ca, p->ca_key, err) : NULL;
        if (!x) {
            return -1;
        }
        log_debug("server certificate made", "reason", reason, NULL);
    }
    if (cert_add_pem(&p->server_cert_pem, x, err) != 0 ||
        cert_key_add_pem(&p->server_key_pem, key, err) != 0) {
        return -1;
    }
    return reason ? pair_save(dir, "server.crt", "server.key", &p->server_cert_pem,
                              &p->server_key_pem, err)
                  : 0;
}

static bool is_host(const char *host)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-.:*_";
    return *host && strlen(host) <= 253 && host[strspn(host, ALLOWED)] == '\0';
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

int pki_open(struct pki *p, const char *dir, const char *const *hosts, size_t n_hosts,
             struct err *err)
{
    static const char *const LOCAL[] = {"localhost", "127.0.0.1", "::1"};
    enum { N_LOCAL = sizeof(LOCAL) / sizeof(LOCAL[0]) };
    AUTO_MEM const char **all = mem_array(n_hosts + N_LOCAL, sizeof(*all));
    size_t n = 0;
    for (; n < N_LOCAL; n++) {
        all[n] = LOCAL[n];
    }
    for (size_t i = 0; i < n_hosts; i++) {
        if (!is_host(hosts[i])) {
            return err_set(err, ERR_INVALID, "'%s' is not a host name or address", hosts[i]);
        }
        if (!has_name(all, n, hosts[i])) {
            all[n++] = hosts[i];
        }
    }
    return ca_open(p, dir, err) != 0 ? -1 : server_open(p, dir, all, n, !hosts, err);
}

void pki_done(struct pki *p)
{
    X509_STORE_free(p->trust);
    X509_free(p->ca);
    EVP_PKEY_free(p->ca_key);
    buf_done(&p->ca_pem);
    buf_done(&p->server_cert_pem);
    buf_done(&p->server_key_pem);
}
