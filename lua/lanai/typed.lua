-- SPDX-License-Identifier: Apache-2.0
--
-- Configuration of functions as tables, checked: unknown fields and wrong types are errors.

local node = require("lanai.node")
local quote = require("lanai.quote")

local M = {}

local read

local function read_map(value, schema, path)
  if node.kind(value) ~= "map" then
    return nil, path .. " must be a map"
  end
  local fields = {}
  for _, key in ipairs(node.keys(value)) do
    if not schema[key] then
      return nil, "json: unknown field " .. quote(key)
    end
    local field, message = read(node.at(value, key), schema[key], path .. "." .. key)
    if message then
      return nil, message
    end
    fields[key] = field
  end
  return fields
end

local function read_list(value, schema, path)
  if node.kind(value) ~= "list" then
    return nil, path .. " must be a list"
  end
  local list = {}
  for i = 1, #value do
    local element, message = read(node.at(value, i), schema, ("%s[%d]"):format(path, i - 1))
    if message then
      return nil, message
    end
    list[#list + 1] = element
  end
  return list
end

read = function(value, schema, path)
  if node.kind(value) == "null" then
    return nil
  elseif type(schema) == "table" then
    return (schema[1] and read_list or read_map)(value, schema[1] or schema, path)
  elseif node.kind(value) ~= schema then
    return nil, ("%s must be a %s"):format(path, schema)
  elseif schema == "int" then
    return math.tointeger(tonumber(node.text(value)))
  elseif schema == "bool" then
    return node.text(value):lower() == "true"
  end
  return node.text(value)
end

--- Reads a value as a table or plain value; null is nil. A schema is the name of a type ("string",
--- "int", "bool"), a map of fields, or a list with the schema of its elements. nil and a message
--- for what does not fit; path begins the message.
--- Example: `typed.read(config, { name = "string", ports = { "int" } }, "spec")`.
--- @param value lanai.Node
--- @param schema string|table
--- @param path string
--- @return any, string?
function M.read(value, schema, path)
  return read(value, schema, path)
end

return M
