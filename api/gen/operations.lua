-- SPDX-License-Identifier: Apache-2.0
--
-- The HTTP operations of a kind, free of any OpenAPI version: path, method, parameters, body and
-- answers. Their parameters are what clients look up (kubectl finds dryRun and fieldValidation
-- here), so a verb must list what the server accepts for it.

local M = {}

local META = "io.k8s.apimachinery.pkg.apis.meta.v1."
local OPTIONS, PATCH, STATUS = META .. "DeleteOptions", META .. "Patch", META .. "Status"

local ANSWERS = { "application/json", "application/yaml" }
local STREAMS = { "application/json", "application/json;stream=watch", "application/yaml" }
local BODIES, CRD_BODIES = { "*/*" }, { "application/json", "application/yaml" }
local PATCHES = {
  "application/json-patch+json", "application/merge-patch+json",
  "application/strategic-merge-patch+json", "application/apply-patch+yaml",
}
local CRD_PATCHES = { PATCHES[1], PATCHES[2], PATCHES[4] }

local WRITE = { "dryRun", "fieldManager", "fieldValidation" }
local PATCHING = { "dryRun", "fieldManager", "fieldValidation", "force" }
local READ, CRD_READ = {}, { "resourceVersion" }
local DELETING = {
  "dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential",
  "orphanDependents", "propagationPolicy",
}
local LISTING = {
  "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
  "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
}

--- Query parameters by name: type and description.
M.PARAMETERS = {
  allowWatchBookmarks = { "boolean", "Send BOOKMARK events on a watch." },
  continue = { "string", "Token of the page to go on with." },
  dryRun = { "string", "All: go through the motions, change nothing." },
  fieldManager = { "string", "Name of who makes the change." },
  fieldSelector = { "string", "Limits the list by fields." },
  fieldValidation = { "string", "Ignore, Warn or Strict: what unknown fields lead to." },
  force = { "boolean", "Take over fields that other managers own (apply only)." },
  gracePeriodSeconds = { "integer", "Seconds before the object goes." },
  ignoreStoreReadErrorWithClusterBreakingPotential = {
    "boolean", "Accepted for clients that send it; without effect.",
  },
  labelSelector = { "string", "Limits the list by labels." },
  limit = { "integer", "Largest number of items in a page." },
  orphanDependents = { "boolean", "Old form of propagationPolicy=Orphan." },
  pretty = { "string", "true: indented JSON." },
  propagationPolicy = { "string", "Foreground, Background or Orphan." },
  resourceVersion = { "string", "Version to start from." },
  resourceVersionMatch = { "string", "How resourceVersion is meant." },
  sendInitialEvents = { "boolean", "Start a watch with the current state." },
  timeoutSeconds = { "integer", "Ends the request after this time." },
  watch = { "boolean", "Stream changes instead of a list." },
}

-- "porch.kpt.dev" becomes "PorchKptDev".
local function camel(text)
  return (text:gsub("[^.]+", function(word)
    return word:sub(1, 1):upper() .. word:sub(2)
  end):gsub("%.", ""))
end

-- "porch.kpt.dev", "v1alpha1" become "porch_kpt_dev_v1alpha1".
local function tag(group, version)
  local name = group:gsub("%.k8s%.io$", "") .. (version and "_" .. version or "")
  return (name:gsub("[^%w]", "_"))
end

