/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sends a request (kube-wire §17.2): a certificate of our authority, then a bearer token, then
 * nobody. What is presented and not valid is refused, never treated as nobody.
 */
#include "auth/priv.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#define MAX_GROUPS 256

void hash_bytes(struct str s, unsigned char out[HASH_BYTES])
{
    SHA256((const unsigned char *)(s.ptr ? s.ptr : ""), s.len, out);
}

void user_copy(struct arena *a, const struct user *u, struct user *out)
{
    struct str *groups = arena_array(a, struct str, u->n_groups + 1);
    bool has = false;
    for (size_t i = 0; i < u->n_groups; i++) {
        groups[i] = arena_str(a, u->groups[i]);
        has = has || str_eqz(groups[i], GROUP_ALL_USERS);
    }
    if (!has) {
        groups[u->n_groups] = STR(GROUP_ALL_USERS);
    }
    *out = (struct user){.name = arena_str(a, u->name), .uid = arena_str(a, u->uid),
                         .groups = groups, .n_groups = u->n_groups + !has};
}

static int refuse(struct err *err)
{
    return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
}

/* --- certificates --- */

static bool is_trusted(struct pki *p, X509 *x)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = ctx && X509_STORE_CTX_init(ctx, p->trust, x, NULL) == 1 &&
              X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1 &&
              X509_verify_cert(ctx) == 1 &&
              /* OpenSSL lets a certificate that names no purpose serve every one; we do not. */
              (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) &&
              (X509_get_extended_key_usage(x) & XKU_SSL_CLIENT) && X509_check_ca(x) == 0;
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static struct str entry_text(struct arena *a, X509_NAME *name, int at)
{
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    struct str s = n > 0 ? arena_str(a, (struct str){(char *)utf8, (size_t)n}) : STR_NULL;
    OPENSSL_free(utf8);
    return s;
}

static void read_subject(struct arena *a, X509 *x, struct user *out)
{
    X509_NAME *name = X509_get_subject_name(x);
    struct str *groups = arena_array(a, struct str, MAX_GROUPS);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    *out = (struct user){.groups = groups};
    out->name = at < 0 ? STR_NULL : entry_text(a, name, at);
    at = -1;
    while (out->n_groups < MAX_GROUPS &&
           (at = X509_NAME_get_index_by_NID(name, NID_organizationName, at)) >= 0) {
        groups[out->n_groups++] = entry_text(a, name, at);
    }
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm;
    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static struct identity *identity_new(struct auth *a, struct str der, const unsigned char *hash)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    AUTO_CERT *x = d2i_X509(NULL, &at, (long)der.len);
    if (!x || !is_trusted(&a->pki, x)) {
        ERR_clear_error();
        return NULL;
    }
    struct identity *id = mem_new(struct identity);
    memcpy(id->hash, hash, HASH_BYTES);
    id->from_s = seconds_of(X509_get0_notBefore(x));
    id->until_s = seconds_of(X509_get0_notAfter(x));
    read_subject(&id->arena, x, &id->user);
    return id;
}

static void identity_free(struct identity *id)
{
    if (id) {
        arena_done(&id->arena);
        mem_free(id);
    }
}

static bool is_current(const struct identity *id)
{
    int64_t now = (int64_t)time(NULL);
    return id->user.name.len && now >= id->from_s && now <= id->until_s;
}

/* A signature check costs more than a small request, so verified identities are kept. */
static bool find_identity(struct auth *a, struct identity **slot, const unsigned char *hash,
                          struct arena *arena, struct user *out)
{
    pthread_mutex_lock(&a->lock);
    struct identity *id = *slot;
    bool found = id && memcmp(id->hash, hash, HASH_BYTES) == 0 && is_current(id);
    if (found) {
        user_copy(arena, &id->user, out);
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

static bool who_cert(struct auth *a, struct str der, struct arena *arena, struct user *out)
{
    unsigned char hash[HASH_BYTES];
    hash_bytes(der, hash);
    struct identity **slot = &a->certs[hash[0] % CERT_CACHE];
    if (find_identity(a, slot, hash, arena, out)) {
        return true;
    }
    struct identity *id = identity_new(a, der, hash);
    if (!id || !is_current(id)) {
        identity_free(id);
        return false;
    }
    user_copy(arena, &id->user, out);
    pthread_mutex_lock(&a->lock);
    struct identity *old = *slot;
    *slot = id;
    pthread_mutex_unlock(&a->lock);
    identity_free(old);
    return true;
}

/* --- all together --- */

/* The token of `Bearer TOKEN`; other schemes are nobody's concern here. */
static bool bearer_of(struct str authorization, struct str *out)
{
    struct str rest = str_trim(authorization, " \t");
    if (rest.len < 7 || strncasecmp(rest.ptr, "Bearer ", 7) != 0) {
        return false;
    }
    *out = str_trim(str_sub(rest, 7, rest.len), " ");
    return out->len > 0;
}

int auth_who(struct auth *a, struct str peer_der, struct str authorization, struct arena *arena,
             struct user *out, struct err *err)
{
    static const struct str NOBODY_GROUPS[] = {{GROUP_NOBODY, sizeof(GROUP_NOBODY) - 1}};
    struct str token;
    if (peer_der.len && who_cert(a, peer_der, arena, out)) {
        return 0;
    }
    if (bearer_of(authorization, &token)) {
        return token_check(a, token, arena, out, err);
    }
    if (peer_der.len) {
        return refuse(err);
    }
    *out = (struct user){.name = STR(USER_NOBODY), .groups = NOBODY_GROUPS, .n_groups = 1,
                         .anonymous = true};
    return 0;
}
