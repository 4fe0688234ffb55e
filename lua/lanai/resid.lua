-- SPDX-License-Identifier: Apache-2.0
--
-- Ids of resources as kustomize has them, and what selects them.

local item = require("lanai.item")
local regex = require("lanai.regex")
local scope = require("lanai.scope")

local M = {}

M.FIELDS = { "group", "version", "kind", "name", "namespace" }

--- Missing fields are empty.
--- @class lanai.ResId
--- @field group string?
--- @field version string?
--- @field kind string?
--- @field name string?
--- @field namespace string?

-- What one of kustomize's annotations about former ids lists.
local function list_of(resource, part)
  local text, list = item.annotation(resource, "internal.config.kubernetes.io/previous" .. part), {}
  for value in text and (text .. ","):gmatch("([^,]*),") or function() end do
    list[#list + 1] = value
  end
  return list
end

--- Gives who a resource is, and who it was before it was renamed (kustomize's annotations).
--- @param resource lanai.Node
--- @return lanai.ResId[]
function M.of(resource)
  local group, version, kind = item.gvk(resource)
  local ids = { { group = group, version = version, kind = kind, name = item.name(resource),
    namespace = item.namespace(resource) } }
  local names = list_of(resource, "Names")
  if #names > 0 then
    local namespaces, kinds = list_of(resource, "Namespaces"), list_of(resource, "Kinds")
    for i, name in ipairs(names) do
      ids[#ids + 1] = { group = group, version = version, kind = kinds[i] or kind, name = name,
        namespace = namespaces[i] or "" }
    end
  end
  return ids
end

local function effective_namespace(id)
  if scope.is_cluster(id.group or "", id.kind or "") then
    return ""
  end
  return (id.namespace or "") == "" and "default" or id.namespace
end

--- True when every field that `wanted` has is that of the resource; no namespace is "default".
--- @param id lanai.ResId
--- @param wanted lanai.ResId
--- @return boolean
function M.equals(id, wanted)
  for _, key in ipairs(M.FIELDS) do
    local value = wanted[key] or ""
    local same = id[key] == value
    if key == "namespace" then
      same = effective_namespace(id) == effective_namespace(wanted)
    end
    if value ~= "" and not same then
      return false
    end
  end
  return true
end

--- Makes a test of ids by expressions that must match whole fields; nil and a message.
--- @param wanted lanai.ResId
--- @return (fun(id: lanai.ResId): boolean)|nil, string?
function M.compile(wanted)
  local tests = {}
  for _, key in ipairs(M.FIELDS) do
    local text = wanted[key] or ""
    if text:find("[^%w%-_/]") then
      local expression, message = regex.compile(text, true)
      if not expression then
        return nil, message
      end
      tests[key] = function(value) return expression:test(value) end
    elseif text ~= "" then
      tests[key] = function(value) return value == text end
    end
  end
  return function(id)
    for key, test in pairs(tests) do
      if not test(id[key]) then
        return false
      end
    end
    return true
  end
end

--- Gives an id as messages show it: `Kind.version.group/name.namespace`.
--- @param id lanai.ResId
--- @return string
function M.text(id)
  local function part(key, missing)
    local value = id[key] or ""
    return value ~= "" and value or missing
  end
  return ("%s.%s.%s/%s.%s"):format(part("kind", "[noKind]"), part("version", "[noVer]"),
    part("group", "[noGrp]"), part("name", "[noName]"), part("namespace", "[noNs]"))
end

return M
