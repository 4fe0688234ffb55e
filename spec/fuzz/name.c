/* ROOM: krm
 * SPDX-License-Identifier: Apache-2.0
 *
 * Object names and file paths. A name that parses must compose to itself.
 */
#include <stdlib.h>

#include "krm/name.h"
#include "krm/path.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct krm_name n;
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    if (krm_name_parse(&a, text, &n, &err) == 0 && !str_eq(krm_name_emit(&a, &n), text)) {
        abort();
    }
    if (krm_name_parse_package(&a, text, &n, &err) == 0 &&
        !str_eq(krm_name_emit_package(&a, &n), text)) {
        abort();
    }
    (void)krm_name_check_qualified(text);
    (void)krm_name_check_label_value(text);
    if (krm_path_check(text, &err) == 0 && (size == 0 || data[0] == '/')) {
        abort();
    }
    return 0;
}
