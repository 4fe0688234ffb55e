/* SPDX-License-Identifier: Apache-2.0
 *
 * What the API shows of a package's root Kptfile. Reading only; edits are data/yaml.h's.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "data/node.h"

struct kptfile {
    struct node *labels, *annotations; /* maps or NULL */
    struct node *gates;                /* info.readinessGates: [{conditionType}] or NULL */
    struct node *conditions;           /* status.conditions: [{type,status,reason?,message?}] or NULL */
    struct node *upstream_lock;        /* Locator {type, git{repo,directory,ref,commit}} or NULL */
    bool broken;                       /* text is not a YAML map: everything else is empty */
};

/* Never fails: a Kptfile that cannot be read gives `broken`. Nodes live in a. An unknown condition
 * status reads as Unknown. */
struct kptfile kptfile_read(struct arena *a, struct str text);
