-- SPDX-License-Identifier: Apache-2.0
--
-- Writes api_kinds.c: the tables of api/kinds.h from the model. The sort orders here are what
-- api/kinds.c searches by.

local crd = require("crd")
local ctext = require("ctext")

local M = {}

local literal, or_null, list = ctext.literal, ctext.literal_or_null, ctext.list

local VERBS = {
  get = "API_GET", list = "API_LIST_VERB", watch = "API_WATCH", create = "API_CREATE",
  update = "API_UPDATE", patch = "API_PATCH", delete = "API_DELETE",
  deletecollection = "API_DELETECOLLECTION",
}
local FLAGS = {
  namespaced = "API_NAMESPACED", status = "API_STATUS", generation = "API_GENERATION",
  sealed = "API_SEALED", workflows = "API_WORKFLOWS", virtual = "API_VIRTUAL",
  unconditional = "API_UNCONDITIONAL", events = "API_EVENTS",
}
local NAME_RULES = {
  subdomain = "API_NAME_SUBDOMAIN", label = "API_NAME_LABEL", path = "API_NAME_PATH",
  crd_label = "API_NAME_CRD_LABEL",
}
local LISTS = { atomic = "API_LIST_ATOMIC", set = "API_LIST_SET", map = "API_LIST_MAP" }

local function pick(map, key, where)
  return map[key] or error(where .. ": unknown name '" .. tostring(key) .. "'", 0)
end

local function bits(map, names, where)
  local out = {}
  for i, name in ipairs(names) do
    out[i] = pick(map, name, where)
  end
  return #out > 0 and table.concat(out, " | ") or "0"
end

