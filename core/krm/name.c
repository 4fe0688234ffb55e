/* SPDX-License-Identifier: Apache-2.0
 *
 * See name.h. A name is split before it is checked, so that the error can name each bad part; the
 * checks run on the parts, and on the whole only when every part passed.
 */
#include "krm/name.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "api/kinds.h"
#include "base/buf.h"
#include "base/limits.h"

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static void fault(struct krm_name_faults *f, const char *part, const char *message)
{
    f->at[f->n++] = (struct krm_name_fault){part, message, 0};
}

static void fault_length(struct krm_name_faults *f, const char *part, int max)
{
    f->at[f->n++] = (struct krm_name_fault){part, "name-too-long", max};
}

static bool label_shape(struct str s)
{
    if (s.len == 0 || !is_lower_alnum(s.ptr[0]) || !is_lower_alnum(s.ptr[s.len - 1])) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!is_lower_alnum(s.ptr[i]) && s.ptr[i] != '-') {
            return false;
        }
    }
    return true;
}

static bool subdomain_shape(struct str s)
{
    struct str label;
    if (s.len == 0) {
        return false;
    }
    while (str_split(&s, '.', &label)) {
        if (!label_shape(label)) {
            return false;
        }
    }
    return true;
}

static bool qualified_shape(struct str s)
{
    if (s.len == 0 || !is_alnum(s.ptr[0]) || !is_alnum(s.ptr[s.len - 1])) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_alnum(c) && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return true;
}

/* --- object names --- */

void krm_name_set_package(struct krm_name *out, struct str package_name)
{
    ptrdiff_t slash = str_rfind_byte(package_name, '/');
    out->path = slash < 0 ? STR("") : str_sub(package_name, 0, (size_t)slash);
    out->package = str_sub(package_name, (size_t)(slash + 1), package_name.len);
}

struct str krm_name_package(struct arena *a, const struct krm_name *n)
{
    struct str path = str_trim(n->path, "/");
    if (path.len == 0) {
        return n->package;
    }
    return arena_printf(a, "%.*s/%.*s", STR_ARG(path), STR_ARG(n->package));
}

static void add_dotted(struct buf *b, struct str path)
{
    for (size_t i = 0; i < path.len; i++) {
        buf_addc(b, path.ptr[i] == '/' ? '.' : path.ptr[i]);
    }
}

static void add_package_name(struct buf *b, const struct krm_name *n)
{
    struct str path = str_trim(n->path, "/.");
    buf_add_str(b, n->repository);
    buf_addc(b, '.');
    add_dotted(b, path);
    if (path.len > 0) {
        buf_addc(b, '.');
    }
    add_dotted(b, str_trim(n->package, "/."));
}

static void add_name(struct buf *b, const struct krm_name *n)
{
    add_package_name(b, n);
    buf_addc(b, '.');
    buf_add_str(b, n->workspace);
}

struct str krm_name_emit(struct arena *a, const struct krm_name *n)
{
    if (n->repository.len == 0 || n->package.len == 0 || n->workspace.len == 0) {
        return STR("");
    }
    AUTO_BUF b = BUF_INIT;
    add_name(&b, n);
    return arena_str(a, buf_str(&b));
}

struct str krm_name_emit_package(struct arena *a, const struct krm_name *n)
{
    if (n->repository.len == 0 || n->package.len == 0) {
        return STR("");
    }
    AUTO_BUF b = BUF_INIT;
    add_package_name(&b, n);
    return arena_str(a, buf_str(&b));
}

/* Offset of the dot in front of the workspace, or -1. A workspace of the form v1.2.3 keeps its
 * dots; every other one starts behind the last dot. */
static ptrdiff_t workspace_dot(struct str name)
{
    for (size_t i = name.len; i-- > 1;) {
        char c = name.ptr[i];
        if (c == 'v' && name.ptr[i - 1] == '.') {
            bool digit_last = i + 1 < name.len && name.ptr[name.len - 1] != '.';
            return digit_last ? (ptrdiff_t)i - 1 : str_rfind_byte(name, '.');
        }
        if (c != '.' && (c < '0' || c > '9')) {
            break;
        }
    }
    return str_rfind_byte(name, '.');
}

/* "repo.a.b.pkg" into repository, path (a/b) and package. */
static void split_package(struct arena *a, struct str rest, struct krm_name *out)
{
    ptrdiff_t first = str_find_byte(rest, '.');
    ptrdiff_t last = str_rfind_byte(rest, '.');
    if (first < 0) {
        out->repository = rest;
        return;
    }
    out->repository = str_sub(rest, 0, (size_t)first);
    out->package = str_sub(rest, (size_t)last + 1, rest.len);
    if (last > first) {
        AUTO_BUF path = BUF_INIT;
        struct str middle = str_sub(rest, (size_t)first + 1, (size_t)last);
        for (size_t i = 0; i < middle.len; i++) {
            buf_addc(&path, middle.ptr[i] == '.' ? '/' : middle.ptr[i]);
        }
        out->path = arena_str(a, buf_str(&path));
    }
}

