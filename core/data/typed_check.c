/* SPDX-License-Identifier: Apache-2.0
 *
 * typed_check of typed.h: an applied object must fit its schema, because ownership of a field
 * that does not exist could never be given up.
 */
#include "data/type.h"
#include "data/typed.h"

struct check {
    struct arena *a;
    struct buf path;
    struct buf faults; /* "  <path>: <what>" lines */
    size_t n;
};

static const char *const TYPE_NAMES[] = {
    [NODE_NULL] = "null",     [NODE_BOOL] = "boolean",  [NODE_INT] = "integer",
    [NODE_FLOAT] = "float",   [NODE_STRING] = "string", [NODE_LIST] = "list",
    [NODE_MAP] = "map",
};

static void report(struct check *c, const char *what)
{
    buf_addz(&c->faults, c->n++ ? "\n  " : "  ");
    if (c->path.len > 0) {
        buf_add_str(&c->faults, buf_str(&c->path));
        buf_addz(&c->faults, ": ");
    }
    buf_addz(&c->faults, what);
}

static void report_type(struct check *c, const char *expected, const struct node *n)
{
    report(c, "expected ");
    buf_printf(&c->faults, "%s, got %s", expected, TYPE_NAMES[n->type]);
}

static void check(struct check *c, struct type t, const struct node *n);

static void check_map(struct check *c, struct type t, const struct node *n)
{
    if (n->type != NODE_MAP) {
        report_type(c, "map", n);
        return;
    }
    size_t len = c->path.len;
    for (size_t i = 0; i < n->n; i++) {
        struct type child = type_member(&t, n->members[i].key);
        buf_addc(&c->path, '.');
        buf_add_str(&c->path, n->members[i].key);
        if (child.undeclared) {
            report(c, "field not declared in schema");
        } else {
            check(c, child, n->members[i].value);
        }
        c->path.len = len;
    }
}

static void check_list(struct check *c, struct type t, const struct node *n)
{
    if (n->type != NODE_LIST) {
        report_type(c, "list", n);
        return;
    }
    size_t len = c->path.len;
    for (size_t i = 0; i < n->n; i++) {
        if (t.list == API_LIST_MAP && n->items[i]->type == NODE_MAP) {
            fieldset_add_step_text(&c->path, fieldset_step_key(c->a, n->items[i], t.keys));
        } else {
            buf_printf(&c->path, "[%zu]", i);
        }
        check(c, type_item(&t), n->items[i]);
        c->path.len = len;
    }
    if (type_shape(&t, n) == TYPE_LEAF) {
        return;
    }
    struct str duplicate;
    (void)type_items(c->a, &t, n, &duplicate);
    if (duplicate.ptr) {
        report(c, "duplicate entries for key ");
        fieldset_add_step_text(&c->faults, duplicate);
    }
}

static void check(struct check *c, struct type t, const struct node *n)
{
    if (n->type == NODE_NULL) {
        return;
    }
    switch (t.kind) {
    case API_OBJECT:
    case API_MAP:
        check_map(c, t, n);
        break;
    case API_LIST:
        check_list(c, t, n);
        break;
    case API_INTEGER:
        if (n->type != NODE_INT && n->type != NODE_FLOAT) {
            report_type(c, "numeric (int or float)", n);
        }
        break;
    case API_BOOLEAN:
        if (n->type != NODE_BOOL) {
            report_type(c, "boolean", n);
        }
        break;
    case API_STRING:
    case API_TIME:
    case API_BYTES:
        if (n->type != NODE_STRING) {
            report_type(c, "string", n);
        }
        break;
    case API_ANY:
        if (t.root) {
            check_map(c, t, n); /* metadata is typed even without a schema */
        }
        break;
    }
}

int typed_check(struct arena *a, const struct api_schema *schema, const struct node *object,
                struct err *err)
{
    struct check c = {.a = a};
    check(&c, type_root(schema), object);
    if (c.n == 1) {
        err_set(err, ERR_BAD_REQUEST, "%s", c.faults.ptr + 2);
    } else if (c.n > 1) {
        err_set(err, ERR_BAD_REQUEST, "errors:\n%s", c.faults.ptr);
    }
    buf_done(&c.path);
    buf_done(&c.faults);
    return c.n ? -1 : 0;
}
