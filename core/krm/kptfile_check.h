/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a Kptfile's pipeline invalid, checked before a package is rendered (cad-library
 * §1.1.3).
 */
#pragma once

#include "krm/resources.h"

/* Checks the functions of a Kptfile in form (kptfile_form.h). Files of functionConfigs are looked
 * up in files; NULL: they are not looked at. Errors: ERR_INVALID with kpt's text. */
int kptfile_check(struct arena *a, const struct node *form, const struct krm_files *files,
                  struct err *err);

/* NULL when text is an image reference (name, tag and digest in the grammar of OCI registries),
 * else what is wrong with it. */
const char *krm_image_fault(struct str text);
