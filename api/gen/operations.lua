-- SPDX-License-Identifier: Apache-2.0
--
-- The HTTP operations of a kind, free of any OpenAPI version: path, method, parameters, body and
-- answers. Their parameters are what clients look up (kubectl finds dryRun and fieldValidation
-- here), so a verb must list what the server accepts for it.

local M = {}

local OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
local PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
local STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"

local PATCH_TYPES = {
  "application/json-patch+json", "application/merge-patch+json",
  "application/strategic-merge-patch+json", "application/apply-patch+yaml",
}

local WRITE = { "dryRun", "fieldManager", "fieldValidation" }
local PATCHING = { "dryRun", "fieldManager", "fieldValidation", "force" }
local DELETING = { "dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy" }
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
  labelSelector = { "string", "Limits the list by labels." },
  limit = { "integer", "Largest number of items in a page." },
  orphanDependents = { "boolean", "Old form of propagationPolicy=Orphan." },
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

local function add(list, kind, operation)
  operation.kind = kind
  local group = kind.group == "" and "core" or kind.group
  operation.tag = (group:gsub("%.k8s%.io$", "") .. "_" .. kind.version):gsub("[^%w]", "_")
  operation.id = operation.verb .. camel(group) .. camel(kind.version)
    .. (operation.namespaced and "Namespaced" or "") .. kind.kind .. (operation.suffix or "")
  list[#list + 1] = operation
end

local function collection(list, kind, path, own)
  local namespaced = kind.flag.namespaced
  if kind.verb.list then
    add(list, kind, { path = path, method = "get", verb = "list", action = "list",
      query = LISTING, answers = { { 200, own .. "List" } }, namespaced = namespaced })
  end
  if kind.verb.create then
    add(list, kind, { path = path, method = "post", verb = "create", action = "post",
      query = WRITE, body = { own, { "*/*" } }, namespaced = namespaced,
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
  if verbs.get then
    add(list, kind, { path = path, method = "get", verb = "read", action = "get", query = {},
      answers = { { 200, own } }, namespaced = namespaced, suffix = suffix })
  end
  if verbs.update then
    add(list, kind, { path = path, method = "put", verb = "replace", action = "put",
      query = WRITE, body = { own, { "*/*" } }, namespaced = namespaced, suffix = suffix,
      answers = { { 200, own }, { 201, own } } })
  end
  if verbs.patch then
    add(list, kind, { path = path, method = "patch", verb = "patch", action = "patch",
      query = PATCHING, body = { PATCH, PATCH_TYPES }, namespaced = namespaced, suffix = suffix,
      answers = { { 200, own }, { 201, own } } })
  end
  if verbs.delete then
    add(list, kind, { path = path, method = "delete", verb = "delete", action = "delete",
      query = DELETING, body = { OPTIONS, { "*/*" }, optional = true }, namespaced = namespaced,
      answers = { { 200, STATUS }, { 202, STATUS } }, suffix = suffix })
  end
end

--- All operations of a kind, path by path.
function M.of(kind)
  local list, own = {}, kind.schema.name
  local root = (kind.group == "" and "/api/" or "/apis/") .. kind.group_version
  local path = root .. "/" .. kind.resource
  if kind.flag.namespaced then
    if kind.verb.list then
      add(list, kind, { path = path, method = "get", verb = "list", action = "list",
        query = LISTING, answers = { { 200, own .. "List" } }, suffix = "ForAllNamespaces" })
    end
    path = root .. "/namespaces/{namespace}/" .. kind.resource
  end
  collection(list, kind, path, own)
  item(list, kind, path .. "/{name}", own, kind.verb)
  for _, sub in ipairs(kind.subresources) do
    local verbs = {}
    for _, verb in ipairs(sub.verbs) do
      verbs[verb] = true
    end
    item(list, kind, path .. "/{name}/" .. sub.name, own, verbs, camel(sub.name))
  end
  return list
end

return M
