/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_scalar.h.
 */
#include "data/yaml_doc.h"
#include "data/yaml_scalar.h"

#include <stdlib.h>

struct word {
    const char *text;
    enum node_type type;
    bool boolean, infinite;
};

static const struct word words[] = {
    {"~", NODE_NULL},
    {"null", NODE_NULL},
    {"Null", NODE_NULL},
    {"NULL", NODE_NULL},
    {"true", NODE_BOOL, true},
    {"True", NODE_BOOL, true},
    {"TRUE", NODE_BOOL, true},
    {"y", NODE_BOOL, true},
    {"Y", NODE_BOOL, true},
    {"yes", NODE_BOOL, true},
    {"Yes", NODE_BOOL, true},
    {"YES", NODE_BOOL, true},
    {"on", NODE_BOOL, true},
    {"On", NODE_BOOL, true},
    {"ON", NODE_BOOL, true},
    {"false", NODE_BOOL},
    {"False", NODE_BOOL},
    {"FALSE", NODE_BOOL},
    {"n", NODE_BOOL},
    {"N", NODE_BOOL},
    {"no", NODE_BOOL},
    {"No", NODE_BOOL},
    {"NO", NODE_BOOL},
    {"off", NODE_BOOL},
    {"Off", NODE_BOOL},
    {"OFF", NODE_BOOL},
    {".nan", NODE_FLOAT, false, true},
    {".NaN", NODE_FLOAT, false, true},
    {".NAN", NODE_FLOAT, false, true},
    {".inf", NODE_FLOAT, false, true},
    {".Inf", NODE_FLOAT, false, true},
    {".INF", NODE_FLOAT, false, true},
    {"+.inf", NODE_FLOAT, false, true},
    {"+.Inf", NODE_FLOAT, false, true},
    {"+.INF", NODE_FLOAT, false, true},
    {"-.inf", NODE_FLOAT, false, true},
    {"-.Inf", NODE_FLOAT, false, true},
    {"-.INF", NODE_FLOAT, false, true},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool resolve_word(struct str text, struct yaml_scalar *out)
{
    if (text.len > 5) {
        return false;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (words[i].text[0] == text.ptr[0] && str_eqz(text, words[i].text)) {
            *out = (struct yaml_scalar){.type = words[i].type,
                                        .boolean = words[i].boolean,
                                        .infinite = words[i].infinite};
            return true;
        }
    }
    return false;
}

/* Copies text without '_' ; false when it does not fit (then it is no number we care for). */
static bool strip(struct str text, char *out, size_t size, bool *stripped)
{
    size_t n = 0;
    *stripped = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '_') {
            *stripped = true;
        } else if (n + 1 < size) {
            out[n++] = text.ptr[i];
        } else {
            return false;
        }
    }
    out[n] = 0;
    return true;
}

/* Digits of z in that base, all of them; false on overflow or other characters. */
static bool parse_digits(const char *z, unsigned base, uint64_t *out)
{
    uint64_t v = 0;
    if (!*z) {
        return false;
    }
    for (; *z; z++) {
        char c = *z | 0x20;
        unsigned d = is_digit(*z) ? (unsigned)(*z - '0') : c >= 'a' && c <= 'f'
                                                               ? (unsigned)(c - 'a' + 10)
                                                               : 99;
        if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
            __builtin_add_overflow(v, (uint64_t)d, &v)) {
            return false;
        }
    }
    *out = v;
    return true;
}

