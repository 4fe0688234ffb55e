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
  root.crd = kind.crd
  root.validations = kind.crd and rules.of(kind, model.messages) or nil
  return root
end

-- Notes the schemas of kinds (objects and lists) and of what operations use besides.
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
  for _, name in ipairs({ "DeleteOptions", "Patch", "Status", "WatchEvent", "APIResourceList" }) do
    collector.use(model.type("meta." .. name))
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

local function path_parameter_v3(name)
  return json.object("name", name, "in", "path", "description", path_description(name),
    "required", true, "schema", json.object("type", "string", "uniqueItems", true))
end

local function query_parameter_v3(name)
  local parameter = operations.PARAMETERS[name]
  return json.object("name", name, "in", "query", "description", parameter[2], "schema",
    json.object("type", parameter[1], "uniqueItems", true))
end

local function content_v3(types, name)
  local content = json.object()
  for _, media in ipairs(types) do
    json.set(content, media, json.object("schema", schemas.reference(schemas.V3, name)))
  end
  return content
end

local function description_of(answer)
  return answer[1] == 401 and "Unauthorized" or "OK"
end

local function operation_v3(operation, parameters)
  local answers = json.object()
  for _, answer in ipairs(operation.answers) do
    json.set(answers, tostring(answer[1]), json.object("description", description_of(answer),
      "content", answer[2] and content_v3(operation.types, answer[2]) or nil))
  end
  local body = operation.body
  return json.object("tags", { operation.tag }, "operationId", operation.id, "parameters",
    #parameters > 0 and parameters or nil, "requestBody", body and json.object("content",
      content_v3(body[2], body[1]), "required", not body.optional or nil) or nil, "responses",
    answers, "x-kubernetes-action", operation.action, "x-kubernetes-group-version-kind",
    operation.kind and gvk_of(operation.kind))
end

local function path_parameter_v2(name)
  return json.object("uniqueItems", true, "type", "string", "description",
    path_description(name), "name", name, "in", "path", "required", true)
end

local function query_parameter_v2(name)
  local parameter = operations.PARAMETERS[name]
  return json.object("uniqueItems", true, "type", parameter[1], "description", parameter[2],
    "name", name, "in", "query")
end

local function operation_v2(operation, parameters)
  local answers, body = json.object(), operation.body
  for _, answer in ipairs(operation.answers) do
    json.set(answers, tostring(answer[1]), json.object("description", description_of(answer),
      "schema", answer[2] and schemas.reference(schemas.V2, answer[2]) or nil))
  end
  if body then
    table.insert(parameters, 1, json.object("name", "body", "in", "body", "required",
      not body.optional or nil, "schema", schemas.reference(schemas.V2, body[1])))
  end
  return json.object("consumes", body and body[2] or { "*/*" }, "produces", operation.types,
    "schemes", { "https" }, "tags", { operation.tag }, "operationId", operation.id, "parameters",
    #parameters > 0 and parameters or nil, "responses", answers, "x-kubernetes-action",
    operation.action, "x-kubernetes-group-version-kind",
    operation.kind and gvk_of(operation.kind))
end

-- How paths are written: operation, parameter of a path, parameter of a query.
local PATHS_V2 = { operation_v2, path_parameter_v2, query_parameter_v2 }
local PATHS_V3 = { operation_v3, path_parameter_v3, query_parameter_v3 }

-- The operations of one path; the parameters that all of them have belong to the path.
local function path_item(list, form)
  local emit, path_parameter, query_parameter = table.unpack(form)
  local object, common, shared = json.object(), {}, {}
  for _, name in ipairs(path_parameters(list[1].path)) do
    common[#common + 1] = path_parameter(name)
  end
  for _, name in ipairs(operations.shared_query(list)) do
    common[#common + 1], shared[name] = query_parameter(name), true
  end
  for _, operation in ipairs(list) do
    local own = {}
    for _, name in ipairs(operation.query) do
      own[#own + 1] = not shared[name] and query_parameter(name) or nil
    end
    json.set(object, operation.method, emit(operation, own))
  end
  json.set(object, "parameters", common)
  return object
end

-- The paths of operations, in their order.
local function paths(list, form)
  local by_path, order, object = {}, {}, json.object()
  for _, operation in ipairs(list) do
    local path = operation.path
    if not by_path[path] then
      by_path[path], order[#order + 1] = {}, path
    end
    table.insert(by_path[path], operation)
  end
  for _, path in ipairs(order) do
    json.set(object, path, path_item(by_path[path], form))
  end
  return object
end

-- Nothing describes the discovery documents of custom resources.
local function is_builtin(version)
  return not version.kinds[1].crd
end

local function operations_of(group, version)
  local list = {}
  if is_builtin(version) then
    list[1] = operations.of_discovery(group, version)
  end
  for _, kind in ipairs(version.kinds) do
    for _, operation in ipairs(operations.of(kind)) do
      list[#list + 1] = operation
    end
  end
  return list
end

local function info()
  return json.object("title", TITLE, "version", VERSION)
end

local function document_v3(list, collector)
  return json.text(json.object("openapi", "3.0.0", "info", info(), "paths",
    paths(list, PATHS_V3), "components",
    json.object("schemas", definitions(schemas.V3, collector))))
end

local function add_v3(documents, model)
  local index = json.object()
  local function add(key, body)
    local path, etag = "/openapi/v3/" .. key, sha512.hex(body)
    documents[#documents + 1] = {
      path = path, variant = "", content_type = "application/json", body = body, etag = etag,
    }
    json.set(index, key, json.object("serverRelativeURL", path .. "?hash=" .. etag))
  end
  for _, group in ipairs(model.groups) do
    local root = group.name == "" and "api/" or "apis/"
    if group.name ~= "" and is_builtin(group.versions[1]) then
      local collector = schemas.collector()
      collector.use(model.type("meta.APIGroup"))
      add(root .. group.name, document_v3({ operations.of_discovery(group) }, collector))
    end
    for _, version in ipairs(group.versions) do
      add(root .. version.group_version,
        document_v3(operations_of(group, version), roots(model, version.kinds)))
    end
  end
  documents[#documents + 1] = { -- clients do not mind the type, which is the peer's
    path = "/openapi/v3", variant = "", content_type = "text/plain; charset=utf-8",
    body = json.text(json.object("paths", index)),
  }
end

local function add_v2(documents, model)
  local list = {}
  for _, group in ipairs(model.groups) do
    for _, version in ipairs(group.versions) do
      for _, operation in ipairs(operations_of(group, version)) do
        list[#list + 1] = operation
      end
    end
  end
  local tree = json.object("swagger", "2.0", "info", info(), "paths", paths(list, PATHS_V2),
    "definitions", definitions(schemas.V2, roots(model, model.kinds)))
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
