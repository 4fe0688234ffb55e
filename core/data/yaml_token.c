/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_token.h. libyaml counts positions in characters; a cursor that follows the tokens turns
 * them into bytes. Each token costs libyaml a look at every open flow collection, so deep flow
 * nesting with many tokens inside is refused by a budget of such looks that grows with the text.
 */
#include "data/yaml_token.h"

#include <yaml.h>

#include "base/mem.h"

#define BOM "\xef\xbb\xbf"
#define LOOKS 100000000u    /* of libyaml at open flow collections, for any text */
#define LOOKS_PER_BYTE 64u

struct yaml_scanner {
    struct arena *a;
    struct str text;
    yaml_parser_t parser;
    size_t depth;             /* limit of block and of flow nesting */
    size_t flow, block;
    uint64_t looks;
    bool ascii, slash;
    size_t skipped;           /* bytes of a byte order mark */
    size_t at_char, at_byte;  /* cursor: the same place in both units */
    bool drop_comma;          /* the next token is part of the tag before it */
    bool held_any;            /* a token follows the one given last */
    struct yaml_token held;
};

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

static void add_utf8(struct buf *b, uint32_t c)
{
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    buf_addc(b, (char)(n == 1 ? c : heads[n] | c >> 6 * (n - 1)));
    while (--n) {
        buf_addc(b, (char)(0x80 | (c >> 6 * (n - 1) & 0x3f)));
    }
}

struct str yaml_as_utf8(struct arena *a, struct str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    bool little = text.len >= 2 && p[0] == 0xff && p[1] == 0xfe;
    bool big = text.len >= 2 && p[0] == 0xfe && p[1] == 0xff;
    if (!little && !big) {
        return text;
    }
    AUTO_BUF b = BUF_INIT;
    for (size_t i = 2; i + 1 < text.len; i += 2) {
        uint32_t c = (uint32_t)p[i + big] | (uint32_t)p[i + little] << 8;
        uint32_t low = i + 3 < text.len
                           ? (uint32_t)p[i + 2 + big] | (uint32_t)p[i + 2 + little] << 8
                           : 0;
        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        add_utf8(&b, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    }
    return arena_str(a, buf_str(&b));
}

struct yaml_scanner *yaml_scanner_new(struct arena *a, struct str text, size_t depth, bool slash)
{
    struct yaml_scanner *s = mem_new(struct yaml_scanner);
    s->a = a;
    s->text = text;
    s->depth = depth;
    s->slash = slash;
    s->skipped = str_has_prefix(text, STR(BOM)) ? 3 : 0;
    s->at_byte = s->skipped;
    s->ascii = true;
    for (size_t i = s->skipped; i < text.len && s->ascii; i++) {
        s->ascii = (unsigned char)text.ptr[i] < 0x80;
    }
    if (!yaml_parser_initialize(&s->parser)) {
        mem_free(s);
        return NULL;
    }
    yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
    struct str body = str_sub(text, s->skipped, text.len);
    yaml_parser_set_input_string(&s->parser, (const unsigned char *)(body.ptr ? body.ptr : ""),
                                 body.len);
    return s;
}

void yaml_scanner_free(struct yaml_scanner *s)
{
    if (s) {
        yaml_parser_delete(&s->parser);
        mem_free(s);
    }
}

/* Byte offset of a character index. Indexes hardly ever go back, and then not far. */
static size_t byte_of(struct yaml_scanner *s, size_t index)
{
    if (s->ascii) {
        return index + s->skipped;
    }
    const char *p = s->text.ptr;
    while (s->at_char < index && s->at_byte < s->text.len) {
        do {
            s->at_byte++;
        } while (s->at_byte < s->text.len && ((unsigned char)p[s->at_byte] & 0xc0) == 0x80);
        s->at_char++;
    }
    while (s->at_char > index) {
        do {
            s->at_byte--;
        } while (((unsigned char)p[s->at_byte] & 0xc0) == 0x80);
        s->at_char--;
    }
    return s->at_byte;
}

/* --- errors --- */

static int fail_scan(const struct yaml_scanner *s, struct yaml_fault *f)
{
    const yaml_parser_t *p = &s->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return err_set(f->err, ERR_INTERNAL, "out of memory while reading YAML");
    }
    const char *problem = p->problem ? p->problem : "unknown problem parsing YAML content";
    if (p->error == YAML_READER_ERROR) {
        return yaml_fail(f, 0, p->mark.line, p->mark.column, problem);
    }
    size_t line = p->context_mark.line ? p->context_mark.line : p->problem_mark.line;
    return yaml_fail(f, line ? line + 1 : 0, p->problem_mark.line, p->problem_mark.column, problem);
}

