/* SPDX-License-Identifier: Apache-2.0
 *
 * Encryption at rest of sealed objects: AES-256-GCM with a random nonce per value. The context
 * (kind, namespace, name, number) is authenticated, so a sealed value that was moved to another
 * row does not open. Layout: one version byte, nonce, tag, ciphertext.
 */
#include "store/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

enum { SEAL_VERSION = 1, NONCE_LEN = 12, TAG_LEN = 16, HEAD_LEN = 1 + NONCE_LEN + TAG_LEN };

static void cipher_end(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static int key_read(struct seal *seal, const char *path, bool *out_missing, struct err *err)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char bytes[sizeof(seal->key) + 1];
    *out_missing = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot open the sealing key '%s': %s", path,
                       strerror(errno));
    }
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n != (ssize_t)sizeof(seal->key)) {
        return err_set(err, ERR_INTERNAL, "cannot use the sealing key '%s': it must hold %zu bytes",
                       path, sizeof(seal->key));
    }
    memcpy(seal->key, bytes, sizeof(seal->key));
    explicit_bzero(bytes, sizeof(bytes));
    return 0;
}

/* Through a second name, so that a crash never leaves half a key under the real one. */
static int key_make(struct seal *seal, const char *path, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    const char *fresh = arena_printf(&a, "%s.new", path).ptr;
    if (RAND_bytes(seal->key, sizeof(seal->key)) != 1) {
        return err_set(err, ERR_INTERNAL, "cannot make the sealing key: no random bytes");
    }
    (void)unlink(fresh); /* left over from a crash, if at all */
    AUTO(close_fd) int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, seal->key, sizeof(seal->key)) != (ssize_t)sizeof(seal->key) ||
        fsync(fd) || rename(fresh, path)) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make the sealing key '%s': %s", path,
                       strerror(errno));
    }
    return 0;
}

int seal_load(struct seal *seal, const char *dir, bool may_create, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR why = ERR_INIT;
    const char *path = arena_printf(&a, "%s/seal.key", dir).ptr;
    bool missing;
    if (key_read(seal, path, &missing, &why) == 0) {
        return 0;
    }
    if (missing && may_create) {
        return key_make(seal, path, err);
    }
    return err_move(err, &why);
}

int seal_fingerprint(const struct seal *seal, char out[65], struct err *err)
{
    static const char domain[] = "lanai sealing key 1";
    unsigned char input[sizeof(domain) + sizeof(seal->key)], hash[32];
    unsigned int len;
    memcpy(input, domain, sizeof(domain));
    memcpy(input + sizeof(domain), seal->key, sizeof(seal->key));
    int ok = EVP_Digest(input, sizeof(input), hash, &len, EVP_sha256(), NULL);
    explicit_bzero(input, sizeof(input));
    if (ok != 1) {
        return err_set(err, ERR_INTERNAL, "cannot hash the sealing key");
    }
    for (size_t i = 0; i < sizeof(hash); i++) {
        out[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    out[64] = '\0';
    return 0;
}

void seal_context(struct buf *b, struct str kind, struct str ns, struct str name, int64_t rv,
                  char part)
{
    buf_clear(b);
    buf_add_str(b, kind);
    buf_addc(b, '\0');
    buf_add_str(b, ns);
    buf_addc(b, '\0');
    buf_add_str(b, name);
    buf_addc(b, '\0');
    buf_printf(b, "%lld", (long long)rv);
    buf_addc(b, part);
}

int seal_close(const struct seal *seal, struct str context, struct str plain, struct buf *out,
               struct err *err)
{
    AUTO(cipher_end) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    buf_clear(out);
    if (!buf_reserve(out, HEAD_LEN + plain.len)) {
        return err_set(err, ERR_TOO_LARGE, "cannot seal %zu bytes", plain.len);
    }
    unsigned char *head = (unsigned char *)out->ptr, *nonce = head + 1, *tag = nonce + NONCE_LEN;
    head[0] = SEAL_VERSION;
    if (!ctx || RAND_bytes(nonce, NONCE_LEN) != 1 ||
        EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key, nonce) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)context.ptr, (int)context.len) !=
            1 ||
        EVP_EncryptUpdate(ctx, head + HEAD_LEN, &n, (const unsigned char *)plain.ptr,
                          (int)plain.len) != 1 ||
        EVP_EncryptFinal_ex(ctx, head + HEAD_LEN + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) != 1) {
        return err_set(err, ERR_INTERNAL, "cannot seal an object");
    }
    out->len = HEAD_LEN + plain.len;
    return 0;
}

/* Appends the opened bytes to out. */
int seal_open(const struct seal *seal, struct str context, struct str sealed, struct buf *out,
              struct err *err)
{
    AUTO(cipher_end) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const unsigned char *head = (const unsigned char *)sealed.ptr;
    unsigned char tag[TAG_LEN];
    size_t len = sealed.len - HEAD_LEN;
    int n;
    if (sealed.len < HEAD_LEN || head[0] != SEAL_VERSION) {
        return err_set(err, ERR_INTERNAL, "cannot open a sealed object: unknown layout");
    }
    if (!buf_reserve(out, len)) {
        return err_set(err, ERR_TOO_LARGE, "cannot open %zu sealed bytes", len);
    }
    memcpy(tag, head + 1 + NONCE_LEN, TAG_LEN);
    unsigned char *plain = (unsigned char *)out->ptr + out->len;
    if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->key, head + 1) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)context.ptr, (int)context.len) !=
            1 ||
        EVP_DecryptUpdate(ctx, plain, &n, head + HEAD_LEN, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) != 1 ||
        EVP_DecryptFinal_ex(ctx, plain + n, &n) != 1) {
        return err_set(err, ERR_INTERNAL,
                       "cannot open a sealed object: wrong key or damaged bytes");
    }
    out->len += len;
    return 0;
}
