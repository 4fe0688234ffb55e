-- SPDX-License-Identifier: Apache-2.0
--
-- ClusterRole: what may be done everywhere, or in the namespaces where it is bound.

return {
  group = "rbac.authorization.k8s.io",
  version = "v1",
  kind = "ClusterRole",
  resource = "clusterroles",
  singular = "clusterrole",
  description = "What may be done, in all namespaces or in those where it is bound.",
  component = "io.k8s.api.rbac.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "unconditional" },
  name_rule = "path",
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Created At", "date", ".metadata.creationTimestamp" },
  },
  fields = {
    { "rules", "list of rbac.PolicyRule", "What is allowed.", always = "null", nullable = true,
      list = "atomic" },
    { "aggregationRule", "rbac.AggregationRule", "Collects the rules of other ClusterRoles." },
  },
}
