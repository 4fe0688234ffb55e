/* SPDX-License-Identifier: Apache-2.0
 *
 * Who (client certificates of our own CA, bearer tokens) and may (RBAC objects in the store).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/user.h"
#include "store/store.h"

struct auth;

/* dir: <data>/pki with ca.crt, ca.key, server.crt, server.key (made when missing, mode 0600).
 * hosts: names and addresses for the server certificate (besides localhost, 127.0.0.1, ::1); NULL
 * keeps those that it has. Threads may call everything but auth_close at any time. */
int auth_open(const char *dir, struct store *store, const char *const *hosts, size_t n_hosts,
              struct auth **out, struct err *err);
void auth_close(struct auth *a);
/* PEM for the TLS listener and for kubeconfigs. Borrowed. */
struct str auth_ca_pem(const struct auth *a);
struct str auth_server_cert_pem(const struct auth *a);
struct str auth_server_key_pem(const struct auth *a);

/* Issues a client certificate: CN = name, O = groups. Outputs PEM. */
int auth_issue(struct auth *a, struct str name, const struct str *groups, size_t n_groups, int days,
               struct buf *out_cert, struct buf *out_key, struct err *err);
/* A complete kubeconfig for that user at `server` ("https://127.0.0.1:7443"). */
int auth_kubeconfig(struct auth *a, struct str server, struct str name, const struct str *groups,
                    size_t n_groups, struct buf *out, struct err *err);

/* Identity of a request: certificate first, then `Authorization: Bearer`, then anonymous. A token
 * that is not known, an expired or foreign certificate without a token: ERR_UNAUTHORIZED as
 * kube-wire §17.2 and §18.4 say. Strings live in arena. */
int auth_who(struct auth *a, struct str peer_der, struct str authorization, struct arena *arena,
             struct user *out, struct err *err);
/* Whether RBAC allows it (system:masters: always; discovery, health, version, openapi by the
 * bootstrap roles). out_reason (may be NULL) gets a short reason in arena. */
bool auth_may(struct auth *a, const struct user *u, const struct user_action *act,
              struct arena *arena, struct str *out_reason);
/* Rules of a user in a namespace for SelfSubjectRulesReview: calls fn per PolicyRule JSON. */
int auth_rules(struct auth *a, const struct user *u, struct str ns, struct arena *arena,
               void (*fn)(void *ctx, struct str rule_json), void *ctx, struct err *err);

/* Tokens: only their SHA-256 is stored. out_token gets the secret once. ttl_s 0 = no end. */
int auth_token_create(struct auth *a, struct str name, const struct str *groups, size_t n_groups,
                      int64_t ttl_s, struct buf *out_id, struct buf *out_token, struct err *err);
int auth_token_list(struct auth *a, void (*fn)(void *ctx, struct str id, struct str user,
                    struct str created, struct str expires), void *ctx, struct err *err);
int auth_token_revoke(struct auth *a, struct str id, struct err *err);

/* Puts the shipped ClusterRoles and bindings (lanai-admin, lanai-author, lanai-approver,
 * lanai-reader) into an empty store. */
int auth_seed(struct auth *a, struct err *err);
