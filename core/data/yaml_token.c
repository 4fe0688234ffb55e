/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_token.h. Which token comes is decided by the character at the mark, the column, and
 * whether a key may start; a key is known as one only when its `:` comes, so the token that may be
 * one waits in the queue and its KEY is put before it then. The grammar, its limits and its error
 * texts are those of the peer's scanner. Everything is linear in the text.
 */
#include "data/yaml_token.h"

#include <stdio.h>

#include "base/mem.h"
#include "data/yaml_scan.h"

#define BOM "\xef\xbb\xbf"
#define KEY_REACH 1024 /* characters between a key and its colon */
#define COMMENT_REACH 512

int yaml_fail(struct yaml_fault *f, size_t shown, size_t line, size_t column,
              const char *problem)
{
    f->line = line;
    f->column = column;
    if (shown) {
        return err_set(f->err, ERR_BAD_REQUEST, "yaml: line %zu: %s", shown, problem);
    }
    return err_set(f->err, ERR_BAD_REQUEST, "yaml: %s", problem);
}

struct yaml_scanner *yaml_scanner_new(struct arena *a, struct str text, size_t depth, bool slash)
{
    struct yaml_scanner *s = mem_new(struct yaml_scanner);
    s->a = a;
    s->text = text;
    s->depth = depth;
    s->slash = slash;
    s->mark.at = str_has_prefix(text, STR(BOM)) ? 3 : 0;
    s->indent = -1;
    s->cap_keys = 16;
    s->keys = mem_array(s->cap_keys, sizeof(*s->keys));
    yaml_check_text(s);
    return s;
}

void yaml_scanner_free(struct yaml_scanner *s)
{
    if (s) {
        buf_done(&s->value);
        buf_done(&s->more);
        mem_free(s->indents);
        mem_free(s->keys);
        mem_free(s->tokens);
        mem_free(s);
    }
}

/* --- moving --- */

void yaml_move(struct yaml_scanner *s, size_t n)
{
    if (s->ascii) {
        s->mark.column += n;
    } else {
        for (size_t i = 0; i < n; i++) {
            s->mark.column += ((unsigned char)s->text.ptr[s->mark.at + i] & 0xc0) != 0x80;
        }
    }
    s->mark.at += n;
}

void yaml_move_line(struct yaml_scanner *s, size_t n)
{
    s->mark.at += n;
    s->mark.line++;
    s->mark.column = 0;
}

bool yaml_at_marker(const struct yaml_scanner *s)
{
    if (s->mark.column || s->mark.at + 3 > s->text.len) {
        return false;
    }
    const char *p = s->text.ptr + s->mark.at;
    return (memcmp(p, "---", 3) == 0 || memcmp(p, "...", 3) == 0) && yaml_blankz(s, 3);
}

int yaml_scan_fail(struct yaml_scanner *s, const struct yaml_mark *context, const char *problem)
{
    size_t line = context && context->line ? context->line : s->mark.line;
    if (s->unreadable && s->mark.at >= s->text.len) {
        return yaml_fail(s->fault, 0, s->mark.line, s->mark.column, s->unreadable);
    }
    return yaml_fail(s->fault, line ? line + 1 : 0, s->mark.line, s->mark.column, problem);
}

/* --- the queue --- */

struct yaml_token yaml_token_from(const struct yaml_scanner *s, enum yaml_token_type type,
                                  struct yaml_mark from)
{
    return (struct yaml_token){.type = (uint8_t)type,
                               .real = true,
                               .from = (uint32_t)from.at,
                               .to = (uint32_t)s->mark.at,
                               .line = (uint32_t)from.line,
                               .column = (uint32_t)from.column,
                               .end_line = (uint32_t)s->mark.line,
                               .end_column = (uint32_t)s->mark.column,
                               .at = (int64_t)from.at};
}

/* Puts a token before the one with that number; the end of the queue counts as one. */
static void insert(struct yaml_scanner *s, uint64_t number, struct yaml_token t)
{
    if (s->n == s->cap && s->head > s->cap / 2) {
        s->n -= s->head;
        memmove(s->tokens, s->tokens + s->head, s->n * sizeof(*s->tokens));
        s->head = 0;
    } else if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 32;
        s->tokens = mem_resize(s->tokens, s->cap * sizeof(*s->tokens));
    }
    size_t at = s->head + (size_t)(number - s->given);
    memmove(&s->tokens[at + 1], &s->tokens[at], (s->n - at) * sizeof(t));
    s->tokens[at] = t;
    s->n++;
}

static uint64_t next_number(const struct yaml_scanner *s)
{
    return s->given + (s->n - s->head);
}

static void add(struct yaml_scanner *s, struct yaml_token t)
{
    insert(s, next_number(s), t);
}

