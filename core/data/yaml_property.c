/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens with text that are no scalars (yaml_scan.h): anchors, aliases, tags, directives.
 */
#include "data/yaml_scan.h"

#include <string.h>

static bool is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

static struct str text_from(const struct yaml_scanner *s, struct yaml_mark from)
{
    return str_sub(s->text, from.at, s->mark.at);
}

static void skip_words(struct yaml_scanner *s)
{
    while (is_word(yaml_byte(s, 0))) {
        yaml_move(s, 1);
    }
}

void yaml_skip_blanks(struct yaml_scanner *s)
{
    while (yaml_blank(yaml_byte(s, 0))) {
        yaml_move(s, 1);
    }
}

int yaml_scan_anchor(struct yaml_scanner *s, struct yaml_token *out)
{
    struct yaml_mark start = s->mark;
    bool alias = yaml_byte(s, 0) == '*';
    yaml_move(s, 1);
    struct yaml_mark from = s->mark;
    skip_words(s);
    unsigned char c = yaml_byte(s, 0);
    if (s->mark.at == from.at || !(yaml_blankz(s, 0) || strchr("?:,]}%@`", c))) {
        return yaml_scan_fail(s, &start, "did not find expected alphabetic or numeric character");
    }
    *out = yaml_token_from(s, alias ? TOKEN_ALIAS : TOKEN_ANCHOR, start);
    out->text = text_from(s, from);
    return 0;
}

/* One character written as %XX escapes. */
static int scan_uri_escapes(struct yaml_scanner *s, struct yaml_mark start)
{
    size_t left = 0;
    do {
        int high = yaml_hex_digit(yaml_byte(s, 1)), low = yaml_hex_digit(yaml_byte(s, 2));
        if (yaml_byte(s, 0) != '%' || high < 0 || low < 0) {
            return yaml_scan_fail(s, &start, "did not find URI escaped octet");
        }
        int octet = high << 4 | low;
        if (left == 0) {
            left = octet < 0x80             ? 1
                   : (octet & 0xe0) == 0xc0 ? 2
                   : (octet & 0xf0) == 0xe0 ? 3
                   : (octet & 0xf8) == 0xf0 ? 4
                                            : 0;
            if (left == 0) {
                return yaml_scan_fail(s, &start, "found an incorrect leading UTF-8 octet");
            }
        } else if ((octet & 0xc0) != 0x80) {
            return yaml_scan_fail(s, &start, "found an incorrect trailing UTF-8 octet");
        }
        buf_addc(&s->value, (char)octet);
        yaml_move(s, 3);
    } while (--left);
    return 0;
}

/* Appends to s->value; `any`: it may be empty. */
static int scan_uri(struct yaml_scanner *s, struct yaml_mark start, bool any)
{
    for (;;) {
        unsigned char c = yaml_byte(s, 0);
        if (c == '%') {
            if (scan_uri_escapes(s, start)) {
                return -1;
            }
        } else if (is_word(c) || (c && strchr(";/?:@&=+$,.!~*'()[]", c))) {
            buf_addc(&s->value, (char)c);
            yaml_move(s, 1);
        } else {
            break;
        }
        any = true;
    }
    return any ? 0 : yaml_scan_fail(s, &start, "did not find expected tag URI");
}

/* `!`, `!!` or `!word!`, and `!word` as far as it may be the start of a tag. */
static struct str scan_handle(struct yaml_scanner *s)
{
    struct yaml_mark from = s->mark;
    yaml_move(s, 1);
    skip_words(s);
    if (yaml_byte(s, 0) == '!') {
        yaml_move(s, 1);
    }
    return text_from(s, from);
}

static int scan_tag_text(struct yaml_scanner *s, struct yaml_mark start, struct yaml_token *out)
{
    buf_clear(&s->value);
    if (yaml_byte(s, 1) == '<') {
        out->handle = STR("");
        yaml_move(s, 2);
        if (scan_uri(s, start, false)) {
            return -1;
        }
        if (yaml_byte(s, 0) != '>') {
            return yaml_scan_fail(s, &start, "did not find the expected '>'");
        }
        yaml_move(s, 1);
    } else {
        struct str handle = scan_handle(s);
        bool whole = handle.len > 1 && handle.ptr[handle.len - 1] == '!';
        if (!whole) {
            buf_add_str(&s->value, str_sub(handle, 1, handle.len));
        }
        if (scan_uri(s, start, !whole)) {
            return -1;
        }
        out->handle = whole ? handle : s->value.len ? STR("!") : STR("");
        if (s->value.len == 0) {
            buf_addc(&s->value, '!'); /* a lone one is a tag by itself */
        }
    }
    out->text = arena_str(s->a, buf_str(&s->value));
    return 0;
}

