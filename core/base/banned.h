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

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol strtol gmtime localtime asctime gets
/* names that headers of libraries use for members and parameters: only calls are refused */
int rand(void) __attribute__((deprecated("banned: use getrandom")));
void srand(unsigned) __attribute__((deprecated("banned: use getrandom")));
int system(const char *) __attribute__((deprecated("banned: start programs with posix_spawn")));
FILE *popen(const char *, const char *) __attribute__((deprecated("banned: use posix_spawn")));
