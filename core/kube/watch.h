/* SPDX-License-Identifier: Apache-2.0
 *
 * A watch as watch.c (which makes its events) and hub.c (which wakes it) see it.
 */
#pragma once

#include "kube/priv.h"

enum kube_watch_phase { KUBE_WATCH_INITIAL, KUBE_WATCH_LIVE, KUBE_WATCH_ENDED };

struct kube_watch {
    struct kube_stream stream;
    struct kube_watch *prev, *next; /* in the hub, under its lock */
    bool waiting;                   /* under the hub's lock: wake me */
    struct kube *k;
    struct kube_list_scope scope;
    struct kube_shaper shaper;
    struct str store_kind;
    bool transitions; /* selectors that an object may enter and leave */
    bool bookmarks, end_mark;
    enum kube_watch_phase phase;
    struct store_list *rows; /* of the initial events */
    int64_t after;           /* changes up to here were considered; the hub's while waiting */
    int64_t mark_at;         /* the end bookmark may go out from this number on */
    int64_t told;            /* number of the last bookmark */
    int64_t end_ns, bookmark_ns;
    struct buf out;
    size_t sent, events;
    struct arena item; /* memory of one event */
    struct err failed; /* ends the watch with an ERROR event */
};

void kube_hub_add(struct kube_watch *w);
void kube_hub_del(struct kube_watch *w);
