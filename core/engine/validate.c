/* SPDX-License-Identifier: Apache-2.0
 *
 * What a PackageRevision request must satisfy before its workflow runs: porch-api.md §4.1 steps
 * 1-5, §4.3 steps 4-5, §4.4, §4.5, §5. Messages are api/messages.lua's.
 */
#include "engine/priv.h"
#include "krm/name.h"

static bool lifecycle_known(struct str l)
{
    return str_eqz(l, "Draft") || str_eqz(l, "Proposed") || engine_lifecycle_published(l);
}

/* Collects field errors, then makes one ERR_INVALID of them. */
struct invalid {
    struct err *err;
    struct buf text;
    size_t n;
};

static void invalid_add(struct invalid *v, const char *reason, const char *field,
                        struct str message)
{
    if (v->n++) {
        buf_addz(&v->text, ", ");
    }
    buf_printf(&v->text, "%s: %.*s", field, STR_ARG(message));
    err_add_cause(v->err, reason, field, "%.*s", STR_ARG(message));
}

static void invalid_value(struct invalid *v, struct arena *a, const char *field, struct str value,
                          struct str detail)
{
    AUTO_BUF json = BUF_INIT;
    buf_add_json_string(&json, value);
    invalid_add(v, "FieldValueInvalid", field,
                arena_printf(a, "Invalid value: %s: %.*s", json.ptr, STR_ARG(detail)));
}

static void invalid_name(struct invalid *v, struct arena *a, const char *field, struct str value,
                         const struct krm_name_faults *faults)
{
    if (faults->n) {
        invalid_value(v, a, field, value, krm_name_faults_text(a, faults, ","));
    }
}

static int invalid_end(struct invalid *v, struct str name)
{
    if (v->n == 0) {
        buf_done(&v->text);
        return 0;
    }
    /* err already holds the causes: keep them while the message is set */
    struct err *err = v->err;
    struct err_cause *causes = err->causes;
    size_t n = err->n_causes;
    err->causes = NULL;
    err->n_causes = 0;
    err_set(err, ERR_INVALID, "PackageRevision.porch.kpt.dev \"%.*s\" is invalid: %s%s%s",
            STR_ARG(name), v->n > 1 ? "[" : "", v->text.ptr, v->n > 1 ? "]" : "");
    err->causes = causes;
    err->n_causes = n;
    AUTO_ARENA a = ARENA_INIT;
    err_details(err, arena_strz(&a, name), "porch.kpt.dev", "PackageRevision");
    buf_done(&v->text);
    return -1;
}

static struct node *latest_label(const struct node *object)
{
    return node_get(node_at(object, "metadata.labels"), STR(LATEST_LABEL));
}

int engine_validate_create(struct engine_write *w, struct err *err)
{
    struct node *o = w->object;
    struct invalid v = {.err = err};
    if (latest_label(o)) {
        invalid_add(&v, "FieldValueForbidden", "metadata.labels." LATEST_LABEL,
                    STR("Forbidden: label is managed by porch and cannot be set by users"));
    }
    struct str package = node_text_at(o, "spec.packageName");
    struct str workspace = node_text_at(o, "spec.workspaceName");
    bool named = str_trim(package, "/").len > 0; /* one label at least */
    struct krm_name_faults faults =
        named ? krm_name_check_path(package) : krm_name_check_label(package);
    invalid_name(&v, w->arena, "spec.packageName", package, &faults);
    faults = krm_name_check_label(workspace);
    invalid_name(&v, w->arena, "spec.workspaceName", workspace, &faults);
    struct str lifecycle = node_text_at(o, "spec.lifecycle");
    if (lifecycle.len && !str_eqz(lifecycle, "Draft")) {
        invalid_value(&v, w->arena, "spec.lifecycle", lifecycle,
                      STR("value can be only created as Draft"));
    }
    struct str name = node_text_at(o, "metadata.name");
    return invalid_end(&v, name.ptr ? name : STR(""));
}

