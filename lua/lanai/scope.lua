-- SPDX-License-Identifier: Apache-2.0
--
-- Which built-in kinds of Kubernetes belong to the cluster and which to a namespace.

local M = {}

local function set(text)
  local names = {}
  for name in text:gmatch("%S+") do
    names[name] = true
  end
  return names
end

local CLUSTER = {
  [""] = set "ComponentStatus Namespace Node PersistentVolume",
  ["admissionregistration.k8s.io"] = set [[MutatingWebhookConfiguration
    ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding]],
  ["apiextensions.k8s.io"] = set "CustomResourceDefinition",
  ["apiregistration.k8s.io"] = set "APIService",
  ["certificates.k8s.io"] = set "CertificateSigningRequest",
  ["flowcontrol.apiserver.k8s.io"] = set "FlowSchema PriorityLevelConfiguration",
  ["networking.k8s.io"] = set "IngressClass",
  ["node.k8s.io"] = set "RuntimeClass",
  ["policy"] = set "PodSecurityPolicy",
  ["rbac.authorization.k8s.io"] = set "ClusterRole ClusterRoleBinding",
  ["scheduling.k8s.io"] = set "PriorityClass",
  ["storage.k8s.io"] = set "CSIDriver CSINode StorageClass VolumeAttachment",
}

--- True for a built-in kind that belongs to the cluster.
--- @param group string
--- @param kind string
--- @return boolean
function M.is_cluster(group, kind)
  local kinds = CLUSTER[group]
  return kinds ~= nil and kinds[kind] == true
end

return M
