-- SPDX-License-Identifier: Apache-2.0
--
-- Schemas of the model as OpenAPI. A dialect says how: `prefix` of references (nil: every struct is
-- written out where it is used), `allof`: what is said about a reference stands beside it,
-- `defaults`: with default values, `crd`: the dialect for custom resources (`inline`), which refer
-- to their metadata only and sort what is required. A collector remembers which named schemas were
-- referred to.

local json = require("json")

local M = {}

local V2, V3 = "#/definitions/", "#/components/schemas/"

M.V2 = { prefix = V2, crd = { prefix = V2, inline = true } }
M.V3 = {
  prefix = V3, allof = true, defaults = true,
  crd = { prefix = V3, allof = true, defaults = true, inline = true },
}
M.INLINE = { defaults = true, inline = true }

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

local TIME = {
  name = "io.k8s.apimachinery.pkg.apis.meta.v1.Time", component = true, scalar = "time",
  description = "A moment as RFC 3339 writes it.",
}
local METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

local object_of

local function refers(dialect, schema)
  return dialect.prefix and schema.component
    and not (dialect.inline and schema.name ~= METADATA)
end

local function default_of(dialect, value)
  if dialect.defaults then
    return value
  end
end

local function open_object()
  return json.object("type", "object", "x-kubernetes-preserve-unknown-fields", true)
end

-- A use of a struct, with what is said about the use itself.
local function struct_use(dialect, collector, schema, description, default)
  if not refers(dialect, schema) then
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
    return struct_use(dialect, collector, field.object, nil,
      by_value and default_of(dialect, json.object()) or nil)
  elseif field.string_lists then
    return json.object("type", "array", "items", json.object("type", "string"))
  end
  local scalar = SCALARS[field.element]
  return json.object("type", scalar[1], "format", scalar[2], "default",
    field.go and default_of(dialect, ZEROS[field.element]) or nil)
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

local function scalar_of(dialect, collector, field)
  if field.type == "time" and refers(dialect, TIME) then
    return struct_use(dialect, collector, TIME, field.description)
  end
  local scalar = SCALARS[field.type]
  local default = field.default
  if default == nil and field.go and field.required then
    default = ZEROS[field.type]
  end
  local object = json.object("description", field.description, "type", scalar[1], "format",
    field.format or scalar[2], "default", default_of(dialect, default), "minLength",
    field.min_length, "maxLength", field.max_length, "pattern", field.pattern, "minimum",
    field.not_negative and 0 or nil)
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
    return scalar_of(dialect, collector, field)
  elseif field.type == "list" then
    return add_list_marks(json.object("description", field.description, "type", "array", "items",
      element_of(dialect, collector, field)), field)
  elseif field.type == "map" then
    return json.object("description", field.description, "type", "object", "additionalProperties",
      element_of(dialect, collector, field))
  elseif field.object then
    local by_value = field.embedded and field.go
    return struct_use(dialect, collector, field.object, field.description,
      by_value and default_of(dialect, json.object()) or nil)
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
  if dialect.inline then
    table.sort(required)
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
  elseif schema.scalar then
    local scalar = SCALARS[schema.scalar]
    object = json.object("description", schema.description, "type", scalar[1], "format", scalar[2])
  else
    object = object_of(schema.crd and dialect.crd or dialect, collector, schema)
  end
  json.set(object, "x-kubernetes-validations", schema.validations)
  json.set(object, "x-kubernetes-group-version-kind", schema.gvks)
  return object
end

return M