static void check_approval(struct invalid *v, struct arena *a, struct str old, struct str now)
{
    static const char *const field = "spec.lifecycle";
    if (str_eqz(old, "Published")) {
        if (!str_eqz(now, "DeletionProposed")) {
            invalid_value(v, a, field, old,
                          STR("package with Published lifecycle value can only be updated to "
                              "'ProposeDeletion'"));
        }
    } else if (str_eqz(old, "DeletionProposed")) {
        if (!str_eqz(now, "Published")) {
            invalid_value(v, a, field, old,
                          STR("package with DeletionProposed lifecycle value can only be updated "
                              "to 'Published'"));
        }
    } else if (!str_eqz(old, "Proposed")) {
        invalid_value(v, a, field, STR("Draft"),
                      STR("cannot approve package with Draft lifecycle value; only Proposed "
                          "packages can be approved"));
    }
    if (str_eqz(now, "DeletionProposed")) {
        if (!str_eqz(old, "Published")) {
            invalid_value(v, a, field, now,
                          STR("cannot update lifecycle DeletionProposed; only Published packages "
                              "require approval for deletion"));
        }
    } else if (!str_eqz(now, "Draft") && !str_eqz(now, "Published")) {
        invalid_value(v, a, field, now,
                      STR("value for approval can be only one of Draft,Published"));
    }
}

/* Spec as a message shows it: members in the order of the schema, an empty lifecycle left out. */
static struct node *spec_shown(struct arena *a, const struct node *spec)
{
    static const char *const members[] = {"packageName", "repository", "workspaceName", "revision",
                                          "parent", "lifecycle", "tasks", "readinessGates",
                                          "packageMetadata", NULL};
    struct node *shown = node_map(a);
    for (size_t i = 0; members[i]; i++) {
        struct node *v = node_getz(spec, members[i]);
        bool empty = v && (v->type == NODE_NULL || (v->type == NODE_STRING && !node_text(v).len) ||
                           (v->type == NODE_LIST && !v->n));
        if (v && !empty) {
            node_setz(a, shown, members[i], v);
        }
    }
    return shown;
}

/* Spec as it counts for "did anything but the lifecycle change". */
static bool spec_equal(struct arena *a, const struct node *x, const struct node *y)
{
    struct node *cx = spec_shown(a, x), *cy = spec_shown(a, y);
    node_delz(cx, "lifecycle");
    node_delz(cy, "lifecycle");
    return node_equal(cx, cy);
}

static void check_main(struct invalid *v, struct engine_write *w, struct str old, struct str now)
{
    static const char *const field = "spec.lifecycle";
    if (!lifecycle_known(now)) {
        invalid_value(v, w->arena, field, now,
                      STR("value can be only updated to Draft,Proposed,Published,"
                          "DeletionProposed"));
    }
    if (str_eqz(old, "Draft") || str_eqz(old, "Proposed")) {
        if (!str_eqz(now, "Draft") && !str_eqz(now, "Proposed")) {
            invalid_value(v, w->arena, field, old,
                          STR("value can be only updated to Draft,Proposed"));
        }
        return;
    }
    struct node *x = node_getz(w->old, "spec"), *y = node_getz(w->object, "spec");
    bool flip = engine_lifecycle_published(now) && node_text_at(y, "lifecycle").len;
    if (!flip || !spec_equal(w->arena, x, y)) {
        struct str json = json_emit_str(w->arena, spec_shown(w->arena, y));
        invalid_add(v, "FieldValueInvalid", "spec",
                    arena_printf(w->arena,
                                 "Invalid value: %.*s: spec can only update package with "
                                 "lifecycle value one of Draft,Proposed",
                                 STR_ARG(json)));
    }
}

int engine_validate_update(struct engine_write *w, struct err *err)
{
    struct invalid v = {.err = err};
    if (!node_equal(latest_label(w->old), latest_label(w->object))) {
        invalid_add(&v, "FieldValueForbidden", "metadata.labels." LATEST_LABEL,
                    STR("Forbidden: label is managed by porch and cannot be modified by users"));
    }
    struct str old = node_text_at(w->old, "spec.lifecycle");
    struct str now = node_text_at(w->object, "spec.lifecycle");
    if (str_eqz(w->subresource, "approval")) {
        check_approval(&v, w->arena, old.len ? old : STR("Draft"), now);
    } else {
        check_main(&v, w, old.len ? old : STR("Draft"), now.len ? now : STR("Draft"));
    }
    if (invalid_end(&v, w->name) < 0) {
        return -1;
    }
    if (!now.len) { /* what an update leaves out has its default, and that rejects a proposal */
        node_set_at(w->arena, w->object, "spec.lifecycle", node_strz(w->arena, "Draft"));
    }
    return 0;
}
