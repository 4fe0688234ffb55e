/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai token create|list|revoke`: through the running server's control socket, or on the store
 * itself when no server runs.
 */
#include <stdio.h>

#include "data/node.h"
#include "main/access.h"
#include "main/control.h"
#include "main/verbs.h"

static const char HELP[] =
    "Usage: lanai token create --user NAME [--group GROUP]... [--ttl DURATION] [--data DIR]\n"
    "       lanai token list [--data DIR]\n"
    "       lanai token revoke ID [--data DIR]\n\n"
    "Bearer tokens for `Authorization: Bearer`. The token is printed once; the server keeps only\n"
    "its hash. DURATION is like 90s, 12h or 30d; without it a token has no end.\n";

/* Asks the running server, or does it here. */
static struct node *ask(struct arena *a, const struct access_flags *f, const struct node *request,
                        struct err *err)
{
    struct node *out = control_ask(f->data, a, request, err);
    if (out || !err_is(err, ERR_UNAVAILABLE)) {
        return out;
    }
    err_drop(err); /* nobody runs: the store is free */
    struct store *store = NULL;
    struct auth *auth = NULL;
    struct store_config c = {.dir = f->data};
    struct str pki = arena_printf(a, "%s/pki", f->data);
    if (store_open(&c, &store, err) == 0 && auth_open(pki.ptr, store, NULL, 0, &auth, err) == 0) {
        out = control_run(auth, a, request, err);
    }
    auth_close(auth);
    store_close(store);
    return out;
}

static void print_tokens(const struct node *list)
{
    printf("%-18s %-24s %-22s %s\n", "ID", "USER", "CREATED", "EXPIRES");
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        const struct node *t = list->items[i];
        struct str expires = node_text_at(t, "expires");
        printf("%-18.*s %-24.*s %-22.*s %.*s\n", STR_ARG(node_text_at(t, "id")),
               STR_ARG(node_text_at(t, "user")), STR_ARG(node_text_at(t, "created")),
               STR_ARG(expires.len ? expires : STR("never")));
    }
}

static struct node *make_request(struct arena *a, const struct access_flags *f)
{
    const char *verb = f->n_words ? f->words[0] : "";
    struct node *r = node_map(a), *groups = node_list(a);
    node_set_strz(a, r, "verb", arena_printf(a, "token-%s", verb));
    if (strcmp(verb, "create") == 0 && f->user && f->n_words == 1) {
        for (size_t i = 0; i < f->n_groups; i++) {
            node_push(a, groups, node_str(a, f->groups[i]));
        }
        node_set_strz(a, r, "user", str_of(f->user));
        node_setz(a, r, "groups", groups);
        node_setz(a, r, "ttl", node_int(a, f->ttl_s));
        return r;
    }
    if (strcmp(verb, "revoke") == 0 && f->n_words == 2) {
        node_set_strz(a, r, "id", str_of(f->words[1]));
        return r;
    }
    return strcmp(verb, "list") == 0 && f->n_words == 1 ? r : NULL;
}

int verb_token(int argc, char **argv)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct access_flags f;
    int rc = access_parse(&a, "token", argc, argv, &f);
    if (rc == 0 && f.help) {
        fputs(HELP, stdout);
        return 0;
    }
    struct node *request = rc == 0 ? make_request(&a, &f) : NULL;
    if (!request) {
        fputs(HELP, stderr);
        return 2;
    }
    struct node *out = ask(&a, &f, request, &err);
    if (!out) {
        fprintf(stderr, "lanai token: %s\n", err.message);
        return 1;
    }
    struct str token = node_text_at(out, "token");
    if (token.ptr) {
        printf("%.*s\n", STR_ARG(token));
    } else if (node_getz(out, "tokens")) {
        print_tokens(node_getz(out, "tokens"));
    }
    return 0;
}
