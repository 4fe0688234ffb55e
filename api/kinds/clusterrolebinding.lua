-- SPDX-License-Identifier: Apache-2.0
--
-- ClusterRoleBinding: gives a ClusterRole to users everywhere.

return {
  group = "rbac.authorization.k8s.io",
  version = "v1",
  kind = "ClusterRoleBinding",
  resource = "clusterrolebindings",
  singular = "clusterrolebinding",
  description = "Gives a ClusterRole to users everywhere.",
  component = "io.k8s.api.rbac.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "unconditional" },
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
