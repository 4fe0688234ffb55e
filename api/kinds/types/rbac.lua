-- SPDX-License-Identifier: Apache-2.0
--
-- Structs of roles and their bindings.

return {
  component = "io.k8s.api.rbac.v1",

  PolicyRule = {
    "Verbs that are allowed on resources or on URLs.",
    { "verbs", "list of string", "Allowed verbs; * is every verb.", required = true,
      list = "atomic" },
    { "apiGroups", "list of string", "API groups of the resources; \"\" is core.",
      list = "atomic" },
    { "resources", "list of string", "Resources, with / for subresources; * is all.",
      list = "atomic" },
    { "resourceNames", "list of string", "Names that the rule is limited to.", list = "atomic" },
    { "nonResourceURLs", "list of string", "URL paths; a final * matches the rest.",
      list = "atomic" },
  },

  Subject = {
    "Whom a role is given to.",
    atomic = true,
    { "kind", "string", "User, Group or ServiceAccount.", required = true },
    { "apiGroup", "string", "rbac.authorization.k8s.io for users and groups." },
    { "name", "string", "Name of the subject.", required = true },
    { "namespace", "string", "Namespace of a service account." },
  },

  RoleRef = {
    "The role that a binding gives.",
    atomic = true,
    { "apiGroup", "string", "rbac.authorization.k8s.io.", required = true },
    { "kind", "string", "Role or ClusterRole.", required = true },
    { "name", "string", "Name of the role.", required = true },
  },

  AggregationRule = {
    "Roles whose rules are collected.",
    { "clusterRoleSelectors", "list of meta.LabelSelector", "Which ClusterRoles.",
      list = "atomic" },
  },
}
