/* SPDX-License-Identifier: Apache-2.0
 *
 * See config.h. One table describes every setting; flag, variable, file member and help come from
 * it.
 */
#include "main/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "data/yaml.h"

enum kind { TEXT, NUMBER, FLAG, LIST, LEVEL, WORD };

struct setting {
    const char *name; /* --name, LANAI_NAME, `name:` */
    enum kind kind;
    size_t at, count_at; /* offsets in struct config; count_at of lists */
    int64_t min, max;
    const char *standard; /* as text, NULL = none */
    const char *help;
    const char *words; /* of WORD: what may be said */
};

#define AT(member) offsetof(struct config, member)

static const struct setting SETTINGS[] = {
    {"config", TEXT, AT(config), 0, 0, 0, NULL, "YAML file with these settings by name"},
    {"data", TEXT, AT(data), 0, 0, 0, NULL, "data directory (default ~/.local/share/lanai)"},
    {"address", TEXT, AT(address), 0, 0, 0, "127.0.0.1", "address to listen on"},
    {"port", NUMBER, AT(port), 0, 0, 65535, "7443", "port to listen on, 0 for any free one"},
    {"host", LIST, AT(hosts), AT(n_hosts), 0, 0, NULL,
     "further name or address for the server certificate; may be given several times"},
    {"workflows", LIST, AT(workflows), AT(n_workflows), 0, 0, NULL,
     "directory with workflow files that shadow the shipped ones; may be given several times"},
    {"functions", LIST, AT(functions), AT(n_functions), 0, 0, NULL,
     "directory with functions that shadow the shipped ones; may be given several times"},
    {"default-image-prefix", TEXT, AT(image_prefix), 0, 0, 0, NULL,
     "registry of function images that name none; without: kpt's catalogue"},
    {"functions-config", TEXT, AT(functions_config), 0, 0, 0, NULL,
     "file that maps function images to programs, which run as the server's user"},
    {"log-level", LEVEL, AT(log_level), 0, 0, 0, "info", "debug, info, warn or error"},
    {"log-format", WORD, AT(log_format), 0, 0, 0, "auto",
     "text, json, or auto (text on a terminal)", "auto, text, json"},
    {"threads", NUMBER, AT(threads), 0, 1, 64, "2", "listener threads"},
    {"workers", NUMBER, AT(workers), 0, 1, 256, "8", "threads that run workflows"},
    {"max-request-body-size", NUMBER, AT(max_request_body), 0, 1024, 1 << 30, "6291456",
     "largest request body in bytes"},
    {"request-timeout", NUMBER, AT(request_timeout), 0, 1, 3600, "300",
     "longest time for one request in seconds"},
    {"sync-frequency", NUMBER, AT(sync_frequency), 0, 1, 604800, "3600",
     "seconds between full syncs of a repository without a schedule"},
    {"health-frequency", NUMBER, AT(health_frequency), 0, 1, 604800, "300",
     "seconds between health checks of a repository"},
    {"history-changes", NUMBER, AT(history_changes), 0, 100, 100000000, "100000",
     "changes kept at least: how far behind a watch may resume"},
    {"history-age", NUMBER, AT(history_age), 0, 0, 31536000, "600",
     "seconds for which changes are kept at least, too"},
    {"audit-rows", NUMBER, AT(audit_rows), 0, 100, 1000000000, "200000",
     "rows of the audit trail kept at most"},
    {"audit-days", NUMBER, AT(audit_days), 0, 1, 36500, "90",
     "days for which rows of the audit trail are kept at most"},
    {"collect-frequency", NUMBER, AT(collect_frequency), 0, 1, 31536000, "3600",
     "seconds between removals of content that nothing needs"},
    {"drain-timeout", NUMBER, AT(drain), 0, 1, 300, "5",
     "seconds that running requests get at SIGTERM"},
    {"retryable-git-errors", LIST, AT(retryable), AT(n_retryable), 0, 0, NULL,
     "part of an error text for which a push is tried again; may be given several times"},
    {"compat", WORD, AT(compat), 0, 0, 0, "lanai",
     "lanai keeps bytes of package files, kpt writes like kpt", "lanai, kpt"},
    {"strict-conflict", FLAG, AT(strict_conflict), 0, 0, 0, NULL,
     "answer 409 to stale PackageRevisionResources instead of the peer's 500"},
};
#define N_SETTINGS (sizeof(SETTINGS) / sizeof(SETTINGS[0]))

