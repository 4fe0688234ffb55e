/* SPDX-License-Identifier: Apache-2.0
 *
 * See kptfile.h. Source: porch-api.md §2.1.
 */
#include "krm/kptfile.h"

#include "data/yaml.h"

/* Keeps the named members of a map as strings, in this order. One that is written without quotes
 * and looks like a number is its text all the same: the commit 0123456. */
static struct node *pick(struct arena *a, struct str text, const struct node *from,
                         const char *const *names)
{
    struct node *out = node_map(a);
    for (; *names; names++) {
        struct node *v = node_getz(from, *names);
        if (node_is(v, NODE_INT) || node_is(v, NODE_FLOAT) || node_is(v, NODE_BOOL)) {
            v = node_str(a, arena_str(a, str_sub(text, v->span_from, v->span_to)));
        }
        if (node_is(v, NODE_STRING) && v->text.len) {
            node_setz(a, out, *names, v);
        }
    }
    return out;
}

static struct node *string_map(struct arena *a, const struct node *from)
{
    if (!node_is(from, NODE_MAP) || from->n == 0) {
        return NULL;
    }
    struct node *out = node_map(a);
    for (size_t i = 0; i < from->n; i++) {
        if (node_is(from->members[i].value, NODE_STRING)) {
            node_set(a, out, from->members[i].key, from->members[i].value);
        }
    }
    return out;
}

static struct node *conditions(struct arena *a, struct str text, const struct node *list)
{
    static const char *const members[] = {"type", "status", "reason", "message", NULL};
    if (!node_is(list, NODE_LIST) || list->n == 0) {
        return NULL;
    }
    struct node *out = node_list(a);
    for (size_t i = 0; i < list->n; i++) {
        struct node *c = pick(a, text, list->items[i], members);
        struct str status = node_text_at(c, "status");
        if (!str_eqz(status, "True") && !str_eqz(status, "False")) {
            node_set_strz(a, c, "status", STR("Unknown"));
        }
        node_push(a, out, c);
    }
    return out;
}

static struct node *gates(struct arena *a, struct str text, const struct node *list)
{
    static const char *const members[] = {"conditionType", NULL};
    if (!node_is(list, NODE_LIST) || list->n == 0) {
        return NULL;
    }
    struct node *out = node_list(a);
    for (size_t i = 0; i < list->n; i++) {
        node_push(a, out, pick(a, text, list->items[i], members));
    }
    return out;
}

static struct node *lock(struct arena *a, struct str text, const struct node *git)
{
    static const char *const members[] = {"repo", "directory", "ref", "commit", NULL};
    if (!node_is(git, NODE_MAP)) {
        return NULL;
    }
    struct node *out = node_map(a);
    node_set_strz(a, out, "type", STR("git"));
    node_setz(a, out, "git", pick(a, text, git, members));
    return out;
}

struct kptfile kptfile_read(struct arena *a, struct str text)
{
    struct kptfile k = {0};
    AUTO_ERR err = ERR_INIT;
    struct node *doc = yaml_parse(a, text, NULL, &err);
    if (!node_is(doc, NODE_MAP)) {
        k.broken = true;
        return k;
    }
    k.labels = string_map(a, node_at(doc, "metadata.labels"));
    k.annotations = string_map(a, node_at(doc, "metadata.annotations"));
    k.gates = gates(a, text, node_at(doc, "info.readinessGates"));
    k.conditions = conditions(a, text, node_at(doc, "status.conditions"));
    k.upstream_lock = lock(a, text, node_at(doc, "upstreamLock.git"));
    return k;
}
