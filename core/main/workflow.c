/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai workflow list|which|help|check`: what would run for which verb, and is a file sound?
 */
#include <stdio.h>

#include "host/host.h"
#include "main/verbs.h"

static const char HELP[] =
    "Usage: lanai workflow list|which VERB|help NAME|check [--workflows DIR]...\n\n"
    "  list          every workflow with its version, verbs and file\n"
    "  which VERB    the file that runs for a verb such as PackageRevision/approve, or by name\n"
    "  help NAME     the header comment of a workflow\n"
    "  check         compiles and checks everything; exit code 1 and file:line when one is broken\n\n"
    "  --workflows DIR  directory that shadows the shipped files, as `lanai serve` takes it\n";

struct catalog {
    struct script_set *set;
    struct host_workflow *list;
    size_t n;
};

static void print_list(const struct catalog *c)
{
    printf("%-16s %-8s %-40s %s\n", "NAME", "VERSION", "VERBS", "FILE");
    for (size_t i = 0; i < c->n; i++) {
        const struct host_workflow *w = &c->list[i];
        AUTO_BUF on = BUF_INIT;
        for (size_t k = 0; k < w->n_on; k++) {
            buf_printf(&on, "%s%.*s", k ? "," : "", STR_ARG(w->on[k]));
        }
        printf("%-16.*s %-8.*s %-40s %.*s\n", STR_ARG(w->name), STR_ARG(w->version),
               on.ptr ? on.ptr : "", STR_ARG(w->path));
    }
}

static const struct host_workflow *find(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (str_eqz(c->list[i].name, name)) {
            return &c->list[i];
        }
        for (size_t k = 0; k < c->list[i].n_on; k++) {
            if (str_eqz(c->list[i].on[k], name)) {
                return &c->list[i];
            }
        }
    }
    return NULL;
}

/* The comment lines at the top of the file, without their dashes. */
static void print_help(const struct catalog *c, const struct host_workflow *w)
{
    const struct script_source *s = script_set_find(c->set, w->name, true);
    struct str rest = s->text, line;
    while (str_split(&rest, '\n', &line) && str_has_prefix(line, STR("--"))) {
        line = str_sub(line, 2, line.len);
        line = str_has_prefix(line, STR(" ")) ? str_sub(line, 1, line.len) : line;
        printf("%.*s\n", STR_ARG(line));
    }
}

static int run(const struct catalog *c, const char *verb, const char *name)
{
    if (strcmp(verb, "list") == 0 && !name) {
        print_list(c);
        return 0;
    }
    if (strcmp(verb, "check") == 0 && !name) {
        printf("%zu workflows are sound\n", c->n);
        return 0;
    }
    bool which = strcmp(verb, "which") == 0;
    if (!name || (!which && strcmp(verb, "help") != 0)) {
        fputs(HELP, stderr);
        return 2;
    }
    const struct host_workflow *w = find(c, name);
    if (!w) {
        fprintf(stderr, "lanai workflow: nothing runs for '%s'\n", name);
        return 1;
    }
    if (which) {
        printf("%.*s\n", STR_ARG(w->path));
    } else {
        print_help(c, w);
    }
    return 0;
}

int verb_workflow(int argc, char **argv)
{
    const char *dirs[16], *words[3];
    size_t n_dirs = 0, n_words = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(HELP, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--workflows") == 0 && i + 1 < argc && n_dirs < 16) {
            dirs[n_dirs++] = argv[++i];
        } else if (argv[i][0] != '-' && n_words < 2) {
            words[n_words++] = argv[i];
        } else {
            n_words = 0;
            break;
        }
    }
    if (n_words == 0) {
        fputs(HELP, stderr);
        return 2;
    }
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct catalog c = {0};
    int rc = 1;
    const struct script_dirs in = {.workflows = dirs, .n_workflows = n_dirs};
    if (script_set_load(&in, &c.set, &err) < 0 ||
        host_catalog_load(c.set, &a, &c.list, &c.n, &err) < 0) {
        fprintf(stderr, "lanai workflow: %s\n", err.message);
    } else {
        rc = run(&c, words[0], n_words > 1 ? words[1] : NULL);
    }
    script_set_unref(c.set);
    return rc;
}