int yaml_scan_tag(struct yaml_scanner *s, struct yaml_token *out)
{
    struct yaml_mark start = s->mark;
    struct yaml_token names = {0};
    if (scan_tag_text(s, start, &names)) {
        return -1;
    }
    if (!yaml_blankz(s, 0)) {
        return yaml_scan_fail(s, &start, "did not find expected whitespace or line break");
    }
    *out = yaml_token_from(s, TOKEN_TAG, start);
    out->handle = names.handle;
    out->text = names.text;
    return 0;
}

static int scan_number(struct yaml_scanner *s, struct yaml_mark start)
{
    size_t n = 0;
    while (yaml_digit(yaml_byte(s, 0))) {
        yaml_move(s, 1);
        if (++n > 9) {
            return yaml_scan_fail(s, &start, "found extremely long version number");
        }
    }
    return n ? 0 : yaml_scan_fail(s, &start, "did not find expected version number");
}

static int scan_version(struct yaml_scanner *s, struct yaml_mark start, struct yaml_token *out)
{
    yaml_skip_blanks(s);
    struct yaml_mark from = s->mark;
    if (scan_number(s, start)) {
        return -1;
    }
    if (yaml_byte(s, 0) != '.') {
        return yaml_scan_fail(s, &start, "did not find expected digit or '.' character");
    }
    yaml_move(s, 1);
    if (scan_number(s, start)) {
        return -1;
    }
    out->text = text_from(s, from);
    return 0;
}

static int scan_tag_prefix(struct yaml_scanner *s, struct yaml_mark start, struct yaml_token *out)
{
    yaml_skip_blanks(s);
    if (yaml_byte(s, 0) != '!') {
        return yaml_scan_fail(s, &start, "did not find expected '!'");
    }
    out->handle = scan_handle(s);
    if (out->handle.len > 1 && out->handle.ptr[out->handle.len - 1] != '!') {
        return yaml_scan_fail(s, &start, "did not find expected '!'");
    }
    if (!yaml_blank(yaml_byte(s, 0))) {
        return yaml_scan_fail(s, &start, "did not find expected whitespace");
    }
    yaml_skip_blanks(s);
    buf_clear(&s->value);
    if (scan_uri(s, start, false)) {
        return -1;
    }
    if (!yaml_blankz(s, 0)) {
        return yaml_scan_fail(s, &start, "did not find expected whitespace or line break");
    }
    out->text = arena_str(s->a, buf_str(&s->value));
    return 0;
}

int yaml_scan_directive(struct yaml_scanner *s, struct yaml_token *out)
{
    struct yaml_mark start = s->mark;
    yaml_move(s, 1);
    struct yaml_mark from = s->mark;
    skip_words(s);
    struct str name = text_from(s, from);
    if (name.len == 0) {
        return yaml_scan_fail(s, &start, "could not find expected directive name");
    }
    if (!yaml_blankz(s, 0)) {
        return yaml_scan_fail(s, &start, "found unexpected non-alphabetical character");
    }
    bool version = str_eqz(name, "YAML");
    if (!version && !str_eqz(name, "TAG")) {
        return yaml_scan_fail(s, &start, "found unknown directive name");
    }
    struct yaml_token names = {0};
    if (version ? scan_version(s, start, &names) : scan_tag_prefix(s, start, &names)) {
        return -1;
    }
    *out = yaml_token_from(s, version ? TOKEN_VERSION : TOKEN_TAG_PREFIX, start);
    out->handle = names.handle;
    out->text = names.text;
    yaml_skip_blanks(s);
    if (yaml_byte(s, 0) == '#') {
        while (!yaml_at_end(s) && !yaml_newline(s)) {
            yaml_move(s, 1);
        }
    }
    if (!yaml_at_end(s) && !yaml_newline(s)) {
        return yaml_scan_fail(s, &start, "did not find expected comment or line break");
    }
    if (yaml_newline(s)) {
        yaml_move_line(s, yaml_newline(s));
    }
    return 0;
}
