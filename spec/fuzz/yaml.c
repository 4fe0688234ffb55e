/* SPDX-License-Identifier: Apache-2.0  ROOM: data
 *
 * Input: a YAML document, optionally a zero byte and the JSON that an edit shall make of it. What
 * parses must be emitted so that it parses to the same tree; an edit that succeeds must too (the
 * editor checks itself, so this finds crashes and edits that give up).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, const struct node *n, struct str text)
{
    AUTO_ERR err = ERR_INIT;
    const struct node *again = yaml_parse(a, text, NULL, &err);
    if (!again || !node_equal(n, again)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    struct str text = {(const char *)data, zero ? (size_t)(zero - data) : size};
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF out = BUF_INIT;
    struct node *n = yaml_parse(&a, text, NULL, &err);
    if (!n) {
        return err.kind == ERR_NONE ? (abort(), 0) : 0;
    }
    yaml_emit(&out, n);
    check(&a, n, buf_str(&out));
    struct str json = zero ? (struct str){(const char *)zero + 1, size - text.len - 1} : STR_NULL;
    struct node *want = zero ? json_parse(&a, json, NULL, &err) : NULL;
    struct str edited;
    if (want && yaml_edit_values(&a, text, want, &edited, &err) == 0) {
        check(&a, want, edited);
    }
    struct str path[] = {STR("a"), STR("b")};
    err_done(&err);
    if (yaml_edit_set(&a, text, path, 2, n, &edited, &err) == 0) {
        const struct node *again = yaml_parse(&a, edited, NULL, &err);
        if (!node_equal(n, node_at(again, "a.b"))) {
            abort();
        }
    }
    return 0;
}
