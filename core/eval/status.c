/* SPDX-License-Identifier: Apache-2.0
 *
 * The outcome of a render in the root Kptfile: condition Rendered and status.renderStatus (cad-library
 * §4.9). The rest of the file stays as it is; kpt writes it anew.
 */
#include "data/yaml.h"
#include "eval/priv.h"
#include "krm/kptfile_form.h"

static struct node *conditions(struct arena *a, const struct node *old, const char *message)
{
    struct node *list = node_list(a), *c = node_map(a);
    for (size_t i = 0; node_is(old, NODE_LIST) && i < old->n; i++) {
        if (!str_eqz(node_text(node_getz(old->items[i], "type")), "Rendered")) {
            node_push(a, list, node_copy(a, old->items[i]));
        }
    }
    node_setz(a, c, "type", node_strz(a, "Rendered"));
    node_setz(a, c, "status", node_strz(a, message ? "False" : "True"));
    node_setz(a, c, "reason", node_strz(a, message ? "RenderFailed" : "RenderSuccess"));
    if (message) {
        node_setz(a, c, "message", node_str(a, arena_str(a, str_of(message))));
    }
    node_push(a, list, c);
    return list;
}

static void summarize(struct buf *out, const struct node *steps)
{
    for (size_t i = 0; i < steps->n; i++) {
        const struct node *s = steps->items[i];
        struct str name = node_text(node_getz(s, "name")), why;
        name = name.len ? name : node_text(node_getz(s, "image"));
        name = name.len ? name : node_text(node_getz(s, "exec"));
        why = node_text(node_getz(s, "executionError"));
        int64_t code = node_int_at(s, "exitCode", 0);
        if (why.len) {
            buf_printf(out, "%s%.*s: %.*s", out->len ? "\n" : "", STR_ARG(name), STR_ARG(why));
        } else if (code) {
            buf_printf(out, "%s%.*s: exit code %d", out->len ? "\n" : "", STR_ARG(name), (int)code);
        }
    }
}

static struct node *render_status(struct arena *a, const struct eval_log *log)
{
    AUTO_BUF summary = BUF_INIT;
    struct node *out = node_map(a);
    if (log->mutations->n) {
        node_setz(a, out, "mutationSteps", log->mutations);
    }
    if (log->validations->n) {
        node_setz(a, out, "validationSteps", log->validations);
    }
    summarize(&summary, log->mutations);
    summarize(&summary, log->validations);
    if (summary.len) {
        node_setz(a, out, "errorSummary", node_str(a, arena_str(a, buf_str(&summary))));
    }
    return out->n ? out : NULL;
}

static int write_anew(struct arena *a, struct str text, struct node *list, struct node *render,
                      struct str *out, struct err *err)
{
    struct node *kptfile;
    if (kptfile_decode(a, text, &kptfile, err)) {
        return -1;
    }
    struct node *status = node_getz(kptfile, "status");
    status = status ? status : node_map(a);
    node_setz(a, status, "conditions", list);
    node_delz(status, "renderStatus");
    if (render) {
        node_setz(a, status, "renderStatus", render);
    }
    node_setz(a, kptfile, "status", status);
    AUTO_BUF b = BUF_INIT;
    kptfile_encode(&b, kptfile_form(a, kptfile), false);
    *out = arena_str(a, buf_str(&b));
    return 0;
}

int eval_status_write(const struct eval_options *o, struct arena *a, struct str text,
                      const struct eval_log *log, const char *message, struct str *out,
                      struct err *err)
{
    struct node *kptfile = yaml_parse(a, text, NULL, err);
    if (!kptfile) {
        return -1;
    }
    struct node *list = conditions(a, node_at(kptfile, "status.conditions"), message);
    struct node *render = render_status(a, log);
    if (o->kpt) {
        return write_anew(a, text, list, render, out, err);
    }
    const struct str at_list[] = {STR("status"), STR("conditions")};
    const struct str at_render[] = {STR("status"), STR("renderStatus")};
    return yaml_edit_set(a, text, at_list, 2, list, out, err) ||
                   yaml_edit_set(a, *out, at_render, 2, render, out, err)
               ? -1
               : 0;
}
