/* SPDX-License-Identifier: Apache-2.0
 *
 * From a Repository object, or the URL of an upstream, to a mirror: its Secret is read at each
 * opening, so a rotated secret takes effect without a restart (porch-api-repository.md §3).
 */
#include "data/base64.h"
#include "engine/priv.h"
#include "krm/name.h"

static struct str secret_value(struct arena *a, const struct node *secret, const char *key)
{
    struct str out = STR_NULL;
    struct str text = node_text(node_getz(node_getz(secret, "data"), key));
    return text.ptr && base64_parse(a, text, &out) ? out : STR_NULL;
}

/* Fills c from a Secret by its type. */
static int from_secret(struct arena *a, const struct node *secret, struct repo_credential *c,
                       struct err *err)
{
    struct str type = node_text_at(secret, "type");
    if (str_eqz(type, "kubernetes.io/basic-auth")) {
        c->type = REPO_BASIC;
        c->username = secret_value(a, secret, "username");
        c->password = secret_value(a, secret, "password");
        return 0;
    }
    if (str_eqz(type, "kubernetes.io/ssh-auth")) {
        struct str user = secret_value(a, secret, "username");
        c->type = REPO_SSH_KEY;
        c->username = user.len ? user : STR("git");
        c->private_key = secret_value(a, secret, "ssh-privatekey");
        c->passphrase = secret_value(a, secret, "passphrase");
        c->known_hosts = secret_value(a, secret, "known_hosts");
        return 0;
    }
    if (str_eqz(type, "Opaque")) {
        c->type = REPO_BEARER;
        c->token = secret_value(a, secret, "bearerToken");
        return c->token.len ? 0
                            : err_set(err, ERR_INTERNAL,
                                      "bearer Token secret.Data key must be set as bearerToken");
    }
    return err_set(err, ERR_INTERNAL, "no resolver for secret with type %.*s", STR_ARG(type));
}

/* noun: what Porch calls a Secret that is not there, different for a registered repository
 * ("secrets") and an upstream ("Secret"). */
static int resolve(struct engine *e, struct arena *a, struct str ns, struct str secret_name,
                   const char *noun, struct repo_credential *c, struct err *err)
{
    struct engine_row secret;
    if (engine_row_get(e, "secrets", ns, secret_name, a, &secret, err) < 0) {
        if (err_is(err, ERR_NOT_FOUND)) {
            err_set(err, ERR_NOT_FOUND, "%s \"%.*s\" not found", noun, STR_ARG(secret_name));
        }
        err_wrap(err, "cannot resolve credentials in a secret %.*s/%.*s", STR_ARG(ns),
                 STR_ARG(secret_name));
    } else if (from_secret(a, secret.object, c, err) == 0) {
        return 0;
    } else {
        err_wrap(err, "error resolving credential");
    }
    err_wrap(err, "failed to obtain credential from secret %.*s/%.*s", STR_ARG(ns),
             STR_ARG(secret_name));
    return err_wrap(err, "failed to obtain git credentials");
}

/* The namespace's own trust store, Secret `<namespace>-ca-bundle`, key ca.crt; optional. */
static struct str ca_bundle(struct engine *e, struct arena *a, struct str ns)
{
    AUTO_ERR ignored = ERR_INIT; /* the bundle is optional */
    struct engine_row secret;
    struct str name = arena_printf(a, "%.*s-ca-bundle", STR_ARG(ns));
    if (engine_row_get(e, "secrets", ns, name, a, &secret, &ignored) < 0) {
        return STR("");
    }
    return secret_value(a, secret.object, "ca.crt");
}