static const struct setting *find(struct str name)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        if (str_eqz(name, SETTINGS[i].name)) {
            return &SETTINGS[i];
        }
    }
    return NULL;
}

static int set_number(const struct setting *s, struct config *c, struct str value, struct err *err)
{
    int64_t n;
    if (!str_to_int64(value, &n)) {
        return err_set(err, ERR_BAD_REQUEST, "'%.*s' is not a whole number", STR_ARG(value));
    }
    if (n < s->min || n > s->max) {
        return err_set(err, ERR_BAD_REQUEST, "%lld is not between %lld and %lld", (long long)n,
                       (long long)s->min, (long long)s->max);
    }
    *(int64_t *)((char *)c + s->at) = n;
    return 0;
}

static int set_flag(const struct setting *s, struct config *c, struct str value, struct err *err)
{
    bool on = str_eqz(value, "true");
    if (!on && !str_eqz(value, "false")) {
        return err_set(err, ERR_BAD_REQUEST, "'%.*s' is neither true nor false", STR_ARG(value));
    }
    *(bool *)((char *)c + s->at) = on;
    return 0;
}

static int add_to_list(const struct setting *s, struct arena *a, struct config *c,
                       struct str value, struct err *err)
{
    size_t *n = (size_t *)((char *)c + s->count_at);
    if (*n == CONFIG_MAX_LIST) {
        return err_set(err, ERR_BAD_REQUEST, "more than %d values", CONFIG_MAX_LIST);
    }
    ((const char **)((char *)c + s->at))[(*n)++] = arena_strz(a, value);
    return 0;
}

/* True when value is one of the words ("a, b"). */
static bool is_word(const char *words, struct str value)
{
    struct str rest = str_of(words), word;
    while (str_split(&rest, ',', &word)) {
        if (str_eq(str_trim(word, " "), value)) {
            return true;
        }
    }
    return false;
}

static int set_value(const struct setting *s, struct arena *a, struct config *c, struct str value,
                     struct err *err)
{
    enum log_level level;
    const char *text = arena_strz(a, value);
    switch (s->kind) {
    case NUMBER:
        return set_number(s, c, value, err);
    case FLAG:
        return set_flag(s, c, value, err);
    case LIST:
        return add_to_list(s, a, c, value, err);
    case LEVEL:
        if (!log_level_parse(text, &level)) {
            return err_set(err, ERR_BAD_REQUEST, "'%s' is not one of debug, info, warn, error",
                           text);
        }
        break;
    case WORD:
        if (!is_word(s->words, value)) {
            return err_set(err, ERR_BAD_REQUEST, "'%s' is not one of %s", text, s->words);
        }
        break;
    case TEXT:
        if (!value.len) {
            return err_set(err, ERR_BAD_REQUEST, "must not be empty");
        }
        break;
    }
    *(const char **)((char *)c + s->at) = text;
    return 0;
}

/* Lists of a weaker source are replaced, not extended. */
static void clear_list(const struct setting *s, struct config *c)
{
    if (s->kind == LIST) {
        *(size_t *)((char *)c + s->count_at) = 0;
    }
}

static int load_defaults(struct arena *a, struct config *c, struct err *err)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        if (SETTINGS[i].standard &&
            set_value(&SETTINGS[i], a, c, str_of(SETTINGS[i].standard), err) < 0) {
            return -1;
        }
    }
    c->data = config_default_data(a);
    return 0;
}

static int read_file(struct arena *a, const char *path, struct str *out, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        return err_set(err, ERR_BAD_REQUEST, "%s: %s", path, strerror(errno));
    }
    AUTO_BUF text;
    buf_init(&text, 1 << 20);
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        buf_add(&text, chunk, n);
    }
    bool bad = ferror(f) || text.overflow;
    fclose(f);
    *out = arena_str(a, buf_str(&text));
    return bad ? err_set(err, ERR_BAD_REQUEST, "%s: cannot be read (at most 1 MiB)", path) : 0;
}

