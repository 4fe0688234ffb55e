-- SPDX-License-Identifier: Apache-2.0
--
-- The setters of a package: those that the Kptfile gives values for, and those in comments.

local item = require("lanai.item")
local node = require("lanai.node")
local setter = require("lanai.setter")

local M = {}

local TYPES = { string = "str" }

--- @class lanai.FoundSetter
--- @field name string
--- @field value string
--- @field type string
--- @field count integer

local function find_path(items, path)
  for i = 1, #items do
    if item.path(items[i]) == path then
      return items[i]
    end
  end
  return nil
end

-- The data that one apply-setters of a pipeline has; nil and a warning.
local function data_of(items, mutator)
  if item.map(mutator, "configMap") then
    return setter.data({ data = mutator.configMap })
  end
  local path = item.text(mutator, "configPath") or ""
  if path == "" then
    return nil, "unable to find ConfigMap or ConfigPath fnConfig for apply-setters"
  end
  local config = find_path(items, path)
  if not config then
    return nil, ("file %s doesn't exist, please ensure the file specified in \"configPath\" exists "
      .. "and retry"):format(path)
  end
  return setter.data(config)
end

-- The values that the root Kptfile gives to setters; nil and a warning.
local function from_kptfile(items)
  local kptfile = find_path(items, "Kptfile")
  if not kptfile then
    return nil, "unable to find Kptfile, please include --include-meta-resources flag if a Kptfile "
      .. "is present"
  end
  local pipeline = item.map(kptfile, "pipeline")
  if not pipeline then
    return nil, "unable to find Pipeline declaration in Kptfile"
  end
  local values = {}
  local mutators = pipeline.mutators
  for i = 1, node.is_list(mutators) and #mutators or 0 do
    if (item.text(mutators[i], "image") or ""):find("apply-setters", 1, true) then
      local data, warning = data_of(items, mutators[i])
      if not data then
        return nil, warning
      end
      for name, value in pairs(data) do
        values[name] = value
      end
    end
  end
  if next(values) == nil then
    return nil, "unable to find apply-setters fn in Kptfile Pipeline.Mutators"
  end
  return values
end

-- The elements of a value that is a list, each as it is written; nil for other values.
local function elements(text)
  local list = text:find("%S") and node.parse(text)
  local kind = list and node.kind(list)
  if kind ~= "list" and kind ~= "null" then
    return nil
  end
  local texts = {}
  for i = 1, #list do
    texts[i] = node.emit(node.at(list, i)):gsub("\n", "")
  end
  return texts
end

local function add_list(found, field)
  local name = field.pattern:match("^%${(.*)$") or field.pattern
  name = name:match("^(.*)}$") or name
  if not found.lists[name] then
    local texts = {}
    for i = 1, #field.value do
      texts[i] = node.text(node.at(field.value, i)) or ""
    end
    table.sort(texts)
    found.lists[name] = { texts = texts, count = 0 }
  end
  found.lists[name].count = found.lists[name].count + 1
end

local function add_scalar(found, field)
  local kind = node.kind(field.value)
  local kind_name = TYPES[kind] or kind
  local text = node.text(field.value)
  for name, value in pairs(setter.current(field.pattern, text)) do
    local known = found.scalars[name]
    if known then
      known.type = known.type == "str" and kind_name or known.type -- a part of a text says less
    else
      known = { value = value, type = kind_name, count = 0 }
      found.scalars[name] = known
    end
    known.count = known.count + 1
  end
end

local function sorted(found)
  local list = {}
  for name, s in pairs(found.lists) do
    list[#list + 1] = { name = name, value = "[" .. table.concat(s.texts, ", ") .. "]",
      type = "array", count = s.count }
  end
  for name, s in pairs(found.scalars) do
    list[#list + 1] = { name = name, value = s.value, type = s.type, count = s.count }
  end
  table.sort(list, function(a, b)
    if a.name ~= b.name then
      return a.name < b.name
    end
    return a.type == "array" and b.type ~= "array"
  end)
  return list
end

--- Finds the setters of a package, by name, and says why none came from its Kptfile.
--- @param items lanai.Node
--- @return lanai.FoundSetter[], string?
function M.setters(items)
  local found = { lists = {}, scalars = {} }
  local values, warning = from_kptfile(items)
  for name, value in pairs(values or {}) do
    local texts = elements(value)
    if texts then
      found.lists[name] = { texts = texts, count = 0 }
    else
      found.scalars[name] = { value = value, type = "str", count = 0 }
    end
  end
  for i = 1, #items do
    for _, field in ipairs(setter.fields(items[i])) do
      if field.list then
        add_list(found, field)
      else
        add_scalar(found, field)
      end
    end
  end
  return sorted(found), warning
end

return M