local function add(list, kind, operation)
  operation.kind = kind
  local group = kind.group == "" and "core" or kind.group
  operation.tag = tag(group, kind.version)
  operation.id = operation.verb .. camel(group) .. camel(kind.version)
    .. (operation.namespaced and "Namespaced" or "") .. kind.kind .. (operation.suffix or "")
  operation.types = operation.types or ANSWERS
  if not kind.go then -- the peer's own server does not say it
    operation.answers[#operation.answers + 1] = { 401 }
  end
  list[#list + 1] = operation
end

local function add_list(list, kind, path, more)
  add(list, kind, { path = path, method = "get", verb = "list", action = "list", query = LISTING,
    types = not kind.crd and STREAMS or nil, answers = { { 200, kind.schema.name .. "List" } },
    namespaced = more.namespaced, suffix = more.suffix })
end

-- The old paths of watches; custom resources have none.
local function add_watch(list, kind, path, more)
  if kind.verb.watch and not kind.crd then
    add(list, kind, { path = path, method = "get", verb = "watch", action = more.action,
      query = LISTING, types = STREAMS, answers = { { 200, META .. "WatchEvent" } },
      namespaced = more.namespaced, suffix = more.suffix })
  end
end

local function collection(list, kind, path, own)
  local namespaced = kind.flag.namespaced
  if kind.verb.list then
    add_list(list, kind, path, { namespaced = namespaced })
  end
  if kind.verb.create then
    add(list, kind, { path = path, method = "post", verb = "create", action = "post",
      query = WRITE, body = { own, kind.crd and CRD_BODIES or BODIES }, namespaced = namespaced,
      answers = { { 200, own }, { 201, own }, { 202, own } } })
  end
  if kind.verb.deletecollection then
    add(list, kind, { path = path, method = "delete", verb = "deletecollection",
      action = "deletecollection", query = LISTING, answers = { { 200, STATUS } },
      namespaced = namespaced })
  end
end

-- get, put and patch of an object or of one of its subresources.
local function item(list, kind, path, own, verbs, suffix)
  local namespaced = kind.flag.namespaced
  local bodies = kind.crd and CRD_BODIES or BODIES
  if verbs.get then
    add(list, kind, { path = path, method = "get", verb = "read", action = "get",
      query = kind.crd and CRD_READ or READ, answers = { { 200, own } }, namespaced = namespaced,
      suffix = suffix })
  end
  if verbs.update then
    add(list, kind, { path = path, method = "put", verb = "replace", action = "put",
      query = WRITE, body = { own, bodies }, namespaced = namespaced, suffix = suffix,
      answers = { { 200, own }, { 201, own } } })
  end
  if verbs.patch then
    add(list, kind, { path = path, method = "patch", verb = "patch", action = "patch",
      query = PATCHING, body = { PATCH, kind.crd and CRD_PATCHES or PATCHES },
      namespaced = namespaced, suffix = suffix,
      answers = { { 200, own }, not kind.crd and { 201, own } or nil } })
  end
  if verbs.delete then
    add(list, kind, { path = path, method = "delete", verb = "delete", action = "delete",
      query = DELETING, body = { OPTIONS, bodies, optional = true }, namespaced = namespaced,
      answers = { { 200, STATUS }, { 202, STATUS } }, suffix = suffix })
  end
end

--- All operations of a kind, path by path.
function M.of(kind)
  local list, own = {}, kind.schema.name
  local root = (kind.group == "" and "/api/" or "/apis/") .. kind.group_version
  local namespaced = kind.flag.namespaced
  local place = (namespaced and "/namespaces/{namespace}/" or "/") .. kind.resource
  if namespaced and kind.verb.list then
    add_list(list, kind, root .. "/" .. kind.resource, { suffix = "ForAllNamespaces" })
  end
  collection(list, kind, root .. place, own)
  item(list, kind, root .. place .. "/{name}", own, kind.verb)
  for _, sub in ipairs(kind.subresources) do
    local verbs = {}
    for _, verb in ipairs(sub.verbs) do
      verbs[verb] = true
    end
    item(list, kind, root .. place .. "/{name}/" .. sub.name, own, verbs, camel(sub.name))
  end
  if namespaced then
    add_watch(list, kind, root .. "/watch/" .. kind.resource,
      { action = "watchlist", suffix = "ListForAllNamespaces" })
  end
  add_watch(list, kind, root .. "/watch" .. place,
    { action = "watchlist", namespaced = namespaced, suffix = "List" })
  add_watch(list, kind, root .. "/watch" .. place .. "/{name}",
    { action = "watch", namespaced = namespaced })
  return list
end

--- The operation that reads a discovery document: of a group (`version` nil) or of one of its
--- versions. Custom resources are not described by one.
function M.of_discovery(group, version)
  local name = group.name == "" and "core" or group.name
  local root = group.name == "" and "/api/" or "/apis/"
  return {
    path = root .. (version and version.group_version or group.name) .. "/", method = "get",
    id = "get" .. camel(name) .. (version and camel(version.name) .. "APIResources" or "APIGroup"),
    tag = tag(name, version and version.name), query = READ, types = ANSWERS,
    answers = { { 200, META .. (version and "APIResourceList" or "APIGroup") } },
  }
end

--- What all operations of a path say alike belongs to the path: query parameters by name.
function M.shared_query(list)
  local shared = { "pretty" }
  for _, name in ipairs(list[1].query) do
    local everywhere = true
    for _, operation in ipairs(list) do
      local own = false
      for _, other in ipairs(operation.query) do
        own = own or other == name
      end
      everywhere = everywhere and own
    end
    shared[#shared + 1] = everywhere and name or nil
  end
  return shared
end

return M