static int line_of(struct str text, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        line += text.ptr[i] == '\n';
    }
    return line;
}

static struct str scalar_text(struct arena *a, const struct node *v)
{
    switch (v->type) {
    case NODE_BOOL:
        return v->boolean ? STR("true") : STR("false");
    case NODE_STRING:
        return v->text;
    case NODE_INT:
    case NODE_FLOAT:
        return arena_str(a, v->text);
    default:
        return STR_NULL;
    }
}

static int load_member(struct arena *a, struct config *c, const char *path, struct str text,
                       const struct node_member *m, struct err *err)
{
    int line = line_of(text, m->value->span_from);
    const struct setting *s = find(m->key);
    if (!s || s->at == AT(config)) {
        return err_set(err, ERR_BAD_REQUEST, "%s:%d: unknown setting '%.*s'", path, line,
                       STR_ARG(m->key));
    }
    clear_list(s, c);
    bool list = m->value->type == NODE_LIST;
    size_t n = list ? m->value->n : 1;
    for (size_t i = 0; i < n; i++) {
        struct str value = scalar_text(a, list ? m->value->items[i] : m->value);
        if (!value.ptr || (list && s->kind != LIST)) {
            return err_set(err, ERR_BAD_REQUEST, "%s:%d: %s: must be one plain value", path, line,
                           s->name);
        }
        if (set_value(s, a, c, value, err) < 0) {
            return err_wrap(err, "%s:%d: %s", path, line, s->name);
        }
    }
    return 0;
}

/* "yaml: line 2: what" as "path:2: what", like every other mistake in the file. */
static int at_line(struct arena *a, const char *path, struct err *err)
{
    static const char prefix[] = "yaml: line ";
    struct str text = arena_str(a, str_of(err->message)), line;
    if (!str_has_prefix(text, str_of(prefix))) {
        return err_wrap(err, "%s", path);
    }
    text = str_sub(text, sizeof(prefix) - 1, text.len);
    (void)str_split(&text, ':', &line);
    err_drop(err);
    return err_set(err, ERR_BAD_REQUEST, "%s:%.*s: %.*s", path, STR_ARG(line),
                   STR_ARG(str_trim(text, " ")));
}

