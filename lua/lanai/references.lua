-- SPDX-License-Identifier: Apache-2.0
--
-- Fields that name other resources, as kustomize's table of name references has them, and what
-- happens to them when resources get other names.

local fieldspec = require("lanai.fieldspec")
local item = require("lanai.item")
local node = require("lanai.node")
local resource = require("lanai.resource")

local M = {}

-- Where a pod's specification is in the kinds that have one.
local PODS = {
  Pod = "spec", CronJob = "spec/jobTemplate/spec/template/spec",
  Deployment = "spec/template/spec", ReplicaSet = "spec/template/spec",
  DaemonSet = "spec/template/spec", StatefulSet = "spec/template/spec",
  Job = "spec/template/spec", ReplicationController = "spec/template/spec",
}

-- Kind that is named → paths inside a pod's specification.
local IN_PODS = {
  ConfigMap = { "volumes/configMap/name", "volumes/projected/sources/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name", "containers/envFrom/configMapRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "initContainers/envFrom/configMapRef/name" },
  Secret = { "volumes/secret/secretName", "volumes/projected/sources/secret/name",
    "containers/env/valueFrom/secretKeyRef/name", "containers/envFrom/secretRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name", "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name" },
  ServiceAccount = { "serviceAccountName" },
  PersistentVolumeClaim = { "volumes/persistentVolumeClaim/claimName" },
  PriorityClass = { "priorityClassName" },
}

-- Kind that is named → kind that names it → paths.
local ELSEWHERE = {
  Deployment = { HorizontalPodAutoscaler = { "spec/scaleTargetRef/name" } },
  ReplicaSet = { HorizontalPodAutoscaler = { "spec/scaleTargetRef/name" } },
  ReplicationController = { HorizontalPodAutoscaler = { "spec/scaleTargetRef/name" } },
  StatefulSet = { HorizontalPodAutoscaler = { "spec/scaleTargetRef/name" } },
  ConfigMap = { Node = { "spec/configSource/configMap/name" }, Role = { "rules/resourceNames" },
    ClusterRole = { "rules/resourceNames" } },
  Secret = {
    ServiceAccount = { "secrets/name", "imagePullSecrets/name" },
    Ingress = { "spec/tls/secretName", "metadata/annotations/ingress.kubernetes.io\\/auth-secret",
      "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret",
      "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret" },
    StorageClass = { "parameters/secretName", "parameters/adminSecretName",
      "parameters/userSecretName", "parameters/secretRef" },
    PersistentVolume = { "spec/azureFile/secretName", "spec/rbd/secretRef/name",
      "spec/cephfs/secretRef/name", "spec/iscsi/secretRef/name", "spec/scaleIO/secretRef/name" },
    Role = { "rules/resourceNames" }, ClusterRole = { "rules/resourceNames" },
  },
  Service = {
    StatefulSet = { "spec/serviceName" },
    Ingress = { "spec/rules/http/paths/backend/serviceName", "spec/backend/serviceName",
      "spec/rules/http/paths/backend/service/name", "spec/defaultBackend/service/name" },
    APIService = { "spec/service/name" },
    MutatingWebhookConfiguration = { "webhooks/clientConfig/service/name" },
    ValidatingWebhookConfiguration = { "webhooks/clientConfig/service/name" },
  },
  Role = { RoleBinding = { "roleRef/name" } },
  ClusterRole = { RoleBinding = { "roleRef/name" }, ClusterRoleBinding = { "roleRef/name" } },
  ServiceAccount = { RoleBinding = { "subjects/name" }, ClusterRoleBinding = { "subjects/name" } },
  PersistentVolume = { PersistentVolumeClaim = { "spec/volumeName" } },
  StorageClass = { PersistentVolume = { "spec/storageClassName" },
    PersistentVolumeClaim = { "spec/storageClassName" },
    StatefulSet = { "spec/volumeClaimTemplates/spec/storageClassName" } },
  PodSecurityPolicy = { Role = { "rules/resourceNames" }, ClusterRole = { "rules/resourceNames" } },
  IngressClass = { Ingress = { "spec/ingressClassName" } },
}

-- Kinds of the core group that others use, too.
local VERSION = { ConfigMap = "v1", Secret = "v1", Service = "v1", ServiceAccount = "v1" }

-- Kind that names → list of {kind that is named, path}.
local function index()
  local by_kind = {}
  local function add(kind, target, path)
    by_kind[kind] = by_kind[kind] or {}
    table.insert(by_kind[kind], { target = target, path = path })
  end
  for target, paths in pairs(IN_PODS) do
    for kind, prefix in pairs(PODS) do
      for _, path in ipairs(paths) do
        add(kind, target, prefix .. "/" .. path)
      end
    end
  end
  for target, kinds in pairs(ELSEWHERE) do
    for kind, paths in pairs(kinds) do
      for _, path in ipairs(paths) do
        add(kind, target, path)
      end
    end
  end
  return by_kind
end

local FIELDS = index()

local function namespace(text)
  return (text == nil or text == "") and "default" or text
end

-- True when the field, a member of `parent` in `referrer`, may mean the resource that was renamed.
local function means(renamed, parent, referrer)
  local kind = item.text(parent, "kind")
  if kind and kind ~= renamed.kind then
    return false
  elseif not renamed.namespaced then
    return true
  end
  local own = item.text(parent, "namespace")
  if own then
    return namespace(own) == renamed.namespace
  end
  return not resource.is_namespaced(referrer)
    or namespace(item.namespace(referrer)) == renamed.namespace
end

-- Rules name resources of several kinds: `resources` says which.
local function rule_names(rule, kind)
  for _, plural in pairs(node.is_list(rule.resources) and rule.resources or {}) do
    if plural == kind:lower() .. "s" or plural == "*" then
      return true
    end
  end
  return false
end

local function fix(parent, key, renames, referrer, set)
  for _, renamed in ipairs(renames) do
    if item.text(parent, key) == renamed.old and means(renamed, parent, referrer) then
      set(parent, key, renamed.new)
      return
    end
  end
end

local function fix_rule(rule, renames, set)
  local names = rule.resourceNames
  for i = 1, node.is_list(names) and #names or 0 do
    for _, renamed in ipairs(renames) do
      if names[i] == renamed.old and rule_names(rule, renamed.kind) then
        set(names, i, renamed.new)
        break
      end
    end
  end
end

--- Says that a resource got another name; `renames` starts as {}.
--- @param renames table
--- @param target lanai.Node the resource, with either name
--- @param old string
--- @param new string
function M.rename(renames, target, old, new)
  local _, version, kind = item.gvk(target)
  if VERSION[kind] and VERSION[kind] ~= version then
    return
  end
  renames[kind] = renames[kind] or {}
  table.insert(renames[kind], { kind = kind, old = old, new = new,
    namespaced = resource.is_namespaced(target) or item.namespace(target) ~= "",
    namespace = namespace(item.namespace(target)) })
end

local function follow_field(field, list, referrer, set)
  fieldspec.each(referrer, field, function(parent, key)
    if key == "resourceNames" then
      fix_rule(parent, list, set)
    else
      fix(parent, key, list, referrer, set)
    end
  end)
end

--- Gives fields that name renamed resources the new names.
--- @param items lanai.Node
--- @param renames table
--- @param set fun(parent: lanai.Node, key: string|integer, value: string)
function M.follow(items, renames, set)
  if not next(renames) then
    return
  end
  for _, referrer in pairs(items) do
    for _, field in ipairs(FIELDS[item.text(referrer, "kind")] or {}) do
      local list = renames[field.target]
      if list then
        follow_field(field, list, referrer, set)
      end
    end
  end
end

return M