/* Go's integer syntax: 0x, 0b, 0o, leading 0 = octal, optional sign. */
static bool resolve_int(const char *z, struct yaml_scalar *out)
{
    bool negative = *z == '-', plus = *z == '+';
    z += negative || plus;
    unsigned base = 10;
    const char *from = z;
    if (z[0] == '0' && z[1]) {
        char c = z[1] | 0x20;
        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        from = z + (c == 'x' || c == 'b' || c == 'o' ? 2 : 1);
    }
    uint64_t v;
    if (!parse_digits(from, base, &v) || (negative && v > (uint64_t)INT64_MAX + 1)) {
        return false;
    }
    *out = (struct yaml_scalar){.type = NODE_INT, .odd = plus || base != 10};
    if (negative) {
        out->integer = (int64_t)(0 - v);
    } else if (v <= INT64_MAX) {
        out->integer = (int64_t)v;
    } else {
        out->type = NODE_FLOAT;
        out->big = v;
    }
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? within double's range. */
static bool resolve_float(const char *z, struct yaml_scalar *out)
{
    const char *p = z;
    p += *p == '-' || *p == '+';
    const char *digits = p;
    while (is_digit(*p)) {
        p++;
    }
    size_t whole = (size_t)(p - digits), fraction = 0;
    bool dot = *p == '.';
    if (dot) {
        const char *from = ++p;
        while (is_digit(*p)) {
            p++;
        }
        fraction = (size_t)(p - from);
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        if (!is_digit(*p)) {
            return false;
        }
        while (is_digit(*p)) {
            p++;
        }
    }
    double v = *p ? 0 : strtod(z, NULL);
    if (*p || v > 1.7976931348623157e308 || v < -1.7976931348623157e308) {
        return false;
    }
    *out = (struct yaml_scalar){.type = NODE_FLOAT};
    out->odd = *z == '+' || whole == 0 || (whole > 1 && digits[0] == '0') || (dot && !fraction);
    return true;
}

/* n to m digits at *p. */
static bool take_digits(struct str *s, size_t least, size_t most)
{
    size_t n = 0;
    while (n < s->len && n < most && is_digit(s->ptr[n])) {
        n++;
    }
    *s = str_sub(*s, n, s->len);
    return n >= least;
}

static bool take_byte(struct str *s, char c)
{
    bool ok = s->len && s->ptr[0] == c;
    *s = str_sub(*s, ok, s->len);
    return ok;
}

static bool take_zone(struct str *s)
{
    if (take_byte(s, 'Z')) {
        return true;
    }
    return (take_byte(s, '+') || take_byte(s, '-')) && take_digits(s, 2, 2) &&
           take_byte(s, ':') && take_digits(s, 2, 2);
}

/* A number of one or two digits in [least, most]. */
static bool take_number(struct str *s, int least, int most, int *out)
{
    struct str from = *s;
    if (!take_digits(s, 1, 2)) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < from.len - s->len; i++) {
        *out = *out * 10 + from.ptr[i] - '0';
    }
    return *out >= least && *out <= most;
}

static bool take_date(struct str *s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct str from = *s;
    int year = 0, month, day;
    if (!take_digits(s, 4, 4) || !take_byte(s, '-') || !take_number(s, 1, 12, &month) ||
        !take_byte(s, '-')) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        year = year * 10 + from.ptr[i] - '0';
    }
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return take_number(s, 1, days[month - 1] + (leap && month == 2), &day);
}

/* The shapes Y-M-D, Y-M-DTh:m:s[.f]zone and Y-M-D h:m:s[.f] of real days. They are strings for the
 * API; other readers take them for times. */
