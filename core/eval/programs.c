/* SPDX-License-Identifier: Apache-2.0
 *
 * See programs.h. Helpers take and give JSON; everything else here is YAML.
 */
#include "eval/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "eval/json.h"

#define STARLARK "lanai-starlark" /* runner/starlark, installed beside lanai */
#define MAP_BYTES (1024u * 1024)
#define CALLS_PER_HELPER 1000

/* Sanitizers reserve more data than any limit would leave them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY(bytes) 0
#else
#define MEMORY(bytes) (bytes)
#endif

struct eval_programs {
    struct arena arena;
    const char *directory;
    struct map images; /* reference → path of a program */
    struct eval_helpers *lua, *starlark;
    const char *starlark_path;
};

/* --- the map of images --- */

static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    buf_init(out, MAP_BYTES);
    while (fd >= 0 && buf_reserve(out, 4096) && (n = read(fd, out->ptr + out->len, 4096)) > 0) {
        out->len += (size_t)n;
    }
    int code = n < 0 ? errno : n > 0 ? EFBIG : 0;
    if (fd >= 0) {
        close(fd);
    }
    return code ? err_set(err, ERR_INVALID, "failed to read configuration file \"%s\": %s", path,
                          strerror(code))
                : 0;
}

static char *beside(struct arena *a, const char *file, struct str name)
{
    ptrdiff_t slash = str_rfind_byte(str_of(file), '/');
    if (name.len && name.ptr[0] == '/') {
        return arena_strz(a, name);
    }
    struct str directory = slash < 0 ? STR(".") : (struct str){file, (size_t)slash};
    return (char *)arena_printf(a, "%.*s/%.*s", STR_ARG(directory), STR_ARG(name)).ptr;
}

/* The first mention of an image wins. */
static void add_images(struct eval_programs *p, const struct node *images, const char *path)
{
    for (size_t i = 0; node_is(images, NODE_LIST) && i < images->n; i++) {
        struct str image = arena_str(&p->arena, node_text(images->items[i]));
        if (image.len && !map_find(&p->images, image)) {
            map_set(&p->images, image, (void *)path);
        }
    }
}

static int read_map(struct eval_programs *p, const char *file, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_ARENA a = ARENA_INIT;
    if (read_file(file, &text, err)) {
        return -1;
    }
    const struct node *root = yaml_parse(&a, buf_str(&text), NULL, err);
    const struct node *list = node_getz(root, "functions");
    if (!root || !node_is(list, NODE_LIST)) {
        if (root) {
            err_set(err, ERR_INVALID, "`functions` must be a list");
        }
        return err_wrap(err, "failed to parse configuration file \"%s\"", file);
    }
    for (size_t i = 0; i < list->n; i++) {
        struct str name = node_text_at(list->items[i], "function");
        if (!name.len) {
            return err_set(err, ERR_INVALID,
                           "failed to parse configuration file \"%s\": functions[%zu] has no "
                           "`function`",
                           file, i);
        }
        add_images(p, node_getz(list->items[i], "images"), beside(&p->arena, file, name));
    }
    return 0;
}

/* --- starting and ending --- */

static const char *own_path(struct arena *a)
{
    char path[LIMIT_PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    return n > 0 && (size_t)n < sizeof(path) ? arena_strz(a, (struct str){path, (size_t)n})
                                             : "lanai";
}

static struct eval_helpers *make_helpers(const char *const *argv)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const struct eval_program program = {
        .argv = argv, .env = env, .directory = "/", .max_memory = MEMORY(LIMIT_HELPER_BYTES),
        .max_output = LIMIT_FN_OUTPUT_BYTES};
    return eval_helpers_new(&program,
                            &(struct eval_helpers_options){.max = cpus > 1 ? (size_t)cpus : 2,
                                                           .max_calls = CALLS_PER_HELPER});
}

int eval_programs_new(const struct eval_programs_options *o, struct eval_programs **out,
                      struct err *err)
{
    struct eval_programs *p = mem_new(struct eval_programs);
    const char *self = o->self ? o->self : own_path(&p->arena);
    const char *lua[] = {self, "fn-helper", "lua", NULL};
    p->directory = o->directory ? arena_strz(&p->arena, str_of(o->directory)) : NULL;
    p->starlark_path = beside(&p->arena, self, STR(STARLARK));
    const char *starlark[] = {p->starlark_path, NULL};
    p->lua = make_helpers(lua);
    p->starlark = make_helpers(starlark);
    if (o->map && read_map(p, o->map, err)) {
        eval_programs_free(p);
        return -1;
    }
    *out = p;
    return 0;
}

void eval_programs_free(struct eval_programs *p)
{
    if (p) {
        eval_helpers_free(p->lua);
        eval_helpers_free(p->starlark);
        map_done(&p->images);
        arena_done(&p->arena);
        mem_free(p);
    }
}

/* --- calls --- */

static int64_t sooner(int64_t deadline_ns, int64_t limit_ms)
{
    int64_t limit = clock_mono_ns() + limit_ms * NS_PER_MS;
    return deadline_ns && deadline_ns < limit ? deadline_ns : limit;
}

/* As kpt shows it: what a container wrote ends without line feeds, what a command line wrote is
 * shown as it is. */
static void take_log(struct arena *a, const struct eval_output *from, bool container,
                     struct eval_answer *out)
{
    struct str log = buf_str(&from->log);
    out->exit_code = from->code;
    out->log = arena_str(a, container ? str_trim(log, "\n") : log);
}

