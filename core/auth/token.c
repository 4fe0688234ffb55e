/* SPDX-License-Identifier: Apache-2.0
 *
 * Bearer tokens `lanai-<id>.<secret>`. The store keeps one object per token with the SHA-256 of
 * the whole text; who reads the store cannot use it.
 */
#include "auth/priv.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/clock.h"

#define PREFIX "lanai-"
#define ID_BYTES 8
#define SECRET_BYTES 32
#define HEX_HASH (2 * HASH_BYTES)

struct token {
    struct str user, created, expires, hash; /* expires "" = never; hash in hex */
    struct strs groups;
};

static struct str hex(struct arena *a, const unsigned char *bytes, size_t n)
{
    static const char DIGITS[] = "0123456789abcdef";
    char *p = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        p[2 * i] = DIGITS[bytes[i] >> 4];
        p[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    return (struct str){p, 2 * n};
}

static struct str hash_hex(struct arena *a, struct str token)
{
    unsigned char hash[HASH_BYTES];
    hash_bytes(token, hash);
    return hex(a, hash, sizeof(hash));
}

static int parse(struct arena *a, struct str json, struct token *out, struct err *err)
{
    struct node *n = json_parse(a, json, NULL, err);
    if (!n) {
        return err_wrap(err, "damaged token in the store");
    }
    *out = (struct token){.user = node_text_at(n, "user"), .created = node_text_at(n, "created"),
                          .expires = node_text_at(n, "expires"), .hash = node_text_at(n, "hash"),
                          .groups = strs_parse(a, node_getz(n, "groups"))};
    return 0;
}

static struct str emit(struct arena *a, const struct token *t)
{
    struct node *n = node_map(a), *groups = node_list(a);
    for (size_t i = 0; i < t->groups.n; i++) {
        node_push(a, groups, node_str(a, t->groups.at[i]));
    }
    node_set_strz(a, n, "user", t->user);
    node_setz(a, n, "groups", groups);
    node_set_strz(a, n, "created", t->created);
    node_set_strz(a, n, "expires", t->expires);
    node_set_strz(a, n, "hash", t->hash);
    return json_emit_str(a, n);
}

static bool is_expired(const struct token *t)
{
    int64_t until = 0;
    return t->expires.len &&
           (!clock_parse_rfc3339(t->expires, &until) || clock_real_ns() >= until);
}

int token_check(struct auth *a, struct str token, struct arena *arena, struct user *out,
                struct err *err)
{
    AUTO_ARENA tmp = ARENA_INIT;
    struct store_object o;
    AUTO_ERR why = ERR_INIT;
    struct token t;
    ptrdiff_t dot = str_find_byte(token, '.');
    if (!str_has_prefix(token, STR(PREFIX)) || dot < 0) {
        return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
    }
    struct str id = str_sub(token, strlen(PREFIX), (size_t)dot);
    if (store_get(a->store, STR(TOKEN_KIND), STR(""), id, &tmp, &o, &why) != 0) {
        return err_is(&why, ERR_NOT_FOUND) ? err_set(err, ERR_UNAUTHORIZED, "Unauthorized")
                                           : err_move(err, &why);
    }
    if (parse(&tmp, o.json, &t, err) != 0) {
        return -1;
    }
    struct str hash = hash_hex(&tmp, token);
    if (t.hash.len != HEX_HASH || CRYPTO_memcmp(t.hash.ptr, hash.ptr, HEX_HASH) != 0 ||
        is_expired(&t)) {
        return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
    }
    struct user u = {.name = t.user, .groups = t.groups.at, .n_groups = t.groups.n};
    user_copy(arena, &u, out);
    return 0;
}

int auth_token_create(struct auth *a, struct str name, const struct str *groups, size_t n_groups,
                      int64_t ttl_s, struct buf *out_id, struct buf *out_token, struct err *err)
{
    AUTO_ARENA arena = ARENA_INIT;
    unsigned char id_bytes[ID_BYTES], secret[SECRET_BYTES];
    int64_t now = clock_real_ns();
    if (!name.len || !str_is_utf8(name)) {
        return err_set(err, ERR_INVALID, "a token needs a user name");
    }
    if (ttl_s < 0 || ttl_s > (INT64_MAX - now) / NS_PER_S) {
        return err_set(err, ERR_INVALID, "the lifetime of a token is out of range");
    }
    if (RAND_bytes(id_bytes, sizeof(id_bytes)) != 1 || RAND_bytes(secret, sizeof(secret)) != 1) {
        return cert_fail(err, "get random bytes");
    }
    struct str id = hex(&arena, id_bytes, sizeof(id_bytes));
    struct str text = arena_printf(&arena, PREFIX "%s.%s", id.ptr,
                                   hex(&arena, secret, sizeof(secret)).ptr);
    struct token t = {.user = name, .groups = {groups, n_groups},
                      .created = clock_rfc3339(&arena, now),
                      .expires = ttl_s ? clock_rfc3339(&arena, now + ttl_s * NS_PER_S) : STR(""),
                      .hash = hash_hex(&arena, text)};
    struct store_put p = {.kind = STR(TOKEN_KIND), .ns = STR(""), .name = id, .uid = id,
                          .json = emit(&arena, &t), .cells = STR("[]"), .data = STR("")};
    struct store_txn *txn = store_txn_new(&arena);
    store_txn_put(txn, &p);
    if (store_commit(a->store, txn, err) != 0) {
        return -1;
    }
    buf_add_str(out_id, id);
    buf_add_str(out_token, text);
    return 0;
}

int auth_token_list(struct auth *a, void (*fn)(void *ctx, struct str id, struct str user,
                    struct str created, struct str expires), void *ctx, struct err *err)
{
    struct store_query q = {.kind = STR(TOKEN_KIND)};
    int64_t rv;
    struct store_list *l = store_list_open(a->store, &q, &rv, err);
    struct store_object o;
    int more = l ? 0 : -1;
    while (l && (more = store_list_next(l, &o, err)) == 1) {
        AUTO_ARENA arena = ARENA_INIT;
        struct token t;
        if (parse(&arena, o.json, &t, err) != 0) {
            more = -1;
            break;
        }
        fn(ctx, o.name, t.user, t.created, t.expires);
    }
    store_list_close(l);
    return more;
}

int auth_token_revoke(struct auth *a, struct str id, struct err *err)
{
    AUTO_ARENA arena = ARENA_INIT;
    struct store_put p = {.kind = STR(TOKEN_KIND), .ns = STR(""), .name = id, .uid = id,
                          .expect_rv = -1, .json = STR("{}"), .cells = STR("[]"),
                          .data = STR("")};
    struct store_txn *txn = store_txn_new(&arena);
    store_txn_del(txn, &p);
    AUTO_ERR why = ERR_INIT;
    if (store_commit(a->store, txn, &why) == 0) {
        return 0;
    }
    return err_is(&why, ERR_NOT_FOUND)
               ? err_set(err, ERR_NOT_FOUND, "token '%.*s' not found", STR_ARG(id))
               : err_move(err, &why);
}
