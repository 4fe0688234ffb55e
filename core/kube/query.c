/* SPDX-License-Identifier: Apache-2.0
 *
 * Query parameters and what is wrong with them (kube-wire §3, §8, §9).
 */
#include "kube/priv.h"

#include <strings.h>

/* Calls for each parameter; names and values are decoded. False at the end. */
static bool next_parameter(struct arena *a, struct str *rest, struct str *out_name,
                           struct str *out_value)
{
    struct str part;
    while (rest->ptr && str_split(rest, '&', &part)) {
        if (!part.len) {
            continue;
        }
        ptrdiff_t eq = str_find_byte(part, '=');
        struct str name = eq < 0 ? part : str_sub(part, 0, (size_t)eq);
        *out_name = kube_percent_decode(a, name, true);
        *out_value = eq < 0 ? STR("")
                            : kube_percent_decode(a, str_sub(part, (size_t)eq + 1, part.len), true);
        return true;
    }
    return false;
}

struct str kube_query_get(struct arena *a, struct str query, const char *name)
{
    struct str n, v;
    while (next_parameter(a, &query, &n, &v)) {
        if (str_eqz(n, name)) {
            return v.ptr ? v : STR("");
        }
    }
    return STR_NULL;
}

bool kube_query_watch(struct arena *a, struct str query)
{
    struct str v = kube_query_get(a, query, "watch");
    return v.ptr && !str_eqz(v, "0") && !str_eqz(v, "false");
}

static int bad(struct arena *a, struct err *err, const char *id, struct str value)
{
    return api_err(err, ERR_BAD_REQUEST, id, arena_strz(a, value));
}

static int parse_int(struct arena *a, struct str v, int64_t *out, struct err *err)
{
    return v.len == 0 || str_to_int64(v, out) ? 0 : bad(a, err, "kube-integer", v);
}

/* A boolean parameter that is there is true unless it says false. */
static bool is_true(struct str v)
{
    return !str_eqz(v, "0") && !(v.len == 5 && strncasecmp(v.ptr, "false", 5) == 0);
}

bool kube_duration_parse(struct str s, int64_t *out_ns)
{
    static const struct {
        const char *name;
        double ns;
    } UNITS[] = {{"ns", 1},   {"us", 1e3},        {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
                 {"ms", 1e6}, {"s", 1e9},         {"m", 60e9},        {"h", 3600e9}};
    double total = 0;
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
        s = str_sub(s, 1, s.len);
    }
    if (str_eqz(s, "0")) {
        *out_ns = 0;
        return true;
    }
    if (!s.len) {
        return false;
    }
    while (s.len) {
        double v = 0, scale = 1;
        size_t i = 0, digits = 0;
        for (bool dot = false; i < s.len; i++) {
            if (s.ptr[i] == '.' && !dot) {
                dot = true;
            } else if (s.ptr[i] >= '0' && s.ptr[i] <= '9') {
                digits++;
                v = v * 10 + (s.ptr[i] - '0');
                scale *= dot ? 10 : 1;
            } else {
                break;
            }
        }
        size_t end = i;
        while (end < s.len && s.ptr[end] != '.' && !(s.ptr[end] >= '0' && s.ptr[end] <= '9')) {
            end++;
        }
        struct str unit = str_sub(s, i, end);
        double factor = 0;
        for (size_t u = 0; u < sizeof(UNITS) / sizeof(UNITS[0]); u++) {
            factor = str_eqz(unit, UNITS[u].name) ? UNITS[u].ns : factor;
        }
        if (!digits || factor == 0) {
            return false;
        }
        total += v / scale * factor;
        s = str_sub(s, end, s.len);
    }
    if (total > 9e18) {
        return false;
    }
    *out_ns = (int64_t)(negative ? -total : total);
    return true;
}

int kube_query_timeout(struct arena *a, struct kube_request *req, struct err *err)
{
    struct str v = kube_query_get(a, req->query, "timeout");
    int64_t ns;
    if (!v.len) {
        return 0;
    }
    if (!kube_duration_parse(v, &ns)) {
        return bad(a, err, "kube-timeout-parameter", v);
    }
    int64_t until = clock_mono_ns() + ns;
    if (ns > 0 && (req->deadline_ns == 0 || until < req->deadline_ns)) {
        req->deadline_ns = until;
    }
    return 0;
}