/* True when a Repository of the namespace has this URL. */
static int is_registered(struct engine *e, struct arena *a, struct str ns, struct str url,
                         struct err *err)
{
    struct store_query q = {.kind = STR(KIND_REPOSITORIES), .ns = ns};
    int64_t rv;
    struct store_list *l = store_list_open(e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got, found = 0;
    while (!found && (got = store_list_next(l, &row, err)) > 0) {
        const struct node *o = json_parse(a, row.json, NULL, err);
        found = !o ? -1 : str_eq(node_text_at(o, "spec.git.repo"), url);
    }
    store_list_close(l);
    return found ? found : got;
}

/* Whoever may clone must not read repositories of this machine that nobody registered. */
static int check_upstream_url(struct engine *e, struct arena *a, struct str ns, struct str url,
                              struct err *err)
{
    bool local = str_has_prefix(url, STR("/")) || str_has_prefix(url, STR("file:"));
    int allowed = local ? is_registered(e, a, ns, url, err) : 1;
    return allowed == 0 ? err_set(err, ERR_FORBIDDEN,
                                  "repository on the server's disk is not registered: %.*s",
                                  STR_ARG(url))
                        : (allowed < 0 ? -1 : 0);
}

int engine_open_upstream(struct engine *e, struct str ns, const struct host_upstream *u,
                         int64_t deadline_ns, struct repo **out, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct repo_remote remote = {
        .ns = ns,
        .url = u->url,
        .branch = u->ref,
        .any_branch = true,
        .directory = u->directory,
        .ca_bundle = ca_bundle(e, &a, ns),
    };
    struct repo_state state;
    struct repo *repo = NULL;
    if (check_upstream_url(e, &a, ns, u->url, err) < 0) {
        return -1;
    }
    if ((u->secret.len && resolve(e, &a, ns, u->secret, "Secret", &remote.credential, err) < 0) ||
        repo_open(e->pool, &remote, &repo, err) < 0) {
        return repo_fetch_failed(&remote, err);
    }
    if (repo_fetch(repo, deadline_ns, &state, err) < 0) {
        repo_unref(repo);
        return -1;
    }
    *out = repo;
    return 0;
}

/* A branch becomes part of object names, so it has to be like one (porch-api.md §3.2). */
static int check_branch(struct arena *a, const struct repo_remote *remote, struct err *err)
{
    struct krm_name_faults faults = krm_name_check_path(remote->branch);
    if (!faults.n) {
        return 0;
    }
    return err_set(err, ERR_INTERNAL,
                   "error cloning git repository %.*s, branch name \"%.*s\" invalid: %.*s",
                   STR_ARG(remote->url), STR_ARG(remote->branch),
                   STR_ARG(krm_name_faults_text(a, &faults, ",")));
}

int engine_remote_get(struct engine *e, struct arena *a, struct str ns, struct str repository,
                      struct repo_remote *out, struct err *err)
{
    struct engine_repository facts;
    struct node *object;
    if (engine_repository_get(e, a, ns, repository, &facts, &object, err) < 0) {
        return -1;
    }
    struct str type = node_text_at(object, "spec.type");
    if (!str_eqz(type, "git")) {
        return err_set(err, ERR_INTERNAL, "repository type \"%.*s\" not supported",
                       STR_ARG(type));
    }
    struct repo_remote remote = {
        .ns = ns,
        .name = repository,
        .url = facts.url,
        .branch = facts.branch,
        .directory = facts.directory,
        .create_branch = node_bool_at(object, "spec.git.createBranch", false),
        .ca_bundle = ca_bundle(e, a, ns),
    };
    struct str secret = node_text_at(object, "spec.git.secretRef.name");
    if (check_branch(a, &remote, err) < 0) {
        return -1;
    }
    if (secret.len && resolve(e, a, ns, secret, "secrets", &remote.credential, err) < 0) {
        err->kind = ERR_INTERNAL; /* the repository's trouble, not the request's */
        return repo_fetch_failed(&remote, err);
    }
    *out = remote;
    return 0;
}

int engine_open_repo(struct engine *e, struct str ns, struct str repository, struct repo **out,
                     struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct repo_remote remote;
    if (engine_remote_get(e, &a, ns, repository, &remote, err) < 0) {
        return -1;
    }
    if (repo_open(e->pool, &remote, out, err) < 0) {
        err->kind = ERR_INTERNAL; /* a URL that is none */
        return repo_fetch_failed(&remote, err);
    }
    return 0;
}
