-- SPDX-License-Identifier: Apache-2.0
--
-- Order of the API groups in discovery, most preferred first; groups that are not listed follow by
-- name. Versions of a group: the first is the preferred one; those not listed follow by name.

return {
  order = {
    "config.porch.kpt.dev",
    "porch.kpt.dev",
    "authorization.k8s.io",
    "authentication.k8s.io",
    "rbac.authorization.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
    "apiextensions.k8s.io",
  },
  versions = {
    ["porch.kpt.dev"] = { "v1alpha1", "v1alpha2" },
    ["config.porch.kpt.dev"] = { "v1alpha2", "v1alpha1" },
    ["authentication.k8s.io"] = { "v1", "v1beta1" },
  },
}