-- Gives every schema that a kind reaches a number, in order of first use.
local function number_schemas(kinds)
  local ordered, numbers = {}, {}
  local function visit(schema)
    if numbers[schema] then
      return
    end
    ordered[#ordered + 1] = schema
    numbers[schema] = #ordered
    for _, field in ipairs(schema.fields) do
      if field.object then
        visit(field.object)
      end
    end
  end
  for _, kind in ipairs(kinds) do
    visit(kind.schema)
  end
  return ordered, numbers
end

-- Appends ", .name = text" for what differs from zero.
local function option(out, name, text, zero)
  if text ~= zero then
    out[#out + 1] = "." .. name .. " = " .. text
  end
end

local function field_text(field, numbers)
  local out = {
    ".name = " .. literal(field.name), ".description = " .. literal(field.description),
    ".type = API_" .. field.type:upper(),
  }
  option(out, "element", field.element and "API_" .. field.element:upper(), nil)
  option(out, "object", field.object and "&schema_" .. numbers[field.object], nil)
  option(out, "list", field.list and pick(LISTS, field.list, field.name), nil)
  option(out, "keys", list(field.keys), "NULL")
  option(out, "default_json", or_null(field.default_json), "NULL")
  option(out, "always_json", or_null(field.always_json), "NULL")
  option(out, "values", list(field.values), "NULL")
  option(out, "required", tostring(field.required or false), "false")
  option(out, "nullable", tostring(field.nullable or false), "false")
  option(out, "merge", tostring(field.merge or false), "false")
  option(out, "immutable", or_null(field.immutable), "NULL")
  option(out, "values_message", or_null(field.values_message), "NULL")
  option(out, "min_length", tostring(field.min_length or 0), "0")
  option(out, "max_length", tostring(field.max_length or 0), "0")
  option(out, "pattern", or_null(field.pattern), "NULL")
  option(out, "not_negative", tostring(field.not_negative or false), "false")
  option(out, "stored_as", or_null(field.stored_as), "NULL")
  return "    {" .. table.concat(out, ",\n     ") .. "},\n"
end

local function add_schema(out, schema, number, numbers)
  local fields = "NULL"
  if #schema.fields > 0 then
    fields = "fields_" .. number
    out[#out + 1] = "static const struct api_field " .. fields .. "[] = {\n"
    for _, field in ipairs(schema.fields) do
      out[#out + 1] = field_text(field, numbers)
    end
    out[#out + 1] = "};\n"
  end
  out[#out + 1] = ("static const struct api_schema schema_%d = {%s, %s, %s, %d, %s, %s};\n\n")
    :format(number, literal(schema.name), literal(schema.description or ""), fields, #schema.fields,
      schema.open or false, schema.atomic or false)
end

-- Tables say of a column of a CRD where its cells come from.
local function column_description(kind, column)
  if kind.crd and column.description == "" then
    return "Custom resource definition column (in JSONPath format): "
      .. crd.json_path(column.source)
  end
  return column.description
end

local function add_columns(out, kind, number)
  out[#out + 1] = "static const struct api_column columns_" .. number .. "[] = {\n"
  for _, column in ipairs(kind.columns) do
    out[#out + 1] = ("    {%s, %s, %s, %s, %d, %s, %s},\n"):format(literal(column.name),
      literal(column.type), literal(column.format), literal(column_description(kind, column)),
      column.priority, literal(column.source), or_null(column.missing))
  end
  out[#out + 1] = "};\n"
end

local function add_subresources(out, kind, number)
  if #kind.subresources == 0 then
    return "NULL"
  end
  out[#out + 1] = "static const struct api_subresource subresources_" .. number .. "[] = {\n"
  for _, sub in ipairs(kind.subresources) do
    out[#out + 1] = "    {" .. literal(sub.name) .. ", " .. list(sub.verbs) .. "},\n"
  end
  out[#out + 1] = "};\n"
  return "subresources_" .. number
end

local function kind_text(kind, number, schema_number, subresources)
  local members = {
    group = literal(kind.group), version = literal(kind.version),
    group_version = literal(kind.group_version), kind = literal(kind.kind),
    list_kind = literal(kind.kind .. "List"), resource = literal(kind.resource),
    singular = literal(kind.singular), short_names = list(kind.short_names),
    categories = list(kind.categories), store_kind = literal(kind.store_kind),
    verbs = bits(VERBS, kind.verbs, kind.file), flags = bits(FLAGS, kind.flags, kind.file),
    schema = "&schema_" .. schema_number, columns = "columns_" .. number,
    n_columns = tostring(#kind.columns), subresources = subresources,
    n_subresources = tostring(#kind.subresources), selectable = list(kind.selectable),
    indexed = list(kind.indexed), references = list(kind.references),
    name_rule = pick(NAME_RULES, kind.name_rule, kind.file),
    refuse_create = or_null(kind.refuse.create), refuse_update = or_null(kind.refuse.update),
    refuse_delete = or_null(kind.refuse.delete),
  }
  local names = {}
  for name in pairs(members) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = "." .. name .. " = " .. members[name]
  end
  return "    {" .. table.concat(names, ",\n     ") .. "},\n"
end

local function by_object(kinds)
  local order = {}
  for i, kind in ipairs(kinds) do
    order[i] = { kind = kind, index = i - 1 }
  end
  table.sort(order, function(a, b)
    if a.kind.group_version ~= b.kind.group_version then
      return a.kind.group_version < b.kind.group_version
    end
    return a.kind.kind < b.kind.kind
  end)
  for i, entry in ipairs(order) do
    order[i] = tostring(entry.index)
  end
  return table.concat(order, ", ")
end

--- Text of api_kinds.c.
function M.text(model)
  local schemas, numbers = number_schemas(model.kinds)
  local out = { ctext.HEAD, '#include "api/tables.h"\n\n' }
  for number in ipairs(schemas) do
    out[#out + 1] = "static const struct api_schema schema_" .. number .. ";\n"
  end
  out[#out + 1] = "\n"
  for number, schema in ipairs(schemas) do
    add_schema(out, schema, number, numbers)
  end
  local rows = {}
  for number, kind in ipairs(model.kinds) do
    add_columns(out, kind, number)
    rows[number] = kind_text(kind, number, numbers[kind.schema],
      add_subresources(out, kind, number))
  end
  out[#out + 1] = "\nconst struct api_kind api_kinds[] = {\n" .. table.concat(rows) .. "};\n"
  out[#out + 1] = "const size_t api_n_kinds = " .. #model.kinds .. ";\n"
  out[#out + 1] = "const unsigned char api_kinds_by_object[] = {" .. by_object(model.kinds)
    .. "};\n"
  return table.concat(out)
end

return M
