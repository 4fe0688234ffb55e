/* SPDX-License-Identifier: Apache-2.0
 *
 * The KRM resources of a package's files: YAML and JSON files into resource nodes and back, as
 * kyaml's reader and writer do it (cad-library §5.2-§5.5), or with every untouched byte kept.
 */
#pragma once

#include "base/err.h"
#include "data/node.h"

/* Files of a package, in path order. Paths are relative with slashes; text is borrowed. */
struct krm_parts;
struct krm_file {
    struct str path, text;
    const struct krm_parts *parts; /* for files to keep: what text was read as; NULL: read it */
};
struct krm_files {
    struct krm_file *list;
    size_t n, cap;
};

/* Lists in files are never unwrapped (krm/stream.h does that). */
struct krm_read_options {
    bool annotate;    /* set path and index annotations, both spellings */
    bool detect_wide; /* set the seqindent annotation */
    bool wrap_lists;  /* a list at the top goes under the reserved key, else it is an error */
    bool json;        /* *.json, too */
};

/* Reads files named by krm_is_resource_file into the items of *out (NODE_LIST). An error names file,
 * document, line and column; *broken (may be NULL) is then the index of that file, and the others
 * can still be read. */
int krm_resources_read(struct arena *a, const struct krm_files *files,
                       const struct krm_read_options *o, struct node **out, size_t *broken,
                       struct err *err);

struct krm_write_options {
    bool keep_annotations;         /* leave path, index and seqindent in the text */
    const struct krm_files *keep;  /* files as they were: documents that did not change keep their
                                    * bytes, others their untouched lines; NULL: all is written
                                    * anew, as kyaml does */
    bool defects;                  /* as in struct yaml_form; for NULL keep */
    bool compact;                  /* never wide, whatever the seqindent annotation says */
    struct str package;            /* name for errors */
};

/* Writes resources into files by their path and index annotations. Files of `keep` that lost all
 * their resources are not in *out; files of `keep` without any document stay as they are. */
int krm_resources_write(struct arena *a, const struct node *items,
                        const struct krm_write_options *o, struct krm_files *out,
                        struct err *err);

/* A list at the top of a document as a resource, and the list of such a resource (NULL: none). */
#define KRM_WRAPPED_LIST "bareSeqNodeWrappingKey"
struct node *krm_resource_wrap(struct arena *a, struct node *list);
struct node *krm_resource_unwrap(const struct node *resource);

/* True for Kptfile, *.yaml and *.yml (and *.json with `json`). */
bool krm_is_resource_file(struct str path, bool json);
