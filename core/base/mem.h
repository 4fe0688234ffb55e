/* SPDX-License-Identifier: Apache-2.0
 *
 * The only place that calls malloc. Failure aborts: small allocations that fail leave no sane way
 * on; whatever is sized by input goes through buf or arena with a maximum.
 */
#pragma once

#include <stddef.h>

void *mem_alloc(size_t size);             /* zeroed */
void *mem_array(size_t n, size_t size);   /* zeroed, overflow-checked */
void *mem_resize(void *p, size_t size);
char *mem_strdup(const char *z);          /* NULL gives NULL */
char *mem_strndup(const char *p, size_t len);
void mem_free(void *p);
/* Gives freed memory back to the system: after work that took much of it. Milliseconds. */
void mem_trim(void);
/* For AUTO_MEM variables. */
void mem_free_at(void *pp);

#define mem_new(type) ((type *)mem_alloc(sizeof(type)))
#define AUTO_MEM __attribute__((cleanup(mem_free_at)))
#define AUTO(fn) __attribute__((cleanup(fn)))
/* Hands a pointer over: yields its value and leaves NULL. */
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) take_ = (p);                                                                 \
        (p) = NULL;                                                                                \
        take_;                                                                                     \
    })
