/* SPDX-License-Identifier: Apache-2.0
 *
 * Kubeconfigs: everything that kubectl and porchctl need to talk to this server as one user.
 */
#include "auth/priv.h"

#include "data/base64.h"

#define KUBECONFIG_DAYS 365

static void add_data(struct buf *out, struct arena *a, const char *key, struct str bytes)
{
    buf_printf(out, "    %s: ", key);
    buf_add_str(out, base64_emit(a, bytes));
    buf_addc(out, '\n');
}

int auth_kubeconfig(struct auth *a, struct str server, struct str name, const struct str *groups,
                    size_t n_groups, struct buf *out, struct err *err)
{
    AUTO_ARENA arena = ARENA_INIT;
    AUTO_BUF cert = BUF_INIT;
    AUTO_BUF key = BUF_INIT;
    if (auth_issue(a, name, groups, n_groups, KUBECONFIG_DAYS, &cert, &key, err) != 0) {
        return -1;
    }
    buf_addz(out, "apiVersion: v1\nkind: Config\nclusters:\n- name: lanai\n  cluster:\n"
                  "    server: ");
    buf_add_json_string(out, server);
    buf_addc(out, '\n');
    add_data(out, &arena, "certificate-authority-data", auth_ca_pem(a));
    buf_addz(out, "users:\n- name: ");
    buf_add_json_string(out, name); /* a JSON string is a YAML string, whatever the name holds */
    buf_addz(out, "\n  user:\n");
    add_data(out, &arena, "client-certificate-data", buf_str(&cert));
    add_data(out, &arena, "client-key-data", buf_str(&key));
    buf_addz(out, "contexts:\n- name: lanai\n  context:\n    cluster: lanai\n    user: ");
    buf_add_json_string(out, name);
    buf_addz(out, "\n    namespace: default\ncurrent-context: lanai\n");
    return 0;
}
