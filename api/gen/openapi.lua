-- SPDX-License-Identifier: Apache-2.0
--
-- OpenAPI documents: version 2 as JSON and protobuf for everything, version 3 one for each group
-- and version with an index. All are made from the same operations and schemas.

local json = require("json")
local operations = require("operations")
local protobuf = require("protobuf")
local rules = require("rules")
local schemas = require("schemas")
local sha512 = require("sha512")

local M = {}

local PRODUCES = { "application/json", "application/yaml" }
local TITLE, VERSION = "Porch", "0.1"

local function gvk_of(kind, suffix)
  return json.object("group", kind.group, "kind", kind.kind .. (suffix or ""), "version",
    kind.version)
end

-- The list type of a kind as a schema of its own.
local function list_schema(model, kind)
  return {
    name = kind.schema.name .. "List", component = true, description = "A list of "
      .. kind.resource .. ".",
    fields = {
      { name = "apiVersion", type = "string", description = "Group and version of the list." },
      { name = "items", type = "list", element = "object", object = kind.schema, go = kind.go,
        description = "The items.", required = true },
      { name = "kind", type = "string", description = "Kind of the list." },
      { name = "metadata", type = "object", object = model.type("meta.ListMeta"), go = kind.go,
        embedded = kind.go, description = "Metadata of the list." },
    },
    gvks = { gvk_of(kind, "List") },
  }
end

-- A copy of the schema of a kind that carries what only documents show; aliases add their kind.
local function root_schema(model, kind)
  local root = {}
  for key, value in pairs(kind.schema) do
    root[key] = value
  end
  root.gvks = { gvk_of(kind) }
  root.validations = kind.crd and rules.of(kind, model.messages) or nil
  return root
end

