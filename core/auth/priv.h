/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share: the authority with its keys, verified certificates, and the
 * snapshot of RBAC objects that decisions are made from.
 *
 * Locks: auth.lock guards the certificate cache, auth.rules_lock the current snapshot. Neither is
 * held while the other is taken.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "auth/auth.h"
#include "base/mem.h"
#include "data/node.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"
#define TOKEN_KIND "tokens" /* of the store; no API serves it */
#define GROUP_ALL_USERS "system:authenticated"
#define GROUP_NOBODY "system:unauthenticated"
#define GROUP_MASTERS "system:masters"
#define USER_NOBODY "system:anonymous"
#define CERT_CACHE 256   /* identities of verified certificates; one slot per hash value */
#define HASH_BYTES 32    /* SHA-256 */

/* --- pki.c --- */

struct pki {
    X509 *ca;
    EVP_PKEY *ca_key;
    X509_STORE *trust; /* holds ca alone */
    struct buf ca_pem, server_cert_pem, server_key_pem;
};

/* Loads or makes <dir>/{ca,server}.{crt,key}. */
int pki_open(struct pki *p, const char *dir, const char *const *hosts, size_t n_hosts,
             struct err *err);
void pki_done(struct pki *p);

/* --- cert.c: making and reading certificates --- */

void cert_free(X509 **x);
void cert_key_free(EVP_PKEY **k);
#define AUTO_CERT __attribute__((cleanup(cert_free))) X509
#define AUTO_KEY __attribute__((cleanup(cert_key_free))) EVP_PKEY

struct cert_spec {
    struct str name;          /* CN */
    const struct str *groups; /* O */
    size_t n_groups;
    const char *const *hosts; /* subject alternative names */
    size_t n_hosts;
    int64_t seconds;          /* valid from a little before now */
    const char *usage;        /* "serverAuth", "clientAuth", NULL for an authority */
};

EVP_PKEY *cert_new_key(struct err *err);
/* issuer NULL: signed by its own key. */
X509 *cert_new(const struct cert_spec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
               struct err *err);
int cert_add_pem(struct buf *out, X509 *x, struct err *err);
int cert_key_add_pem(struct buf *out, EVP_PKEY *key, struct err *err);
/* True when the names of x are exactly these. */
bool cert_has_hosts(X509 *x, const char *const *hosts, size_t n_hosts);
/* err from OpenSSL's error queue: "cannot <what>: <cause>". -1. */
int cert_fail(struct err *err, const char *what);

/* --- who.c --- */

struct identity {
    unsigned char hash[HASH_BYTES]; /* of the certificate */
    int64_t from_s, until_s;        /* validity, seconds since 1970 */
    struct arena arena;
    struct user user;
};

void hash_bytes(struct str s, unsigned char out[HASH_BYTES]);
/* u's copy in a with system:authenticated added when it is missing. */
void user_copy(struct arena *a, const struct user *u, struct user *out);

/* --- token.c --- */

/* Checks a presented token; ERR_UNAUTHORIZED when it is not a valid one. */
int token_check(struct auth *a, struct str token, struct arena *arena, struct user *out,
                struct err *err);

/* --- rules.c: snapshot of the RBAC objects --- */

struct strs {
    const struct str *at;
    size_t n;
};

struct rule {
    struct strs verbs, groups, resources, names, urls;
    struct str json;
};

struct role {
    struct str name;
    const struct node *labels;    /* for aggregation */
    const struct node *selectors; /* aggregationRule.clusterRoleSelectors or NULL */
    const struct rule **rules;
    size_t n_rules;
    struct rule *own;
    size_t n_own;
    bool visited; /* while rules are collected */
    struct role *next;
};

/* One binding as seen from one subject. */
struct grant {
    struct str binding, ns; /* ns "" = everywhere */
    const struct role *role;
    struct str role_kind, subject_kind;
    struct grant *next; /* of the same subject */
};

/* Immutable once made, but for refs and rv (under auth.rules_lock). */
struct rules {
    atomic_int refs;
    int64_t rv; /* no RBAC object changed between its reading and this number */
    struct arena arena;
    struct map *grants;     /* "u:NAME" and "g:NAME" to struct grant */
    struct role *first_cluster;
    struct map *roles;      /* "ns/name"; cluster roles "/name" */
};

/* The snapshot of the newest state; release with rules_unref. NULL: err. */
struct rules *rules_get(struct auth *a, struct err *err);
void rules_unref(struct rules *r);
/* Strings of a JSON list. */
struct strs strs_parse(struct arena *a, const struct node *list);
bool strs_has(struct strs s, struct str item);
void rule_parse(struct arena *a, const struct node *n, struct rule *out);

struct auth {
    struct pki pki;
    struct store *store;
    pthread_mutex_t lock;
    struct identity *certs[CERT_CACHE];
    pthread_mutex_t rules_lock;
    struct rules *rules;
};
