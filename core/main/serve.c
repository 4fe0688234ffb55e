/* SPDX-License-Identifier: Apache-2.0
 *
 * `lanai serve`: wires store, auth, engine, kube and http together, waits for signals, drains.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "eval/programs.h"
#include "http/http.h"
#include "kube/kube.h"
#include "main/config.h"
#include "main/control.h"
#include "main/verbs.h"

struct server {
    struct store *store;
    struct auth *auth;
    struct eval_programs *programs;
    struct eval_runner runner;
    struct engine *engine;
    struct kube *kube;
    struct http *http;
    struct control *control;
};

static int make_dirs(const char *path, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    char *p = arena_strz(&a, str_of(path));
    for (char *slash = p + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = 0;
        (void)mkdir(p, 0700); /* the last one decides */
    }
    if (mkdir(p, 0700) < 0 && errno != EEXIST) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make data directory '%s': %s", path,
                       strerror(errno));
    }
    return 0;
}

static int start(struct server *s, const struct config *c, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct store_config store = {
        .dir = c->data,
        .change_rows = (int)c->history_changes,
        .change_age_s = c->history_age ? (int)c->history_age : -1,
        .audit_rows = (int)c->audit_rows,
        .audit_age_s = c->audit_days * 86400,
    };
    struct str pki = arena_printf(&a, "%s/pki", c->data);
    if (make_dirs(c->data, err) < 0 || store_open(&store, &s->store, err) < 0 ||
        auth_open(pki.ptr, s->store, c->hosts, c->n_hosts, &s->auth, err) < 0 ||
        auth_seed(s->auth, err) < 0) {
        return -1;
    }
    const struct eval_programs_options programs = {.map = c->functions_config};
    if (eval_programs_new(&programs, &s->programs, err) < 0) {
        return -1;
    }
    s->runner = eval_programs_runner(s->programs);
    struct engine_config engine = {
        .store = s->store,
        .dir = c->data,
        .workflow_dirs = c->workflows,
        .n_workflow_dirs = c->n_workflows,
        .function_dirs = c->functions,
        .n_function_dirs = c->n_functions,
        .image_prefix = c->image_prefix,
        .runner = &s->runner,
        .workers = (int)c->workers,
        .compat = c->compat,
        .sync_frequency_s = c->sync_frequency,
        .health_frequency_s = c->health_frequency,
        .collect_frequency_s = c->collect_frequency,
        .retryable = c->retryable,
        .n_retryable = c->n_retryable,
    };
    if (engine_new(&engine, &s->engine, err) < 0) {
        return -1;
    }
    struct kube_config kube = {
        .store = s->store,
        .engine = s->engine,
        .auth = s->auth,
        .strict_conflict = c->strict_conflict,
    };
    if (kube_new(&kube, &s->kube, err) < 0) {
        return -1;
    }
    struct http_config http = {
        .address = c->address,
        .port = (uint16_t)c->port,
        .cert_pem = auth_server_cert_pem(s->auth),
        .key_pem = auth_server_key_pem(s->auth),
        .threads = (int)c->threads,
        .request_ms = c->request_timeout * 1000,
        .max_body = (size_t)c->max_request_body,
        .kube = s->kube,
    };
    return http_start(&http, &s->http, err) < 0 || engine_start(s->engine, err) < 0 ||
                   control_start(c->data, s->auth, &s->control, err) < 0
               ? -1
               : 0;
}

static void stop(struct server *s, int64_t deadline)
{
    if (s->kube) {
        kube_set_ready(s->kube, false);
        kube_drain(s->kube, deadline);
    }
    if (s->engine) {
        engine_drain(s->engine, deadline);
    }
    if (s->http) {
        http_stop(s->http, deadline);
    }
    control_stop(s->control);
    kube_free(s->kube);
    engine_free(s->engine);
    eval_programs_free(s->programs);
    auth_close(s->auth);
    store_close(s->store);
}

/* Writes a file whole or not at all. */
static int write_file(const char *path, struct str bytes, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str temporary = arena_printf(&a, "%s.new", path);
    int fd = open(temporary.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
    ok = (fd < 0 || close(fd) == 0) && ok && rename(temporary.ptr, path) == 0;
    return ok ? 0 : err_set(err, ERR_UNAVAILABLE, "cannot write '%s': %s", path, strerror(errno));
}

/* <data>/kubeconfig for the administrator, <data>/address for the other verbs. */
static int write_access(struct server *s, const struct config *c, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_BUF kubeconfig = BUF_INIT;
    const char *host = strcmp(c->address, "0.0.0.0") == 0 || strcmp(c->address, "::") == 0
                           ? "127.0.0.1"
                           : c->address;
    bool v6 = strchr(host, ':') != NULL;
    struct str url = arena_printf(&a, "https://%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
                                  (unsigned)http_port(s->http));
    struct str masters = STR("system:masters");
    if (auth_kubeconfig(s->auth, url, STR("admin"), &masters, 1, &kubeconfig, err) < 0) {
        return -1;
    }
    struct str path = arena_printf(&a, "%s/kubeconfig", c->data);
    struct str address = arena_printf(&a, "%s/address", c->data);
    if (write_file(path.ptr, buf_str(&kubeconfig), err) < 0 || write_file(address.ptr, url, err) < 0) {
        return -1;
    }
    log_info("lanai serves", "url", url.ptr, "kubeconfig", path.ptr, NULL);
    return 0;
}

static void *second_signal(void *set)
{
    int sig;
    (void)sigwait(set, &sig);
    _exit(1); /* asked twice */
}

static void wait_for_signals(struct server *s, sigset_t *set)
{
    for (;;) {
        int sig = 0;
        (void)sigwait(set, &sig);
        if (sig != SIGHUP) {
            log_info("lanai ends", "signal", strsignal(sig), NULL);
            return;
        }
        AUTO_ERR err = ERR_INIT;
        if (engine_reload(s->engine, &err) < 0) {
            log_error(err.message, NULL);
        }
    }
}

int verb_serve(int argc, char **argv)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct config c;
    bool help;
    if (config_load(&a, argc, argv, &c, &help, &err) < 0) {
        fprintf(stderr, "lanai serve: %s\n", err.message);
        return 2;
    }
    if (help) {
        AUTO_BUF text = BUF_INIT;
        config_help(&text);
        fputs(text.ptr, stdout);
        return 0;
    }
    enum log_level level = LOG_INFO;
    (void)log_level_parse(c.log_level, &level); /* checked by config_load */
    log_setup(level, strcmp(c.log_format, "json") == 0   ? LOG_JSON
                     : strcmp(c.log_format, "text") == 0 ? LOG_TEXT
                                                         : LOG_AUTO);
    /* threads inherit the mask: signals are taken here and nowhere else */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct server s = {0};
    int rc = 1;
    if (start(&s, &c, &err) < 0 || write_access(&s, &c, &err) < 0) {
        log_error("lanai cannot start", "error", err.message, NULL);
    } else {
        kube_set_ready(s.kube, true);
        wait_for_signals(&s, &set);
        pthread_t t;
        sigdelset(&set, SIGHUP);
        if (pthread_create(&t, NULL, second_signal, &set) == 0) {
            pthread_detach(t);
        }
        rc = 0;
    }
    stop(&s, clock_mono_ns() + c.drain * NS_PER_S);
    return rc;
}