/* A token of n bytes at the mark. */
static void add_indicator(struct yaml_scanner *s, enum yaml_token_type type, size_t n)
{
    struct yaml_mark from = s->mark;
    yaml_move(s, n);
    add(s, yaml_token_from(s, type, from));
}

/* A token without bytes. */
static struct yaml_token empty_token(enum yaml_token_type type, struct yaml_mark at)
{
    return (struct yaml_token){.type = (uint8_t)type,
                               .from = (uint32_t)at.at,
                               .to = (uint32_t)at.at,
                               .line = (uint32_t)at.line,
                               .column = (uint32_t)at.column,
                               .end_line = (uint32_t)at.line,
                               .end_column = (uint32_t)at.column,
                               .at = (int64_t)at.at};
}

/* --- keys and indentation --- */

static int fail_depth(struct yaml_scanner *s, const struct yaml_mark *context)
{
    char problem[64];
    (void)snprintf(problem, sizeof(problem), "exceeded max depth of %zu", s->depth);
    return yaml_scan_fail(s, context, problem);
}

static int fail_key(struct yaml_scanner *s, const struct yaml_key *k)
{
    return yaml_scan_fail(s, &k->mark, "could not find expected ':'");
}

static bool is_far(const struct yaml_scanner *s, const struct yaml_key *k)
{
    size_t bytes = s->mark.at - k->mark.at;
    return bytes > KEY_REACH && (s->ascii || s->mark.column - k->mark.column > KEY_REACH);
}

/* 1 when the key may still become one, 0 when not. */
static int check_key(struct yaml_scanner *s, struct yaml_key *k)
{
    if (!k->possible) {
        return 0;
    }
    if (k->mark.line == s->mark.line && !is_far(s, k)) {
        return 1;
    }
    if (k->required) {
        return fail_key(s, k);
    }
    k->possible = false;
    return 0;
}

static int remove_key(struct yaml_scanner *s)
{
    struct yaml_key *k = &s->keys[s->flow];
    if (k->possible && k->required) {
        return fail_key(s, k);
    }
    k->possible = false;
    return 0;
}

/* The token that comes next may be a key. */
static int save_key(struct yaml_scanner *s)
{
    if (!s->key_allowed) {
        return 0;
    }
    if (remove_key(s)) {
        return -1;
    }
    s->low_key = s->low_key < s->flow ? s->low_key : s->flow;
    s->keys[s->flow] = (struct yaml_key){
        .possible = true,
        .required = s->flow == 0 && s->indent == (long)s->mark.column,
        .token = next_number(s),
        .mark = s->mark,
    };
    return 0;
}

/* Opens a block collection before the token with that number when the column is deeper. */
static int roll_indent(struct yaml_scanner *s, struct yaml_mark at, uint64_t number,
                       enum yaml_token_type type)
{
    if (s->flow || s->indent >= (long)at.column) {
        return 0;
    }
    if (s->n_indents == s->cap_indents) {
        s->cap_indents = s->cap_indents ? s->cap_indents * 2 : 32;
        s->indents = mem_resize(s->indents, s->cap_indents * sizeof(*s->indents));
    }
    s->indents[s->n_indents++] = s->indent;
    s->indent = (long)at.column;
    if (s->n_indents > s->depth) {
        return fail_depth(s, &at);
    }
    insert(s, number, empty_token(type, at));
    return 0;
}

static void unroll_indent(struct yaml_scanner *s, long column)
{
    while (s->flow == 0 && s->indent > column) {
        add(s, empty_token(TOKEN_BLOCK_END, s->mark));
        s->indent = s->indents[--s->n_indents];
    }
}

/* --- which token comes --- */

static int fetch_stream_end(struct yaml_scanner *s)
{
    if (s->unreadable) {
        return yaml_fail(s->fault, 0, s->mark.line, s->mark.column, s->unreadable);
    }
    if (s->mark.column) {
        s->mark.column = 0;
        s->mark.line++;
    }
    unroll_indent(s, -1);
    if (remove_key(s)) {
        return -1;
    }
    s->key_allowed = false;
    s->ended = true;
    add_indicator(s, TOKEN_STREAM_END, 0);
    return 0;
}

/* Directives and document markers close everything. */
static int fetch_boundary(struct yaml_scanner *s)
{
    unroll_indent(s, -1);
    if (remove_key(s)) {
        return -1;
    }
    s->key_allowed = false;
    if (yaml_byte(s, 0) == '%') {
        struct yaml_token t;
        if (yaml_scan_directive(s, &t)) {
            return -1;
        }
        add(s, t);
    } else {
        bool start = yaml_byte(s, 0) == '-';
        add_indicator(s, start ? TOKEN_DOCUMENT_START : TOKEN_DOCUMENT_END, 3);
    }
    return 0;
}

