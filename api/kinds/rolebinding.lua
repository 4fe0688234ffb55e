-- SPDX-License-Identifier: Apache-2.0
--
-- RoleBinding: gives a role to users in a namespace.

return {
  group = "rbac.authorization.k8s.io",
  version = "v1",
  kind = "RoleBinding",
  resource = "rolebindings",
  singular = "rolebinding",
  description = "Gives a role to users in a namespace.",
  component = "io.k8s.api.rbac.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "namespaced", "unconditional" },
  name_rule = "path",
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Role", "string", "ref:.roleRef", missing = '""' },
    { "Age", "string", "age" },
  },
  fields = {
    { "subjects", "list of rbac.Subject", "Whom the role is given to.", list = "atomic" },
    { "roleRef", "rbac.RoleRef", "The role.", required = true,
      immutable = "cannot change roleRef" },
  },
}