static int fail_at(struct yaml_fault *f, const struct yaml_token *t, const char *problem)
{
    return yaml_fail(f, t->line ? t->line + 1 : 0, t->line, t->column, problem);
}

static int fail_depth(const struct yaml_scanner *s, struct yaml_fault *f,
                      const struct yaml_token *t)
{
    char problem[64];
    (void)snprintf(problem, sizeof(problem), "exceeded max depth of %zu", s->depth);
    return fail_at(f, t, problem);
}

/* --- what the peer's scanner refuses --- */

static bool has_escaped_slash(struct str source)
{
    const char *p = source.ptr, *end = p + source.len;
    while ((p = memchr(p, '\\', (size_t)(end - p))) && p + 1 < end) {
        if (p[1] == '/') {
            return true;
        }
        p += 2;
    }
    return false;
}

static int check(struct yaml_scanner *s, const struct yaml_token *t, struct yaml_fault *f)
{
    switch (t->type) {
    case TOKEN_FLOW_LIST:
    case TOKEN_FLOW_MAP:
        s->flow++;
        break;
    case TOKEN_FLOW_LIST_END:
    case TOKEN_FLOW_MAP_END:
        s->flow -= s->flow > 0;
        break;
    case TOKEN_BLOCK_LIST:
    case TOKEN_BLOCK_MAP:
        s->block++;
        break;
    case TOKEN_BLOCK_END:
        s->block -= s->block > 0;
        break;
    case TOKEN_SCALAR:
        if (t->style == STYLE_DOUBLE && !s->slash &&
            has_escaped_slash(str_sub(s->text, t->from, t->to))) {
            return fail_at(f, t, "found unknown escape character");
        }
        break;
    default:
        break;
    }
    s->looks += s->flow;
    if (s->flow > s->depth || s->block > s->depth ||
        s->looks > LOOKS + (uint64_t)LOOKS_PER_BYTE * s->text.len) {
        return fail_depth(s, f, t);
    }
    return 0;
}

/* In flow collections the peer takes `?` for the start of a key wherever it stands. */
static void split_question(struct yaml_scanner *s, struct yaml_token *t)
{
    struct str source = str_sub(s->text, t->from, t->to);
    ptrdiff_t at = s->flow && t->style == STYLE_PLAIN ? str_find_byte(source, '?') : -1;
    if (at < 0) {
        return;
    }
    struct yaml_token key = *t;
    key.type = TOKEN_KEY;
    key.text = STR_NULL;
    key.from = t->from + (uint32_t)at;
    key.to = key.from + 1;
    key.at = key.from;
    s->held_any = true;
    if (at) {
        t->text = str_trim(str_sub(source, 0, (size_t)at), " \t\r\n");
        t->to = t->from + (uint32_t)t->text.len;
        s->held = key;
        return;
    }
    s->held = *t;
    s->held.from = key.to;
    s->held.at = key.to;
    s->held.text = str_sub(source, 1, source.len);
    *t = key;
}

/* For the peer a comma right behind a tag is part of it, in flow collections too. */
static void add_comma(struct yaml_scanner *s, struct yaml_token *t)
{
    s->drop_comma = s->flow && t->to < s->text.len && s->text.ptr[t->to] == ',';
    if (s->drop_comma) {
        t->text = arena_printf(s->a, "%.*s,", STR_ARG(t->text));
        t->to++;
        t->end_column++;
    }
}

/* --- tokens --- */

static const uint8_t types[] = {
    [YAML_STREAM_START_TOKEN] = TOKEN_STREAM_START,
    [YAML_STREAM_END_TOKEN] = TOKEN_STREAM_END,
    [YAML_VERSION_DIRECTIVE_TOKEN] = TOKEN_VERSION,
    [YAML_TAG_DIRECTIVE_TOKEN] = TOKEN_TAG_PREFIX,
    [YAML_DOCUMENT_START_TOKEN] = TOKEN_DOCUMENT_START,
    [YAML_DOCUMENT_END_TOKEN] = TOKEN_DOCUMENT_END,
    [YAML_BLOCK_SEQUENCE_START_TOKEN] = TOKEN_BLOCK_LIST,
    [YAML_BLOCK_MAPPING_START_TOKEN] = TOKEN_BLOCK_MAP,
    [YAML_BLOCK_END_TOKEN] = TOKEN_BLOCK_END,
    [YAML_FLOW_SEQUENCE_START_TOKEN] = TOKEN_FLOW_LIST,
    [YAML_FLOW_SEQUENCE_END_TOKEN] = TOKEN_FLOW_LIST_END,
    [YAML_FLOW_MAPPING_START_TOKEN] = TOKEN_FLOW_MAP,
    [YAML_FLOW_MAPPING_END_TOKEN] = TOKEN_FLOW_MAP_END,
    [YAML_BLOCK_ENTRY_TOKEN] = TOKEN_DASH,
    [YAML_FLOW_ENTRY_TOKEN] = TOKEN_COMMA,
    [YAML_KEY_TOKEN] = TOKEN_KEY,
    [YAML_VALUE_TOKEN] = TOKEN_VALUE,
    [YAML_ALIAS_TOKEN] = TOKEN_ALIAS,
    [YAML_ANCHOR_TOKEN] = TOKEN_ANCHOR,
    [YAML_TAG_TOKEN] = TOKEN_TAG,
    [YAML_SCALAR_TOKEN] = TOKEN_SCALAR,
};