static int fetch_flow_start(struct yaml_scanner *s, enum yaml_token_type type)
{
    if (save_key(s)) {
        return -1;
    }
    s->flow++;
    if (s->flow > s->depth) {
        return fail_depth(s, &s->mark);
    }
    if (s->flow == s->cap_keys) {
        s->cap_keys *= 2;
        s->keys = mem_resize(s->keys, s->cap_keys * sizeof(*s->keys));
    }
    s->keys[s->flow] = (struct yaml_key){0};
    s->key_allowed = true;
    add_indicator(s, type, 1);
    return 0;
}

static int fetch_flow_end(struct yaml_scanner *s, enum yaml_token_type type)
{
    if (remove_key(s)) {
        return -1;
    }
    s->flow -= s->flow > 0;
    s->low_key = s->low_key < s->flow ? s->low_key : s->flow;
    s->key_allowed = false;
    add_indicator(s, type, 1);
    return 0;
}

/* `-`, `?` and `,`. */
static int fetch_entry(struct yaml_scanner *s, enum yaml_token_type type)
{
    if (s->flow == 0 && type != TOKEN_COMMA) {
        bool dash = type == TOKEN_DASH;
        if (!s->key_allowed) {
            return yaml_scan_fail(
                s, NULL,
                dash ? "block sequence entries are not allowed in this context"
                     : "mapping keys are not allowed in this context");
        }
        if (roll_indent(s, s->mark, next_number(s), dash ? TOKEN_BLOCK_LIST : TOKEN_BLOCK_MAP)) {
            return -1;
        }
    }
    if (remove_key(s)) {
        return -1;
    }
    s->key_allowed = type != TOKEN_KEY || s->flow == 0;
    add_indicator(s, type, 1);
    return 0;
}

static int fetch_value(struct yaml_scanner *s)
{
    struct yaml_key *k = &s->keys[s->flow];
    int simple = check_key(s, k);
    if (simple < 0) {
        return -1;
    }
    if (simple) {
        insert(s, k->token, empty_token(TOKEN_KEY, k->mark));
        if (roll_indent(s, k->mark, k->token, TOKEN_BLOCK_MAP)) {
            return -1;
        }
        k->possible = false;
        s->key_allowed = false;
    } else {
        if (s->flow == 0) {
            if (!s->key_allowed) {
                return yaml_scan_fail(s, NULL, "mapping values are not allowed in this context");
            }
            if (roll_indent(s, s->mark, next_number(s), TOKEN_BLOCK_MAP)) {
                return -1;
            }
        }
        s->key_allowed = s->flow == 0;
    }
    add_indicator(s, TOKEN_VALUE, 1);
    return 0;
}

/* Tokens with text. All but block scalars may be keys. */
static int fetch_text(struct yaml_scanner *s, int (*scan)(struct yaml_scanner *,
                                                          struct yaml_token *))
{
    struct yaml_token t;
    bool block = scan == yaml_scan_block;
    if (block ? remove_key(s) : save_key(s)) {
        return -1;
    }
    s->key_allowed = block;
    if (scan(s, &t)) {
        return -1;
    }
    add(s, t);
    return 0;
}

static bool starts_plain(const struct yaml_scanner *s)
{
    unsigned char c = yaml_byte(s, 0);
    if (c == '-') {
        return !yaml_blank(yaml_byte(s, 1));
    }
    if (c == '?' || c == ':') {
        return s->flow == 0 && !yaml_blankz(s, 1);
    }
    return !yaml_blankz(s, 0) && !strchr(",[]{}#&*!|>'\"%@`", c);
}

static int fetch_by_character(struct yaml_scanner *s)
{
    unsigned char c = yaml_byte(s, 0);
    if (s->mark.at >= s->text.len) {
        return fetch_stream_end(s);
    }
    if ((c == '%' && s->mark.column == 0) || ((c == '-' || c == '.') && yaml_at_marker(s))) {
        return fetch_boundary(s);
    }
    switch (c) {
    case '[':
        return fetch_flow_start(s, TOKEN_FLOW_LIST);
    case '{':
        return fetch_flow_start(s, TOKEN_FLOW_MAP);
    case ']':
        return fetch_flow_end(s, TOKEN_FLOW_LIST_END);
    case '}':
        return fetch_flow_end(s, TOKEN_FLOW_MAP_END);
    case ',':
        return fetch_entry(s, TOKEN_COMMA);
    case '*':
    case '&':
        return fetch_text(s, yaml_scan_anchor);
    case '!':
        return fetch_text(s, yaml_scan_tag);
    case '\'':
    case '"':
        return fetch_text(s, yaml_scan_quoted);
    default:
        break;
    }
    if (c == '-' && yaml_blankz(s, 1)) {
        return fetch_entry(s, TOKEN_DASH);
    }
    if (c == '?' && (s->flow || yaml_blankz(s, 1))) {
        return fetch_entry(s, TOKEN_KEY);
    }
    if (c == ':' && (s->flow || yaml_blankz(s, 1))) {
        return fetch_value(s);
    }
    if ((c == '|' || c == '>') && s->flow == 0) {
        return fetch_text(s, yaml_scan_block);
    }
    if (starts_plain(s)) {
        return fetch_text(s, yaml_scan_plain);
    }
    return yaml_scan_fail(s, NULL, "found character that cannot start any token");
}

