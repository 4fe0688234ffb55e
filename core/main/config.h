/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration of `lanai serve`: flags, environment and a YAML file say the same things by the
 * same names; flags win over environment, environment over the file, the file over defaults.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define CONFIG_MAX_LIST 16

struct config {
    const char *config;      /* the file read, or NULL */
    const char *data;        /* data directory */
    const char *address;
    int64_t port;
    const char *hosts[CONFIG_MAX_LIST]; /* more names for the server certificate */
    size_t n_hosts;
    const char *workflows[CONFIG_MAX_LIST]; /* directories, later shadows earlier */
    size_t n_workflows;
    const char *functions[CONFIG_MAX_LIST]; /* the same */
    size_t n_functions;
    const char *image_prefix;
    const char *functions_config; /* file, core/eval/programs.h; NULL: no programs */
    const char *log_level, *log_format;
    int64_t threads, workers;
    int64_t max_request_body; /* bytes */
    int64_t request_timeout;  /* seconds */
    int64_t sync_frequency, health_frequency; /* seconds */
    int64_t history_changes, history_age; /* change log kept: changes and seconds at least */
    int64_t audit_rows, audit_days;       /* audit trail kept: rows and days at most */
    int64_t collect_frequency;            /* seconds */
    int64_t drain;            /* seconds */
    const char *retryable[CONFIG_MAX_LIST]; /* parts of git error texts */
    size_t n_retryable;
    const char *compat;       /* "lanai" or "kpt" */
    bool strict_conflict;
};

/* Fills out from argv (without program and verb), the environment and the file. Strings live in a.
 * Errors name the flag, the variable, or file:line. *out_help: --help was given. */
int config_load(struct arena *a, int argc, char **argv, struct config *out, bool *out_help,
                struct err *err);
/* The --help text of serve. */
void config_help(struct buf *out);
/* Default data directory: $XDG_DATA_HOME/lanai or ~/.local/share/lanai. In a. */
const char *config_default_data(struct arena *a);
