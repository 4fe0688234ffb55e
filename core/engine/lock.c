/* SPDX-License-Identifier: Apache-2.0
 *
 * Fail-fast locks: two writes to one object at a time, the second is told so at once
 * (porch-api.md §11).
 */
#include "engine/priv.h"

bool engine_lock_take(struct engine *e, struct str key)
{
    pthread_mutex_lock(&e->lock);
    bool free_now = !map_has(&e->busy, key);
    if (free_now) {
        map_set(&e->busy, key, e);
    }
    pthread_mutex_unlock(&e->lock);
    return free_now;
}

void engine_lock_drop(struct engine *e, struct str key)
{
    pthread_mutex_lock(&e->lock);
    map_del(&e->busy, key);
    pthread_mutex_unlock(&e->lock);
}
