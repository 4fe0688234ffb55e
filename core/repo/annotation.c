/* SPDX-License-Identifier: Apache-2.0
 *
 * The `kpt:` lines of Porch's commit messages: written with Go's JSON escaping, read leniently.
 */
#include "data/node.h"
#include "repo/priv.h"

/* Compact copy of JSON text with Go's escapes: no blanks outside strings, and `<`, `>`, `&` (which
 * only strings can hold) as \u00XX; U+2028 and U+2029 likewise. */
static void add_json(struct buf *out, struct str json)
{
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        unsigned char c = (unsigned char)json.ptr[i];
        if (in_string && c == '\\' && i + 1 < json.len) {
            buf_add(out, json.ptr + i, 2);
            i++;
        } else if (c == '<' || c == '>' || c == '&') {
            buf_printf(out, "\\u%04x", c);
        } else if (c == 0xe2 && i + 2 < json.len && (unsigned char)json.ptr[i + 1] == 0x80 &&
                   ((unsigned char)json.ptr[i + 2] & 0xfe) == 0xa8) {
            buf_printf(out, "\\u%04x", 0x2000u + ((unsigned char)json.ptr[i + 2] & 0x3fu));
            i += 2;
        } else if (in_string || !strchr(" \t\r\n", c) || c == 0) {
            in_string = c == '"' ? !in_string : in_string;
            buf_addc(out, (char)c);
        }
    }
}

static void add_string(struct buf *out, const char *name, struct str value)
{
    if (value.len) {
        AUTO_BUF quoted = BUF_INIT;
        buf_add_json_string(&quoted, value);
        buf_printf(out, "%s\"%s\":", out->ptr[out->len - 1] == '{' ? "" : ",", name);
        add_json(out, buf_str(&quoted));
    }
}

void annotation_emit(struct buf *out, struct str package, struct str workspace, int64_t revision,
                     struct str task)
{
    AUTO_ARENA a = ARENA_INIT;
    buf_addz(out, "kpt:{");
    add_string(out, "package", package);
    add_string(out, "workspaceName", workspace);
    add_string(out, "revision", arena_printf(&a, "%lld", (long long)revision));
    if (task.len) {
        buf_addz(out, ",\"task\":");
        add_json(out, task);
    }
    buf_addz(out, "}\n");
}

static void parse_line(struct arena *a, struct str json, struct annotation *out)
{
    AUTO_ERR ignored = ERR_INIT; /* a line that is not JSON is somebody's prose */
    struct node *n = json_parse(a, json, NULL, &ignored);
    if (!node_is(n, NODE_MAP)) {
        return;
    }
    struct node *task = node_getz(n, "task");
    out->package = arena_str(a, node_text(node_getz(n, "package")));
    out->workspace = arena_str(a, node_text(node_getz(n, "workspaceName")));
    out->revision = arena_str(a, node_text(node_getz(n, "revision")));
    if (node_is(task, NODE_MAP)) {
        out->task = json_emit_str(a, task);
        out->task_type = arena_str(a, node_text(node_getz(task, "type")));
    }
}

size_t annotation_parse(struct arena *a, struct str message, struct annotation **out)
{
    size_t n = 0, cap = 0;
    *out = NULL;
    if (str_find(message, STR("kpt:")) < 0) {
        return 0;
    }
    struct str rest = message, line;
    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line, " \t\r\v\f");
        if (!str_has_prefix(line, STR("kpt:"))) {
            continue;
        }
        struct annotation one = {0};
        parse_line(a, str_sub(line, 4, line.len), &one);
        if (!one.package.len) {
            continue;
        }
        if (n == cap) {
            struct annotation *old = *out;
            cap = cap ? cap * 2 : 1;
            *out = arena_array(a, struct annotation, cap);
            if (n) {
                memcpy(*out, old, n * sizeof(*old));
            }
        }
        (*out)[n++] = one;
    }
    return n;
}

bool annotation_is(const struct annotation *n, struct str package, struct str workspace)
{
    return str_eq(n->package, package) &&
           str_eq(n->workspace.len ? n->workspace : n->revision, workspace);
}
