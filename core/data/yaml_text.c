/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about YAML texts and trees that readers and writers of files ask (yaml_doc.h): which
 * list style a text has, what a YAML 1.1 reader makes of a text, whether two trees would be written
 * alike, and the order of a program's keys.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "data/yaml_style.h"

static size_t count_blanks(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == ' ') {
        n++;
    }
    return n;
}

/* The part of a line before its comment when it is nothing but a key. */
static bool is_key_line(struct str line)
{
    ptrdiff_t hash = str_find_byte(line, '#');
    struct str key = str_trim(hash < 0 ? line : str_sub(line, 0, (size_t)hash), " ");
    return key.len && str_find_byte(key, ':') == (ptrdiff_t)key.len - 1;
}

bool yaml_is_wide(struct str text)
{
    struct str line, before = STR_NULL; /* the last line that is no comment */
    while (str_split(&text, '\n', &line)) {
        size_t column = count_blanks(line);
        struct str rest = str_sub(line, column, line.len);
        if (str_has_prefix(rest, STR("- ")) && is_key_line(before)) {
            size_t key = count_blanks(before);
            if (column == key || column == key + 2) {
                return column != key;
            }
        }
        before = str_has_prefix(rest, STR("#")) ? before : line;
    }
    return false;
}

bool yaml_is_11_word(struct str text)
{
    if (text.len == 0 || memchr(text.ptr, '\n', text.len)) {
        return false;
    }
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR ignored = ERR_INIT;
    const struct node *n = yaml_parse(&a, text, NULL, &ignored);
    return n && n->type != NODE_STRING;
}

/* --- sameness --- */

static bool same_notes(const struct node_notes *a, const struct node_notes *b)
{
    static const struct node_notes none;
    a = a ? a : &none;
    b = b ? b : &none;
    return str_eq(a->head, b->head) && str_eq(a->line, b->line) && str_eq(a->foot, b->foot) &&
           str_eq(a->anchor, b->anchor) && str_eq(a->tag, b->tag) && str_eq(a->top, b->top) &&
           str_eq(a->bottom, b->bottom);
}

static struct str written_text(const struct node *n)
{
    if (n->text.ptr || (n->type != NODE_BOOL && n->type != NODE_NULL)) {
        return n->text;
    }
    return n->type == NODE_NULL ? STR("null") : n->boolean ? STR("true") : STR("false");
}

/* Without what is below them. */
static bool same_node(const struct node *a, const struct node *b)
{
    return a->type == b->type && a->style == b->style && a->bare == b->bare && a->n == b->n &&
           str_eq(written_text(a), written_text(b)) && same_notes(a->notes, b->notes);
}

struct pair {
    const struct node *a, *b;
};

struct pairs {
    struct pair *list;
    size_t n, cap;
};

static void pairs_done(struct pairs *p)
{
    mem_free(p->list);
}

static void push_pair(struct pairs *p, const struct node *a, const struct node *b)
{
    if (a == b) {
        return;
    }
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->list = mem_resize(p->list, p->cap * sizeof(*p->list));
    }
    p->list[p->n++] = (struct pair){a, b};
}

/* Members without a node for their key are plain strings. */
static bool push_members(struct pairs *p, const struct node *a, const struct node *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct node_member *x = &a->members[i], *y = &b->members[i];
        if (!str_eq(x->key, y->key)) {
            return false;
        }
        if (x->name && y->name) {
            push_pair(p, x->name, y->name);
        } else if (x->name || y->name) {
            const struct node plain = {.type = NODE_STRING, .text = x->key};
            if (!same_node(x->name ? x->name : y->name, &plain)) {
                return false;
            }
        }
        push_pair(p, x->value, y->value);
    }
    return true;
}

bool yaml_same(const struct node *a, const struct node *b)
{
    AUTO(pairs_done) struct pairs p = {0};
    push_pair(&p, a, b);
    while (p.n) {
        struct pair top = p.list[--p.n];
        if (!top.a || !top.b || !same_node(top.a, top.b)) {
            return false;
        }
        if (top.a->type == NODE_MAP && !push_members(&p, top.a, top.b)) {
            return false;
        }
        for (size_t i = 0; top.a->type == NODE_LIST && i < top.a->n; i++) {
            push_pair(&p, top.a->items[i], top.b->items[i]);
        }
    }
    return true;
}

/* --- order of keys --- */

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* Reads the digits at i behind those of `value`; *end is behind them. */
static uint64_t number_at(struct str s, size_t i, uint64_t value, size_t *end)
{
    for (*end = i; *end < s.len && is_digit((unsigned char)s.ptr[*end]); ++*end) {
        value = value * 10 + (uint64_t)(s.ptr[*end] - '0');
    }
    return value;
}

/* Two keys that differ at i, where neither has a letter: runs of digits are numbers. A zero behind
 * other digits of its number is not a leading zero. */
static int compare_digits(struct str a, struct str b, size_t i)
{
    size_t end_a, end_b, k = i;
    bool zero = false;
    while ((a.ptr[i] == '0' || b.ptr[i] == '0') && k && is_digit((unsigned char)a.ptr[k - 1])) {
        zero = zero || a.ptr[--k] != '0';
    }
    uint64_t x = number_at(a, i, zero, &end_a), y = number_at(b, i, zero, &end_b);
    if (x != y) {
        return x < y ? -1 : 1;
    }
    if (end_a != end_b) {
        return end_a < end_b ? -1 : 1;
    }
    return (unsigned char)a.ptr[i] - (unsigned char)b.ptr[i];
}

/* Letters stand behind everything else, but before it when a digit precedes. */
static int compare_keys(const void *pa, const void *pb)
{
    struct str a = ((const struct node_member *)pa)->key, b = ((const struct node_member *)pb)->key;
    size_t i = 0;
    while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i]) {
        i++;
    }
    if (i == a.len || i == b.len) {
        return a.len < b.len ? -1 : a.len > b.len;
    }
    unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
    if (is_letter(x) && is_letter(y)) {
        return x < y ? -1 : 1;
    }
    if (is_letter(x) || is_letter(y)) {
        bool digit = i && is_digit((unsigned char)a.ptr[i - 1]);
        return is_letter(x) == digit ? -1 : 1;
    }
    return compare_digits(a, b, i);
}

void yaml_sort_keys(struct node *n)
{
    AUTO(pairs_done) struct pairs open = {0};
    push_pair(&open, n, NULL);
    while (open.n) {
        const struct node *top = open.list[--open.n].a;
        if (top->type == NODE_MAP && top->n) {
            qsort(top->members, top->n, sizeof(*top->members), compare_keys);
        }
        for (size_t i = 0; (top->type == NODE_MAP || top->type == NODE_LIST) && i < top->n; i++) {
            push_pair(&open, top->type == NODE_MAP ? top->members[i].value : top->items[i], NULL);
        }
    }
}
