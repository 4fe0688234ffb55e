/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks and deadlines. Deadlines are CLOCK_MONOTONIC nanoseconds; 0 means none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

int64_t clock_mono_ns(void);
int64_t clock_real_ns(void);
/* Milliseconds left until deadline_ns (>= 0), or `none` when it is 0. */
int clock_left_ms(int64_t deadline_ns, int none);
/* RFC 3339 UTC with seconds ("2026-01-01T00:00:00Z"), as Kubernetes writes times. */
struct str clock_rfc3339(struct arena *a, int64_t real_ns);
/* Parses RFC 3339 (fraction and offset allowed); false on anything else. */
bool clock_parse_rfc3339(struct str s, int64_t *out_real_ns);
/* Kubernetes' human duration of an age in seconds (kube-wire §10): "119s", "9m5s", "47h", "2y30d". */
struct str clock_human_age(struct arena *a, int64_t seconds);
