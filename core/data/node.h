/* SPDX-License-Identifier: Apache-2.0
 *
 * struct node: the one tree for JSON and YAML values. Nodes live in an arena and are never freed
 * one by one. Maps keep member order. Numbers keep their source text, so 64-bit integers and
 * `1.0` survive. YAML nodes also know where they stand in their source (span) and how they were
 * written (style, notes), which lets data/yaml_edit.c change a value and leave every other byte as
 * it was, and data/yaml_write.c write comments back. Trees from JSON have none of that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum node_type {
    NODE_NULL,
    NODE_BOOL,
    NODE_INT,
    NODE_FLOAT,
    NODE_STRING,
    NODE_LIST,
    NODE_MAP,
    NODE_ALIAS /* only in trees of yaml_read: `*text`; target is the anchored node */
};

/* How YAML text writes a node; STYLE_PLAIN is block style for lists and maps. */
enum node_style {
    STYLE_PLAIN,
    STYLE_DOUBLE,
    STYLE_SINGLE,
    STYLE_LITERAL,
    STYLE_FOLDED,
    STYLE_FLOW
};

struct node;

/* What YAML text says about a node besides its value. Comments are lines joined by a line feed,
 * each with its # and without indentation; an empty line stands for blank lines between them. */
struct node_notes {
    struct str head, line, foot; /* above, behind and below the node */
    struct str top, bottom;      /* of a root: comments of its document, krm/resources.h */
    struct str anchor;           /* without & */
    struct str tag;              /* explicit tag: "!!str", "!x" or a whole URI; empty: none */
};

struct node_member {
    struct str key;
    struct node *value;
    struct node *name;       /* the key as a node when it has notes, a style, or is no plain
                              * string; NULL otherwise. key is then its text ("" for collections) */
    uint32_t from, to;       /* span of the key in the YAML source; 0,0 when made by hand */
};

struct node {
    uint8_t type;             /* enum node_type */
    uint8_t style;            /* enum node_style */
    bool boolean;
    bool bare;                /* NODE_STRING of a text that says something else to other readers
                               * (a time, `yes`, `<<`) and yet stood without quotes: stays so */
    uint32_t span_from;       /* bytes of the YAML source; 0,0 when made by hand */
    uint32_t span_to;
    uint32_t n, cap;          /* list items or map members */
    int64_t integer;          /* NODE_INT */
    struct str text;          /* NODE_STRING value, NODE_ALIAS name; source text of NODE_INT,
                               * NODE_FLOAT, and of NODE_BOOL and NODE_NULL from YAML (a value
                               * that is not written there: "" with ptr set; ptr NULL: made by
                               * hand, written as `null`) */
    struct node_notes *notes; /* NULL: none */
    union {
        struct node **items;          /* NODE_LIST */
        struct node_member *members;  /* NODE_MAP */
        struct node *target;          /* NODE_ALIAS */
    };
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
