/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plain YAML scalar means (room internal): the YAML 1.1 rules of the Go parser behind
 * sigs.k8s.io/yaml. The parser uses it to type values, the emitter to know what needs quotes.
 */
#pragma once

#include "data/node.h"

struct yaml_scalar {
    enum node_type type; /* NODE_STRING, NODE_NULL, NODE_BOOL, NODE_INT or NODE_FLOAT */
    bool boolean;
    int64_t integer;
    bool odd;        /* the source text is not JSON: see yaml_scalar_number */
    bool infinite;   /* .inf or .nan: has no JSON form */
    uint64_t big;    /* odd integers past int64 */
};

struct yaml_scalar yaml_scalar_resolve(struct str text);
/* JSON text of a resolved number whose source text is `text`. */
struct str yaml_scalar_number(struct arena *a, const struct yaml_scalar *s, struct str text);
/* True when the text, written plain, would not read back as the same string everywhere: numbers,
 * words, timestamps, base-60 numbers, the merge key. */
bool yaml_scalar_needs_quotes(struct str text);
/* True when the text, written plain, is a string by the core rules (yaml_core_type), and no
 * timestamp and no merge key either. */
bool yaml_scalar_is_core_string(struct str text);