/* --- between tokens --- */

static void skip_to_line_end(struct yaml_scanner *s)
{
    size_t at = s->mark.at;
    while (at < s->text.len && !yaml_newline_at(s->text, at)) {
        at++;
    }
    yaml_move(s, at - s->mark.at);
}

/* Comment lines with only blank lines between them are one run; tabs between them do not matter. */
static void skip_comments(struct yaml_scanner *s)
{
    for (;;) {
        skip_to_line_end(s);
        struct yaml_mark end = s->mark;
        size_t most = end.at + COMMENT_REACH;
        while (s->mark.at < most) {
            size_t n = yaml_newline_at(s->text, s->mark.at);
            if (n) {
                yaml_move_line(s, n);
            } else if (yaml_blank(yaml_byte(s, 0))) {
                yaml_move(s, 1);
            } else {
                break;
            }
        }
        if (s->mark.at >= most || yaml_byte(s, 0) != '#') {
            s->mark = end;
            return;
        }
    }
}

static void skip_to_token(struct yaml_scanner *s)
{
    for (;;) {
        if (s->mark.column == 0 && yaml_byte(s, 0) == 0xef &&
            str_has_prefix(str_sub(s->text, s->mark.at, s->mark.at + 3), STR(BOM))) {
            yaml_move(s, 3);
        }
        while (yaml_byte(s, 0) == ' ' ||
               (yaml_byte(s, 0) == '\t' && (s->flow || !s->key_allowed))) {
            yaml_move(s, 1);
        }
        if (yaml_byte(s, 0) == '#') {
            skip_comments(s);
        }
        size_t n = yaml_newline_at(s->text, s->mark.at);
        if (n == 0) {
            return;
        }
        yaml_move_line(s, n);
        s->key_allowed = s->key_allowed || s->flow == 0;
    }
}

/* A comment in the line of the token; tabs before it do not matter. */
static void skip_line_comment(struct yaml_scanner *s)
{
    uint8_t last = s->tokens[s->n - 1].type;
    if (s->breaks || last == TOKEN_DASH || last == TOKEN_DOCUMENT_START ||
        last == TOKEN_DOCUMENT_END || last == TOKEN_VERSION || last == TOKEN_TAG_PREFIX) {
        return;
    }
    size_t n = 0;
    while (n < COMMENT_REACH && yaml_blank(yaml_byte(s, n))) {
        n++;
    }
    if (n < COMMENT_REACH && yaml_byte(s, n) == '#') {
        yaml_move(s, n);
        skip_to_line_end(s);
    }
}

static int fetch(struct yaml_scanner *s)
{
    if (!s->started) {
        s->started = true;
        s->key_allowed = true;
        add_indicator(s, TOKEN_STREAM_START, 0);
        return 0;
    }
    skip_to_token(s);
    unroll_indent(s, (long)s->mark.column);
    s->breaks = false;
    if (fetch_by_character(s)) {
        return -1;
    }
    skip_line_comment(s);
    return 0;
}

/* 1 while the first token of the queue may become a key. Possible keys ascend with their level, so
 * it can only be the lowest one. */
static int waits_for_colon(struct yaml_scanner *s)
{
    while (s->low_key < s->flow && !s->keys[s->low_key].possible) {
        s->low_key++;
    }
    struct yaml_key *k = &s->keys[s->low_key];
    return k->possible && k->token == s->given ? check_key(s, k) : 0;
}

int yaml_scanner_next(struct yaml_scanner *s, struct yaml_token *out, struct yaml_fault *f)
{
    s->fault = f;
    for (;;) {
        int wait = s->head == s->n ? 1 : waits_for_colon(s);
        if (wait < 0) {
            return -1;
        }
        if (!wait) {
            break;
        }
        if (fetch(s)) {
            return -1;
        }
    }
    *out = s->tokens[s->head++];
    s->given++;
    if (s->head == s->n) {
        s->head = s->n = 0;
    }
    if (s->a->exhausted) {
        return yaml_fail(f, 0, out->line, out->column, "document is too large");
    }
    return 0;
}
