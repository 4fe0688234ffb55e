/* SPDX-License-Identifier: Apache-2.0
 *
 * Removes mirrors that nobody needs any more: those of Repositories that are gone, of credentials
 * that were replaced, of upstreams that were cloned once, and what a crash left behind. A directory
 * is moved aside under the pool's lock and taken apart without it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "repo/priv.h"

#define KEY_LEN 64

/* A mirror's directory name gives its key; what mirrors leave behind has more at the end. */
static bool is_ours(const char *name, bool *out_rest)
{
    struct str s = str_of(name);
    *out_rest = str_has_suffix(s, STR(".git.damaged")) || str_has_suffix(s, STR(".git.removed"));
    return strspn(name, "0123456789abcdef") == KEY_LEN &&
           (*out_rest || (s.len == KEY_LEN + 4 && str_has_suffix(s, STR(".git"))));
}

/* Takes an unused mirror off the list and its directory out of the way. */
static bool put_aside(struct repo_pool *p, int dir, const char *name, int64_t before_ns,
                      struct mirror **out)
{
    struct mirror **at = &p->mirrors;
    while (*at && strncmp((*at)->key, name, KEY_LEN) != 0) {
        at = &(*at)->next;
    }
    struct mirror *m = *at;
    if (m && (m->users || m->opened_ns >= before_ns)) {
        return false;
    }
    AUTO_BUF aside = BUF_INIT;
    buf_printf(&aside, "%s.removed", name);
    remove_tree(dir, aside.ptr);
    if (renameat(dir, name, dir, aside.ptr)) {
        return false; /* stays for the next time */
    }
    if (m) {
        *at = m->next;
    }
    *out = m;
    return true;
}

static bool sweep_one(struct repo_pool *p, int dir, const char *name, int64_t before_ns)
{
    struct mirror *m = NULL;
    pthread_mutex_lock(&p->lock);
    bool aside = put_aside(p, dir, name, before_ns, &m);
    pthread_mutex_unlock(&p->lock);
    if (aside) {
        AUTO_BUF path = BUF_INIT;
        buf_printf(&path, "%s.removed", name);
        if (m) {
            mirror_free(m);
        }
        remove_tree(dir, path.ptr);
    }
    return aside;
}

int repo_pool_sweep(struct repo_pool *p, const struct repo_remote *keep, size_t n,
                    int64_t before_ns, size_t *out_removed, struct err *err)
{
    AUTO_MAP kept = MAP_INIT;
    for (size_t i = 0; i < n; i++) {
        char key[KEY_LEN + 1];
        mirror_key(&keep[i], key);
        map_set(&kept, str_of(key), p);
    }
    DIR *d = opendir(p->dir);
    if (!d) {
        return err_set(err, ERR_UNAVAILABLE, "cannot read the directory %s: %m", p->dir);
    }
    *out_removed = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        bool rest;
        if (!is_ours(e->d_name, &rest)) {
            continue;
        }
        if (rest) {
            remove_tree(dirfd(d), e->d_name);
        } else if (!map_has(&kept, (struct str){e->d_name, KEY_LEN})) {
            *out_removed += sweep_one(p, dirfd(d), e->d_name, before_ns);
        }
    }
    closedir(d);
    return 0;
}
