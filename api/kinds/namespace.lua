-- SPDX-License-Identifier: Apache-2.0
--
-- Namespace: the scope that other objects live in.

return {
  group = "",
  version = "v1",
  kind = "Namespace",
  resource = "namespaces",
  singular = "namespace",
  short_names = { "ns" },
  description = "A scope for names.",
  component = "io.k8s.api.core.v1",
  verbs = { "create", "delete", "get", "list", "patch", "update", "watch" },
  flags = { "status", "unconditional" },
  name_rule = "label",
  subresources = {
    { "status", "get", "patch", "update" },
  },
  selectable = { "status.phase" },
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Status", "string", ".status.phase", missing = '""' },
    { "Age", "string", "age" },
  },
  fields = {
    { "spec", "object", "Desired state.", name = "NamespaceSpec", always = "{}", fields = {
      { "finalizers", "list of string", "The namespace stays until this list is empty.",
        list = "atomic" },
    } },
    { "status", "object", "Observed state.", name = "NamespaceStatus", always = "{}", fields = {
      { "phase", "string", "Active or Terminating." },
      { "conditions", "list of core.NamespaceCondition", "What holds up a deletion.",
        list = "map", keys = { "type" }, merge = true },
    } },
  },
}
