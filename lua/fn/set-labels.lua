-- SPDX-License-Identifier: Apache-2.0
--
-- set-labels: labels of resources, and of the selectors and templates in them.

local node = require("lanai.node")
local resource = require("lanai.resource")

-- Kinds whose pods come from spec.template. "": any group or version.
local TEMPLATED = {
  { "", "v1", "ReplicationController" }, { "", "", "Deployment" }, { "", "", "ReplicaSet" },
  { "", "", "DaemonSet" }, { "apps", "", "StatefulSet" }, { "batch", "", "Job" },
}

-- Where labels are besides metadata.labels; `update`: only those that are there.
local PLACES = {
  { path = "spec.selector",
    of = { { "", "v1", "Service" }, { "", "v1", "ReplicationController" } } },
  { path = "spec.selector.matchLabels", of = { { "", "", "Deployment" }, { "", "", "ReplicaSet" },
    { "", "", "DaemonSet" }, { "apps", "", "StatefulSet" } } },
  { path = "spec.selector.matchLabels", update = true,
    of = { { "batch", "", "Job" }, { "policy", "", "PodDisruptionBudget" } } },
  { within = "spec.template", path = "metadata.labels", of = TEMPLATED },
  { each = "spec.template.spec.topologySpreadConstraints", path = "labelSelector.matchLabels",
    update = true, of = TEMPLATED },
  { within = "spec.jobTemplate", path = "metadata.labels", of = { { "batch", "", "CronJob" } } },
  { within = "spec.jobTemplate.spec.template", path = "metadata.labels",
    of = { { "batch", "", "CronJob" } } },
  { path = "spec.jobTemplate.spec.selector.matchLabels", update = true,
    of = { { "batch", "", "CronJob" } } },
  { each = "spec.volumeClaimTemplates", path = "metadata.labels",
    of = { { "apps", "", "StatefulSet" } } },
  { path = "spec.podSelector.matchLabels", update = true,
    of = { { "networking.k8s.io", "", "NetworkPolicy" } } },
  { each = "spec.ingress", inner = "from", path = "podSelector.matchLabels", update = true,
    of = { { "networking.k8s.io", "", "NetworkPolicy" } } },
  { each = "spec.egress", inner = "to", path = "podSelector.matchLabels", update = true,
    of = { { "networking.k8s.io", "", "NetworkPolicy" } } },
}

local function parts(path)
  local list = {}
  for part in path:gmatch("[^.]+") do
    list[#list + 1] = part
  end
  return table.unpack(list)
end

local function matches(item, kinds)
  for _, kind in ipairs(kinds) do
    if resource.is(item, kind[1], kind[2], kind[3]) then
      return true
    end
  end
  return false
end

-- The nodes below which a place is looked for.
local function roots(item, place)
  if place.within then
    return { resource.get(item, parts(place.within)) }
  elseif not place.each then
    return { item }
  end
  local found = {}
  local list = resource.get(item, parts(place.each))
  for _, element in ipairs(node.is_list(list) and list or {}) do
    local inner = place.inner and element[place.inner]
    if node.is_list(inner) then
      table.move(table.pack(table.unpack(inner)), 1, #inner, #found + 1, found)
    elseif not place.inner then
      found[#found + 1] = element
    end
  end
  return found
end

-- Sets the labels in the map at `path` below a node; gives how many were visited.
local function set(below, path, keys, labels, update)
  local map = resource.get(below, parts(path))
  if not node.is_map(map) then
    map = not update and resource.make(below, parts(path)) or nil
  end
  local count = 0
  for _, key in ipairs(map and keys or {}) do
    local old = map[key]
    if not update or (old ~= nil and old ~= labels[key]) then
      node.set(map, key, labels[key])
      count = count + 1
    end
  end
  return count
end

local function label(item, keys, labels)
  local count = set(item, "metadata.labels", keys, labels, false)
  for _, place in ipairs(PLACES) do
    if matches(item, place.of) then
      for _, root in ipairs(roots(item, place)) do
        count = count + set(root, place.path, keys, labels, place.update)
      end
    end
  end
  return count
end

-- Labels of the configuration: name → text; nil and why there are none.
local function read_config(config)
  local typed = config.kind == "SetLabels"
  local from = typed and config.labels or config.data
  if not typed and not from and resource.meta(config, "name") == "function-input" then
    return nil, "`FunctionConfig` is not given"
  end
  local labels, keys = {}, {}
  for _, key in ipairs(node.is_map(from) and node.keys(from) or {}) do
    labels[key] = node.text(node.at(from, key)) or ""
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys, labels
end

return {
  api = 1,
  name = "set-labels",
  versions = { "v0.2.0", "v0.2.1", "v0.2.2", "v0.2.3", "v0.2.4", "v0.2.5" },
  images = { "set-labels" },
  summary = "Sets labels on resources, their selectors and pod templates.",
  doc = [[
The data of the ConfigMap are the labels. Resources with the annotation
config.kubernetes.io/local-config are left alone. Selectors that select by other labels than those
given are not changed.]],
  config = {
    data = { ["*"] = "label and its value" },
    kind = { apiVersion = "fn.kpt.dev/v1alpha1", kind = "SetLabels", fields = { labels = "map" } },
  },
  pure = true,

  run = function(items, config, out)
    if not config then
      out:result({ severity = "info", message = "`FunctionConfig` is not given" })
      return nil, "failed to evaluate function: error: function failure"
    end
    local keys, labels = read_config(config)
    if not keys then
      out:result({ message = labels })
      return nil, "error: function failure"
    end
    local mine = {}
    for _, item in ipairs(items) do
      if not resource.is_local_config(item) then
        mine[#mine + 1] = item
      end
    end
    if #keys == 0 then
      out:result({ severity = "warning",
        message = "no `labels` arguments are given in FunctionConfig" })
    elseif #mine == 0 then
      out:result({ severity = "info", message = "no input resources" })
    else
      local count = 0
      for _, item in ipairs(mine) do
        count = count + label(item, keys, labels)
      end
      out:result({ severity = "info", message = ("set %d labels in total"):format(count) })
    end
    return true
  end,
}
