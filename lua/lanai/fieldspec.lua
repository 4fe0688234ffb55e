-- SPDX-License-Identifier: Apache-2.0
--
-- Field specifications as kustomize writes them: {group, version, kind, path, create}. Paths have
-- slashes (`\/` is one inside a key); `name[]` is every element of a list, and a list on the way is
-- entered without that, too.

local item = require("lanai.item")
local node = require("lanai.node")

local M = {}

--- True when a resource is of the kind of a specification; what the specification leaves out fits
--- all.
--- @param resource lanai.Node
--- @param spec {group: string?, version: string?, kind: string?}
--- @return boolean
function M.fits(resource, spec)
  local group, version, kind = item.gvk(resource)
  return (spec.kind or kind) == kind and (spec.group or group) == group
    and (spec.version or version) == version
end

--- Splits a path into its steps.
--- @param path string
--- @return string[]
function M.steps(path)
  local steps = {}
  for step in path:gsub("\\/", "\0"):gmatch("[^/]+") do
    steps[#steps + 1] = step:gsub("%z", "/"):gsub("%[%]$", "")
  end
  return steps
end

local visit

local function visit_list(list, steps, at, create, fn)
  for i = 1, #list do
    local element = node.at(list, i)
    if node.is_map(element) or node.is_list(element) then
      visit(element, steps, at, create, fn)
    end
  end
end

function visit(value, steps, at, create, fn)
  if node.is_list(value) then
    return visit_list(value, steps, at, create, fn)
  elseif not node.is_map(value) then
    return
  elseif at == #steps then
    if create or value[steps[at]] ~= nil then
      fn(value, steps[at])
    end
    return
  end
  if create and value[steps[at]] == nil then
    node.set(value, steps[at], node.map())
  end
  local inner = node.at(value, steps[at])
  if inner then
    visit(inner, steps, at + 1, create, fn)
  end
end

--- Calls fn(parent, key) for each field of a resource that a specification means. With `create`,
--- missing maps are made on the way, and fn is called for a field that is not there.
--- @param resource lanai.Node
--- @param spec {path: string, create: boolean?}
--- @param fn fun(parent: lanai.Node, key: string)
function M.each(resource, spec, fn)
  spec.steps = spec.steps or M.steps(spec.path)
  visit(resource, spec.steps, 1, spec.create, fn)
end

--- Reads a list of specifications from a functionConfig; empty texts are as if they were not there.
--- @param list lanai.Node|nil
--- @return {group: string?, version: string?, kind: string?, path: string, create: boolean?}[]
function M.read(list)
  local specs = {}
  for _, entry in pairs(node.is_list(list) and list or {}) do
    local spec = { path = item.text(entry, "path") or "", create = entry.create == true }
    for _, key in ipairs({ "group", "version", "kind" }) do
      local text = item.text(entry, key)
      spec[key] = text ~= "" and text or nil
    end
    specs[#specs + 1] = spec
  end
  return specs
end

return M
