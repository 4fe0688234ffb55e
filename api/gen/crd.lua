-- SPDX-License-Identifier: Apache-2.0
--
-- CustomResourceDefinitions of the kinds that are CRDs elsewhere (`crd = true`): as YAML for
-- clusters where lanai is an aggregated server, and as objects that a stand-alone server shows.

local json = require("json")
local rules = require("rules")
local schemas = require("schemas")

local M = {}

local function label_path(key)
  return ".metadata.labels['" .. key:gsub("%.", "\\.") .. "']"
end

-- ".spec.git.repo|.spec.oci.registry" becomes ".spec['git','oci']['repo','registry']".
local function union_path(source)
  local levels = {}
  for path in source:gmatch("[^|]+") do
    local level = 0
    for step in path:gmatch("[^.]+") do
      level = level + 1
      levels[level] = levels[level] or {}
      local steps = levels[level]
      if not steps[step] then
        steps[step], steps[#steps + 1] = true, step
      end
    end
  end
  local out = {}
  for i, steps in ipairs(levels) do
    out[i] = #steps == 1 and "." .. steps[1] or "['" .. table.concat(steps, "','") .. "']"
  end
  return table.concat(out)
end

--- JSONPath of a column source, or nil when there is none.
function M.json_path(source)
  local condition = source:match("^condition:(.+)$")
  if condition then
    return (".status.conditions[?(@.type=='%s')].status"):format(condition)
  elseif source == "age" then
    return ".metadata.creationTimestamp"
  elseif source:match("^label:") then
    return label_path(source:sub(7))
  elseif source:match("^age:") then
    return union_path(source:sub(5))
  elseif source:match("^%.") then
    return union_path(source)
  end
  return nil
end

local function columns(kind)
  local list = {}
  for _, column in ipairs(kind.columns) do
    if column.source ~= ".metadata.name" then
      local path = M.json_path(column.source)
      assert(path, kind.file .. ": column " .. column.name .. " cannot be shown by a CRD")
      list[#list + 1] = json.object("name", column.name, "type", column.type, "description",
        column.description ~= "" and column.description or nil, "jsonPath", path, "priority",
        column.priority > 0 and column.priority or nil)
    end
  end
  return list
end

local function schema_of(kind, messages)
  local properties = json.object()
  local collector = schemas.collector()
  for _, field in ipairs(kind.schema.fields) do
    json.set(properties, field.name, field.name == "metadata" and json.object("type", "object")
      or schemas.field(schemas.INLINE, collector, field))
  end
  return json.object("description", kind.description, "type", "object", "properties", properties,
    "x-kubernetes-validations", rules.of(kind, messages))
end

local function version_of(kind, messages, storage)
  return json.object("name", kind.version, "served", true, "storage", storage, "schema",
    json.object("openAPIV3Schema", schema_of(kind, messages)), "subresources",
    kind.flag.status and json.object("status", json.object()) or nil,
    "additionalPrinterColumns", columns(kind))
end

local function names_of(kind)
  return json.object("plural", kind.resource, "singular", kind.singular, "shortNames",
    #kind.short_names > 0 and kind.short_names or nil, "kind", kind.kind, "listKind",
    kind.kind .. "List", "categories", #kind.categories > 0 and kind.categories or nil)
end

local function definition(kind, name)
  return json.object("apiVersion", "apiextensions.k8s.io/v1", "kind", "CustomResourceDefinition",
    "metadata", json.object("name", name), "spec", json.object("group", kind.group, "names",
      names_of(kind), "scope", kind.flag.namespaced and "Namespaced" or "Cluster", "versions", {}))
end

--- All definitions as {name, kind, tree}; versions of one resource share a definition, the
--- preferred version is the stored one.
function M.definitions(model)
  local list, index = {}, {}
  for _, group in ipairs(model.groups) do
    for _, version in ipairs(group.versions) do
      for _, kind in ipairs(version.kinds) do
        local name = kind.resource .. "." .. kind.group
        if kind.crd then
          local entry = index[name]
          if not entry then
            entry = { name = name, kind = kind, tree = definition(kind, name) }
            index[name], list[#list + 1] = entry, entry
          end
          local versions = entry.tree.map.spec.map.versions
          versions[#versions + 1] = version_of(kind, model.messages, #versions == 0)
        end
      end
    end
  end
  return list
end

local function condition(kind, reason, message)
  return json.object("type", kind, "status", "True", "lastTransitionTime", "1970-01-01T00:00:00Z",
    "reason", reason, "message", message)
end

--- Appends the definitions as objects with status, under paths that are not URLs.
function M.add(documents, model)
  for _, entry in ipairs(M.definitions(model)) do
    json.set(entry.tree, "status", json.object("conditions", {
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    }, "acceptedNames", names_of(entry.kind), "storedVersions", { entry.kind.version }))
    documents[#documents + 1] = {
      path = "crd:" .. entry.name, variant = "", content_type = "application/json",
      body = json.text(entry.tree),
    }
  end
end

return M
