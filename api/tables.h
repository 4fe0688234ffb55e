/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the generated files besides those of api/kinds.h. api/kinds.c reads them, and
 * host/text.c the messages: scripts ask by id, where an unknown id must not abort. All are sorted
 * for binary search: kinds by (group, version, resource), messages by id, documents by (path,
 * variant).
 */
#pragma once

#include "api/kinds.h"

struct api_message_row {
    const char *id, *format;
};

/* Indexes into api_kinds, sorted by (group_version, kind). */
extern const unsigned char api_kinds_by_object[];

extern const struct api_message_row api_messages[];
extern const size_t api_n_messages;
