-- SPDX-License-Identifier: Apache-2.0
--
-- Schemas of the model as OpenAPI: version 2 and 3 differ only in how a reference is written. A
-- dialect is {prefix, allof}; a collector remembers which named schemas were referred to.

local json = require("json")

local M = {}

M.V2 = { prefix = "#/definitions/", allof = false }
M.V3 = { prefix = "#/components/schemas/", allof = true }

--- A collector of named schemas: use(schema) notes one, the list grows while it is worked off.
function M.collector()
  local collector = { list = {}, seen = {} }
  function collector.use(schema)
    if not collector.seen[schema.name] then
      collector.seen[schema.name] = schema
      collector.list[#collector.list + 1] = schema
    end
  end
  return collector
end

local ZEROS = { string = "", integer = 0, boolean = false }
local SCALARS = {
  string = { "string" }, integer = { "integer" }, boolean = { "boolean" },
  time = { "string", "date-time" }, bytes = { "string", "byte" },
}

function M.reference(dialect, name)
  return json.object("$ref", dialect.prefix .. name)
end

local object_of

local function open_object()
  return json.object("type", "object", "x-kubernetes-preserve-unknown-fields", true)
end

-- A use of a struct, with what is said about the use itself.
local function struct_use(dialect, collector, schema, description, default)
  if not schema.component or not dialect.prefix then
    local object = schema.open and open_object() or object_of(dialect, collector, schema)
    if description then
      json.set(object, "description", description)
    end
    return object
  end
  collector.use(schema)
  local reference = M.reference(dialect, schema.name)
  if not description and not default then
    return reference
  end
  if dialect.allof then
    return json.object("allOf", { reference }, "default", default, "description", description)
  end
  json.set(reference, "default", default)
  json.set(reference, "description", description)
  return reference
end

local function element_of(dialect, collector, field)
  if field.object then
    local by_value = field.go and not field.pointers
    return struct_use(dialect, collector, field.object, nil, by_value and json.object() or nil)
  elseif field.string_lists then
    return json.object("type", "array", "items", json.object("type", "string"))
  end
  local scalar = SCALARS[field.element]
  return json.object("type", scalar[1], "format", scalar[2], "default",
    field.go and ZEROS[field.element] or nil)
end

local function add_list_marks(object, field)
  json.set(object, "x-kubernetes-list-type", field.list)
  json.set(object, "x-kubernetes-list-map-keys", field.keys)
  if field.merge then
    json.set(object, "x-kubernetes-patch-strategy", "merge")
    json.set(object, "x-kubernetes-patch-merge-key", field.keys and field.keys[1])
  end
  return object
end

local function cel_string(text)
  return "'" .. text:gsub("[\\']", "\\%0") .. "'"
end

-- A value list with its own message is a CEL rule; without, it is an enum.
local function value_rule(field)
  local tests = {}
  for i, value in ipairs(field.values) do
    tests[i] = "self == " .. cel_string(value)
  end
  return { json.object("message", field.values_message, "rule", table.concat(tests, " || ")) }
end

local function scalar_of(field)
  local scalar = SCALARS[field.type]
  local default = field.default
  if default == nil and field.go and field.required then
    default = ZEROS[field.type]
  end
  local object = json.object("description", field.description, "type", scalar[1], "format",
    field.format or scalar[2], "default", default, "minLength", field.min_length, "maxLength",
    field.max_length)
  if field.values and field.values_message then
    json.set(object, "x-kubernetes-validations", value_rule(field))
  else
    json.set(object, "enum", field.values)
  end
  return object
end

--- The schema of a field.
function M.field(dialect, collector, field)
  if SCALARS[field.type] then
    return scalar_of(field)
  elseif field.type == "list" then
    return add_list_marks(json.object("description", field.description, "type", "array", "items",
      element_of(dialect, collector, field)), field)
  elseif field.type == "map" then
    return json.object("description", field.description, "type", "object", "additionalProperties",
      element_of(dialect, collector, field))
  elseif field.object then
    local default = field.embedded and field.go and json.object() or nil
    return struct_use(dialect, collector, field.object, field.description, default)
  end
  return json.object("description", field.description, "type", field.open and "object" or nil,
    "x-kubernetes-preserve-unknown-fields", true)
end

object_of = function(dialect, collector, schema)
  local properties, required = json.object(), {}
  for _, field in ipairs(schema.fields) do
    json.set(properties, field.name, M.field(dialect, collector, field))
    if field.required then
      required[#required + 1] = field.name
    end
  end
  return json.object("description", schema.description, "type", "object", "properties",
    #properties.keys > 0 and properties or nil, "required", #required > 0 and required or nil,
    "x-kubernetes-map-type", schema.atomic and "atomic" or nil)
end

--- The definition of a named schema.
function M.definition(dialect, collector, schema)
  local object
  if schema.open then
    object = open_object()
    json.set(object, "description", schema.description)
  else
    object = object_of(dialect, collector, schema)
  end
  json.set(object, "x-kubernetes-validations", schema.validations)
  json.set(object, "x-kubernetes-group-version-kind", schema.gvks)
  return object
end

return M
