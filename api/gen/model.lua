-- SPDX-License-Identifier: Apache-2.0
--
-- Reads api/kinds/ into one model that all outputs are made from. A schema is {name, description,
-- fields}; a field has its type taken apart (type, element, object) and its defaults as JSON text.
-- Every mistake in a kind file stops the generator with the place of the mistake.

local files = require("files")
local groups = require("groups")
local json = require("json")

local M = {}

local SCALARS = { string = true, integer = true, boolean = true, time = true, bytes = true }
local ZEROS = { string = '""', integer = "0", boolean = "false" }

local FIELD_OPTIONS = {
  fields = "table", name = "string", format = "string", list = "string", keys = "table",
  default = "any", always = "string", values = "table", values_message = "string",
  required = "boolean", nullable = "boolean", merge = "boolean", immutable = "string",
  min_length = "number", max_length = "number", embedded = "boolean", stored_as = "string",
  pointers = "boolean", pattern = "string", not_negative = "boolean",
}

local COPIED_OPTIONS = {
  "format", "list", "keys", "values", "values_message", "required", "nullable", "merge",
  "immutable", "min_length", "max_length", "embedded", "stored_as", "pointers",
  "pattern", "not_negative",
}

local KIND_MEMBERS = {
  group = "string", version = "string", kind = "string", resource = "string", singular = "string",
  description = "string", component = "string", go = "boolean", crd = "boolean",
  short_names = "table", categories = "table", verbs = "table", flags = "table",
  name_rule = "string", refuse = "table", subresources = "table", selectable = "table",
  indexed = "table", references = "table", columns = "table", fields = "table",
  store_kind = "string",
  aliases = "table",
}

local function fail(where, text)
  error(where .. ": " .. text, 0)
end

local function check_members(where, value, allowed)
  for key, member in pairs(value) do
    if type(key) == "string" then
      local want = allowed[key]
      if not want then
        fail(where, "unknown member '" .. key .. "'")
      elseif want ~= "any" and type(member) ~= want then
        fail(where, "member '" .. key .. "' must be a " .. want)
      end
    end
  end
end

local resolve_fields