static int load_file(struct arena *a, struct config *c, const char *path, struct err *err)
{
    struct str text;
    if (read_file(a, path, &text, err) < 0) {
        return -1;
    }
    struct node *doc = yaml_parse(a, text, NULL, err);
    if (!doc) {
        return at_line(a, path, err);
    }
    if (doc->type == NODE_NULL) {
        return 0;
    }
    if (doc->type != NODE_MAP) {
        return err_set(err, ERR_BAD_REQUEST, "%s:1: must be a map of settings", path);
    }
    for (size_t i = 0; i < doc->n; i++) {
        if (load_member(a, c, path, text, &doc->members[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* LANAI_MAX_REQUEST_BODY_SIZE of max-request-body-size. */
static struct str variable_name(struct arena *a, const struct setting *s)
{
    struct str name = arena_printf(a, "LANAI_%s", s->name);
    char *p = (char *)name.ptr;
    for (size_t i = 0; i < name.len; i++) {
        p[i] = p[i] == '-' ? '_' : p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] - 32) : p[i];
    }
    return name;
}

static int load_environment(struct arena *a, struct config *c, struct err *err)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *s = &SETTINGS[i];
        struct str name = variable_name(a, s);
        const char *value = getenv(name.ptr);
        if (!value || s->at == AT(config)) {
            continue;
        }
        clear_list(s, c);
        struct str rest = str_of(value), one;
        if (s->kind != LIST) {
            if (set_value(s, a, c, rest, err) < 0) {
                return err_wrap(err, "environment variable %s", name.ptr);
            }
            continue;
        }
        while (str_split(&rest, ',', &one)) { /* lists are comma-separated here */
            if (one.len && set_value(s, a, c, one, err) < 0) {
                return err_wrap(err, "environment variable %s", name.ptr);
            }
        }
    }
    return 0;
}

struct flag {
    const struct setting *setting;
    struct str value;
};

static int parse_flag(int argc, char **argv, int *i, struct flag *out, struct err *err)
{
    struct str arg = str_of(argv[*i]);
    if (!str_has_prefix(arg, STR("--"))) {
        return err_set(err, ERR_BAD_REQUEST, "unexpected argument '%s'", argv[*i]);
    }
    ptrdiff_t eq = str_find_byte(arg, '=');
    struct str name = str_sub(arg, 2, eq < 0 ? arg.len : (size_t)eq);
    out->setting = find(name);
    if (!out->setting) {
        return err_set(err, ERR_BAD_REQUEST, "unknown flag '--%.*s'", STR_ARG(name));
    }
    if (eq >= 0) {
        out->value = str_sub(arg, (size_t)eq + 1, arg.len);
    } else if (out->setting->kind == FLAG) {
        out->value = STR("true");
    } else if (*i + 1 < argc) {
        out->value = str_of(argv[++*i]);
    } else {
        return err_set(err, ERR_BAD_REQUEST, "flag --%.*s needs a value", STR_ARG(name));
    }
    return 0;
}

static int load_flags(struct arena *a, int argc, char **argv, bool only_config, struct config *c,
                      struct err *err)
{
    bool seen[N_SETTINGS] = {false};
    for (int i = 0; i < argc; i++) {
        struct flag f = {0};
        if (parse_flag(argc, argv, &i, &f, err) < 0) {
            return -1;
        }
        if (only_config != (f.setting->at == AT(config))) {
            continue;
        }
        if (!seen[f.setting - SETTINGS]) {
            clear_list(f.setting, c);
            seen[f.setting - SETTINGS] = true;
        }
        if (set_value(f.setting, a, c, f.value, err) < 0) {
            return err_wrap(err, "flag --%s", f.setting->name);
        }
    }
    return 0;
}

const char *config_default_data(struct arena *a)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0]) {
        return arena_printf(a, "%s/lanai", xdg).ptr;
    }
    return arena_printf(a, "%s/.local/share/lanai", home && home[0] ? home : ".").ptr;
}

int config_load(struct arena *a, int argc, char **argv, struct config *out, bool *out_help,
                struct err *err)
{
    *out = (struct config){0};
    *out_help = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *out_help = true;
            return 0;
        }
    }
    if (load_defaults(a, out, err) < 0 || load_flags(a, argc, argv, true, out, err) < 0) {
        return -1;
    }
    const char *file = out->config ? out->config : getenv("LANAI_CONFIG");
    if (file && load_file(a, out, file, err) < 0) {
        return -1;
    }
    return load_environment(a, out, err) < 0 || load_flags(a, argc, argv, false, out, err) < 0 ? -1
                                                                                               : 0;
}

void config_help(struct buf *out)
{
    AUTO_ARENA a = ARENA_INIT;
    buf_addz(out, "Usage: lanai serve [FLAG...]\n\nServes the Porch API over TLS from a data "
                  "directory.\n\n");
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *s = &SETTINGS[i];
        struct str flag = arena_printf(&a, "--%s%s", s->name, s->kind == FLAG ? "" : " VALUE");
        buf_printf(out, "  %-30s %s", flag.ptr, s->help);
        if (s->standard) {
            buf_printf(out, " (default %s)", s->standard);
        }
        buf_printf(out, "\n  %-30s %s\n", "", variable_name(&a, s).ptr);
    }
    buf_addz(out, "\nEach setting may also stand in the file under its name (`port: 7443`) or in "
                  "the environment\n(lists are comma-separated there). Flags win over the "
                  "environment, the environment over the file.\n"
                  "\nHTTPS_PROXY, HTTP_PROXY and NO_PROXY say how git servers are reached over "
                  "HTTP.\n"
                  "\nSignals: SIGHUP loads the workflows again; SIGTERM and SIGINT drain and end, a "
                  "second one at once.\n");
}
