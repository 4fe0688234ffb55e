/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai version`.
 */
#include <stdio.h>
#include <string.h>

#include "main/verbs.h"

int verb_version(int argc, char **argv)
{
    if (argc > 0) {
        int help = strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0;
        fputs("Usage: lanai version\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    puts("lanai " LANAI_VERSION " (Porch API v1alpha1, Kubernetes 1.34)");
    return 0;
}
