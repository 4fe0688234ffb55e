/* SPDX-License-Identifier: Apache-2.0
 *
 * The `lanai` program: one verb per file, dispatched by this table.
 */
#include <stdio.h>
#include <string.h>

#include "main/verbs.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} VERBS[] = {
    {"serve", verb_serve, "serve the API from a data directory"},
    {"kubeconfig", verb_kubeconfig, "issue a client certificate as a kubeconfig"},
    {"token", verb_token, "create, list and revoke bearer tokens"},
    {"workflow", verb_workflow, "list, explain and check workflows"},
    {"pkg", verb_pkg, "create, fetch, update and show packages in local directories"},
    {"fn", verb_fn, "run functions over packages; packages as resource lists"},
    {"fn-helper", verb_fn_helper, NULL},
    {"version", verb_version, "print the version"},
};
#define N_VERBS (sizeof(VERBS) / sizeof(VERBS[0]))

static void print_help(FILE *out)
{
    fputs("lanai: package orchestration server for KRM configuration packages\n\n"
          "Usage: lanai VERB [FLAG...]      (lanai VERB --help explains each)\n\n",
          out);
    for (size_t i = 0; i < N_VERBS; i++) {
        if (VERBS[i].help) {
            fprintf(out, "  %-12s %s\n", VERBS[i].name, VERBS[i].help);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    for (size_t i = 0; i < N_VERBS; i++) {
        if (strcmp(argv[1], VERBS[i].name) == 0) {
            return VERBS[i].run(argc - 2, argv + 2);
        }
    }
    fprintf(stderr, "lanai: unknown verb '%s'\n\n", argv[1]);
    print_help(stderr);
    return 2;
}
