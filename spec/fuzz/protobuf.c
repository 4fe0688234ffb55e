/* SPDX-License-Identifier: Apache-2.0  ROOM: data
 *
 * First byte: which kind (or 255: the input is the whole body); the rest: the object's bytes. What
 * decodes must be valid JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const kinds[][2] = {
    {"v1", "Secret"},
    {"v1", "ConfigMap"},
    {"v1", "Namespace"},
    {"v1", "Event"},
    {"v1", "DeleteOptions"},
    {"authorization.k8s.io/v1", "SubjectAccessReview"},
    {"authentication.k8s.io/v1", "TokenReview"},
    {"coordination.k8s.io/v1", "Lease"},
};

static void add_field(struct buf *b, char tag, struct str s)
{
    buf_addc(b, tag);
    size_t n = s.len;
    while (n >= 0x80) {
        buf_addc(b, (char)(n | 0x80));
        n >>= 7;
    }
    buf_addc(b, (char)n);
    buf_add_str(b, s);
}

static void make_body(struct buf *b, const uint8_t *data, size_t size)
{
    if (data[0] == 255) {
        buf_add(b, data + 1, size - 1);
        return;
    }
    const char *const *kind = kinds[data[0] % (sizeof(kinds) / sizeof(*kinds))];
    AUTO_BUF meta = BUF_INIT;
    add_field(&meta, 0x0a, str_of(kind[0]));
    add_field(&meta, 0x12, str_of(kind[1]));
    buf_add(b, "k8s\0", 4);
    add_field(b, 0x0a, buf_str(&meta));
    add_field(b, 0x12, (struct str){(const char *)data + 1, size - 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF body = BUF_INIT;
    struct node *n = NULL;
    make_body(&body, data, size);
    if (protobuf_decode_object(&a, buf_str(&body), &n, &err)) {
        return err.kind == ERR_NONE ? (abort(), 0) : 0;
    }
    if (!json_parse(&a, json_emit_str(&a, n), NULL, &err)) {
        abort();
    }
    return 0;
}