static int run_process(struct eval_programs *p, struct arena *a, const char *const *argv,
                       const struct eval_call *call, struct eval_answer *out, struct err *err)
{
    AUTO_OUTPUT output = {0};
    const struct eval_program program = {.argv = argv,
                                         .directory = p->directory,
                                         .max_memory = MEMORY(LIMIT_FN_BYTES),
                                         .max_output = LIMIT_FN_OUTPUT_BYTES,
                                         .deadline_ns = sooner(call->deadline_ns, LIMIT_FN_MS)};
    if (eval_process_run(&program, call->input, &output, err)) {
        /* To the caller "not found" would mean that somebody else may know the function. */
        err->kind = err->kind == ERR_NOT_FOUND ? ERR_INVALID : err->kind;
        return -1;
    }
    take_log(a, &output, !call->exec.len, out);
    out->output = arena_str(a, buf_str(&output.text));
    return 0;
}

static int run_exec(struct eval_programs *p, struct arena *a, const struct eval_call *call,
                    struct eval_answer *out, struct err *err)
{
    size_t n;
    const char *const *argv = eval_words(a, call->exec, &n, err);
    if (!argv || n == 0) {
        if (argv) {
            err_set(err, ERR_INVALID, "it is empty");
        }
        return err_wrap(err, "exec command \"%.*s\" must be valid", STR_ARG(call->exec));
    }
    return run_process(p, a, argv, call, out, err);
}

static int to_json(struct arena *a, struct str yaml, struct buf *out, struct err *err)
{
    struct yaml_docs docs = {0};
    if (yaml_read(a, yaml, NULL, &docs, NULL, err)) {
        return -1;
    }
    buf_init(out, LIMIT_FN_OUTPUT_BYTES);
    eval_json_emit(out, docs.n ? docs.list[0].root : NULL);
    return out->overflow ? err_set(err, ERR_TOO_LARGE, "resources are too large") : 0;
}

/* What a program of a package would print: quotes where a YAML reader needs them. */
static struct str to_yaml(struct arena *a, const struct node *root)
{
    AUTO_BUF text = BUF_INIT;
    yaml_write_values(&text, root, &(struct yaml_form){0});
    return arena_str(a, buf_str(&text));
}

/* The answer of a helper: a ResourceList and, when a script failed inside of a function of its own,
 * how it came there, which kpt does not show. */
static int take_answer(struct arena *a, const struct eval_call *call, struct str json,
                       struct eval_answer *out, struct err *err)
{
    struct node *root = json.len ? json_parse(a, json, NULL, err) : NULL;
    if (!root) {
        return json.len ? -1 : 0;
    }
    struct str traceback = node_text(node_getz(root, "traceback"));
    if (traceback.len && !call->kpt) {
        out->log = arena_printf(a, "%.*s\n%.*s", STR_ARG(out->log), STR_ARG(traceback));
    }
    node_delz(root, "traceback");
    out->output = to_yaml(a, root);
    return 0;
}

static int run_helper(struct eval_helpers *helpers, struct arena *a, const struct eval_call *call,
                      struct eval_answer *out, struct err *err)
{
    AUTO_BUF request = BUF_INIT;
    AUTO_OUTPUT output = {0};
    int64_t deadline_ns = sooner(call->deadline_ns, LIMIT_HELPER_MS);
    if (to_json(a, call->input, &request, err) ||
        eval_helpers_run(helpers, buf_str(&request), deadline_ns, &output, err)) {
        return -1;
    }
    take_log(a, &output, true, out);
    return take_answer(a, call, buf_str(&output.text), out, err);
}

static int run_program(struct eval_programs *p, struct arena *a, const struct eval_call *call,
                       struct eval_answer *out, struct err *err)
{
    if (str_eqz(call->program, "lua")) {
        return run_helper(p->lua, a, call, out, err);
    }
    if (!str_eqz(call->program, "starlark")) {
        return err_set(err, ERR_INTERNAL, "no helper for '%.*s'", STR_ARG(call->program));
    }
    if (access(p->starlark_path, X_OK)) {
        return err_set(err, ERR_UNAVAILABLE,
                       "function \"%.*s\" needs the program %s: install the packages golang-go, "
                       "golang-starlark-dev and golang-gopkg-yaml.v3-dev, and build lanai again",
                       STR_ARG(call->image), p->starlark_path);
    }
    return run_helper(p->starlark, a, call, out, err);
}

static int run(void *ctx, struct arena *a, const struct eval_call *call, struct eval_answer *out,
               struct err *err)
{
    struct eval_programs *p = ctx;
    if (call->exec.len) {
        return run_exec(p, a, call, out, err);
    }
    if (call->program.len) {
        return run_program(p, a, call, out, err);
    }
    const char *mapped = map_find(&p->images, call->image);
    if (mapped) {
        const char *argv[] = {mapped, NULL};
        return run_process(p, a, argv, call, out, err);
    }
    return err_set(err, ERR_NOT_FOUND, "function \"%.*s\" not found%s", STR_ARG(call->image),
                   call->kpt ? ""
                             : ": it is not built in, and no program is mapped to it "
                               "(functions-config)");
}

struct eval_runner eval_programs_runner(struct eval_programs *p)
{
    return (struct eval_runner){.run = run, .ctx = p};
}
