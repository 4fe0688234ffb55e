/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai pkg …` and `lanai fn …`: local verbs, which are Lua (lua/cli). They need no server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "eval/programs.h"
#include "host/local.h"
#include "main/verbs.h"

/* Where git mirrors are kept between runs: the variable and place that users of kpt know. */
static const char *cache_directory(struct arena *a)
{
    const char *dir = getenv("KPT_CACHE_DIR"), *home = getenv("HOME");
    if (dir && *dir) {
        return dir;
    }
    const char *kpt = arena_printf(a, "%s/.kpt", home && *home ? home : "/tmp").ptr;
    (void)mkdir(kpt, 0700); /* the pool says why when its own directory cannot be made */
    return arena_printf(a, "%s/repos", kpt).ptr;
}

static int run(const char *module, int argc, char **argv)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct host_local l = {.module = module,
                           .args = (const char *const *)argv,
                           .n_args = (size_t)argc,
                           .cache = cache_directory(&a),
                           .in = STDIN_FILENO,
                           .out = STDOUT_FILENO,
                           .err = STDERR_FILENO};
    /* The variable of the server's setting. */
    const struct eval_programs_options o = {.map = getenv("LANAI_FUNCTIONS_CONFIG")};
    struct eval_programs *programs = NULL;
    struct eval_runner runner;
    int code = 1;
    int rc = eval_programs_new(&o, &programs, &err);
    if (rc == 0) {
        runner = eval_programs_runner(programs);
        l.runner = &runner;
        rc = script_set_load(NULL, &l.set, &err);
    }
    if (rc < 0 || host_local_run(&l, &code, &err) < 0) {
        fprintf(stderr, "Error: %s\n", err.message);
    }
    script_set_unref(l.set);
    eval_programs_free(programs);
    return code;
}

int verb_pkg(int argc, char **argv)
{
    return run("cli.pkg", argc, argv);
}

int verb_fn(int argc, char **argv)
{
    return run("cli.fn", argc, argv);
}
