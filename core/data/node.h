/* SPDX-License-Identifier: Apache-2.0
 *
 * struct node: the one tree for JSON and YAML values. Nodes live in an arena and are never freed
 * one by one. Maps keep member order. Numbers keep their source text, so 64-bit integers and
 * `1.0` survive. YAML nodes also know where they stand in their source (span), which lets
 * data/yaml_edit.c change a value and leave every other byte as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum node_type { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STRING, NODE_LIST, NODE_MAP };

struct node;

struct node_member {
    struct str key;
    struct node *value;
};

struct node {
    enum node_type type;
    bool boolean;
    int64_t integer;          /* NODE_INT */
    struct str text;          /* NODE_STRING value; source text of NODE_INT and NODE_FLOAT */
    size_t n, cap;            /* list items or map members */
    union {
        struct node **items;          /* NODE_LIST */
        struct node_member *members;  /* NODE_MAP */
    };
    size_t span_from, span_to; /* bytes of the YAML source; 0,0 when made by hand */
};

/* --- making --- */
struct node *node_null(struct arena *a);
struct node *node_bool(struct arena *a, bool v);
struct node *node_int(struct arena *a, int64_t v);
/* Borrows s: it must live as long as the arena (use arena_str to copy). */
struct node *node_str(struct arena *a, struct str s);
struct node *node_strz(struct arena *a, const char *literal);
struct node *node_list(struct arena *a);
struct node *node_map(struct arena *a);
/* Deep copy into a (strings too). */
struct node *node_copy(struct arena *a, const struct node *n);

/* --- reading: every getter accepts NULL nodes and wrong types and then answers NULL/empty --- */
struct node *node_get(const struct node *map, struct str key);
struct node *node_getz(const struct node *map, const char *key);
/* Dotted path of map members: node_at(o, "spec.git.repo"). */
struct node *node_at(const struct node *map, const char *path);
struct str node_text(const struct node *n);                 /* string value or STR_NULL */
struct str node_text_at(const struct node *map, const char *path);
int64_t node_int_at(const struct node *map, const char *path, int64_t none);
bool node_bool_at(const struct node *map, const char *path, bool none);
bool node_equal(const struct node *a, const struct node *b); /* map order does not matter */
static inline bool node_is(const struct node *n, enum node_type t)
{
    return n && n->type == t;
}

/* --- changing --- */
/* Sets or replaces a member; key is borrowed. */
void node_set(struct arena *a, struct node *map, struct str key, struct node *value);
void node_setz(struct arena *a, struct node *map, const char *key, struct node *value);
void node_set_strz(struct arena *a, struct node *map, const char *key, struct str value);
/* Sets at a dotted path, making maps on the way. */
void node_set_at(struct arena *a, struct node *map, const char *path, struct node *value);
/* Deletes a member; true when it was there. */
bool node_del(struct node *map, struct str key);
bool node_delz(struct node *map, const char *key);
bool node_del_at(struct node *map, const char *path);
void node_push(struct arena *a, struct node *list, struct node *value);
void node_insert(struct arena *a, struct node *list, size_t at, struct node *value);
void node_remove(struct node *list, size_t at);

/* --- JSON --- */
struct json_options {
    /* Called for each duplicate member (path like `spec.color`); last value wins. May be NULL. */
    void (*duplicate)(void *ctx, struct str path);
    void *ctx;
};
/* Parses one JSON document that fills text whole. Strings without escapes borrow from text.
 * Fails with ERR_BAD_REQUEST (line and column) on broken JSON, invalid UTF-8, depth past
 * LIMIT_JSON_DEPTH, or arena limit. */
struct node *json_parse(struct arena *a, struct str text, const struct json_options *o,
                        struct err *err);
/* Compact JSON. */
void json_emit(struct buf *out, const struct node *n);
/* Indented by `indent` blanks, as kubectl prints it. */
void json_emit_pretty(struct buf *out, const struct node *n, int indent);
struct str json_emit_str(struct arena *a, const struct node *n);
