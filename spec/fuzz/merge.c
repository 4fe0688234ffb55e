/* SPDX-License-Identifier: Apache-2.0  ROOM: krm
 *
 * Input: a byte of options, then three texts with zero bytes between them: base, ours, theirs. They
 * merge as resources and as files. Merges must not write to base and theirs, their results can be
 * read again, and a side that changed nothing takes the other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml_doc.h"
#include "krm/merge.h"
#include "krm/patch.h"
#include "krm/tree.h"

#define MEMORY (256u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct node *read_doc(struct arena *a, struct str text)
{
    AUTO_ERR err = ERR_INIT;
    struct yaml_docs docs = {0};
    return yaml_read(a, text, NULL, &docs, NULL, &err) == 0 && docs.n ? docs.list[0].root : NULL;
}

static void write_doc(struct buf *out, const struct node *n)
{
    buf_clear(out);
    if (n) {
        yaml_write_node(out, n, &(struct yaml_form){.defects = true});
    }
}

/* Merges the texts; theirs_expected: the result is theirs as data. */
static void merge(struct str base, struct str ours, struct str theirs,
                  const struct krm_merge_options *o, bool theirs_expected)
{
    AUTO_ARENA a;
    arena_init(&a, MEMORY);
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF before = BUF_INIT;
    AUTO_BUF after = BUF_INIT;
    struct node *b = read_doc(&a, base), *d = read_doc(&a, ours), *u = read_doc(&a, theirs), *out;
    struct krm_report report = {0};
    if (!b || !d || !u) {
        return;
    }
    write_doc(&before, u);
    int rc = krm_merge_resource(&a, b, d, u, o, &report, &out, &err);
    write_doc(&after, u);
    if (!str_eq(buf_str(&before), buf_str(&after))) {
        abort();
    }
    (void)krm_report_node(&a, &report);
    if (rc == 0 && theirs_expected && !krm_tree_equal(out, u)) {
        abort();
    }
    write_doc(&after, rc == 0 ? out : NULL);
}

static void merge_files(struct str base, struct str ours, struct str theirs, struct str path,
                        const struct krm_merge_options *o)
{
    AUTO_ARENA a;
    arena_init(&a, MEMORY);
    AUTO_ERR err = ERR_INIT;
    struct krm_file b = {path, base}, d = {path, ours}, u = {path, theirs};
    struct krm_files bs = {&b, 1, 1}, ds = {&d, 1, 1}, us = {&u, 1, 1}, out;
    struct krm_report report = {0};
    if (krm_merge_files(&a, &bs, &ds, &us, o, &out, &report, &err) == 0) {
        for (size_t i = 0; i < out.n; i++) {
            (void)read_doc(&a, out.list[i].text);
        }
    }
}

static void patch(struct str target, struct str with, bool prepend)
{
    AUTO_ARENA a;
    arena_init(&a, MEMORY);
    AUTO_ERR err = ERR_INIT;
    struct node *t = read_doc(&a, target), *p = read_doc(&a, with), *out;
    struct krm_patch_options o = {.infer = true, .prepend = prepend};
    AUTO_BUF text = BUF_INIT;
    if (t && p && krm_patch(&a, t, p, &o, &out, &err) == 0) {
        write_doc(&text, out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str texts[3], rest = {(const char *)data + 1, size - 1};
    if (size < 1 || size > 16384) {
        return 0;
    }
    for (size_t i = 0; i < 3; i++) {
        texts[i] = STR("");
        (void)str_split(&rest, '\0', &texts[i]);
    }
    struct krm_merge_options ours = {.infer = data[0] & 1, .is_root = data[0] & 2};
    struct krm_merge_options kpt = {
        .kpt = true, .infer = data[0] & 1, .comments = data[0] & 4, .is_root = data[0] & 2};
    bool free_of_rules = str_find((struct str){(const char *)data, size}, STR("lanai.dev")) < 0;
    merge(texts[0], texts[1], texts[2], &ours, false);
    merge(texts[0], texts[1], texts[2], &kpt, false);
    merge(texts[0], texts[0], texts[2], &ours, free_of_rules);
    merge(texts[0], texts[2], texts[0], &ours, false);
    merge_files(texts[0], texts[1], texts[2], STR("a.yaml"), &ours);
    merge_files(texts[0], texts[1], texts[2], STR("a.yaml"), &kpt);
    merge_files(texts[0], texts[1], texts[2], STR("Kptfile"), &ours);
    merge_files(texts[0], texts[1], texts[2], STR("Kptfile"), &kpt);
    patch(texts[1], texts[2], data[0] & 8);
    return 0;
}