-- Notes the schemas of kinds (objects and lists) and of the options that operations use.
local function roots(model, kinds)
  local collector = schemas.collector()
  for _, kind in ipairs(kinds) do
    local known = collector.seen[kind.schema.name]
    if known then
      known.gvks[#known.gvks + 1] = gvk_of(kind)
    else
      collector.use(root_schema(model, kind))
    end
    if kind.verb.list then
      collector.use(list_schema(model, kind))
    end
  end
  for _, name in ipairs({ "meta.DeleteOptions", "meta.Patch", "meta.Status" }) do
    collector.use(model.type(name))
  end
  return collector
end

local function definitions(dialect, collector)
  local map, i = {}, 1
  while collector.list[i] do
    local schema = collector.list[i]
    map[schema.name] = schemas.definition(dialect, collector, schema)
    i = i + 1
  end
  table.sort(collector.list, function(a, b)
    return a.name < b.name
  end)
  local object = json.object()
  for _, schema in ipairs(collector.list) do
    json.set(object, schema.name, map[schema.name])
  end
  return object
end

local function path_parameters(path)
  local names = {}
  for name in path:gmatch("{(%w+)}") do
    names[#names + 1] = name
  end
  return names
end

local function path_description(name)
  return name == "name" and "Name of the object." or "Namespace of the object."
end

local function parameters_v3(operation)
  local list = {}
  for _, name in ipairs(path_parameters(operation.path)) do
    list[#list + 1] = json.object("name", name, "in", "path", "description",
      path_description(name), "required", true, "schema",
      json.object("type", "string", "uniqueItems", true))
  end
  for _, name in ipairs(operation.query) do
    local parameter = operations.PARAMETERS[name]
    list[#list + 1] = json.object("name", name, "in", "query", "description", parameter[2],
      "schema", json.object("type", parameter[1], "uniqueItems", true))
  end
  return list
end

local function content_v3(types, name)
  local content = json.object()
  for _, media in ipairs(types) do
    json.set(content, media, json.object("schema", schemas.reference(schemas.V3, name)))
  end
  return content
end

local function operation_v3(operation)
  local answers = json.object()
  for _, answer in ipairs(operation.answers) do
    json.set(answers, tostring(answer[1]), json.object("description", "OK", "content",
      content_v3(PRODUCES, answer[2])))
  end
  local body = operation.body
  return json.object("tags", { operation.tag }, "operationId", operation.id, "parameters",
    parameters_v3(operation), "requestBody", body and json.object("content",
      content_v3(body[2], body[1]), "required", not body.optional or nil) or nil, "responses",
    answers, "x-kubernetes-action", operation.action, "x-kubernetes-group-version-kind",
    gvk_of(operation.kind))
end

local function parameters_v2(operation)
  local list, body = {}, operation.body
  for _, name in ipairs(path_parameters(operation.path)) do
    list[#list + 1] = json.object("uniqueItems", true, "type", "string", "description",
      path_description(name), "name", name, "in", "path", "required", true)
  end
  if body then
    list[#list + 1] = json.object("name", "body", "in", "body", "required",
      not body.optional or nil, "schema", schemas.reference(schemas.V2, body[1]))
  end
  for _, name in ipairs(operation.query) do
    local parameter = operations.PARAMETERS[name]
    list[#list + 1] = json.object("uniqueItems", true, "type", parameter[1], "description",
      parameter[2], "name", name, "in", "query")
  end
  return list
end

local function operation_v2(operation)
  local answers = json.object()
  for _, answer in ipairs(operation.answers) do
    json.set(answers, tostring(answer[1]), json.object("description", "OK", "schema",
      schemas.reference(schemas.V2, answer[2])))
  end
  return json.object("consumes", operation.body and operation.body[2] or { "*/*" }, "produces",
    PRODUCES, "schemes", { "https" }, "tags", { operation.tag }, "operationId", operation.id,
    "parameters", parameters_v2(operation), "responses", answers, "x-kubernetes-action",
    operation.action, "x-kubernetes-group-version-kind", gvk_of(operation.kind))
end

local function paths(kinds, emit)
  local object = json.object()
  for _, kind in ipairs(kinds) do
    for _, operation in ipairs(operations.of(kind)) do
      local path = object.map[operation.path]
      if not path then
        path = json.object()
        json.set(object, operation.path, path)
      end
      json.set(path, operation.method, emit(operation))
    end
  end
  return object
end

local function info()
  return json.object("title", TITLE, "version", VERSION)
end

local function add_v3(documents, model)
  local index = json.object()
  for _, group in ipairs(model.groups) do
    for _, version in ipairs(group.versions) do
      local key = (group.name == "" and "api/" or "apis/") .. version.group_version
      local collector = roots(model, version.kinds)
      local body = json.text(json.object("openapi", "3.0.0", "info", info(), "paths",
        paths(version.kinds, operation_v3), "components",
        json.object("schemas", definitions(schemas.V3, collector))))
      local path = "/openapi/v3/" .. key
      local etag = sha512.hex(body)
      documents[#documents + 1] = {
        path = path, variant = "", content_type = "application/json", body = body, etag = etag,
      }
      json.set(index, key, json.object("serverRelativeURL", path .. "?hash=" .. etag))
    end
  end
  documents[#documents + 1] = {
    path = "/openapi/v3", variant = "", content_type = "application/json",
    body = json.text(json.object("paths", index)),
  }
end

local function add_v2(documents, model)
  local collector = roots(model, model.kinds)
  local tree = json.object("swagger", "2.0", "info", info(), "paths",
    paths(model.kinds, operation_v2), "definitions", definitions(schemas.V2, collector))
  documents[#documents + 1] = {
    path = "/openapi/v2", variant = "", content_type = "application/json", body = json.text(tree),
  }
  documents[#documents + 1] = {
    path = "/openapi/v2", variant = "pb", body = protobuf.document(tree),
    content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  }
end

--- Appends the OpenAPI documents of a model to a list of documents.
function M.add(documents, model)
  add_v2(documents, model)
  add_v3(documents, model)
end

return M
