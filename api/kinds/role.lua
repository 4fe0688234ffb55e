-- SPDX-License-Identifier: Apache-2.0
--
-- Role: what may be done in a namespace.

return {
  group = "rbac.authorization.k8s.io",
  version = "v1",
  kind = "Role",
  resource = "roles",
  singular = "role",
  description = "What may be done in a namespace.",
  component = "io.k8s.api.rbac.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "namespaced", "unconditional" },
  name_rule = "path",
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Created At", "date", ".metadata.creationTimestamp" },
  },
  fields = {
    { "rules", "list of rbac.PolicyRule", "What is allowed.", always = "null", nullable = true,
      list = "atomic" },
  },
}
