-- SPDX-License-Identifier: Apache-2.0
--
-- set-project-id: the setter `project-id` of packages, and the annotation of Config Connector.

local item = require("lanai.item")
local node = require("lanai.node")

local KEY = "project-id"
local ANNOTATION = "cnrm.cloud.google.com/project-id"
local APPLY_SETTERS = "gcr.io/kpt-fn/apply-setters:v0.2"

local function is_kptfile(resource)
  local group, _, kind = item.gvk(resource)
  return group == "kpt.dev" and kind == "Kptfile"
end

local function set_setter(data, id)
  if (item.text(data, KEY) or "") == "" then
    node.put(data, KEY, id)
  end
end

local function find_mutator(kptfile)
  local mutators = item.map(kptfile, "pipeline") and kptfile.pipeline.mutators
  for i = 1, node.is_list(mutators) and #mutators or 0 do
    if (item.text(mutators[i], "image") or ""):find("apply-setters", 1, true) then
      return mutators[i]
    end
  end
  return nil
end

local function append_mutator(kptfile, id)
  if not item.map(kptfile, "pipeline") then
    node.set(kptfile, "pipeline", node.map())
  end
  if not node.is_list(kptfile.pipeline.mutators) then
    node.set(kptfile.pipeline, "mutators", node.list())
  end
  local mutators = kptfile.pipeline.mutators
  mutators[#mutators + 1] = node.map()
  local mutator = mutators[#mutators]
  mutator.image = APPLY_SETTERS
  mutator.configMap = { [KEY] = id }
end

-- The ConfigMap that a Kptfile's configPath names.
local function find_config(items, kptfile, config_path)
  local directory = (item.path(kptfile) or ""):match("^(.*/)") or ""
  for _, resource in pairs(items) do
    if item.path(resource) == directory .. config_path then
      return resource
    end
  end
  return nil
end

local function set_in_config(items, kptfile, config_path, id)
  local config = find_config(items, kptfile, config_path)
  if not config then
    return nil, ("file %s doesn't exist, please ensure the file specified in \"configPath\" "
      .. "exists and retry"):format(config_path)
  end
  if not item.map(config, "data") then
    node.set(config, "data", node.map())
  end
  set_setter(config.data, id)
  return true
end

local function set_in_kptfile(items, kptfile, id)
  local mutator = find_mutator(kptfile)
  if not mutator then
    append_mutator(kptfile, id)
    return true
  elseif item.map(mutator, "configMap") then
    set_setter(mutator.configMap, id)
    return true
  end
  local path = item.text(mutator, "configPath") or ""
  if path == "" then
    return nil, "unable to find `ConfigMap` or `configPath` as the `functionConfig` for "
      .. "apply-setters"
  end
  return set_in_config(items, kptfile, path, id)
end

local function set_setters(items, id)
  local found = false
  for _, resource in pairs(items) do
    if is_kptfile(resource) then
      found = true
      local ok, problem = set_in_kptfile(items, resource, id)
      if not ok then
        return nil, "error updating Kptfile: " .. problem
      end
    end
  end
  if not found then
    return nil, "unable to find Kptfile, please include --include-meta-resources flag if a "
      .. "Kptfile is present"
  end
  return true
end

local function set_annotations(items, id)
  for _, resource in pairs(items) do
    local service = item.gvk(resource):match("^(.*)%.cnrm%.cloud%.google%.com$")
    if service and service ~= "core" and not item.annotation(resource, ANNOTATION) then
      node.put(item.make_annotations(resource), ANNOTATION, id)
    end
  end
end

local function run(items, config, out)
  local id = item.text(item.map(config, "data"), KEY) or ""
  local ok, problem = set_setters(items, id)
  if not ok then
    problem = "failed to set project-id setter: " .. problem
    out:result({ severity = "error", message = problem })
    return nil, problem
  end
  set_annotations(items, id)
  return true
end

return {
  api = 1,
  name = "set-project-id",
  versions = { "v0.1.0", "v0.2.0", "v0.2.1" },
  images = { "set-project-id" },
  summary = "Sets the Google Cloud project of packages",
  doc = [[
Packages get a setter `project-id` where they have none, or an empty one: in the configuration of
apply-setters, which is added to pipelines without it. Resources of Config Connector get the
annotation `cnrm.cloud.google.com/project-id`; one that is there stays.

    configMap:
      project-id: my-project
]],
  config = { ConfigMap = { ["project-id"] = "string" } },
  pure = true,
  run = run,
}
