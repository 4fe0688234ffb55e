/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources in one text, as functions and pipes pass them: documents, or the items of a list object
 * (kyaml's byte reader and writer, cad-library §4.5, §5.2-§5.5).
 */
#pragma once

#include "base/buf.h"
#include "krm/resources.h"

struct krm_stream {
    struct node *items;            /* NODE_LIST */
    struct node *config, *results; /* functionConfig and results of the list object; NULL: none */
    struct str api_version, kind;  /* of the list object; kind empty: bare documents */
};

/* Reads a stream. A single document that is a List or ResourceList is unwrapped, its items as they
 * are; other documents are annotated as the options say, without a path. */
int krm_stream_read(struct arena *a, struct str text, const struct krm_read_options *o,
                    struct krm_stream *out, struct err *err);

struct krm_stream_options {
    bool sort;               /* by path and index, after mirroring these annotations */
    bool keep_annotations;   /* index and seqindent stay; they always do in a list object */
    const char *const *keys; /* further annotations to leave out, n_keys of them */
    size_t n_keys;
    bool defects;            /* as in struct yaml_form */
};

/* Writes a stream: wrapped when it has a kind (items, functionConfig, results, compact), else one
 * document per item, wide or compact as its annotation says. */
int krm_stream_write(struct arena *a, const struct krm_stream *s,
                     const struct krm_stream_options *o, struct buf *out, struct err *err);
