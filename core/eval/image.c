/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a pipeline writes (`set-labels:v0.2`, a tag field, a digest) to a function of the
 * catalogue and its version. Ours claim the versions they list and every older patch of those lines.
 */
#include "eval/priv.h"

#define DIGEST "sha256:"

/* Registries whose images the built-ins replace, besides the configured prefix. */
static const char *const registries[] = {EVAL_IMAGE_PREFIX, "gcr.io/kpt-fn", "gcr.io/kpt-fn-contrib",
                                         "ghcr.io/kptdev/krm-functions-catalog/contrib"};

/* Digests that the peer compiled in (runner-oci §1.8). */
static const struct {
    const char *name, *version, *digest;
} pinned[] = {
    {"apply-replacements", "v0.1.1",
     "85913d4ec8db62053eb060ff1b7e26d13ff8853b75cae4d0461b8a1c7ddd4947"},
    {"set-namespace", "v0.4.1", "f930d9248001fa763799cc81cf2d89bbf83954fc65de0db20ab038a21784f323"},
    {"starlark", "v0.4.3", "6ba3971c64abcd6c3d93039d45721bb5ab496c7fbbc9ac1e685b11577f368ce0"},
};

struct parts {
    struct str name;   /* without tag and digest */
    struct str tag, digest;
};

static struct parts split(struct str image)
{
    struct parts p = {.name = image};
    ptrdiff_t at = str_find_byte(p.name, '@');
    if (at >= 0) {
        p.digest = str_sub(p.name, (size_t)at + 1, p.name.len);
        p.name = str_sub(p.name, 0, (size_t)at);
    }
    ptrdiff_t colon = str_rfind_byte(p.name, ':'), slash = str_rfind_byte(p.name, '/');
    if (colon > slash) {
        p.tag = str_sub(p.name, (size_t)colon + 1, p.name.len);
        p.name = str_sub(p.name, 0, (size_t)colon);
    }
    return p;
}

static struct str plain_prefix(const char *prefix)
{
    struct str s = str_of(prefix ? prefix : EVAL_IMAGE_PREFIX);
    while (s.len && s.ptr[s.len - 1] == '/') {
        s.len--;
    }
    return s;
}

static const struct eval_function *find(const struct eval_catalog *c, struct str name,
                                        struct str prefix)
{
    ptrdiff_t slash = str_rfind_byte(name, '/');
    struct str registry = str_sub(name, 0, slash < 0 ? 0 : (size_t)slash);
    struct str base = str_sub(name, (size_t)(slash + 1), name.len);
    bool ours = str_eq(registry, prefix);
    for (size_t i = 0; i < sizeof(registries) / sizeof(*registries); i++) {
        ours = ours || str_eqz(registry, registries[i]);
    }
    for (size_t i = 0; c && ours && i < c->n; i++) {
        for (size_t k = 0; k < c->functions[i].n_images; k++) {
            if (str_eq(c->functions[i].images[k], base)) {
                return &c->functions[i];
            }
        }
    }
    return NULL;
}

/* The version that a tag means for f; STR_NULL when f does not claim it. */
static struct str claimed(const struct eval_function *f, struct str tag)
{
    struct eval_version want, have;
    struct str best = STR_NULL;
    bool latest = str_eqz(tag, "latest");
    if (!latest && !eval_version_parse(tag, &want)) {
        return STR_NULL;
    }
    for (size_t i = 0; i < f->n_versions; i++) {
        struct str v = f->versions[i];
        bool fits = latest;
        if (!latest && eval_version_parse(v, &have)) {
            if (want.parts == 3 && eval_version_compare(tag, v) == 0) {
                return v;
            }
            fits = have.part[0] == want.part[0] && !want.pre.len &&
                   (want.parts < 2 || have.part[1] == want.part[1]) &&
                   (want.parts < 3 || have.part[2] >= want.part[2]);
        }
        if (fits && (!best.ptr || eval_version_compare(v, best) > 0)) {
            best = v;
        }
    }
    return best.ptr && !latest && want.parts == 3 ? tag : best;
}

static struct str pinned_version(const struct eval_function *f, struct str digest)
{
    struct str hex = str_sub(digest, strlen(DIGEST), digest.len);
    for (size_t i = 0; i < sizeof(pinned) / sizeof(*pinned); i++) {
        if (str_eqz(f->name, pinned[i].name) && str_eqz(hex, pinned[i].digest)) {
            return str_of(pinned[i].version);
        }
    }
    return STR_NULL;
}

static bool is_tag(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool word = c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!word && (i == 0 || (c != '.' && c != '-'))) {
            return false;
        }
    }
    return s.len > 0 && s.len <= 128;
}

/* The tag that the `tag` field means. */
static int resolve_tag(const struct eval_function *f, struct str field, struct str *out,
                       struct err *err)
{
    struct eval_version v;
    *out = field;
    if (eval_version_parse(field, &v)) {
        return 0;
    }
    int at = eval_version_choose(field, f ? f->versions : NULL, f ? f->n_versions : 0);
    if (at >= 0) {
        *out = f->versions[at];
        return 0;
    }
    if (at == -1) {
        return err_set(err, ERR_INVALID,
                       "no tag could be found matching the version constraint \"%.*s\"",
                       STR_ARG(field));
    }
    if (!is_tag(field)) {
        return err_set(err, ERR_INVALID,
                       "`function.tag` \"%.*s\" must be a valid image tag: must start with an "
                       "alphanumeric character or underscore, followed by at most 127 "
                       "alphanumeric characters, underscores, periods, or dashes",
                       STR_ARG(field));
    }
    return 0;
}

int eval_image_resolve(const struct eval_catalog *c, struct arena *a, struct str image,
                       struct str tag, const char *prefix, struct eval_image *out,
                       struct err *err)
{
    struct parts p = split(image);
    struct str registry = plain_prefix(prefix);
    if (str_find_byte(p.name, '/') < 0 && registry.len) {
        p.name = arena_printf(a, "%.*s/%.*s", STR_ARG(registry), STR_ARG(p.name));
    }
    const struct eval_function *f = find(c, p.name, registry);
    if (tag.len) {
        p.digest = STR_NULL;
        if (resolve_tag(f, tag, &p.tag, err)) {
            return -1;
        }
    } else if (!p.tag.len && !p.digest.len) {
        p.tag = STR("latest");
    }
    *out = (struct eval_image){.reference = p.name};
    if (p.tag.len) {
        out->reference = arena_printf(a, "%.*s:%.*s", STR_ARG(out->reference), STR_ARG(p.tag));
    }
    if (p.digest.len) {
        out->reference = arena_printf(a, "%.*s@%.*s", STR_ARG(out->reference), STR_ARG(p.digest));
    }
    if (f) {
        out->version = p.digest.len ? pinned_version(f, p.digest) : claimed(f, p.tag);
        out->function = out->version.ptr ? f : NULL;
    }
    return 0;
}