-- A named struct of api/kinds/types/, resolved once; the entry exists before its fields do, so
-- structs may refer to each other.
local function named_type(world, where, name)
  local known = world.schemas[name]
  if known then
    return known
  end
  local file, struct = name:match("^(%l[%w_]*)%.(%u%w*)$")
  local types = file and world.types[file]
  local source = types and types[struct]
  if not source then
    fail(where, "no type '" .. name .. "' in types/")
  end
  local schema = {
    name = types.component .. "." .. struct,
    component = true,
    description = source[1],
    open = source.open or false,
    atomic = source.atomic or false,
  }
  world.schemas[name] = schema
  schema.fields = resolve_fields(world, "types/" .. file .. ".lua: " .. struct,
    table.move(source, 2, #source, 1, {}), { go = types.go, path = schema.name })
  return schema
end

local function set_element(world, field, where, text)
  if text == "string lists" then
    field.element, field.string_lists = "any", true
  elseif SCALARS[text] then
    field.element = text
  else
    field.element, field.object = "object", named_type(world, where, text)
  end
end

local function set_type(world, field, where, text)
  local container, element = text:match("^(%l+) of (.+)$")
  if container == "list" or container == "map" then
    field.type = container
    set_element(world, field, where, element)
  elseif SCALARS[text] or text == "any" then
    field.type = text
  elseif text == "raw" then
    field.type, field.open = "any", true
  elseif text ~= "object" then
    local schema = named_type(world, where, text)
    field.type = schema.open and "any" or "object"
    field.object = schema
  else
    field.type = "object"
  end
end

local function set_default(field, where, value)
  if value == nil then
    return
  end
  local lua_type = ({ integer = "number" })[field.type] or field.type
  if field.type == "time" or field.type == "bytes" then
    lua_type = "string"
  end
  if type(value) ~= lua_type then
    fail(where, "default must be a " .. field.type)
  end
  field.default = value
  field.default_json = json.text(value)
end

local function resolve_field(world, where, source, context)
  local name, type_text, description = source[1], source[2], source[3]
  where = where .. "." .. tostring(name)
  if type(name) ~= "string" or type(type_text) ~= "string" or type(description) ~= "string" then
    fail(where, "a field is { name, type, description, options }")
  end
  check_members(where, source, FIELD_OPTIONS)
  local field = { name = name, description = description, go = context.go or false }
  for _, option in ipairs(COPIED_OPTIONS) do
    field[option] = source[option]
  end
  set_type(world, field, where, type_text)
  if source.fields then
    local path = context.path .. "." .. name
    local own = source.name and context.component .. "." .. source.name
    field.object = { -- clients show the description of a component behind that of its use
      name = own or path, component = own ~= nil, description = not own and description or nil,
    }
    field.object.fields = resolve_fields(world, where, source.fields,
      { go = context.go, path = path, component = context.component })
  elseif field.type == "object" and not field.object then
    fail(where, "an object needs fields")
  end
  if (field.list == "map") ~= (field.keys ~= nil) then
    fail(where, "list = \"map\" and keys belong together")
  end
  if field.pattern and not field.max_length then
    fail(where, "a pattern needs a max_length, which bounds its cost")
  end
  set_default(field, where, source.default)
  field.always_json = source.always
  if not source.always and context.go and field.required then
    field.always_json = ZEROS[field.type]
  end
  return field
end

resolve_fields = function(world, where, sources, context)
  local fields, seen = {}, {}
  for i, source in ipairs(sources) do
    fields[i] = resolve_field(world, where, source, context)
    if seen[fields[i].name] then
      fail(where, "two fields named " .. fields[i].name)
    end
    seen[fields[i].name] = true
  end
  return fields
end

-- What Go writes for the zero value of a struct: its always-present members.
local function zero_json(schema)
  local parts = {}
  for _, field in ipairs(schema.fields) do
    local text = field.embedded and zero_json(field.object) or field.always_json
    if text then
      parts[#parts + 1] = json.string(field.name) .. ":" .. text
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function settle_embedded(schema, done)
  if done[schema] then
    return
  end
  done[schema] = true
  for _, field in ipairs(schema.fields) do
    if field.embedded then
      field.always_json = zero_json(field.object)
    end
    if field.object then
      settle_embedded(field.object, done)
    end
  end
end

local COMMON = {
  { "apiVersion", "string", "Group and version of the object." },
  { "kind", "string", "Kind of the object." },
  { "metadata", "meta.ObjectMeta", "Metadata of the object." },
}

local function kind_schema(world, where, source)
  local context = {
    go = source.go, component = source.component, path = source.component .. "." .. source.kind,
  }
  local sources = table.move(COMMON, 1, #COMMON, 1, {})
  table.move(source.fields, 1, #source.fields, #sources + 1, sources)
  local schema = {
    name = context.path, component = true, description = source.description,
    fields = resolve_fields(world, where, sources, context),
  }
  schema.fields[3].embedded = source.go
  return schema
end

local function resolve_columns(where, sources)
  local columns = {}
  for i, source in ipairs(sources) do
    local name, type_text, from = source[1], source[2], source[3]
    if not (name and type_text and from) then
      fail(where, "a column is { name, type, source, description }")
    end
    check_members(where, source, { format = "string", priority = "number", missing = "string" })
    if from == "age" and i < #sources then
      fail(where, "the column with source age must be the last one")
    end
    columns[i] = {
      name = name, type = type_text, source = from, description = source[4] or "",
      format = source.format or "", priority = source.priority or 0, missing = source.missing,
    }
  end
  return columns
end

local DEFAULT_COLUMNS = {
  { "Name", "string", ".metadata.name", format = "name" },
  { "Age", "string", "age" },
}

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

local function resolve_subresources(sources)
  local list = {}
  for i, source in ipairs(sources or {}) do
    list[i] = { name = source[1], verbs = table.move(source, 2, #source, 1, {}) }
  end
  return list
end

local function resolve_kind(world, file, source)
  local where = "kinds/" .. file
  check_members(where, source, KIND_MEMBERS)
  for _, member in ipairs({ "group", "version", "kind", "resource", "singular", "description",
    "component", "verbs", "flags", "fields" }) do
    if source[member] == nil then
      fail(where, "member '" .. member .. "' is missing")
    end
  end
  local kind = {
    file = file, group = source.group, version = source.version, kind = source.kind,
    resource = source.resource, singular = source.singular, description = source.description,
    component = source.component, go = source.go or false, crd = source.crd or false,
    short_names = source.short_names or {}, categories = source.categories or {},
    store_kind = source.store_kind or source.resource, verbs = source.verbs,
    verb = set_of(source.verbs), flags = source.flags, flag = set_of(source.flags),
    name_rule = source.name_rule or "subdomain", refuse = source.refuse or {},
    subresources = resolve_subresources(source.subresources),
    selectable = source.selectable or {}, indexed = source.indexed or {},
    references = source.references or {},
    columns = resolve_columns(where, source.columns or DEFAULT_COLUMNS),
    schema = kind_schema(world, where, source),
  }
  if #kind.indexed > 2 then
    fail(where, "at most two indexed paths")
  end
  local selectable = set_of(kind.selectable)
  for _, path in ipairs(kind.indexed) do
    if not selectable[path] then
      fail(where, "indexed path " .. path .. " is not selectable")
    end
  end
  return kind
end

-- The same kind under another version; schema and stored rows are shared.
local function alias_kind(kind, version)
  local alias = {}
  for key, value in pairs(kind) do
    alias[key] = value
  end
  alias.version = version
  return alias
end

local function rank(list, item)
  for i, candidate in ipairs(list or {}) do
    if candidate == item then
      return i
    end
  end
  return math.maxinteger
end

-- Preferred first, then by name.
local function sort_by_rank(items, key, order)
  table.sort(items, function(a, b)
    local ra, rb = rank(order, a[key]), rank(order, b[key])
    if ra ~= rb then
      return ra < rb
    end
    return a[key] < b[key]
  end)
end

local function by_group(kinds)
  local list, index = {}, {}
  for _, kind in ipairs(kinds) do
    local group = index[kind.group]
    if not group then
      group = { name = kind.group, versions = {}, index = {} }
      index[kind.group], list[#list + 1] = group, group
    end
    local version = group.index[kind.version]
    if not version then
      version = { name = kind.version, kinds = {}, group_version = kind.group_version }
      group.index[kind.version] = version
      group.versions[#group.versions + 1] = version
    end
    version.kinds[#version.kinds + 1] = kind
  end
  sort_by_rank(list, "name", groups.order)
  for _, group in ipairs(list) do
    sort_by_rank(group.versions, "name", groups.versions[group.name])
  end
  return list
end

local function by_url(a, b)
  if a.group ~= b.group then
    return a.group < b.group
  elseif a.version ~= b.version then
    return a.version < b.version
  end
  return a.resource < b.resource
end

--- Reads the directory api/ and returns {kinds, groups, types}: kinds sorted by group, version and
--- resource; groups in order of preference; type(name) gives a named struct.
---@param api string
function M.load(api)
  local world = { types = {}, schemas = {} }
  for _, name in ipairs(files.list(api .. "/kinds/types")) do
    world.types[name:sub(1, -5)] = files.data(api .. "/kinds/types/" .. name)
  end
  local kinds = {}
  for _, name in ipairs(files.list(api .. "/kinds")) do
    local source = files.data(api .. "/kinds/" .. name)
    local kind = resolve_kind(world, name, source)
    kinds[#kinds + 1] = kind
    for _, version in ipairs(source.aliases or {}) do
      kinds[#kinds + 1] = alias_kind(kind, version)
    end
  end
  local done = {}
  for i, kind in ipairs(kinds) do
    kind.group_version = (kind.group == "" and "" or kind.group .. "/") .. kind.version
    settle_embedded(kind.schema, done)
    for j = 1, i - 1 do
      local other = kinds[j]
      if not by_url(kind, other) and not by_url(other, kind) then
        fail("kinds/" .. kind.file, "same group, version and resource as " .. other.file)
      end
    end
  end
  table.sort(kinds, by_url)
  return {
    kinds = kinds,
    groups = by_group(kinds),
    type = function(name)
      return named_type(world, "generator", name)
    end,
  }
end

return M
