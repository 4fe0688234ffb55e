/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of a Kptfile: which fields it has, in which order kpt writes them, and strict reading of
 * them (cad-library §1.1). A Kptfile in form is a tree with the members in that order, every
 * scalar a string, and nothing empty except structs that are there.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "data/node.h"

#define KPTFILE_NAME "Kptfile"

/* Reads text strictly, as kpt does. All unknown fields and wrong types of the file are one error.
 * Errors: ERR_BAD_REQUEST with kpt's text (of an older version: `old resource version …`). */
int kptfile_decode(struct arena *a, struct str text, struct node **out, struct err *err);
/* Brings a tree into form that has all the right fields: after edits and merges. Other fields are
 * left out. */
struct node *kptfile_form(struct arena *a, const struct node *kptfile);
/* Writes a Kptfile in form as kpt does: lists wide, or compact as init has them. Keys of maps of
 * strings are sorted in place. */
void kptfile_encode(struct buf *out, struct node *form, bool compact);
