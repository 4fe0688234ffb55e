/* SPDX-License-Identifier: Apache-2.0
 *
 * See path.h. Paths are refused rather than cleaned: two keys that clean to the same path would
 * silently lose one file.
 */
#include "krm/path.h"

#include "base/buf.h"
#include "base/limits.h"

static bool is_dot_git(struct str s)
{
    /* case-insensitive: such a tree cannot be checked out safely everywhere */
    return s.len == 4 && s.ptr[0] == '.' && (s.ptr[1] | 0x20) == 'g' && (s.ptr[2] | 0x20) == 'i' &&
           (s.ptr[3] | 0x20) == 't';
}

static const char *segment_fault(struct str s)
{
    if (s.len == 0) {
        return "must not have an empty segment";
    }
    if (str_eq(s, STR("."))) {
        return "must not have a segment '.'";
    }
    if (str_eq(s, STR(".."))) {
        return "must not have a segment '..'";
    }
    if (is_dot_git(s)) {
        return "must not have a segment '.git'";
    }
    if (s.len > LIMIT_PATH_SEGMENT) {
        return "must not have a segment of more than 255 bytes";
    }
    return NULL;
}

const char *krm_path_fault(struct str path)
{
    if (path.len == 0) {
        return "must not be empty";
    }
    if (path.len > LIMIT_PATH_BYTES) {
        return "must be no more than 4096 bytes";
    }
    if (str_find_byte(path, '\0') >= 0) {
        return "must not contain NUL";
    }
    if (!str_is_utf8(path)) {
        return "must be UTF-8";
    }
    if (str_find_byte(path, '\\') >= 0) {
        return "must not contain '\\'"; /* a separator elsewhere */
    }
    if (path.ptr[0] == '/') {
        return "must be relative to the package";
    }
    if (path.ptr[path.len - 1] == '/') {
        return "must name a file";
    }
    struct str segment;
    while (str_split(&path, '/', &segment)) {
        const char *fault = segment_fault(segment);
        if (fault) {
            return fault;
        }
    }
    return NULL;
}

/* `spec.resources[…]`, readable and free of NUL: long keys are cut, control bytes escaped. */
static void add_field(struct buf *b, struct str path)
{
    buf_addz(b, "spec.resources[");
    for (size_t i = 0; i < path.len && i <= LIMIT_PATH_BYTES; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            buf_printf(b, "\\x%02x", c);
        } else {
            buf_addc(b, (char)c);
        }
    }
    buf_addc(b, ']');
}

int krm_path_check(struct str path, struct err *err)
{
    const char *fault = krm_path_fault(path);
    if (!fault) {
        return 0;
    }
    AUTO_BUF field = BUF_INIT;
    AUTO_BUF value = BUF_INIT;
    add_field(&field, path);
    buf_add_json_string(&value, str_sub(path, 0, LIMIT_PATH_BYTES));
    if (!err_is(err, ERR_INVALID)) {
        err_set(err, ERR_INVALID, "%s: Invalid value: %s: %s", field.ptr, value.ptr, fault);
    }
    return err_add_cause(err, "FieldValueInvalid", field.ptr, "Invalid value: %s: %s", value.ptr,
                         fault);
}
