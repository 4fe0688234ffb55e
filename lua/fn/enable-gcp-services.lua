-- SPDX-License-Identifier: Apache-2.0
--
-- enable-gcp-services: a Service of Config Connector for each service in a ProjectServiceSet.

local item = require("lanai.item")
local node = require("lanai.node")

local SET_API, SERVICE_API =
  "blueprints.cloud.google.com/v1alpha1", "serviceusage.cnrm.cloud.google.com/v1beta1"
local OWNER = "blueprints.cloud.google.com/ownerReference"
local PACKAGE = "internal.config.kubernetes.io/package-path"
local PATH = { "internal.config.kubernetes.io/path", "config.kubernetes.io/path" }

-- Annotations of a set that its services do not get.
local OWN = {
  ["config.kubernetes.io/local-config"] = true, ["config.k8s.io/id"] = true,
  ["config.kubernetes.io/path"] = true, ["config.kubernetes.io/index"] = true,
}

local function is_kind(resource, api, kind)
  return item.text(resource, "apiVersion") == api and item.text(resource, "kind") == kind
end

local function owner_of(set)
  return "blueprints.cloud.google.com/ProjectServiceSet/" .. item.name(set)
end

local function path_of(set, name)
  local directory = (item.path(set) or ""):match("^(.*/)") or ""
  local namespace = item.namespace(set)
  return directory .. (namespace ~= "" and namespace .. "/" or "") .. "service_" .. name .. ".yaml"
end

local function annotate(resource, key, value)
  local annotations = item.make_annotations(resource)
  node.set(annotations, key, value)
  node.set_style(node.at(annotations, key), "single")
end

local function make_service(set, service)
  local short = service:match("^(.+)%.googleapis%.com$")
  if not short then
    return nil, "invalid service specified: " .. service
  end
  local name = item.name(set) .. "-" .. short
  local made = node.map()
  made.apiVersion = SERVICE_API
  made.kind = "Service"
  made.metadata = node.map()
  made.metadata.name = name
  local annotations = item.map(item.map(set, "metadata"), "annotations")
  for _, key in ipairs(annotations and node.keys(annotations) or {}) do
    local internal = key:find("^internal%.config%.kubernetes%.io/") and key ~= PACKAGE
    if not OWN[key] and not internal then
      annotate(made, key, item.text(annotations, key))
    end
  end
  annotate(made, OWNER, owner_of(set))
  for _, key in ipairs(PATH) do
    annotate(made, key, path_of(set, name))
  end
  if item.namespace(set) ~= "" then
    made.metadata.namespace = item.namespace(set)
  end
  made.spec = node.map()
  made.spec.resourceID = service
  local project = item.text(item.map(set, "spec"), "projectID") or ""
  if project ~= "" then
    made.spec.projectRef = node.map()
    made.spec.projectRef.external = project
  end
  return made
end

local function make_all(set, made)
  local services = item.map(set, "spec") and set.spec.services
  for i = 1, node.is_list(services) and #services or 0 do
    local service, problem = make_service(set, node.text(node.at(services, i)) or "")
    if not service then
      return nil, problem
    end
    made[#made + 1] = service
  end
  return true
end

-- Takes the services of earlier runs out of the list; gives them by namespace and name.
local function take_old(items, owners)
  local old = {}
  for i = #items, 1, -1 do
    local owner = item.annotation(items[i], OWNER)
    if owner and owners[owner] and is_kind(items[i], SERVICE_API, "Service") then
      old[item.namespace(items[i]) .. "/" .. item.name(items[i])] = node.copy(items[i])
      node.remove(items, i)
    end
  end
  return old
end

-- What was there and is as it shall be stays, with its comments and its place.
local function unchanged(old, new)
  if not old or item.path(old) ~= item.path(new) then
    return false
  end
  local copy = node.copy(new)
  for _, key in ipairs(node.keys(old.metadata.annotations)) do
    local internal = key:find("^internal%.config%.kubernetes%.io/")
    if internal or OWN[key] or key == "cnrm.cloud.google.com/blueprint" then
      annotate(copy, key, item.annotation(old, key))
    end
  end
  return node.equal(copy, old)
end

local function run(items, _, out)
  local made, owners, any = {}, {}, false
  for _, set in pairs(items) do
    if is_kind(set, SET_API, "ProjectServiceSet") then
      any = true
      owners[owner_of(set)] = true
      local ok, problem = make_all(set, made)
      if not ok then
        out:result({ severity = "error", message = problem })
        return nil, problem
      end
    end
  end
  local old = any and take_old(items, owners) or {}
  for _, service in ipairs(made) do
    local was = old[item.namespace(service) .. "/" .. item.name(service)]
    items[#items + 1] = unchanged(was, service) and was or service
    out:result({ severity = "info", resource = service, file = { path = item.path(service) },
      message = was and "recreated service" or "generated service" })
  end
  return true
end

return {
  api = 1,
  name = "enable-gcp-services",
  versions = { "v0.1.0" },
  images = { "enable-gcp-services" },
  summary = "Makes a Service for each Google Cloud service of a ProjectServiceSet",
  doc = [[
    apiVersion: blueprints.cloud.google.com/v1alpha1
    kind: ProjectServiceSet
    metadata:
      name: project-services
      annotations:
        config.kubernetes.io/local-config: "true"
    spec:
      services:
      - compute.googleapis.com
      projectID: my-project

Each service gets a file beside the set's; those that the set no longer has are removed. Takes no
configuration.
]],
  pure = true,
  run = run,
}
