/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and reading single certificates: EC P-256 keys, random serial numbers, subject with any
 * number of groups. Which ones exist and where they are kept is pki.c's.
 */
#include "auth/priv.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define SKEW_S 86400 /* clocks run behind: a client's, or ours after it was set back */

void cert_free(X509 **x)
{
    X509_free(*x);
}

void cert_key_free(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

int cert_fail(struct err *err, const char *what)
{
    char cause[256] = "unknown cause";
    unsigned long code = ERR_get_error();
    if (code) {
        ERR_error_string_n(code, cause, sizeof(cause));
    }
    ERR_clear_error();
    return err_set(err, ERR_INTERNAL, "cannot %s: %s", what, cause);
}

EVP_PKEY *cert_new_key(struct err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (!key) {
        cert_fail(err, "make a key");
    }
    return key;
}

/* Added as plain UTF-8: the length limits of X.520 are shorter than valid user names. */
static bool add_name(X509_NAME *to, int nid, struct str value)
{
    X509_NAME_ENTRY *e = X509_NAME_ENTRY_create_by_NID(
        NULL, nid, V_ASN1_UTF8STRING, (const unsigned char *)value.ptr, (int)value.len);
    bool ok = e && X509_NAME_add_entry(to, e, -1, 0) == 1;
    X509_NAME_ENTRY_free(e);
    return ok;
}

static bool set_subject(X509 *x, const struct cert_spec *spec)
{
    X509_NAME *name = X509_get_subject_name(x);
    for (size_t i = 0; i < spec->n_groups; i++) {
        if (!add_name(name, NID_organizationName, spec->groups[i])) {
            return false;
        }
    }
    return add_name(name, NID_commonName, spec->name);
}

static bool set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    bool ok = n && BN_rand(n, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static GENERAL_NAME *new_host(const char *host)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
    if (g && ip) {
        GENERAL_NAME_set0_value(g, GEN_IPADD, ip);
        return g;
    }
    ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
    if (!g || !dns || ASN1_STRING_set(dns, host, -1) != 1) {
        ASN1_IA5STRING_free(dns);
        GENERAL_NAME_free(g);
        return NULL;
    }
    GENERAL_NAME_set0_value(g, GEN_DNS, dns);
    return g;
}

static bool add_hosts(X509 *x, const char *const *hosts, size_t n)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        GENERAL_NAME *g = new_host(hosts[i]);
        ok = g && sk_GENERAL_NAME_push(names, g) > 0;
        if (!ok) {
            GENERAL_NAME_free(g);
        }
    }
    ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool add_extensions(X509 *x, X509 *issuer, const struct cert_spec *spec)
{
    bool authority = !spec->usage;
    return add_extension(x, issuer, NID_basic_constraints,
                         authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           add_extension(x, issuer, NID_key_usage,
                         authority ? "critical,keyCertSign,cRLSign"
                                   : "critical,digitalSignature") &&
           add_extension(x, issuer, NID_subject_key_identifier, "hash") &&
           (!issuer || add_extension(x, issuer, NID_authority_key_identifier, "keyid:always")) &&
           (authority || add_extension(x, issuer, NID_ext_key_usage, spec->usage)) &&
           (!spec->n_hosts || add_hosts(x, spec->hosts, spec->n_hosts));
}

X509 *cert_new(const struct cert_spec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
               struct err *err)
{
    AUTO_CERT *x = X509_new();
    bool ok = x && X509_set_version(x, X509_VERSION_3) && set_serial(x) && set_subject(x, spec) &&
              X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x)) &&
              X509_gmtime_adj(X509_getm_notBefore(x), -SKEW_S) &&
              X509_time_adj_ex(X509_getm_notAfter(x), (int)(spec->seconds / 86400),
                               (long)(spec->seconds % 86400), NULL) &&
              X509_set_pubkey(x, key) && add_extensions(x, issuer, spec) &&
              X509_sign(x, issuer ? issuer_key : key, EVP_sha256()) > 0;
    if (!ok) {
        cert_fail(err, "make a certificate");
        return NULL;
    }
    return TAKE(x);
}

static int take_bio(struct buf *out, BIO *bio, bool ok, const char *what, struct err *err)
{
    char *text = NULL;
    long n = ok ? BIO_get_mem_data(bio, &text) : 0;
    if (n > 0) {
        buf_add(out, text, (size_t)n);
    }
    BIO_free(bio);
    return n > 0 ? 0 : cert_fail(err, what);
}

int cert_add_pem(struct buf *out, X509 *x, struct err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio && PEM_write_bio_X509(bio, x) == 1;
    return take_bio(out, bio, ok, "write a certificate", err);
}

int cert_key_add_pem(struct buf *out, EVP_PKEY *key, struct err *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    return take_bio(out, bio, ok, "write a key", err);
}

static bool has_host(X509 *x, const char *host)
{
    return X509_check_ip_asc(x, host, 0) == 1 ||
           X509_check_host(x, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

bool cert_has_hosts(X509 *x, const char *const *hosts, size_t n_hosts)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool same = names && (size_t)sk_GENERAL_NAME_num(names) == n_hosts;
    for (size_t i = 0; same && i < n_hosts; i++) {
        same = has_host(x, hosts[i]);
    }
    GENERAL_NAMES_free(names);
    return same;
}
