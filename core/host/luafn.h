/* SPDX-License-Identifier: Apache-2.0
 *
 * The function `lua`: a program that stands in its functionConfig, run by a helper process
 * (eval/helper.h). The program finds `ctx.resource_list` (items, functionConfig), changes it in
 * place, may call `ctx.result{message=, severity=}`, `print` and `require("lanai.node")`, and fails
 * with error().
 */
#pragma once

#include "base/err.h"

/* Makes this process such a helper: gives up its rights, then answers requests until the other side
 * is gone. -1 when that could not begin, or ended with half a request. */
int host_luafn_serve(struct err *err);
