/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai fn-helper lua`: the process that runs functions `lua` for a server or a local verb. Its
 * standard input and output are the socket of core/eval/helper.h.
 */
#include <stdio.h>
#include <string.h>

#include "host/luafn.h"
#include "main/verbs.h"

int verb_fn_helper(int argc, char **argv)
{
    AUTO_ERR err = ERR_INIT;
    if (argc != 1 || strcmp(argv[0], "lua") != 0) {
        fputs("Usage: lanai fn-helper lua   (lanai starts it itself)\n", stderr);
        return 2;
    }
    if (host_luafn_serve(&err) < 0) {
        fprintf(stderr, "lanai fn-helper: %s\n", err.message);
        return 1;
    }
    return 0;
}
