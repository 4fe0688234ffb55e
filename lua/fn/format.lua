-- SPDX-License-Identifier: Apache-2.0
--
-- format: members in the order in which people write them.

local item = require("lanai.item")
local node = require("lanai.node")

-- A name that is there twice has the later place.
local ORDER = [[
  name generateName namespace clusterName apiVersion kind metadata type labels annotations spec
  status stringData data binaryData parallelism completions activeDeadlineSeconds backoffLimit
  replicas selector manualSelector template ttlSecondsAfterFinished volumeClaimTemplates service
  serviceName podManagementPolicy updateStrategy strategy minReadySeconds revision
  revisionHistoryLimit paused progressDeadlineSeconds restartPolicy
  terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy serviceAccountName
  serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC
  shareProcessNamespace hostname subdomain schedulerName priorityClassName priority
  runtimeClassName enableServiceLinks nodeSelector hostAliases initContainers containers volumes
  securityContext imagePullSecrets affinity tolerations dnsConfig readinessGates image command
  args workingDir ports envFrom env resources volumeMounts volumeDevices livenessProbe
  readinessProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy
  securityContext stdin stdinOnce tty clusterIP externalIPs loadBalancerIP
  loadBalancerSourceRanges externalName externalTrafficPolicy sessionAffinity protocol port
  targetPort hostPort containerPort hostIP readOnly mountPath subPath subPathExpr
  mountPropagation value valueFrom fieldRef resourceFieldRef configMapKeyRef secretKeyRef prefix
  configMapRef secretRef
]]

local function places()
  local list, n = {}, 0
  for name in ORDER:gmatch("%S+") do
    n = n + 1
    list[name] = n
  end
  return list
end

local PLACE = places()

local function before(a, b)
  local x, y = PLACE[a], PLACE[b]
  if x and y then
    return x < y
  elseif x or y then
    return x ~= nil
  end
  return a < b
end

local function set_of(...)
  local set = {}
  for _, name in ipairs({ ... }) do
    set[name] = true
  end
  return set
end

-- Kinds whose lists are sorted, too.
local KINDS = set_of("CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet",
  "ValidatingWebhookConfiguration")
local VERSIONS = set_of("apps/v1", "apps/v1beta1", "apps/v1beta2", "batch/v1", "batch/v1beta1",
  "extensions/v1beta1", "v1", "admissionregistration.k8s.io/v1")

local function is_sorted(list)
  for i = 2, #list do
    if before(list[i], list[i - 1]) then
      return false
    end
  end
  return true
end

local function sort_members(map)
  local keys = node.keys(map)
  if not is_sorted(keys) then
    table.sort(keys, before)
    node.reorder(map, keys)
  end
end

-- Sorts a list by a text of its elements; equal ones stay as they are.
local function sort_list(list, text_of)
  local elements, sorted = {}, true
  for i = 1, #list do
    local element = node.at(list, i)
    elements[i] = { node = element, text = text_of(element) or "", place = i }
    sorted = sorted and (i == 1 or elements[i - 1].text <= elements[i].text)
  end
  if sorted then
    return
  end
  table.sort(elements, function(a, b)
    return a.text < b.text or (a.text == b.text and a.place < b.place)
  end)
  for i, element in ipairs(elements) do
    list[i] = element.node
  end
end

local function name_of(element)
  return item.text(element, "name")
end

local function visit(value, path, lists)
  if node.is_map(value) then
    sort_members(value)
    for _, key in ipairs(node.keys(value)) do
      local inner = value[key]
      if node.is_map(inner) or node.is_list(inner) then
        visit(inner, lists and path .. "." .. key, lists)
      end
    end
  elseif node.is_list(value) then
    if path == ".spec.template.spec.containers" then
      sort_list(value, name_of)
    elseif path == ".webhooks.rules.operations" then
      sort_list(value, node.text)
    end
    for i = 1, #value do
      local inner = value[i]
      if node.is_map(inner) or node.is_list(inner) then
        visit(inner, path, lists)
      end
    end
  end
end

local function run(items)
  for _, resource in pairs(items) do
    if item.annotation(resource, "config.kubernetes.io/formatting") ~= "none" then
      local lists = KINDS[item.text(resource, "kind")]
        and VERSIONS[item.text(resource, "apiVersion")]
      visit(resource, lists and "" or nil, lists)
      local indent = "internal.config.kubernetes.io/seqindent"
      if item.annotation(resource, indent) == "compact" then
        node.put(resource.metadata.annotations, indent, "wide")
      end
    end
  end
  return true
end

return {
  api = 1,
  name = "format",
  versions = { "v0.1.0" },
  images = { "format" },
  reorders = true,
  summary = "Orders the members of resources",
  doc = [[
Members come in the order in which people write them: name, namespace, apiVersion, kind, metadata,
spec …; others follow by name. Containers of workloads are sorted by name, and the operations of
webhooks' rules. Lists are indented below their key. A resource with the annotation
`config.kubernetes.io/formatting: none` stays as it is. Takes no configuration.
]],
  pure = true,
  run = run,
}