void krm_name_split(struct arena *a, struct str name, struct krm_name *out)
{
    *out = (struct krm_name){STR(""), STR(""), STR(""), STR("")};
    name = arena_str(a, name);
    ptrdiff_t dot = workspace_dot(name);
    if (dot < 0) {
        out->repository = name;
        return;
    }
    out->workspace = str_sub(name, (size_t)dot + 1, name.len);
    split_package(a, str_sub(name, 0, (size_t)dot), out);
}

static void add_faults(struct buf *b, const struct krm_name_faults *f, const char *sep)
{
    for (size_t i = 0; i < f->n; i++) {
        buf_addz(b, i ? sep : "");
        buf_addz(b, f->at[i].part);
        api_text(b, f->at[i].message, f->at[i].max);
    }
}

/* The lines about one bad part; `message` quotes the value, repeats it and gives the reasons. */
static void add_part(struct buf *b, struct krm_name_faults f, const char *message, struct str value,
                     const char *sep)
{
    if (f.n == 0) {
        return;
    }
    AUTO_BUF quoted = BUF_INIT;
    AUTO_BUF plain = BUF_INIT;
    AUTO_BUF reasons = BUF_INIT;
    buf_add_json_string(&quoted, value);
    quoted.ptr[quoted.len - 1] = '\0'; /* the message has the quotes */
    buf_add(&plain, value.ptr, value.len);
    add_faults(&reasons, &f, sep);
    api_text(b, message, quoted.ptr + 1, plain.len ? plain.ptr : "", reasons.ptr);
}

static void add_package_parts(struct buf *b, const struct krm_name *n)
{
    add_part(b, krm_name_check_label(n->repository), "name-repository", n->repository, ",");
    add_part(b, krm_name_check_path(n->path), "name-path", n->path, ",");
    add_part(b, krm_name_check_label(n->package), "name-package", n->package, ",");
}

/* Parts that pass alone can still be too long together. */
static void add_whole(struct buf *b, struct str name, const char *message)
{
    add_part(b, krm_name_check_subdomain(name), message, name, "");
}

static int report(const struct buf *faults, const char *head, enum err_kind kind, struct err *err)
{
    if (faults->len == 0) {
        return 0;
    }
    return err_set(err, kind, "%s%s", api_message(head), faults->ptr);
}

int krm_name_check(const struct krm_name *n, enum err_kind kind, struct err *err)
{
    AUTO_BUF faults = BUF_INIT;
    add_package_parts(&faults, n);
    add_part(&faults, krm_name_check_label(n->workspace), "name-workspace", n->workspace, ",");
    if (faults.len == 0) {
        AUTO_BUF whole = BUF_INIT;
        add_name(&whole, n);
        add_whole(&faults, buf_str(&whole), "name-whole");
    }
    return report(&faults, "name-revision-head", kind, err);
}

int krm_name_check_package(const struct krm_name *n, enum err_kind kind, struct err *err)
{
    AUTO_BUF faults = BUF_INIT;
    add_package_parts(&faults, n);
    if (faults.len == 0) {
        AUTO_BUF whole = BUF_INIT;
        add_package_name(&whole, n);
        add_whole(&faults, buf_str(&whole), "name-whole-package");
    }
    return report(&faults, "name-package-head", kind, err);
}

/* Good parts of a bad whole: "repo..pkg.ws" or "repo.a/b.ws" would not compose to itself. */
static int check_whole(struct str name, const char *message, const char *head, struct err *err)
{
    AUTO_BUF faults = BUF_INIT;
    add_whole(&faults, name, message);
    return report(&faults, head, ERR_PLAIN, err);
}

int krm_name_parse(struct arena *a, struct str name, struct krm_name *out, struct err *err)
{
    struct krm_name n, checked;
    krm_name_split(a, name, &n);
    checked = n;
    char *workspace = arena_strz(a, n.workspace);
    if (!workspace) {
        return err_set(err, ERR_TOO_LARGE, "object name is too long");
    }
    for (size_t i = 0; i < n.workspace.len; i++) {
        if (workspace[i] == '.') {
            workspace[i] = '-';
        }
    }
    checked.workspace.ptr = workspace;
    if (krm_name_check(&checked, ERR_PLAIN, err) < 0 ||
        check_whole(name, "name-whole", "name-revision-head", err) < 0) {
        return -1;
    }
    *out = n;
    return 0;
}

int krm_name_parse_package(struct arena *a, struct str name, struct krm_name *out,
                           struct err *err)
{
    struct krm_name n = {STR(""), STR(""), STR(""), STR("")};
    split_package(a, arena_str(a, name), &n);
    if (krm_name_check_package(&n, ERR_PLAIN, err) < 0 ||
        check_whole(name, "name-whole-package", "name-package-head", err) < 0) {
        return -1;
    }
    *out = n;
    return 0;
}

