/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of kpt's `format` function (heal.h, cad-library §5.7): known fields first in a fixed
 * order, others by name; two lists of some kinds are sorted.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "krm/annotation.h"
#include "krm/heal.h"

static const char *const first_fields[] = {
    "name", "generateName", "namespace", "clusterName", "apiVersion", "kind", "metadata", "type",
    "labels", "annotations", "spec", "status", "stringData", "data", "binaryData", "parallelism",
    "completions", "backoffLimit", "replicas", "selector", "manualSelector", "template",
    "ttlSecondsAfterFinished", "volumeClaimTemplates", "service", "serviceName",
    "podManagementPolicy", "updateStrategy", "strategy", "minReadySeconds", "revision",
    "revisionHistoryLimit", "paused", "progressDeadlineSeconds", "restartPolicy",
    "terminationGracePeriodSeconds", "activeDeadlineSeconds", "dnsPolicy", "serviceAccountName",
    "serviceAccount", "automountServiceAccountToken", "nodeName", "hostNetwork", "hostPID",
    "hostIPC", "shareProcessNamespace", "hostname", "subdomain", "schedulerName",
    "priorityClassName", "priority", "runtimeClassName", "enableServiceLinks", "nodeSelector",
    "hostAliases", "initContainers", "containers", "volumes", "imagePullSecrets", "affinity",
    "tolerations", "dnsConfig", "readinessGates", "image", "command", "args", "workingDir",
    "ports", "envFrom", "env", "resources", "volumeMounts", "volumeDevices", "livenessProbe",
    "readinessProbe", "lifecycle", "terminationMessagePath", "terminationMessagePolicy",
    "imagePullPolicy", "securityContext", "stdin", "stdinOnce", "tty", "clusterIP",
    "externalIPs", "loadBalancerIP", "loadBalancerSourceRanges", "externalName",
    "externalTrafficPolicy", "sessionAffinity", "protocol", "port", "targetPort", "hostPort",
    "containerPort", "hostIP", "readOnly", "mountPath", "subPath", "subPathExpr",
    "mountPropagation", "value", "valueFrom", "fieldRef", "resourceFieldRef", "configMapKeyRef",
    "secretKeyRef", "prefix", "configMapRef", "secretRef"};

#define N_FIRST (sizeof(first_fields) / sizeof(*first_fields))

static size_t rank_of(struct str key)
{
    size_t i = 0;
    while (i < N_FIRST && !str_eqz(key, first_fields[i])) {
        i++;
    }
    return i;
}

/* A member on its way, with its rank and old place. */
struct ranked {
    struct node_member member;
    size_t rank, turn;
};

static int compare_ranked(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    int order = str_cmp(a->member.key, b->member.key);
    return order ? order : a->turn < b->turn ? -1 : 1;
}

static void sort_map(struct node *map)
{
    AUTO_MEM struct ranked *list = mem_array(map->n + 1, sizeof(*list));
    for (size_t i = 0; i < map->n; i++) {
        list[i] = (struct ranked){map->members[i], rank_of(map->members[i].key), i};
    }
    qsort(list, map->n, sizeof(*list), compare_ranked);
    for (size_t i = 0; i < map->n; i++) {
        map->members[i] = list[i].member;
    }
}

/* What an element is sorted by, and its old place. */
struct keyed {
    struct node *node;
    struct str key;
    size_t turn;
};

static int compare_keyed(const void *pa, const void *pb)
{
    const struct keyed *a = pa, *b = pb;
    int order = str_cmp(a->key, b->key);
    return order ? order : a->turn < b->turn ? -1 : 1;
}

static void sort_list(struct node *list, const char *by)
{
    if (!node_is(list, NODE_LIST)) {
        return;
    }
    AUTO_MEM struct keyed *keyed = mem_array(list->n + 1, sizeof(*keyed));
    for (size_t i = 0; i < list->n; i++) {
        struct node *n = list->items[i];
        keyed[i] = (struct keyed){n, node_text(by ? node_getz(n, by) : n), i};
    }
    qsort(keyed, list->n, sizeof(*keyed), compare_keyed);
    for (size_t i = 0; i < list->n; i++) {
        list->items[i] = keyed[i].node;
    }
}

static bool is_one_of(struct str s, const char *const *list)
{
    while (*list && !str_eqz(s, *list)) {
        list++;
    }
    return *list != NULL;
}

static void sort_known_lists(struct node *resource)
{
    static const char *const kinds[] = {"CronJob", "DaemonSet", "Deployment", "Job",
                                        "ReplicaSet", "StatefulSet",
                                        "ValidatingWebhookConfiguration", NULL};
    static const char *const versions[] = {
        "apps/v1", "apps/v1beta1", "apps/v1beta2", "batch/v1", "batch/v1beta1",
        "extensions/v1beta1", "v1", "admissionregistration.k8s.io/v1", NULL};
    if (!is_one_of(node_text_at(resource, "kind"), kinds) ||
        !is_one_of(node_text_at(resource, "apiVersion"), versions)) {
        return;
    }
    sort_list(node_at(resource, "spec.template.spec.containers"), "name");
    struct node *webhooks = node_getz(resource, "webhooks");
    for (size_t i = 0; node_is(webhooks, NODE_LIST) && i < webhooks->n; i++) {
        struct node *rules = node_getz(webhooks->items[i], "rules");
        for (size_t k = 0; node_is(rules, NODE_LIST) && k < rules->n; k++) {
            sort_list(node_getz(rules->items[k], "operations"), NULL);
        }
    }
}

int krm_format_order(struct node *resource, struct err *err)
{
    struct str wish = krm_annotation(resource, "config.kubernetes.io/formatting");
    if (str_eqz(wish, "none")) {
        return 0;
    }
    if (wish.len && !str_eqz(wish, "standard")) {
        return err_set(err, ERR_BAD_REQUEST, "unknown formatting '%.*s'", STR_ARG(wish));
    }
    sort_known_lists(resource);
    size_t n = 1, cap = 64;
    struct node **todo = mem_array(cap, sizeof(*todo));
    todo[0] = resource;
    while (n) {
        struct node *top = todo[--n];
        bool map = top->type == NODE_MAP, list = top->type == NODE_LIST;
        if (map) {
            sort_map(top);
        }
        for (size_t i = 0; (map || list) && i < top->n; i++) {
            if (n == cap) {
                cap *= 2;
                todo = mem_resize(todo, cap * sizeof(*todo));
            }
            todo[n++] = map ? top->members[i].value : top->items[i];
        }
    }
    mem_free(todo);
    return 0;
}
