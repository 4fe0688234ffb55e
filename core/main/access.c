/* SPDX-License-Identifier: Apache-2.0
 *
 * See access.h.
 */
#include "main/access.h"

#include <stdio.h>
#include <sys/stat.h>

#include "main/config.h"

/* "90s", "15m", "12h", "30d" or plain seconds. */
static bool parse_duration(struct str s, int64_t *out)
{
    int64_t unit = 1;
    if (s.len) {
        char c = s.ptr[s.len - 1];
        unit = c == 's' ? 1 : c == 'm' ? 60 : c == 'h' ? 3600 : c == 'd' ? 86400 : 0;
        if (unit) {
            s.len--;
        } else {
            unit = 1;
        }
    }
    if (!str_to_int64(s, out) || *out < 0 || *out > INT64_MAX / unit) {
        return false;
    }
    *out *= unit;
    return true;
}

static int set_flag(const char *name, const char *value, struct access_flags *f)
{
    if (strcmp(name, "--data") == 0) {
        f->data = value;
    } else if (strcmp(name, "--user") == 0) {
        f->user = value;
    } else if (strcmp(name, "--server") == 0) {
        f->server = value;
    } else if (strcmp(name, "--group") == 0 && f->n_groups < ACCESS_MAX_GROUPS) {
        f->groups[f->n_groups++] = str_of(value);
    } else if (strcmp(name, "--days") == 0) {
        return str_to_int64(str_of(value), &f->days) && f->days > 0 && f->days <= 36500 ? 0 : -1;
    } else if (strcmp(name, "--ttl") == 0) {
        return parse_duration(str_of(value), &f->ttl_s) ? 0 : -1;
    } else {
        return -1;
    }
    return 0;
}

int access_parse(struct arena *a, const char *verb, int argc, char **argv,
                 struct access_flags *out)
{
    *out = (struct access_flags){.data = config_default_data(a), .days = 365};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out->help = true;
            return 0;
        }
        if (argv[i][0] != '-') {
            if (out->n_words == sizeof(out->words) / sizeof(out->words[0])) {
                fprintf(stderr, "lanai %s: unexpected argument '%s'\n", verb, argv[i]);
                return 2;
            }
            out->words[out->n_words++] = argv[i];
            continue;
        }
        char *eq = strchr(argv[i], '=');
        const char *name = eq ? arena_strz(a, (struct str){argv[i], (size_t)(eq - argv[i])})
                              : argv[i];
        const char *value = eq ? eq + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value || set_flag(name, value, out) < 0) {
            fprintf(stderr, "lanai %s: flag '%s' is not known or its value is wrong\n", verb, name);
            return 2;
        }
    }
    return 0;
}

struct auth *access_open(struct arena *a, const struct access_flags *f, const char *verb)
{
    AUTO_ERR err = ERR_INIT;
    struct auth *auth = NULL;
    struct stat st;
    struct str pki = arena_printf(a, "%s/pki", f->data);
    if (stat(pki.ptr, &st) < 0) {
        fprintf(stderr, "lanai %s: '%s' is no data directory: run `lanai serve` first\n", verb,
                f->data);
    } else if (auth_open(pki.ptr, NULL, NULL, 0, &auth, &err) < 0) {
        fprintf(stderr, "lanai %s: %s\n", verb, err.message);
    }
    return auth;
}
