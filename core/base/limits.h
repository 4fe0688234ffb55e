/* SPDX-License-Identifier: Apache-2.0
 *
 * Every limit on something that comes from outside, with its unit and its reason.
 */
#pragma once

#define LIMIT_BODY_BYTES (6u * 1024 * 1024)       /* request body; Porch's default */
#define LIMIT_URL_BYTES (64u * 1024)              /* request line: long selectors (kube-wire §2) */
#define LIMIT_YAML_DEPTH 10000                    /* nesting of YAML files in packages (yaml.md §5) */
#define LIMIT_JSON_DEPTH 512                      /* nesting of JSON and YAML (kube-wire §20) */
#define LIMIT_JSON_PATCH_OPS 10000                /* operations of a JSON patch (kube-wire §2) */
#define LIMIT_NAME 253                            /* bytes of an object name: DNS subdomain */
#define LIMIT_LABEL 63                            /* bytes of a DNS label */
#define LIMIT_ANNOTATIONS_BYTES (256u * 1024)     /* all annotations of an object together */
#define LIMIT_PATH_BYTES 4096                     /* a file path inside a package: PATH_MAX */
#define LIMIT_PATH_SEGMENT 255                    /* one segment of it: NAME_MAX */
#define LIMIT_PACKAGE_FILES 20000                 /* files of one package */
#define LIMIT_FIELD_MANAGER 128                   /* characters of fieldManager (kube-wire §3) */
#define LIMIT_SCRIPT_BYTES (256u * 1024)          /* one script file (style §5.6) */
#define LIMIT_RUN_CPU_MS 5000                     /* Lua time of a workflow run (style §5.6) */
#define LIMIT_RUN_BYTES (64u * 1024 * 1024)       /* Lua memory of a workflow run */
#define LIMIT_FUNCTION_CPU_MS 10000               /* Lua time of a built-in function (style §5.6) */
#define LIMIT_FUNCTION_BYTES (256u * 1024 * 1024) /* its memory, and that of the nodes it makes */
#define LIMIT_RUN_CALLS 10000                     /* host calls of a workflow run */
#define LIMIT_LOCAL_CPU_MS (3600 * 1000)          /* Lua time of a verb of the command line */
#define LIMIT_LOCAL_BYTES (2048u * 1024 * 1024)   /* its memory: packages as users have them */
#define LIMIT_LOCAL_FILE_BYTES (512u * 1024 * 1024) /* one file or stream that it reads */
#define LIMIT_LOCAL_FILES 200000                  /* entries of a directory tree that it reads */
#define LIMIT_RUN_RETRIES 5                       /* reruns after a lost race (style §5.3 a) */
#define LIMIT_REQUEST_MS 300000                   /* request deadline (kube-wire §2) */
#define LIMIT_GIT_MS 60000                        /* one conversation with a git server */
#define LIMIT_LIST_BATCH_BYTES (256u * 1024)      /* what a list holds in memory at a time */
#define LIMIT_CHANGE_ROWS 100000                  /* change log rows kept at least … */
#define LIMIT_CHANGE_AGE_S 600                    /* … and seconds: resume window of watches */
#define LIMIT_AUDIT_ROWS 200000                   /* audit rows kept at most (some 70 MiB) … */
#define LIMIT_AUDIT_AGE_S (90 * 86400)            /* … and seconds */
#define LIMIT_IN_FLIGHT_READS 400                 /* kube-wire §2: overload answers 429 */
#define LIMIT_IN_FLIGHT_WRITES 200
#define LIMIT_EVENT_TTL_S 3600                    /* events live one hour (kube-wire §17.1) */
#define LIMIT_FN_MS 300000                        /* one run of a program: kpt's (cad-library §4.4) */
#define LIMIT_FN_BYTES (1024u * 1024 * 1024)      /* memory of such a program */
#define LIMIT_FN_OUTPUT_BYTES (64u * 1024 * 1024) /* what it may answer */
#define LIMIT_FN_LOG_BYTES (1024u * 1024)         /* what is kept of its standard error */
#define LIMIT_HELPER_MS 10000                     /* one script of a package (style §5.6) */
#define LIMIT_HELPER_BYTES (256u * 1024 * 1024)   /* memory of it */
