/* SPDX-License-Identifier: Apache-2.0
 *
 * See mem.h. The only file of core/ that calls malloc.
 */
#include "base/mem.h"

#include <malloc.h>

static void *check(void *p)
{
    if (!p) {
        fputs("lanai: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return check(calloc(1, size ? size : 1));
}

void *mem_array(size_t n, size_t size)
{
    return check(calloc(n ? n : 1, size ? size : 1));
}

void *mem_resize(void *p, size_t size)
{
    return check(realloc(p, size ? size : 1));
}

char *mem_strdup(const char *z)
{
    return z ? mem_strndup(z, strlen(z)) : NULL;
}

char *mem_strndup(const char *p, size_t len)
{
    char *out = check(malloc(len + 1));
    if (len) {
        memcpy(out, p, len);
    }
    out[len] = 0;
    return out;
}

void mem_free(void *p)
{
    free(p);
}

void mem_trim(void)
{
    (void)malloc_trim(0);
}

void mem_free_at(void *pp)
{
    free(*(void **)pp);
}
