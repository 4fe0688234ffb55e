-- SPDX-License-Identifier: Apache-2.0
--
-- Service: only there so that clients find an empty list.

return {
  group = "",
  version = "v1",
  kind = "Service",
  resource = "services",
  singular = "service",
  short_names = { "svc" },
  description = "A network service; this server has none.",
  component = "io.k8s.api.core.v1",
  verbs = { "get", "list" },
  flags = { "namespaced" },
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Type", "string", ".spec.type", missing = '""' },
    { "Cluster-IP", "string", ".spec.clusterIP", missing = '""' },
    { "Age", "string", "age" },
  },
  fields = {
    { "spec", "raw", "Desired state." },
    { "status", "raw", "Observed state." },
  },
}
