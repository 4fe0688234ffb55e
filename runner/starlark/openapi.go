// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"go.starlark.net/starlark"
)

// The kinds of Kubernetes, by the name of the package that defines them in its API document, its
// group and version. Schemas of fields are not part of what a script finds here.
var apiKinds = []struct{ pkg, group, version, kinds string }{
	{"admissionregistration", "admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration"},
	{"apps", "apps", "v1", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"},
	{"authentication", "authentication.k8s.io", "v1", "TokenRequest TokenReview"},
	{"authorization", "authorization.k8s.io", "v1", "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"},
	{"autoscaling", "autoscaling", "v1", "HorizontalPodAutoscaler Scale"},
	{"autoscaling", "autoscaling", "v2", "HorizontalPodAutoscaler"},
	{"batch", "batch", "v1", "CronJob Job"},
	{"certificates", "certificates.k8s.io", "v1", "CertificateSigningRequest"},
	{"coordination", "coordination.k8s.io", "v1", "Lease"},
	{"core", "", "v1", "Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount"},
	{"discovery", "discovery.k8s.io", "v1", "EndpointSlice"},
	{"events", "events.k8s.io", "v1", "Event"},
	{"networking", "networking.k8s.io", "v1", "Ingress IngressClass NetworkPolicy"},
	{"node", "node.k8s.io", "v1", "RuntimeClass"},
	{"policy", "policy", "v1", "Eviction PodDisruptionBudget"},
	{"rbac", "rbac.authorization.k8s.io", "v1", "ClusterRole ClusterRoleBinding Role RoleBinding"},
	{"scheduling", "scheduling.k8s.io", "v1", "PriorityClass"},
	{"storage", "storage.k8s.io", "v1", "CSIDriver CSINode StorageClass VolumeAttachment"},
}

func dict(pairs ...interface{}) *starlark.Dict {
	d := starlark.NewDict(len(pairs) / 2)
	for i := 0; i+1 < len(pairs); i += 2 {
		v, ok := pairs[i+1].(starlark.Value)
		if !ok {
			v = starlark.String(pairs[i+1].(string))
		}
		d.SetKey(starlark.String(pairs[i].(string)), v)
	}
	return d
}

// openAPI is `ctx.open_api`: the definitions of kinds, each with its group, version and kind.
func openAPI() starlark.Value {
	definitions := starlark.NewDict(64)
	for _, k := range apiKinds {
		for _, kind := range strings.Fields(k.kinds) {
			gvk := dict("group", k.group, "kind", kind, "version", k.version)
			definition := dict("type", "object", "x-kubernetes-group-version-kind",
				starlark.NewList([]starlark.Value{gvk}))
			name := "io.k8s.api." + k.pkg + "." + k.version + "." + kind
			definitions.SetKey(starlark.String(name), definition)
		}
	}
	return dict("swagger", "2.0", "info", dict("title", "Kubernetes"), "paths", starlark.NewDict(0),
		"definitions", definitions)
}
