/* SPDX-License-Identifier: Apache-2.0
 *
 * See kptfile_check.h.
 */
#include "krm/kptfile_check.h"

#include "krm/identity.h"
#include "krm/tree.h"

/* --- image references --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
    return is_digit(c) || is_lower(c) || is_upper(c);
}

/* Runs of letters and digits joined by one of `.` `_` `__` or by dashes. */
static bool is_path_part(struct str s)
{
    size_t i = 0;
    while (i < s.len) {
        size_t word = i;
        while (i < s.len && (is_digit(s.ptr[i]) || is_lower(s.ptr[i]))) {
            i++;
        }
        if (i == word) {
            return false;
        }
        if (i == s.len) {
            return true;
        }
        char c = s.ptr[i];
        size_t run = 0;
        while (i < s.len && s.ptr[i] == c) {
            i++;
            run++;
        }
        if (c != '-' && !(c == '.' && run == 1) && !(c == '_' && run <= 2)) {
            return false;
        }
    }
    return false;
}

static bool is_host_part(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.ptr[i]) && (s.ptr[i] != '-' || i == 0 || i + 1 == s.len)) {
            return false;
        }
    }
    return s.len > 0;
}

static bool is_ipv6(struct str s)
{
    for (size_t i = 1; i + 1 < s.len; i++) {
        char c = s.ptr[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F') && c != ':') {
            return false;
        }
    }
    return s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']';
}

static bool is_domain(struct str s)
{
    ptrdiff_t colon = str_rfind_byte(s, ':');
    if (colon >= 0 && s.ptr[s.len - 1] != ']') {
        for (size_t i = (size_t)colon + 1; i < s.len; i++) {
            if (!is_digit(s.ptr[i])) {
                return false;
            }
        }
        if ((size_t)colon + 1 == s.len) {
            return false;
        }
        s = str_sub(s, 0, (size_t)colon);
    }
    struct str part;
    if (is_ipv6(s)) {
        return true;
    }
    if (s.len == 0) {
        return false;
    }
    while (str_split(&s, '.', &part)) {
        if (!is_host_part(part)) {
            return false;
        }
    }
    return true;
}

static bool is_path(struct str s)
{
    struct str part;
    if (s.len == 0) {
        return false;
    }
    while (str_split(&s, '/', &part)) {
        if (!is_path_part(part)) {
            return false;
        }
    }
    return true;
}

static bool is_name(struct str s)
{
    ptrdiff_t slash = str_find_byte(s, '/');
    return is_path(s) || (slash > 0 && is_domain(str_sub(s, 0, (size_t)slash)) &&
                          is_path(str_sub(s, (size_t)slash + 1, s.len)));
}

static bool is_tag(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_alnum(c) && c != '_' && (i == 0 || (c != '.' && c != '-'))) {
            return false;
        }
    }
    return s.len > 0 && s.len <= 128;
}

/* "sha256:…": an algorithm's name and at least 32 hexadecimal digits. */
static bool is_digest(struct str s)
{
    ptrdiff_t colon = str_find_byte(s, ':');
    struct str hex = str_sub(s, (size_t)(colon + 1), s.len);
    bool word = false;
    for (ptrdiff_t i = 0; i < colon; i++) {
        char c = s.ptr[i];
        bool joint = c == '-' || c == '_' || c == '+' || c == '.';
        if (joint ? !word : !(is_alnum(c) && (word || !is_digit(c)))) {
            return false;
        }
        word = !joint;
    }
    for (size_t i = 0; i < hex.len; i++) {
        char c = hex.ptr[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) {
            return false;
        }
    }
    return colon > 0 && word && hex.len >= 32;
}

static bool is_reference(struct str text, struct str *name)
{
    ptrdiff_t at = str_find_byte(text, '@');
    struct str rest = at < 0 ? text : str_sub(text, 0, (size_t)at);
    ptrdiff_t colon = str_rfind_byte(rest, ':'), slash = str_rfind_byte(rest, '/');
    bool tagged = colon > slash;
    *name = tagged ? str_sub(rest, 0, (size_t)colon) : rest;
    return (at < 0 || is_digest(str_sub(text, (size_t)at + 1, text.len))) &&
           (!tagged || is_tag(str_sub(rest, (size_t)colon + 1, rest.len))) && is_name(*name);
}

const char *krm_image_fault(struct str text)
{
    struct str name;
    if (text.len == 0) {
        return "repository name must have at least one component";
    }
    if (is_reference(text, &name)) {
        return name.len > 255 ? "repository name must not be more than 255 characters" : NULL;
    }
    AUTO_BUF lower = BUF_INIT;
    for (size_t i = 0; i < text.len; i++) {
        buf_addc(&lower, is_upper(text.ptr[i]) ? (char)(text.ptr[i] + 32) : text.ptr[i]);
    }
    return is_reference(buf_str(&lower), &name) ? "repository name must be lowercase"
                                                : "invalid reference format";
}

/* --- functions --- */

struct place {
    const char *list;
    size_t at;
    struct str image;
};