struct str kube_field_manager(const struct kube_params *p, const struct kube_request *req)
{
    if (p->field_manager.len) {
        return p->field_manager;
    }
    struct str agent = kube_header_get(req, "User-Agent");
    ptrdiff_t slash = str_find_byte(agent, '/');
    agent = slash < 0 ? agent : str_sub(agent, 0, (size_t)slash);
    agent = str_sub(agent, 0, LIMIT_FIELD_MANAGER);
    return agent.len && str_is_utf8(agent) ? agent : STR("unknown");
}

/* `CreateOptions.meta.k8s.io "" is invalid` belongs to the verb. */
static const char *options_kind(const char *verb)
{
    if (strcmp(verb, "create") == 0) {
        return "CreateOptions";
    }
    if (strcmp(verb, "update") == 0) {
        return "UpdateOptions";
    }
    return strcmp(verb, "patch") == 0 ? "PatchOptions" : "DeleteOptions";
}

static void check_manager(struct arena *a, struct str m, struct kube_invalid *v)
{
    if (m.len > LIMIT_FIELD_MANAGER) {
        kube_invalid_text(v, "FieldValueTooLong", STR("fieldManager"), "kube-field-too-long",
                          LIMIT_FIELD_MANAGER);
        return;
    }
    for (size_t i = 0; i < m.len; i++) {
        unsigned char c = (unsigned char)m.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            AUTO_BUF detail = BUF_INIT;
            api_text(&detail, "kube-field-manager-byte", arena_printf(a, "%04X", c).ptr, (int)i);
            kube_invalid_value(v, STR("fieldManager"), m, buf_str(&detail));
            return;
        }
    }
}

static void take_dry_run(struct arena *a, struct kube_params *p, struct str v,
                         struct kube_invalid *invalid)
{
    if (str_eqz(v, "All")) {
        p->dry_run = true;
    } else {
        kube_invalid_text(invalid, "FieldValueNotSupported", STR("dryRun"), "kube-dry-run",
                          arena_strz(a, v));
    }
}

static void take_validation(struct arena *a, struct kube_params *p, struct str v,
                            struct kube_invalid *invalid)
{
    if (str_eqz(v, "Strict")) {
        p->validation = KUBE_STRICT;
    } else if (str_eqz(v, "Ignore")) {
        p->validation = KUBE_IGNORE;
    } else if (v.len && !str_eqz(v, "Warn")) {
        kube_invalid_text(invalid, "FieldValueNotSupported", STR("fieldValidation"),
                          "kube-field-validation", arena_strz(a, v));
    }
}

static int take_write(struct arena *a, struct kube_params *p, const char *verb, struct str n,
                      struct str v, struct kube_invalid *invalid, struct err *err)
{
    bool deletes = strncmp(verb, "delete", 6) == 0;
    if (str_eqz(n, "dryRun")) {
        take_dry_run(a, p, v, invalid);
    } else if (str_eqz(n, "fieldManager") && !deletes) {
        p->field_manager = v;
        check_manager(a, v, invalid);
    } else if (str_eqz(n, "fieldValidation") && !deletes) {
        take_validation(a, p, v, invalid);
    } else if (str_eqz(n, "force") && strcmp(verb, "patch") == 0) {
        p->has_force = true;
        p->force = is_true(v);
    } else if (str_eqz(n, "gracePeriodSeconds") && deletes) {
        int64_t ignored = 0; /* nothing here has a grace period; only the form counts */
        return parse_int(a, v, &ignored, err);
    } else if (str_eqz(n, "propagationPolicy") && deletes) {
        p->propagation = v;
    } else if (str_eqz(n, "orphanDependents") && deletes) {
        p->has_orphan = true;
        p->orphan = is_true(v);
    } else if (str_eqz(n, "preconditions.uid") && deletes) {
        p->precondition_uid = v;
    } else if (str_eqz(n, "preconditions.resourceVersion") && deletes) {
        p->precondition_rv = v;
    }
    return 0;
}

static int take_include(struct arena *a, struct kube_params *p, struct str v, struct err *err)
{
    if (v.len && !str_eqz(v, "Metadata") && !str_eqz(v, "Object") && !str_eqz(v, "None")) {
        return bad(a, err, "kube-include-object", v);
    }
    p->include = v.len ? v.ptr[0] : 'M';
    return 0;
}

