-- SPDX-License-Identifier: Apache-2.0
--
-- Discovery documents: the old form, one document for each group and version, and the aggregated
-- form for /api and /apis.

local json = require("json")

local M = {}

local AGGREGATED = {
  { variant = "v2", version = "apidiscovery.k8s.io/v2" },
  { variant = "v2beta1", version = "apidiscovery.k8s.io/v2beta1" },
}

local function if_any(list)
  return #list > 0 and list or nil
end

local function resources(version)
  local list = {}
  for _, kind in ipairs(version.kinds) do
    list[#list + 1] = json.object("name", kind.resource, "singularName", kind.singular,
      "namespaced", kind.flag.namespaced or false, "kind", kind.kind, "verbs", kind.verbs,
      "shortNames", if_any(kind.short_names), "categories", if_any(kind.categories))
    for _, sub in ipairs(kind.subresources) do
      list[#list + 1] = json.object("name", kind.resource .. "/" .. sub.name, "singularName", "",
        "namespaced", kind.flag.namespaced or false, "kind", kind.kind, "verbs", sub.verbs)
    end
  end
  return json.object("kind", "APIResourceList", "apiVersion", "v1", "groupVersion",
    version.group_version, "resources", list)
end

local function version_name(version)
  return json.object("groupVersion", version.group_version, "version", version.name)
end

-- The members of an APIGroup behind kind and apiVersion.
local function add_group(object, group)
  local versions = {}
  for i, version in ipairs(group.versions) do
    versions[i] = version_name(version)
  end
  json.set(object, "name", group.name)
  json.set(object, "versions", versions)
  json.set(object, "preferredVersion", version_name(group.versions[1]))
  return object
end

local function core_versions(core)
  local names = {}
  for i, version in ipairs(core.versions) do
    names[i] = version.name
  end
  return json.object("kind", "APIVersions", "versions", names, "serverAddressByClientCIDRs",
    { json.object("clientCIDR", "0.0.0.0/0", "serverAddress", "") })
end

local function response_kind(kind)
  return json.object("group", kind.group, "version", kind.version, "kind", kind.kind)
end

local function aggregated_resource(kind)
  local subresources = {}
  for i, sub in ipairs(kind.subresources) do
    subresources[i] = json.object("subresource", sub.name, "responseKind", response_kind(kind),
      "verbs", sub.verbs)
  end
  return json.object("resource", kind.resource, "responseKind", response_kind(kind), "scope",
    kind.flag.namespaced and "Namespaced" or "Cluster", "singularResource", kind.singular, "verbs",
    kind.verbs, "shortNames", if_any(kind.short_names), "categories", if_any(kind.categories),
    "subresources", if_any(subresources))
end

local function aggregated_group(group)
  local versions = {}
  for i, version in ipairs(group.versions) do
    local list = {}
    for j, kind in ipairs(version.kinds) do
      list[j] = aggregated_resource(kind)
    end
    versions[i] = json.object("version", version.name, "resources", list, "freshness", "Current")
  end
  local metadata = group.name == "" and json.object() or json.object("name", group.name)
  return json.object("metadata", metadata, "versions", versions)
end

local function add_aggregated(documents, path, groups)
  local items = {}
  for i, group in ipairs(groups) do
    items[i] = aggregated_group(group)
  end
  for _, form in ipairs(AGGREGATED) do
    documents[#documents + 1] = {
      path = path, variant = form.variant,
      content_type = "application/json;g=apidiscovery.k8s.io;v=" .. form.variant
        .. ";as=APIGroupDiscoveryList",
      body = json.text(json.object("kind", "APIGroupDiscoveryList", "apiVersion", form.version,
        "metadata", json.object(), "items", items)),
    }
  end
end

--- Appends the discovery documents of a model to a list of documents.
function M.add(documents, model)
  local function add(path, body)
    documents[#documents + 1] = {
      path = path, variant = "", content_type = "application/json", body = json.text(body),
    }
  end
  local cores, named, list = {}, {}, {}
  for _, group in ipairs(model.groups) do
    if group.name == "" then
      cores[#cores + 1] = group
      add("/api", core_versions(group))
    else
      named[#named + 1] = group
      list[#list + 1] = add_group(json.object(), group)
      add("/apis/" .. group.name,
        add_group(json.object("kind", "APIGroup", "apiVersion", "v1"), group))
    end
    for _, version in ipairs(group.versions) do
      local root = group.name == "" and "/api/" or "/apis/"
      add(root .. version.group_version, resources(version))
    end
  end
  add("/apis", json.object("kind", "APIGroupList", "apiVersion", "v1", "groups", list))
  add_aggregated(documents, "/api", cores)
  add_aggregated(documents, "/apis", named)
end

return M