static int invalid(struct err *err, const struct place *p, const char *field, struct str value,
                   const char *reason)
{
    AUTO_BUF text = BUF_INIT;
    buf_addz(&text, "invalid pipeline: function ");
    buf_add_json_string(&text, p->image);
    buf_printf(&text, ": Kptfile is invalid:\nField: `pipeline.%s[%zu]%s`\n", p->list, p->at,
               field);
    if (value.len) {
        buf_addz(&text, "Value: ");
        buf_add_json_string(&text, value);
        buf_addc(&text, '\n');
    }
    buf_printf(&text, "Reason: %s\n", reason);
    return err_set(err, ERR_INVALID, "%s", text.ptr);
}

/* The path without `.`, empty parts and what `..` undoes. */
static struct str clean(struct arena *a, struct str path)
{
    struct str *parts = arena_array(a, struct str, path.len + 1), part;
    size_t n = 0;
    bool absolute = path.len && path.ptr[0] == '/';
    while (parts && str_split(&path, '/', &part)) {
        if (str_eqz(part, "..") && n > 0 && !str_eqz(parts[n - 1], "..")) {
            n--;
        } else if (part.len && !str_eqz(part, ".") && !(absolute && str_eqz(part, ".."))) {
            parts[n++] = part;
        }
    }
    AUTO_BUF out = BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        buf_printf(&out, "%s%.*s", i || absolute ? "/" : "", STR_ARG(parts[i]));
    }
    return n == 0 ? (absolute ? STR("/") : STR(".")) : arena_str(a, buf_str(&out));
}

static const char *path_fault(struct arena *a, struct str path)
{
    if (str_trim(path, " \t\r\n").len == 0) {
        return "path must not be empty";
    }
    struct str cleaned = clean(a, path);
    return cleaned.ptr[0] == '/'               ? "path must be relative"
           : str_find(cleaned, STR("..")) >= 0 ? "path must not be outside the package"
                                               : NULL;
}

/* What is wrong with the file of a functionConfig, or NULL. */
static const char *config_fault(struct arena *a, struct str path, const struct krm_files *files)
{
    struct krm_read_options o = {.wrap_lists = true};
    struct str cleaned = clean(a, path);
    struct node *items;
    AUTO_ERR why = ERR_INIT;
    for (size_t i = 0; i < files->n; i++) {
        if (!str_eq(files->list[i].path, cleaned)) {
            continue;
        }
        struct krm_file file = {STR("functionConfig.yaml"), files->list[i].text};
        struct krm_files one = {&file, 1, 1};
        if (krm_resources_read(a, &one, &o, &items, NULL, &why) < 0) {
            return arena_printf(a, "failed to read functionConfig \"%.*s\": %s", STR_ARG(path),
                                why.message)
                .ptr;
        }
        if (items->n > 1) {
            return arena_printf(a,
                                "functionConfig \"%.*s\" must not contain more than one config, "
                                "got %zu",
                                STR_ARG(path), (size_t)items->n)
                .ptr;
        }
        if (krm_check_resource(items->n ? items->items[0] : NULL, STR(""), &why) < 0) {
            return arena_printf(a, "functionConfig \"%.*s\": %s", STR_ARG(path), why.message).ptr;
        }
        return NULL;
    }
    return arena_printf(a,
                        "failed to open functionConfig from path \"%.*s\": no such file or "
                        "directory",
                        STR_ARG(path))
        .ptr;
}

static int check_config(struct arena *a, const struct place *p, struct str path,
                        const struct krm_files *files, struct err *err)
{
    const char *fault = path_fault(a, path);
    if (!fault && files) {
        fault = config_fault(a, path, files);
    }
    return fault ? invalid(err, p, ".configPath", path, fault) : 0;
}

static int check_function(struct arena *a, const struct node *f, const struct place *p,
                          const struct krm_files *files, struct err *err)
{
    bool exec = krm_tree_text(node_getz(f, "exec")).len > 0;
    struct str path = krm_tree_text(node_getz(f, "configPath"));
    const char *fault = p->image.len ? krm_image_fault(p->image) : NULL;
    if (!p->image.len && !exec) {
        return invalid(err, p, "", STR_NULL,
                       "must specify a functon (`image` or `exec`) to execute");
    }
    if (p->image.len && exec) {
        return invalid(err, p, "", STR_NULL,
                       "must not specify both `image` and `exec` at the same time");
    }
    if (fault) {
        AUTO_BUF reason = BUF_INIT;
        buf_addz(&reason, "function image reference ");
        buf_add_json_string(&reason, p->image);
        buf_printf(&reason, " is invalid: %s", fault);
        return invalid(err, p, ".image", p->image, reason.ptr);
    }
    if (path.len && node_getz(f, "configMap")) {
        return invalid(err, p, "", STR_NULL,
                       "functionConfig must not specify both `configMap` and `configPath` at the "
                       "same time");
    }
    return path.len ? check_config(a, p, path, files, err) : 0;
}

int kptfile_check(struct arena *a, const struct node *form, const struct krm_files *files,
                  struct err *err)
{
    static const char *const lists[] = {"mutators", "validators"};
    for (size_t l = 0; l < 2; l++) {
        const struct node *list = node_getz(node_getz(form, "pipeline"), lists[l]);
        for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
            struct place p = {lists[l], i, krm_tree_text(node_getz(list->items[i], "image"))};
            if (check_function(a, list->items[i], &p, files, err) < 0) {
                return -1;
            }
        }
    }
    return 0;
}
