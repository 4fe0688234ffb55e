/* SPDX-License-Identifier: Apache-2.0
 *
 * See json.h.
 */
#include "eval/json.h"

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
    }
    return s.len > 0;
}

/* Integers of JSON: no plus, no leading zero, decimal. */
static bool is_json_int(struct str s)
{
    s = str_sub(s, s.len && s.ptr[0] == '-', s.len);
    return is_digits(s) && (s.len == 1 || s.ptr[0] != '0');
}

/* Floats of JSON: both sides of the point, an exponent behind. */
static bool is_json_float(struct str s)
{
    struct str mantissa = s, exponent = STR_NULL;
    ptrdiff_t e = str_find_byte(s, 'e') >= 0 ? str_find_byte(s, 'e') : str_find_byte(s, 'E');
    if (e >= 0) {
        mantissa = str_sub(s, 0, (size_t)e);
        exponent = str_sub(s, (size_t)e + 1, s.len);
        exponent = str_sub(exponent, exponent.len && strchr("+-", exponent.ptr[0]), exponent.len);
    }
    ptrdiff_t point = str_find_byte(mantissa, '.');
    bool fraction = point < 0 || is_digits(str_sub(mantissa, (size_t)point + 1, mantissa.len));
    return fraction && is_json_int(point < 0 ? mantissa : str_sub(mantissa, 0, (size_t)point)) &&
           (e < 0 || is_digits(exponent));
}

static void add_float(struct buf *out, struct str text)
{
    char z[64];
    snprintf(z, sizeof(z), "%.*s", STR_ARG(text));
    double v = strtod(z, NULL);
    if (is_json_float(text)) {
        buf_add_str(out, text);
    } else if (text.len && strchr(".+-", text.ptr[0]) && strpbrk(z, "iInN")) {
        buf_add_json_string(out, text);
    } else {
        buf_printf(out, "%.17g", v);
    }
}

static void add_members(struct buf *out, const struct node *n)
{
    buf_addc(out, '{');
    for (size_t i = 0; i < n->n && !out->overflow; i++) {
        buf_add(out, ",", i > 0);
        buf_add_json_string(out, n->members[i].key);
        buf_addc(out, ':');
        eval_json_emit(out, n->members[i].value);
    }
    buf_addc(out, '}');
}

static void add_items(struct buf *out, const struct node *n)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n->n && !out->overflow; i++) {
        buf_add(out, ",", i > 0);
        eval_json_emit(out, n->items[i]);
    }
    buf_addc(out, ']');
}

void eval_json_emit(struct buf *out, const struct node *n)
{
    switch (n ? n->type : NODE_NULL) {
    case NODE_MAP:
        add_members(out, n);
        break;
    case NODE_LIST:
        add_items(out, n);
        break;
    case NODE_ALIAS:
        eval_json_emit(out, n->target);
        break;
    case NODE_INT:
        if (is_json_int(n->text)) {
            buf_add_str(out, n->text);
        } else {
            buf_printf(out, "%lld", (long long)n->integer);
        }
        break;
    case NODE_FLOAT:
        add_float(out, n->text);
        break;
    default:
        json_emit(out, n);
    }
}
