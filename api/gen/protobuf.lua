-- SPDX-License-Identifier: Apache-2.0
--
-- Encodes an OpenAPI 2 tree as the protobuf message openapi.v2.Document (the subset that clients
-- read). Field numbers are those of that message; `x-…` members become vendor extensions.

local json = require("json")

local M = {}

local function varint(n)
  local bytes = {}
  while n > 127 do
    bytes[#bytes + 1] = string.char(n & 127 | 128)
    n = n >> 7
  end
  bytes[#bytes + 1] = string.char(n)
  return table.concat(bytes)
end

local function field(number, payload)
  return varint(number << 3 | 2) .. varint(#payload) .. payload
end

local function number_field(number, value)
  return varint(number << 3) .. varint(value)
end

-- Members of an object in field order: handlers is a list of {key, function(value) -> bytes}.
local function members(object, handlers)
  local out = {}
  for _, handler in ipairs(handlers) do
    local value = object.map[handler[1]]
    if value ~= nil then
      out[#out + 1] = handler[2](value)
    end
  end
  return table.concat(out)
end

local function text(number)
  return function(value)
    return field(number, value)
  end
end

local function flag(number)
  return function(value)
    return value and number_field(number, 1) or ""
  end
end

local function integer(number)
  return function(value)
    return number_field(number, value)
  end
end

local function texts(number)
  return function(list)
    local out = {}
    for i, value in ipairs(list) do
      out[i] = field(number, value)
    end
    return table.concat(out)
  end
end

local function any(value)
  return field(2, json.text(value) .. "\n")
end

local function named(name, value)
  return field(1, name) .. field(2, value)
end

local function named_all(number, object, encode)
  local out = {}
  for i, key in ipairs(object.keys) do
    out[i] = field(number, named(key, encode(object.map[key])))
  end
  return table.concat(out)
end

local function extensions(number, object)
  local out = {}
  for _, key in ipairs(object.keys) do
    if key:sub(1, 2) == "x-" then
      out[#out + 1] = field(number, named(key, any(object.map[key])))
    end
  end
  return table.concat(out)
end

local schema

local SCHEMA = {
  { "$ref", text(1) },
  { "format", text(2) },
  { "description", text(4) },
  { "maxLength", integer(11) },
  { "minLength", integer(12) },
  { "pattern", text(13) },
  { "required", texts(19) },
  { "enum", function(list)
    local out = {}
    for i, value in ipairs(list) do
      out[i] = field(20, any(value))
    end
    return table.concat(out)
  end },
  { "additionalProperties", function(value) return field(21, field(1, schema(value))) end },
  { "type", function(value) return field(22, field(1, value)) end },
  { "items", function(value) return field(23, field(1, schema(value))) end },
  { "properties", function(value) return field(25, named_all(1, value, schema)) end },
}

schema = function(object)
  return members(object, SCHEMA) .. extensions(31, object)
end

local BODY = {
  { "name", text(2) },
  { "in", text(3) },
  { "required", flag(4) },
  { "schema", function(value) return field(5, schema(value)) end },
}

local QUERY = {
  { "in", text(2) },
  { "description", text(3) },
  { "name", text(4) },
  { "type", text(6) },
  { "uniqueItems", flag(15) },
}

local PATH = {
  { "required", flag(1) },
  { "in", text(2) },
  { "description", text(3) },
  { "name", text(4) },
  { "type", text(5) },
  { "uniqueItems", flag(14) },
}

local function parameter(object)
  local place = object.map["in"]
  if place == "body" then
    return field(1, field(1, members(object, BODY)))
  elseif place == "query" then
    return field(1, field(2, field(3, members(object, QUERY))))
  end
  return field(1, field(2, field(4, members(object, PATH))))
end

local function parameters(number)
  return function(list)
    local out = {}
    for i, value in ipairs(list) do
      out[i] = field(number, parameter(value))
    end
    return table.concat(out)
  end
end

local RESPONSE = {
  { "description", text(1) },
  { "schema", function(value) return field(2, field(1, schema(value))) end },
}

local function response(object)
  return field(1, members(object, RESPONSE))
end

local OPERATION = {
  { "tags", texts(1) },
  { "operationId", text(5) },
  { "produces", texts(6) },
  { "consumes", texts(7) },
  { "parameters", parameters(8) },
  { "responses", function(value) return field(9, named_all(1, value, response)) end },
  { "schemes", texts(10) },
}

local function operation(number)
  return function(value)
    return field(number, members(value, OPERATION) .. extensions(13, value))
  end
end

local PATH_ITEM = {
  { "get", operation(2) },
  { "put", operation(3) },
  { "post", operation(4) },
  { "delete", operation(5) },
  { "patch", operation(8) },
  { "parameters", parameters(9) },
}

local function path_item(object)
  return members(object, PATH_ITEM)
end

local INFO = { { "title", text(1) }, { "version", text(2) } }

local DOCUMENT = {
  { "swagger", text(1) },
  { "info", function(value) return field(2, members(value, INFO)) end },
  { "paths", function(value) return field(8, named_all(2, value, path_item)) end },
  { "definitions", function(value) return field(9, named_all(1, value, schema)) end },
}

--- Bytes of the Document message of an OpenAPI 2 tree.
function M.document(tree)
  return members(tree, DOCUMENT)
end

return M
