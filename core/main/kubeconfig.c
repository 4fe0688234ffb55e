/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai kubeconfig`: issues a client certificate for a user and its groups.
 */
#include <stdio.h>

#include "main/access.h"
#include "main/verbs.h"

static const char HELP[] =
    "Usage: lanai kubeconfig --user NAME [--group GROUP]... [--data DIR] [--server URL]\n\n"
    "Issues a client certificate of the server's own CA and prints a kubeconfig for it. The server\n"
    "need not run. Shipped groups: lanai-admin, lanai-author, lanai-approver, lanai-reader.\n\n"
    "  --user NAME    name of the user (certificate CN)\n"
    "  --group GROUP  group of the user (certificate O); may be given several times\n"
    "  --data DIR     data directory of the server (default ~/.local/share/lanai)\n"
    "  --server URL   URL in the kubeconfig (default: where the server listened last)\n";

/* Where the server listened last. */
static const char *last_address(struct arena *a, const char *data)
{
    char line[256];
    FILE *f = fopen(arena_printf(a, "%s/address", data).ptr, "re");
    const char *got = f ? fgets(line, sizeof(line), f) : NULL;
    if (f) {
        fclose(f);
    }
    return got ? arena_strz(a, str_trim(str_of(line), "\n ")) : "https://127.0.0.1:7443";
}

int verb_kubeconfig(int argc, char **argv)
{
    AUTO_ARENA a = ARENA_INIT;
    struct access_flags f;
    int rc = access_parse(&a, "kubeconfig", argc, argv, &f);
    if (rc == 0 && f.help) {
        fputs(HELP, stdout);
        return 0;
    }
    if (rc || !f.user || f.n_words) {
        fputs(HELP, stderr);
        return 2;
    }
    struct auth *auth = access_open(&a, &f, "kubeconfig");
    if (!auth) {
        return 1;
    }
    AUTO_BUF out = BUF_INIT;
    AUTO_ERR err = ERR_INIT;
    const char *server = f.server ? f.server : last_address(&a, f.data);
    rc = auth_kubeconfig(auth, str_of(server), str_of(f.user), f.groups, f.n_groups, &out, &err);
    auth_close(auth);
    if (rc < 0) {
        fprintf(stderr, "lanai kubeconfig: %s\n", err.message);
        return 1;
    }
    fputs(out.ptr, stdout);
    return 0;
}
