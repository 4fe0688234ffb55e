/* SPDX-License-Identifier: Apache-2.0  ROOM: data
 *
 * Input: one byte of options, then YAML text. Every document that is read must be written, wide or
 * compact, so that it reads back with the same data: values, kinds, tags, anchors and order.
 * Comments may move. What the peer writes so that it does not read back is left out (is_odd).
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/yaml_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
    const struct node *a, *b;
};

struct pairs {
    struct pair *list;
    size_t n, cap;
};

static void push(struct pairs *p, const struct node *a, const struct node *b)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->list = mem_resize(p->list, p->cap * sizeof(*p->list));
    }
    p->list[p->n++] = (struct pair){a, b};
}

static struct str tag_of(const struct node *n)
{
    return n->notes ? n->notes->tag : STR_NULL;
}

static struct str anchor_of(const struct node *n)
{
    return n->notes ? n->notes->anchor : STR_NULL;
}

/* A null that is not written may come back as `null`. */
static bool same_text(const struct node *a, const struct node *b)
{
    bool scalar = a->type != NODE_LIST && a->type != NODE_MAP;
    return !scalar || a->type == NODE_NULL || str_eq(a->text, b->text);
}

static bool same_data(struct pairs *p, const struct node *a, const struct node *b)
{
    push(p, a, b);
    while (p->n) {
        struct pair top = p->list[--p->n];
        a = top.a;
        b = top.b;
        bool merge = str_eqz(tag_of(b), "!!merge"); /* what `<<` is written with */
        if (a->type != b->type || a->n != b->n || !same_text(a, b) ||
            !str_eq(anchor_of(a), anchor_of(b)) || (!merge && !str_eq(tag_of(a), tag_of(b)))) {
            return false;
        }
        for (size_t i = 0; a->type == NODE_LIST && i < a->n; i++) {
            push(p, a->items[i], b->items[i]);
        }
        for (size_t i = 0; a->type == NODE_MAP && i < a->n; i++) {
            const struct node_member *x = &a->members[i], *y = &b->members[i];
            bool null = x->name && x->name->type == NODE_NULL;
            if (!null && !str_eq(x->key, y->key)) {
                return false;
            }
            push(p, x->value, y->value);
        }
    }
    return true;
}

/* An alias used as a key, a text that is not UTF-8 (written as !!binary), or a document that is
 * nothing but null, of which nothing is written. */
static bool is_odd(struct pairs *p, const struct node *root)
{
    bool odd = root->type == NODE_NULL;
    push(p, root, NULL);
    while (p->n) {
        const struct node *n = p->list[--p->n].a;
        bool collection = n->type == NODE_LIST || n->type == NODE_MAP;
        odd = odd || (!collection && !str_is_utf8(n->text));
        for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
            push(p, n->items[i], NULL);
        }
        for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
            odd = odd || (n->members[i].name && n->members[i].name->type == NODE_ALIAS);
            push(p, n->members[i].value, NULL);
            if (n->members[i].name) {
                push(p, n->members[i].name, NULL);
            }
        }
    }
    return odd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF out = BUF_INIT, peer = BUF_INIT;
    struct pairs pairs = {0};
    struct yaml_docs docs = {0}, again = {0};
    struct str text = {(const char *)data + 1, size - 1};
    struct yaml_form form = {.wide = data[0] & 1};
    if (yaml_read(&a, text, NULL, &docs, NULL, &err) == 0) {
        for (size_t i = 0; i < docs.n; i++) {
            if (is_odd(&pairs, docs.list[i].root)) {
                docs.n = 0;
            }
        }
        yaml_write(&out, &docs, &form);
        form.defects = true;
        yaml_write(&peer, &docs, &form);
        if (yaml_read(&a, buf_str(&out), NULL, &again, NULL, &err) || again.n != docs.n) {
            abort();
        }
        for (size_t i = 0; i < docs.n; i++) {
            if (!same_data(&pairs, docs.list[i].root, again.list[i].root)) {
                abort();
            }
        }
    }
    mem_free(pairs.list);
    return 0;
}
