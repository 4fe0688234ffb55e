/* SPDX-License-Identifier: Apache-2.0
 *
 * Thread roles and a bounded pool of workers. Names appear in debuggers and the log.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*thread_job_fn)(void *arg);

struct thread_pool;

/* Starts n threads named "<name>-<i>"; at most `max_queue` jobs wait (0 = no bound). */
struct thread_pool *thread_pool_new(const char *name, size_t n, size_t max_queue);
/* Queues a job; false when the queue is full or the pool is closing. */
bool thread_pool_add(struct thread_pool *p, thread_job_fn fn, void *arg);
/* Runs what is queued, then ends the threads. NULL is accepted. */
void thread_pool_free(struct thread_pool *p);
/* Starts one named thread; aborts when the system refuses. */
pthread_t thread_start(const char *name, void *(*fn)(void *), void *arg);
/* Waits on cond until deadline_ns (monotonic; cond must come from thread_cond_init).
 * Returns false on timeout. */
void thread_cond_init(pthread_cond_t *c);
bool thread_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_ns);
