/* SPDX-License-Identifier: Apache-2.0  ROOM: data
 *
 * Whatever json_parse accepts must come out as JSON that means the same, compact and indented.
 */
#include <stdint.h>
#include <stdlib.h>

#include "data/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_duplicate(void *ctx, struct str path)
{
    *(size_t *)ctx += path.len;
}

static void check(struct arena *a, const struct node *n, struct str text)
{
    AUTO_ERR err = ERR_INIT;
    const struct node *again = json_parse(a, text, NULL, &err);
    if (!again || !node_equal(n, again)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF out = BUF_INIT;
    size_t reported = 0;
    struct json_options o = {on_duplicate, &reported};
    struct node *n = json_parse(&a, (struct str){(const char *)data, size}, &o, &err);
    if (!n) {
        return err.kind == ERR_NONE ? (abort(), 0) : 0;
    }
    json_emit(&out, n);
    check(&a, n, buf_str(&out));
    buf_clear(&out);
    json_emit_pretty(&out, n, 2);
    check(&a, n, buf_str(&out));
    if (!node_equal(n, node_copy(&a, n))) {
        abort();
    }
    return 0;
}
