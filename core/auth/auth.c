/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing the room, and client certificates for new users.
 */
#include "auth/auth.h"

#include "auth/priv.h"

#define MAX_DAYS 36500

int auth_open(const char *dir, struct store *store, const char *const *hosts, size_t n_hosts,
              struct auth **out, struct err *err)
{
    struct auth *a = mem_new(struct auth);
    a->store = store;
    pthread_mutex_init(&a->lock, NULL);
    pthread_mutex_init(&a->rules_lock, NULL);
    if (pki_open(&a->pki, dir, hosts, n_hosts, err) != 0) {
        auth_close(a);
        return -1;
    }
    *out = a;
    return 0;
}

void auth_close(struct auth *a)
{
    if (!a) {
        return;
    }
    for (size_t i = 0; i < CERT_CACHE; i++) {
        if (a->certs[i]) {
            arena_done(&a->certs[i]->arena);
            mem_free(a->certs[i]);
        }
    }
    rules_unref(a->rules);
    pki_done(&a->pki);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->rules_lock);
    mem_free(a);
}

struct str auth_ca_pem(const struct auth *a)
{
    return buf_str(&a->pki.ca_pem);
}

struct str auth_server_cert_pem(const struct auth *a)
{
    return buf_str(&a->pki.server_cert_pem);
}

struct str auth_server_key_pem(const struct auth *a)
{
    return buf_str(&a->pki.server_key_pem);
}

int auth_issue(struct auth *a, struct str name, const struct str *groups, size_t n_groups, int days,
               struct buf *out_cert, struct buf *out_key, struct err *err)
{
    if (!name.len || !str_is_utf8(name)) {
        return err_set(err, ERR_INVALID, "a user needs a name");
    }
    if (days < 1 || days > MAX_DAYS) {
        return err_set(err, ERR_INVALID, "a certificate is valid for 1 to %d days", MAX_DAYS);
    }
    struct cert_spec spec = {.name = name, .groups = groups, .n_groups = n_groups,
                             .seconds = days * 86400LL, .usage = "clientAuth"};
    AUTO_KEY *key = cert_new_key(err);
    AUTO_CERT *x = key ? cert_new(&spec, key, a->pki.ca, a->pki.ca_key, err) : NULL;
    return x && cert_add_pem(out_cert, x, err) == 0 && cert_key_add_pem(out_key, key, err) == 0
               ? 0
               : -1;
}
