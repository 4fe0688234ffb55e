-- SPDX-License-Identifier: Apache-2.0
--
-- upsert-resource: puts a resource in the place of the one with its identity, or adds it.

local item = require("lanai.item")
local node = require("lanai.node")

local TARGET = "config.kubernetes.io/target-path"
local FUNCTION = { "config.kubernetes.io/function", "config.k8s.io/function" }
-- How annotations say where a resource is.
local PLACE = {
  "internal.config.kubernetes.io/path", "internal.config.kubernetes.io/index",
  "config.kubernetes.io/path", "config.kubernetes.io/index",
  "internal.config.kubernetes.io/package-path",
}
local READER = {
  "internal.config.kubernetes.io/path", "internal.config.kubernetes.io/index",
  "internal.config.kubernetes.io/seqindent", "internal.config.kubernetes.io/id",
  "internal.config.kubernetes.io/annotations-migration-resource-id", "config.k8s.io/id",
  "internal.config.kubernetes.io/package-path",
}

local function is_same(wanted, resource)
  local group, _, kind = item.gvk(wanted)
  local other_group, _, other_kind = item.gvk(resource)
  local target = item.annotation(wanted, TARGET)
  return group == other_group and kind == other_kind
    and item.name(wanted) == item.name(resource)
    and item.namespace(wanted) == item.namespace(resource)
    and (not target or target == item.path(resource))
end

local function is_function(resource)
  return item.annotation(resource, FUNCTION[1]) or item.annotation(resource, FUNCTION[2])
end

local function remove(resource, keys)
  local metadata = item.map(resource, "metadata")
  local annotations = item.map(metadata, "annotations")
  for _, key in ipairs(annotations and keys or {}) do
    node.remove(annotations, key)
  end
  if annotations and #annotations == 0 then
    node.remove(metadata, "annotations")
  end
end

local function annotate(resource, values)
  for _, key in ipairs(PLACE) do
    if values[key] then
      local annotations = item.make_annotations(resource)
      node.set(annotations, key, values[key])
      node.set_style(node.at(annotations, key), "single")
    end
  end
end

-- The wanted resource in the place of another.
local function replacement(wanted, old)
  local copy = node.copy(wanted)
  remove(copy, { TARGET, FUNCTION[1], FUNCTION[2] })
  remove(copy, READER)
  remove(copy, PLACE)
  local place = {}
  for _, key in ipairs(PLACE) do
    place[key] = item.annotation(old, key)
  end
  annotate(copy, place)
  return copy
end

local function addition(wanted)
  local copy = node.copy(wanted)
  local target = item.annotation(wanted, TARGET)
  remove(copy, { TARGET, FUNCTION[1], FUNCTION[2] })
  remove(copy, READER)
  if target then
    annotate(copy, { [PLACE[1]] = target, [PLACE[3]] = target })
  end
  return copy
end

-- The same but for what only the reader of files says.
local function is_equal(new, old)
  local copy = node.copy(old)
  new = node.copy(new)
  remove(copy, READER)
  remove(copy, PLACE)
  remove(new, PLACE)
  return node.equal(copy, new)
end

local function upsert(items, wanted)
  local found = false
  for i = 1, #items do
    if not is_function(items[i]) and is_same(wanted, items[i]) then
      found = true
      local new = replacement(wanted, items[i])
      if not is_equal(new, items[i]) then
        items[i] = new
      end
    end
  end
  if not found then
    items[#items + 1] = addition(wanted)
  end
end

local function run(items, config, out)
  if not config then
    local message = "failed to upsert resource: functionConfig is missing"
    out:result({ severity = "error", message = message })
    return nil, message
  end
  local _, _, kind = item.gvk(config)
  if kind == "List" and config.apiVersion == "v1" and node.is_list(config.items) then
    for _, wanted in pairs(config.items) do
      upsert(items, wanted)
    end
  else
    upsert(items, config)
  end
  return true
end

return {
  api = 1,
  name = "upsert-resource",
  versions = { "v0.1.0", "v0.2.0", "v0.2.1" },
  images = { "upsert-resource" },
  summary = "Replaces a resource or adds it",
  doc = [[
The functionConfig is the resource, or a `List` of some. Resources with its group, kind, name and
namespace are replaced by it and stay in their file; when there is none it is added.

    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
      annotations:
        config.kubernetes.io/target-path: sub/settings.yaml   # this file alone; where to add it
    data:
      color: orange
]],
  config = { ["*"] = "the resource, or a List" },
  pure = true,
  run = run,
}
