/* SPDX-License-Identifier: Apache-2.0
 *
 * Force-included into every file of core/ (CMakeLists.txt): calls that must not be used become
 * compile errors. base/mem.c is the only file that may allocate.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol strtol gmtime localtime asctime
#pragma GCC poison rand srand system popen gets