static void add_lower(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        buf_addc(b, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
    }
}

static void derive_uid(const char *prefix, struct str ns, struct str name, char out[KRM_UID_SIZE])
{
    static const unsigned char space[16] = {0xaa, 0xc7, 0x1d, 0x91, 0x5c, 0x67, 0x45, 0x6f,
                                            0x8f, 0xd2, 0x90, 0x2e, 0xf6, 0xda, 0x82, 0x0e};
    unsigned char id[SHA_DIGEST_LENGTH];
    AUTO_BUF text = BUF_INIT;
    buf_add(&text, space, sizeof(space));
    buf_addz(&text, prefix);
    buf_addz(&text, ":porch.kpt.dev/v1alpha1/");
    add_lower(&text, ns);
    buf_addc(&text, '/');
    add_lower(&text, name);
    SHA1((const unsigned char *)text.ptr, text.len, id);
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x50); /* version 5 */
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80); /* RFC 4122 variant */
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += (size_t)snprintf(out + at, KRM_UID_SIZE - at, "%s%02x", dash ? "-" : "", id[i]);
    }
}

void krm_name_uid(struct str ns, struct str name, char out[KRM_UID_SIZE])
{
    derive_uid("packagerevision", ns, name, out);
}

void krm_name_uid_package(struct str ns, struct str name, char out[KRM_UID_SIZE])
{
    derive_uid("dbPackage", ns, name, out);
}

/* --- generic rules --- */

/* Why s is no label: a name that is otherwise good only has dots too many. */
static const char *label_fault(struct str s)
{
    return subdomain_shape(s) ? "name-dots" : "name-label";
}

struct krm_name_faults krm_name_check_label(struct str s)
{
    struct krm_name_faults f = {0};
    if (s.len > LIMIT_LABEL) {
        fault_length(&f, "", LIMIT_LABEL);
    }
    if (!label_shape(s)) {
        fault(&f, "", label_fault(s));
    }
    return f;
}

struct krm_name_faults krm_name_check_subdomain(struct str s)
{
    struct krm_name_faults f = {0};
    if (s.len > LIMIT_NAME) {
        fault_length(&f, "", LIMIT_NAME);
    }
    if (!subdomain_shape(s)) {
        fault(&f, "", "name-subdomain");
    }
    return f;
}

static void check_prefix(struct krm_name_faults *f, struct str prefix)
{
    if (prefix.len == 0) {
        fault(f, "prefix part ", "name-part-empty");
        return;
    }
    if (prefix.len > LIMIT_NAME) {
        fault_length(f, "prefix part ", LIMIT_NAME);
    }
    if (!subdomain_shape(prefix)) {
        fault(f, "prefix part ", "name-subdomain");
    }
}

struct krm_name_faults krm_name_check_qualified(struct str s)
{
    struct krm_name_faults f = {0};
    ptrdiff_t slash = str_find_byte(s, '/');
    if (slash != str_rfind_byte(s, '/')) {
        fault(&f, "", "name-qualified-key");
        return f;
    }
    if (slash >= 0) {
        check_prefix(&f, str_sub(s, 0, (size_t)slash));
    }
    struct str name = str_sub(s, (size_t)(slash + 1), s.len);
    if (name.len == 0) {
        fault(&f, "name part ", "name-part-empty");
    } else if (name.len > LIMIT_LABEL) {
        fault_length(&f, "name part ", LIMIT_LABEL);
    }
    if (!qualified_shape(name)) {
        fault(&f, "", "name-qualified");
    }
    return f;
}

struct krm_name_faults krm_name_check_label_value(struct str s)
{
    struct krm_name_faults f = {0};
    if (s.len > LIMIT_LABEL) {
        fault_length(&f, "", LIMIT_LABEL);
    }
    if (s.len > 0 && !qualified_shape(s)) {
        fault(&f, "", "name-label-value");
    }
    return f;
}

struct krm_name_faults krm_name_check_path(struct str s)
{
    struct krm_name_faults f = {0};
    if (str_find(s, STR("//")) >= 0) {
        fault(&f, "", "name-slashes");
    }
    AUTO_BUF joined = BUF_INIT;
    struct str segment;
    while (str_split(&s, '/', &segment)) {
        buf_add_str(&joined, segment);
    }
    if (joined.len > LIMIT_LABEL) {
        fault_length(&f, "", LIMIT_LABEL);
    }
    if (joined.len > 0 && !label_shape(buf_str(&joined))) {
        fault(&f, "", label_fault(buf_str(&joined)));
    }
    return f;
}

struct str krm_name_faults_text(struct arena *a, const struct krm_name_faults *f, const char *sep)
{
    AUTO_BUF b = BUF_INIT;
    add_faults(&b, f, sep);
    return arena_str(a, buf_str(&b));
}
