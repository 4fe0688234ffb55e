/* SPDX-License-Identifier: Apache-2.0
 *
 * See clock.h. Civil-date arithmetic is done here so that no function depends on the zone.
 */
#include "base/clock.h"

int64_t clock_mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_real_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int clock_left_ms(int64_t deadline_ns, int none)
{
    if (!deadline_ns) {
        return none;
    }
    int64_t left = (deadline_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct str clock_rfc3339(struct arena *a, int64_t real_ns)
{
    time_t t = (time_t)(real_ns / NS_PER_S);
    struct tm tm;
    gmtime_r(&t, &tm);
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Reads n digits at *at; -1 when they are not digits. */
static int digits(struct str s, size_t *at, size_t n)
{
    int v = 0;
    for (size_t i = 0; i < n; i++, (*at)++) {
        if (*at >= s.len || s.ptr[*at] < '0' || s.ptr[*at] > '9') {
            return -1;
        }
        v = v * 10 + (s.ptr[*at] - '0');
    }
    return v;
}

static bool take(struct str s, size_t *at, char c)
{
    if (*at < s.len && (s.ptr[*at] == c || s.ptr[*at] == (c | 0x20))) {
        (*at)++;
        return true;
    }
    return false;
}

/* Offset from UTC in seconds at *at: Z or ±hh:mm. */
static bool parse_zone(struct str s, size_t *at, int64_t *out)
{
    if (take(s, at, 'Z')) {
        *out = 0;
        return true;
    }
    bool minus = take(s, at, '-');
    if (!minus && !take(s, at, '+')) {
        return false;
    }
    int h = digits(s, at, 2);
    int m = take(s, at, ':') ? digits(s, at, 2) : -1;
    if (h < 0 || h > 23 || m < 0 || m > 59) {
        return false;
    }
    *out = (minus ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

bool clock_parse_rfc3339(struct str s, int64_t *out_real_ns)
{
    static const int days_in[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    size_t at = 0;
    int y = digits(s, &at, 4), mo = take(s, &at, '-') ? digits(s, &at, 2) : -1;
    int d = take(s, &at, '-') ? digits(s, &at, 2) : -1;
    int h = take(s, &at, 'T') ? digits(s, &at, 2) : -1;
    int mi = take(s, &at, ':') ? digits(s, &at, 2) : -1;
    int sec = take(s, &at, ':') ? digits(s, &at, 2) : -1;
    if (y < 0 || mo < 1 || mo > 12 || d < 1 || d > days_in[mo - 1] || h < 0 || h > 23 || mi < 0 ||
        mi > 59 || sec < 0 || sec > 60) {
        return false;
    }
    int64_t ns = 0, unit = NS_PER_S;
    if (take(s, &at, '.')) {
        size_t from = at;
        for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++) {
            unit /= 10;
            ns += (s.ptr[at] - '0') * unit;
        }
        if (at == from) {
            return false;
        }
    }
    int64_t zone;
    if (!parse_zone(s, &at, &zone) || at != s.len) {
        return false;
    }
    int64_t t = days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec - zone;
    *out_real_ns = t * NS_PER_S + ns;
    return true;
}

struct str clock_human_age(struct arena *a, int64_t s)
{
    if (s < -1) {
        return STR("<invalid>");
    }
    s = s < 0 ? 0 : s;
    int64_t m = s / 60, h = s / 3600, d = h / 24, y = d / 365;
    if (s < 120) {
        return arena_printf(a, "%llds", (long long)s);
    }
    if (m < 10) {
        return s % 60 ? arena_printf(a, "%lldm%llds", (long long)m, (long long)(s % 60))
                      : arena_printf(a, "%lldm", (long long)m);
    }
    if (h < 3) {
        return arena_printf(a, "%lldm", (long long)m);
    }
    if (h < 8) {
        return m % 60 ? arena_printf(a, "%lldh%lldm", (long long)h, (long long)(m % 60))
                      : arena_printf(a, "%lldh", (long long)h);
    }
    if (h < 48) {
        return arena_printf(a, "%lldh", (long long)h);
    }
    if (d < 8) {
        return h % 24 ? arena_printf(a, "%lldd%lldh", (long long)d, (long long)(h % 24))
                      : arena_printf(a, "%lldd", (long long)d);
    }
    if (d < 730) {
        return arena_printf(a, "%lldd", (long long)d);
    }
    if (y < 8) {
        return d % 365 ? arena_printf(a, "%lldy%lldd", (long long)y, (long long)(d % 365))
                       : arena_printf(a, "%lldy", (long long)y);
    }
    return arena_printf(a, "%lldy", (long long)y);
}