static int take_list(struct arena *a, struct kube_params *p, struct str n, struct str v,
                     struct err *err)
{
    if (str_eqz(n, "limit")) {
        return parse_int(a, v, &p->limit, err);
    }
    if (str_eqz(n, "timeoutSeconds")) {
        return parse_int(a, v, &p->timeout_s, err);
    }
    if (str_eqz(n, "allowWatchBookmarks")) {
        p->bookmarks = is_true(v);
    } else if (str_eqz(n, "sendInitialEvents")) {
        p->has_initial_events = true;
        p->initial_events = is_true(v);
    } else if (str_eqz(n, "continue")) {
        p->continue_token = v;
    } else if (str_eqz(n, "resourceVersion")) {
        p->rv = v;
    } else if (str_eqz(n, "resourceVersionMatch")) {
        p->rv_match = v;
    } else if (str_eqz(n, "labelSelector")) {
        p->labels = v;
    } else if (str_eqz(n, "fieldSelector")) {
        p->fields = v;
    }
    return 0;
}

/* Combinations that ListOptions forbid. */
static void check_list(struct arena *a, const struct kube_params *p, struct kube_invalid *v)
{
    struct str match = STR("resourceVersionMatch"), initial = STR("sendInitialEvents");
    if (p->has_initial_events && !p->watch) {
        kube_invalid_text(v, "FieldValueForbidden", initial, "kube-list-initial-events");
        return;
    }
    if (p->has_initial_events && !str_eqz(p->rv_match, "NotOlderThan")) {
        if (p->rv_match.len) {
            kube_invalid_text(v, "FieldValueNotSupported", match, "kube-list-match-unknown",
                              arena_strz(a, p->rv_match));
        } else {
            kube_invalid_text(v, "FieldValueForbidden", match, "kube-watch-initial-events");
        }
        return;
    }
    if (!p->rv_match.len || p->has_initial_events) {
        return;
    }
    if (p->watch) {
        kube_invalid_text(v, "FieldValueForbidden", match, "kube-watch-match");
    } else if (!p->rv.len) {
        kube_invalid_text(v, "FieldValueForbidden", match, "kube-list-match-alone");
    } else if (p->continue_token.len) {
        kube_invalid_text(v, "FieldValueForbidden", match, "kube-list-match-continue");
    } else if (!str_eqz(p->rv_match, "Exact") && !str_eqz(p->rv_match, "NotOlderThan")) {
        kube_invalid_text(v, "FieldValueNotSupported", match, "kube-list-match-unknown",
                          arena_strz(a, p->rv_match));
    } else if (str_eqz(p->rv_match, "Exact") && str_eqz(p->rv, "0")) {
        kube_invalid_text(v, "FieldValueForbidden", match, "kube-list-match-exact-zero");
    }
}

static bool is_list(const char *verb)
{
    return strcmp(verb, "list") == 0 || strcmp(verb, "watch") == 0 ||
           strcmp(verb, "deletecollection") == 0;
}

static bool wants_pretty(struct arena *a, const struct kube_request *req)
{
    struct str v = kube_query_get(a, req->query, "pretty");
    if (v.ptr) {
        return !str_eqz(v, "0") && !str_eqz(v, "false");
    }
    struct str agent = kube_header_get(req, "User-Agent");
    return str_has_prefix(agent, STR("curl")) || str_has_prefix(agent, STR("Wget")) ||
           str_has_prefix(agent, STR("Mozilla/5.0"));
}

int kube_params_parse(struct arena *a, const struct kube_request *req, const char *verb,
                      struct kube_params *out, struct err *err)
{
    AUTO_INVALID invalid = KUBE_INVALID_INIT;
    struct str rest = req->query, n, v;
    bool list = is_list(verb), reads = strcmp(verb, "get") == 0 || strcmp(verb, "list") == 0 ||
                                       strcmp(verb, "watch") == 0;
    *out = (struct kube_params){.include = 'M', .pretty = wants_pretty(a, req),
                                .watch = strcmp(verb, "watch") == 0};
    while (next_parameter(a, &rest, &n, &v)) {
        int rc = str_eqz(n, "includeObject") ? take_include(a, out, v, err) : 0;
        if (rc == 0 && list) {
            rc = take_list(a, out, n, v, err);
        }
        if (rc == 0 && !reads) {
            rc = take_write(a, out, verb, n, v, &invalid, err);
        }
        if (rc < 0) {
            return -1;
        }
    }
    const char *kind = options_kind(verb);
    if (list) {
        check_list(a, out, &invalid);
        kind = "ListOptions";
    }
    return kube_invalid_end(&invalid, "meta.k8s.io", kind, STR(""), err);
}
