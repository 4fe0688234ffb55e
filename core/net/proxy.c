/* SPDX-License-Identifier: Apache-2.0
 *
 * See proxy.h. libcurl's own reading of the variables is not used: it wants lower case, asks
 * ALL_PROXY, and sends requests for this machine to the proxy.
 */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/priv.h"

static const char *variable(const char *upper, const char *lower)
{
    const char *value = getenv(upper);
    return value && *value ? value : getenv(lower);
}

struct net_proxies net_proxies_get(void)
{
    return (struct net_proxies){
        .http = variable("HTTP_PROXY", "http_proxy"),
        .https = variable("HTTPS_PROXY", "https_proxy"),
        .none = variable("NO_PROXY", "no_proxy"),
    };
}

static const unsigned char MAPPED[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */

/* An address as 16 bytes; IPv4 in its mapped form. */
static bool parse_address(struct arena *a, struct str text, unsigned char out[16])
{
    const char *z = arena_strz(a, str_trim(text, "[]"));
    memcpy(out, MAPPED, sizeof(MAPPED));
    return inet_pton(AF_INET, z, out + 12) == 1 || inet_pton(AF_INET6, z, out) == 1;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, int64_t bits)
{
    int64_t bytes = bits / 8, rest = bits % 8;
    return memcmp(a, b, (size_t)bytes) == 0 &&
           (!rest || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0);
}

static bool in_block(struct arena *a, struct str block, const unsigned char address[16])
{
    unsigned char base[16];
    ptrdiff_t slash = str_find_byte(block, '/');
    struct str host = str_sub(block, 0, (size_t)slash);
    int64_t bits, top = str_find_byte(host, ':') >= 0 ? 0 : 96;
    return str_to_int64(str_sub(block, (size_t)slash + 1, block.len), &bits) && bits >= 0 &&
           bits <= 128 - top && parse_address(a, host, base) &&
           same_bits(base, address, top + bits);
}

/* "example.com" also stands for what is below it, ".example.com" and "*.example.com" for that
 * alone. */
static bool in_domain(struct str host, struct str domain)
{
    if (str_has_prefix(domain, STR("*."))) {
        domain = str_sub(domain, 1, domain.len);
    }
    if (host.len == domain.len) {
        return strncasecmp(host.ptr, domain.ptr, host.len) == 0;
    }
    size_t dot = domain.len && domain.ptr[0] == '.' ? 0 : 1;
    return host.len > domain.len + dot && domain.len &&
           strncasecmp(host.ptr + host.len - domain.len, domain.ptr, domain.len) == 0 &&
           (!dot || host.ptr[host.len - domain.len - 1] == '.');
}

/* Takes ":port" from the end of an entry; an address of IPv6 needs its brackets for that. */
static struct str take_port(struct str *entry)
{
    ptrdiff_t colon = str_rfind_byte(*entry, ':'), first = str_find_byte(*entry, ':');
    bool bracketed = colon > 0 && entry->ptr[colon - 1] == ']';
    if (colon < 0 || (colon != first && !bracketed)) {
        return STR("");
    }
    struct str port = str_sub(*entry, (size_t)colon + 1, entry->len);
    *entry = str_sub(*entry, 0, (size_t)colon);
    return port;
}

static bool excepted(struct arena *a, const char *list, struct str host, struct str port)
{
    unsigned char address[16], other[16];
    bool is_address = parse_address(a, host, address);
    struct str rest = str_of(list), entry;
    while (str_split(&rest, ',', &entry)) {
        entry = str_trim(entry, " \t");
        if (str_eqz(entry, "*")) {
            return true;
        }
        if (str_find_byte(entry, '/') >= 0) {
            if (is_address && in_block(a, entry, address)) {
                return true;
            }
            continue;
        }
        struct str entry_port = take_port(&entry);
        if (!entry.len || (entry_port.len && !str_eq(entry_port, port))) {
            continue;
        }
        if (is_address ? parse_address(a, entry, other) && same_bits(address, other, 128)
                       : in_domain(host, entry)) {
            return true;
        }
    }
    return false;
}

static bool is_local(struct arena *a, struct str host)
{
    static const unsigned char V6[16] = {[15] = 1};
    unsigned char address[16];
    if (!parse_address(a, host, address)) {
        return host.len == 9 && strncasecmp(host.ptr, "localhost", 9) == 0;
    }
    return memcmp(address, V6, sizeof(V6)) == 0 ||
           (memcmp(address, MAPPED, sizeof(MAPPED)) == 0 && address[12] == 127);
}

/* libcurl resolves a name itself for socks5://; Go leaves that to the proxy. */
static struct str as_curl_has_it(struct arena *a, const char *proxy)
{
    struct str s = str_of(proxy);
    if (str_has_prefix(s, STR("socks5://"))) {
        return arena_printf(a, "socks5h%s", proxy + strlen("socks5"));
    }
    return str_find(s, STR("://")) >= 0 ? arena_str(a, s) : arena_printf(a, "http://%s", proxy);
}

struct str net_proxy_find(struct arena *a, const struct net_proxies *p, const char *url)
{
    CURLU *u = curl_url();
    struct str out = STR("");
    if (u && !curl_url_set(u, CURLUPART_URL, url, 0)) {
        struct str host = str_trim(net_url_part(a, u, CURLUPART_HOST), "[]");
        struct str port = net_url_part(a, u, CURLUPART_PORT);
        bool tls = str_eqz(net_url_part(a, u, CURLUPART_SCHEME), "https");
        const char *proxy = tls ? p->https : p->http;
        if (proxy && *proxy && !is_local(a, host) &&
            !(p->none && excepted(a, p->none, host, port))) {
            out = as_curl_has_it(a, proxy);
        }
    }
    curl_url_cleanup(u);
    return out;
}