static bool is_timestamp(struct str s)
{
    int n;
    if (!take_date(&s)) {
        return false;
    }
    if (s.len == 0) {
        return true;
    }
    bool zone = take_byte(&s, 'T') || take_byte(&s, 't');
    if ((!zone && !take_byte(&s, ' ')) || !take_number(&s, 0, 23, &n) || !take_byte(&s, ':') ||
        !take_number(&s, 0, 59, &n) || !take_byte(&s, ':') || !take_number(&s, 0, 59, &n)) {
        return false;
    }
    if (take_byte(&s, '.') && !take_digits(&s, 1, SIZE_MAX)) {
        return false;
    }
    return (!zone || take_zone(&s)) && s.len == 0;
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
static bool is_base60(struct str s)
{
    (void)(take_byte(&s, '-') || take_byte(&s, '+'));
    if (!take_digits(&s, 1, 1)) {
        return false;
    }
    while (take_byte(&s, '_') || (s.len && is_digit(s.ptr[0]) && take_digits(&s, 1, 1))) {
    }
    size_t groups = 0;
    while (take_byte(&s, ':')) {
        bool two = s.len > 1 && s.ptr[0] <= '5' && is_digit(s.ptr[0]) && is_digit(s.ptr[1]);
        if (!take_digits(&s, 1, two ? 2 : 1)) {
            return false;
        }
        groups++;
    }
    if (groups && take_byte(&s, '.')) {
        while (take_byte(&s, '_') || (s.len && is_digit(s.ptr[0]) && take_digits(&s, 1, 1))) {
        }
    }
    return groups && s.len == 0;
}

/* Most texts are told by their first letter: nothing but a string in any reading of YAML. */
static bool is_surely_string(struct str text)
{
    return text.len && !strchr("0123456789+-.~<yYnNtTfFoO", text.ptr[0]);
}

struct yaml_scalar yaml_scalar_resolve(struct str text)
{
    struct yaml_scalar out = {.type = NODE_STRING};
    if (text.len == 0) {
        out.type = NODE_NULL;
        return out;
    }
    if (is_surely_string(text) || resolve_word(text, &out)) {
        return out;
    }
    char c = text.ptr[0];
    char z[400];
    bool stripped;
    if ((!is_digit(c) && c != '+' && c != '-' && c != '.') || is_timestamp(text) ||
        memchr(text.ptr, 0, text.len) || !strip(text, z, sizeof(z), &stripped)) {
        return out;
    }
    if ((c != '.' && resolve_int(z, &out)) || resolve_float(z, &out)) {
        out.odd = out.odd || stripped;
    }
    return out;
}

struct str yaml_scalar_number(struct arena *a, const struct yaml_scalar *s, struct str text)
{
    if (!s->odd) {
        return arena_str(a, text);
    }
    if (s->type == NODE_INT) {
        return arena_printf(a, "%lld", (long long)s->integer);
    }
    if (s->big) {
        return arena_printf(a, "%llu", (unsigned long long)s->big);
    }
    char z[400];
    bool stripped;
    (void)strip(text, z, sizeof(z), &stripped);
    const char *p = z;
    const char *sign = *p == '-' ? "-" : "";
    p += *p == '-' || *p == '+';
    while (*p == '0' && is_digit(p[1])) {
        p++;
    }
    size_t whole = strspn(p, "0123456789");
    const char *fraction = p + whole + (p[whole] == '.');
    size_t n = p[whole] == '.' ? strspn(fraction, "0123456789") : 0;
    return arena_printf(a, "%s%.*s%s%.*s%s", sign, whole ? (int)whole : 1, whole ? p : "0",
                        n ? "." : "", (int)n, fraction, fraction + n);
}

enum node_type yaml_core_type(struct str text)
{
    struct yaml_scalar s = yaml_scalar_resolve(text);
    bool word = text.len >= 4 && (str_eqz(text, s.boolean ? "true" : "false") ||
                                  str_eqz(text, s.boolean ? "True" : "False") ||
                                  str_eqz(text, s.boolean ? "TRUE" : "FALSE"));
    return s.type == NODE_BOOL && !word ? NODE_STRING : s.type;
}

bool yaml_scalar_is_core_string(struct str text)
{
    return yaml_core_type(text) == NODE_STRING && !str_eqz(text, "<<") && !is_timestamp(text);
}

bool yaml_scalar_needs_quotes(struct str text)
{
    if (is_surely_string(text)) {
        return false;
    }
    return yaml_scalar_resolve(text).type != NODE_STRING || str_eqz(text, "<<") ||
           is_timestamp(text) || is_base60(text);
}