static const uint8_t styles[] = {
    [YAML_PLAIN_SCALAR_STYLE] = STYLE_PLAIN,
    [YAML_SINGLE_QUOTED_SCALAR_STYLE] = STYLE_SINGLE,
    [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = STYLE_DOUBLE,
    [YAML_LITERAL_SCALAR_STYLE] = STYLE_LITERAL,
    [YAML_FOLDED_SCALAR_STYLE] = STYLE_FOLDED,
};

/* The value as a slice of the text when it stands there so, else a copy. */
static struct str keep(struct yaml_scanner *s, const struct yaml_token *t, struct str value)
{
    size_t quote = t->style == STYLE_SINGLE || t->style == STYLE_DOUBLE;
    struct str source = str_sub(s->text, t->from + quote, t->to - quote);
    return str_eq(source, value) ? source : arena_str(s->a, value);
}

static void take_data(struct yaml_scanner *s, const yaml_token_t *y, struct yaml_token *t)
{
    switch (t->type) {
    case TOKEN_SCALAR:
        t->style = styles[y->data.scalar.style];
        t->text = keep(s, t, (struct str){(const char *)y->data.scalar.value,
                                          y->data.scalar.length});
        break;
    case TOKEN_ALIAS:
    case TOKEN_ANCHOR:
        t->text = str_sub(s->text, t->from + 1, t->to);
        break;
    case TOKEN_TAG:
        t->handle = arena_str(s->a, str_of((const char *)y->data.tag.handle));
        t->text = arena_str(s->a, str_of((const char *)y->data.tag.suffix));
        break;
    case TOKEN_TAG_PREFIX:
        t->handle = arena_str(s->a, str_of((const char *)y->data.tag_directive.handle));
        t->text = arena_str(s->a, str_of((const char *)y->data.tag_directive.prefix));
        break;
    case TOKEN_VERSION:
        t->text = arena_printf(s->a, "%d.%d", y->data.version_directive.major,
                               y->data.version_directive.minor);
        break;
    default:
        break;
    }
}

int yaml_scanner_next(struct yaml_scanner *s, struct yaml_token *out, struct yaml_fault *f)
{
    if (s->held_any) {
        s->held_any = false;
        *out = s->held;
        return 0;
    }
    yaml_token_t y;
    do {
        if (!yaml_parser_scan(&s->parser, &y)) {
            return fail_scan(s, f);
        }
    } while (s->drop_comma && y.type == YAML_FLOW_ENTRY_TOKEN);
    s->drop_comma = false;
    *out = (struct yaml_token){.type = types[y.type],
                               .line = (uint32_t)y.start_mark.line,
                               .column = (uint32_t)y.start_mark.column,
                               .end_line = (uint32_t)y.end_mark.line,
                               .end_column = (uint32_t)y.end_mark.column};
    out->from = (uint32_t)byte_of(s, y.start_mark.index);
    out->to = (uint32_t)byte_of(s, y.end_mark.index);
    out->at = out->from;
    out->real = out->to > out->from || out->type == TOKEN_STREAM_END || out->type == TOKEN_SCALAR ||
                out->type == TOKEN_STREAM_START;
    take_data(s, &y, out);
    yaml_token_delete(&y);
    if (check(s, out, f)) {
        return -1;
    }
    if (out->type == TOKEN_SCALAR) {
        split_question(s, out);
    } else if (out->type == TOKEN_TAG) {
        add_comma(s, out);
    }
    if (s->a->exhausted) {
        return yaml_fail(f, 0, out->line, out->column, "document is too large");
    }
    return 0;
}
