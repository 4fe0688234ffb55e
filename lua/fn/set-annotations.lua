-- SPDX-License-Identifier: Apache-2.0
--
-- set-annotations: annotations for all resources and the pods that they make.

local fieldspec = require("lanai.fieldspec")
local item = require("lanai.item")
local node = require("lanai.node")

local POD = "spec/template/metadata/annotations"
local DEFAULT = {
  { path = "metadata/annotations" },
  { path = POD, version = "v1", kind = "ReplicationController" },
  { path = POD, kind = "Deployment" },
  { path = POD, kind = "ReplicaSet" },
  { path = POD, kind = "DaemonSet" },
  { path = POD, kind = "StatefulSet" },
  { path = POD, group = "batch", kind = "Job" },
  { path = "spec/jobTemplate/metadata/annotations", group = "batch", kind = "CronJob" },
  { path = "spec/jobTemplate/spec/template/metadata/annotations", group = "batch",
    kind = "CronJob" },
}
for _, spec in ipairs(DEFAULT) do
  spec.create = true
end

-- Gives the annotations, sorted names, and further fields; or nil and a message.
local function configure(config)
  local kind = item.text(config, "kind")
  local further = {}
  local values
  if kind == "ConfigMap" then
    values = item.map(config, "data")
  elseif kind == "SetAnnotations" or kind == "SetAnnotationConfig" then
    if kind == "SetAnnotations" and config.fieldSpecs ~= nil then
      return nil, "`fieldSpecs` has been deprecated, please rename it to "
        .. "`additionalAnnotationFields`"
    end
    values = item.map(config, "annotations")
    further = fieldspec.read(config.additionalAnnotationFields or config.fieldSpecs)
  else
    return nil, "`functionConfig` must be a `ConfigMap` or `SetAnnotations`"
  end
  if not values or #values == 0 then
    return nil, "input annotation list cannot be empty"
  end
  local texts, names = {}, node.keys(values)
  for _, name in ipairs(names) do
    texts[name] = item.text(values, name) or ""
  end
  table.sort(names)
  return texts, names, further
end

local function set_all(parent, key, texts, names)
  if not node.is_map(parent[key]) then
    if parent[key] ~= nil then
      return false
    end
    node.set(parent, key, node.map())
  end
  for _, name in ipairs(names) do
    node.put(parent[key], name, texts[name])
  end
  return true
end

-- Sets what one specification means in one resource; true when there was such a field.
local function apply(resource, spec, texts, names)
  local found = false
  fieldspec.each(resource, spec, function(parent, key)
    found = set_all(parent, key, texts, names) or found
  end)
  return found
end

local function before(a, b)
  if a.file.path ~= b.file.path then
    return a.file.path < b.file.path
  elseif (a.file.index or 0) ~= (b.file.index or 0) then
    return (a.file.index or 0) < (b.file.index or 0)
  end
  return a.field.path < b.field.path
end

-- Says each change once: in a package with others inside, files of two have the same path.
local function report(out, changed, texts)
  table.sort(changed, before)
  local message = "set annotations: " .. node.json(node.map(texts))
  for i, change in ipairs(changed) do
    if i == 1 or before(changed[i - 1], change) then
      out:result({ message = message, field = change.field,
        file = change.file.path ~= "" and change.file or nil })
    end
  end
  if #changed == 0 then
    out:result({ message = "no annotations applied" })
  end
end

local function run(items, config, out)
  local texts, names, further = configure(config)
  if not texts then
    local message = "failed to configure function: " .. names
    out:result({ severity = "error", message = message })
    return nil, "[error]: " .. message
  end
  local specs = table.move(DEFAULT, 1, #DEFAULT, #further + 1, further)
  local changed = {}
  for _, resource in pairs(items) do
    for _, spec in ipairs(specs) do
      if fieldspec.fits(resource, spec) and apply(resource, spec, texts, names) then
        changed[#changed + 1] = { file = item.file(resource) or { path = "" },
          field = { path = (spec.path:gsub("%[%]", ""):gsub("/", ".")) } }
      end
    end
  end
  report(out, changed, texts)
  return true
end

return {
  api = 1,
  name = "set-annotations",
  versions = { "v0.1.0", "v0.1.1", "v0.1.2", "v0.1.3", "v0.1.4", "v0.1.5" },
  images = { "set-annotations" },
  summary = "Sets annotations on all resources and on the pods that they make",
  doc = [[
All resources get the annotations, local configuration included, and so do the pod templates of
ReplicationControllers, Deployments, ReplicaSets, DaemonSets, StatefulSets, Jobs and CronJobs.

    configMap:
      color: orange

or a resource:

    apiVersion: fn.kpt.dev/v1alpha1
    kind: SetAnnotations
    annotations:
      color: orange
    additionalAnnotationFields:
    - kind: MyResource
      group: dev.example.com
      path: spec/selector/annotations
      create: true
]],
  config = {
    ConfigMap = "names and values of annotations",
    SetAnnotations = { annotations = "map", additionalAnnotationFields = "list" },
  },
  pure = true,
  run = run,
}
