/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.node as a module of workflows: the functions are those of script/node.h.
 */
#include "host/priv.h"

#define ROW(name) {"lanai.node", #name, script_node_##name, HOST_ALWAYS, NULL},

const struct host_function host_node_functions[] = {
    SCRIPT_NODE_FUNCTIONS(ROW) {NULL, NULL, NULL, 0, NULL},
};
