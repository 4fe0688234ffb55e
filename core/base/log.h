/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured log on stderr: text on a terminal, JSON lines otherwise. Fields are key/value pairs
 * of NUL-terminated strings that end with NULL:
 *     log_info("repository synced", "repository", name, "revisions", n_text, NULL);
 * Thread-safe; one write(2) per line. Log where an error is handled; lower rooms only at debug.
 */
#pragma once

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_MAX };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON };

void log_setup(enum log_level level, enum log_format format);
bool log_level_parse(const char *name, enum log_level *out);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *message, ...) __attribute__((sentinel));
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
