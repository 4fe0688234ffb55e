/* SPDX-License-Identifier: Apache-2.0
 *
 * /healthz, /livez, /readyz, /version and / (kube-wire §19).
 */
#include "kube/priv.h"

#include <sys/utsname.h>

struct check {
    const char *name;
    bool ok;
};

static bool excluded(struct kube_call *c, const char *name)
{
    struct str rest = c->req->query, part;
    while (rest.ptr && str_split(&rest, '&', &part)) {
        if (str_has_prefix(part, STR("exclude=")) &&
            str_eqz(kube_percent_decode(c->a, str_sub(part, 8, part.len), true), name)) {
            return true;
        }
    }
    return false;
}

void kube_serve_health(struct kube_call *c)
{
    struct str path = str_sub(c->route.path, 1, c->route.path.len), name = STR_NULL;
    ptrdiff_t slash = str_find_byte(path, '/');
    if (slash >= 0) {
        name = str_sub(path, (size_t)slash + 1, path.len);
        path = str_sub(path, 0, (size_t)slash);
    }
    bool ready = atomic_load(&c->k->ready) && !atomic_load(&c->k->draining);
    struct check checks[] = {
        {"ping", true},
        {"store", store_rv(c->k->store) >= 0},
        {"startup-and-shutdown", ready || !str_eqz(path, "readyz")},
    };
    AUTO_BUF list = BUF_INIT;
    bool ok = true, known = !name.ptr;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        if ((name.ptr && !str_eqz(name, checks[i].name)) || excluded(c, checks[i].name)) {
            continue;
        }
        known = true;
        ok = ok && checks[i].ok;
        buf_printf(&list, checks[i].ok ? "[+]%s ok\n" : "[-]%s failed: reason withheld\n",
                   checks[i].name);
    }
    if (!known) {
        kube_answer_nothing(c);
        return;
    }
    kube_answer_header(c, "X-Content-Type-Options", STR("nosniff"));
    const char *type = "text/plain; charset=utf-8";
    if (!ok) {
        buf_printf(&list, "%.*s check failed\n", STR_ARG(path));
        kube_answer(c, 500, type, arena_str(c->a, buf_str(&list)));
    } else if (kube_query_get(c->a, c->req->query, "verbose").ptr) {
        buf_printf(&list, "%.*s check passed\n", STR_ARG(path));
        kube_answer(c, 200, type, arena_str(c->a, buf_str(&list)));
    } else {
        kube_answer(c, 200, type, STR("ok"));
    }
}

void kube_serve_version(struct kube_call *c)
{
    struct utsname u;
    const char *machine = uname(&u) == 0 ? u.machine : "";
    const char *arch = strcmp(machine, "x86_64") == 0    ? "amd64"
                       : strcmp(machine, "aarch64") == 0 ? "arm64"
                                                         : machine;
    struct str json = arena_printf(
        c->a,
        "{\"major\":\"1\",\"minor\":\"34\",\"emulationMajor\":\"1\",\"emulationMinor\":\"34\","
        "\"minCompatibilityMajor\":\"1\",\"minCompatibilityMinor\":\"33\","
        "\"gitVersion\":\"v1.34.0-lanai.%s\","
        "\"gitCommit\":\"\",\"gitTreeState\":\"clean\",\"buildDate\":\"1970-01-01T00:00:00Z\","
        "\"goVersion\":\"\",\"compiler\":\"" __VERSION__ "\",\"platform\":\"linux/%s\"}",
        LANAI_VERSION, arch);
    c->accept.style = KUBE_PRETTY;
    kube_answer_json(c, 200, json);
}

void kube_serve_root(struct kube_call *c)
{
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "{\"paths\":[");
    for (size_t i = 0; i < api_n_documents; i++) {
        const struct api_document *d = &api_documents[i];
        if (d->path[0] == '/' && !d->variant[0]) {
            buf_add_json_string(&b, str_of(d->path));
            buf_addc(&b, ',');
        }
    }
    buf_addz(&b, "\"/healthz\",\"/livez\",\"/metrics\",\"/readyz\",\"/version\"]}");
    c->accept.style = KUBE_PRETTY;
    kube_answer_json(c, 200, arena_str(c->a, buf_str(&b)));
}
