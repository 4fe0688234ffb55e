-- SPDX-License-Identifier: Apache-2.0
--
-- Resources as the function SDK sees them: what they are, whether they have a namespace, and values
-- deep inside of them (functions.md §1).

local node = require("lanai.node")

local M = {}

local CLUSTER = {
  ["admissionregistration.k8s.io"] = { "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding" },
  ["apiextensions.k8s.io"] = { "CustomResourceDefinition" },
  ["apiregistration.k8s.io"] = { "APIService" },
  ["certificates.k8s.io"] = { "CertificateSigningRequest" },
  ["flowcontrol.apiserver.k8s.io"] = { "FlowSchema", "PriorityLevelConfiguration" },
  ["networking.k8s.io"] = { "IngressClass" },
  ["node.k8s.io"] = { "RuntimeClass" },
  ["policy"] = { "PodSecurityPolicy" },
  ["rbac.authorization.k8s.io"] = { "ClusterRole", "ClusterRoleBinding" },
  ["scheduling.k8s.io"] = { "PriorityClass" },
  ["storage.k8s.io"] = { "CSIDriver", "CSINode", "StorageClass", "VolumeAttachment" },
  [""] = { "ComponentStatus", "Namespace", "Node", "PersistentVolume" },
}

local NAMESPACED = {
  ["apps"] = { "ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet" },
  ["autoscaling"] = { "HorizontalPodAutoscaler", "Scale" },
  ["batch"] = { "CronJob", "Job" },
  ["coordination.k8s.io"] = { "Lease" },
  ["discovery.k8s.io"] = { "EndpointSlice" },
  ["events.k8s.io"] = { "Event" },
  ["extensions"] = { "Ingress" },
  ["networking.k8s.io"] = { "Ingress", "NetworkPolicy" },
  ["policy"] = { "PodDisruptionBudget" },
  ["rbac.authorization.k8s.io"] = { "Role", "RoleBinding" },
  ["storage.k8s.io"] = { "CSIStorageCapacity" },
  [""] = { "ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolumeClaim", "Pod",
    "PodTemplate", "ReplicationController", "ResourceQuota", "Secret", "Service",
    "ServiceAccount" },
}

local function has(kinds, group, kind)
  for _, name in ipairs(kinds[group] or {}) do
    if name == kind then
      return true
    end
  end
  return false
end

--- Gives group and version of a resource; the group of "v1" is "".
--- @param item lanai.Node
--- @return string, string
function M.group_version(item)
  local text = type(item.apiVersion) == "string" and item.apiVersion or ""
  local group, version = text:match("^(.-)/(.*)$")
  return group or "", version or text
end

--- True when a resource is of that kind; "" for group or version means any.
--- @param item lanai.Node
--- @param group string
--- @param version string
--- @param kind string
--- @return boolean
function M.is(item, group, version, kind)
  local g, v = M.group_version(item)
  return item.kind == kind and (group == "" or group == g) and (version == "" or version == v)
end

--- Gives the value at a path of keys; nil when a part is missing.
--- @param value any
--- @param ... string|integer
--- @return any
function M.get(value, ...)
  for _, key in ipairs({ ... }) do
    if not node.is_map(value) and not node.is_list(value) then
      return nil
    end
    value = value[key]
  end
  return value
end

--- Gives the map at a path of keys, made on the way where it is missing; nil when something else is
--- in the way.
--- @param value lanai.Node
--- @param ... string
--- @return lanai.Node|nil
function M.make(value, ...)
  for _, key in ipairs({ ... }) do
    local below = value[key]
    if below == nil then
      node.set(value, key, node.map())
      below = value[key]
    end
    if not node.is_map(below) then
      return nil
    end
    value = below
  end
  return value
end

--- Gives a field of metadata as text, "" when there is none.
--- @param item lanai.Node
--- @param key string
--- @return string
function M.meta(item, key)
  local metadata = item.metadata
  local value = node.is_map(metadata) and node.at(metadata, key)
  return value and node.kind(value) ~= "null" and node.text(value) or ""
end

--- Gives an annotation as text, nil when there is none.
--- @param item lanai.Node
--- @param key string
--- @return string|nil
function M.annotation(item, key)
  local annotations = M.get(item, "metadata", "annotations")
  local value = node.is_map(annotations) and node.at(annotations, key)
  return value and node.text(value) or nil
end

--- True when a resource is for tools and not for the cluster.
--- @param item lanai.Node
--- @return boolean
function M.is_local_config(item)
  local value = M.annotation(item, "config.kubernetes.io/local-config")
  return value ~= nil and value ~= "" and value ~= "false"
end

--- True when a resource lives in a namespace; of unknown kinds those that name one.
--- @param item lanai.Node
--- @return boolean
function M.is_namespaced(item)
  local group, kind = M.group_version(item), item.kind
  if has(CLUSTER, group, kind) then
    return false
  end
  return has(NAMESPACED, group, kind) or M.meta(item, "namespace") ~= ""
end

--- Says which resource it is as the SDK does.
--- @param item lanai.Node
--- @return string
function M.describe(item)
  return ("Resource(apiVersion=%s, kind=%s, namespace=%s, name=%s)"):format(item.apiVersion or "",
    item.kind or "", M.meta(item, "namespace"), M.meta(item, "name"))
end

--- Gives the `data` of a ConfigMap that is a function's configuration as texts.
--- @param config lanai.Node|nil
--- @return table<string, string>
function M.data(config)
  local texts = {}
  local data = config and config.data
  for _, key in ipairs(node.is_map(data) and node.keys(data) or {}) do
    texts[key] = node.text(node.at(data, key)) or ""
  end
  return texts
end

return M
