-- SPDX-License-Identifier: Apache-2.0
--
-- Compares the documents with what a real server answered. The recordings are not part of the
-- tree: LANAI_CONFORMANCE names the directory that holds porch-wire/.

local dkjson = require("dkjson")
local support = require("spec.api.support")

local ROOT = os.getenv("LANAI_CONFORMANCE")
local GV = "porch.kpt.dev/v1alpha1"
local OURS = "com.github.nephio-project.porch."

local function steps(name)
  local list = {}
  for line in io.lines(ROOT .. "/porch-wire/" .. name .. ".jsonl") do
    list[#list + 1] = dkjson.decode(line, 1, dkjson.null)
  end
  return list
end

-- The body of the first answer to GET path with this Accept header.
local function recorded(name, path, accept)
  for _, step in ipairs(steps(name)) do
    local request = step.request
    if request and request.path == path and request.accept == accept then
      return step.response.body
    end
  end
  error("no recording of " .. path)
end

-- What a use of a schema says, without texts and without the two spellings of a reference.
local function shape(schema)
  local out = {}
  for _, key in ipairs({ "type", "format", "default", "required", "enum", "minLength",
    "maxLength", "pattern", "minimum" }) do
    out[key] = schema[key]
  end
  local reference = schema.allOf and schema.allOf[1]["$ref"] or schema["$ref"]
  if reference and reference:match("meta%.v1%.Time$") then
    out.type, out.format = "string", "date-time"
  else
    out.reference = reference
  end
  if schema.properties then
    out.properties = {}
    for name, property in pairs(schema.properties) do
      out.properties[name] = shape(property)
    end
  end
  out.items = schema.items and shape(schema.items)
  local values = schema.additionalProperties
  out.values = type(values) == "table" and shape(values) or nil
  if out.required then
    out.required = table.move(out.required, 1, #out.required, 1, {})
    table.sort(out.required)
  end
  return out
end

describe("recordings of a real server", function()
  local documents

  local function compare(text, f)
    it(text, function()
      if not ROOT then
        pending("LANAI_CONFORMANCE is not set")
        return
      end
      documents = documents or support.documents("api")
      f()
    end)
  end

  local function ours(key)
    return dkjson.decode(documents[key].body, 1, dkjson.null)
  end

  compare("have the same discovery documents of porch.kpt.dev", function()
    for _, path in ipairs({ "/apis/porch.kpt.dev", "/apis/" .. GV }) do
      assert.same(recorded("discovery", path), ours(path))
    end
  end)

  compare("have the same repository in the resource list", function()
    local path = "/apis/config.porch.kpt.dev/v1alpha1"
    local mine, theirs = {}, {}
    for _, resource in ipairs(ours(path).resources) do
      mine[resource.name] = resource
    end
    for _, resource in ipairs(recorded("discovery", path).resources) do
      theirs[resource.name] = resource
    end
    assert.same(theirs.repositories, mine.repositories)
    assert.same(theirs["repositories/status"], mine["repositories/status"])
  end)

  compare("have the same aggregated entries but for response kinds left empty", function()
    local accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    local function resources(tree)
      for _, group in ipairs(tree.items) do
        if group.metadata.name == "porch.kpt.dev" then
          for _, resource in ipairs(group.versions[1].resources) do
            resource.responseKind = resource.responseKind.kind
            for _, sub in ipairs(resource.subresources or {}) do
              sub.responseKind = sub.responseKind.kind
            end
          end
          return group
        end
      end
      error("no group")
    end
    assert.same(resources(recorded("discovery", "/apis", accept)), resources(ours("/apis v2")))
  end)

  compare("have the same schemas of porch.kpt.dev", function()
    local theirs = recorded("openapi", "/openapi/v3/apis/" .. GV).schemas
    local mine = ours("/openapi/v3/apis/" .. GV).components.schemas
    local count = 0
    for name, schema in pairs(theirs) do
      if name:sub(1, #OURS) == OURS then
        assert(mine[name], name)
        local properties = mine[name].properties or {}
        properties.subpackageDir = nil -- of the peer's main line
        assert.same(shape(schema), shape(mine[name]), name)
        assert.same(schema["x-kubernetes-group-version-kind"],
          mine[name]["x-kubernetes-group-version-kind"])
        count = count + 1
      end
    end
    assert(count > 30)
    for name in pairs(mine) do
      assert(theirs[name] or name:sub(1, #OURS) ~= OURS, "not served by the peer: " .. name)
    end
  end)

  compare("have the same schema and rules of Repository", function()
    local name = "dev.kpt.porch.config.v1alpha1.Repository"
    local path = "/openapi/v3/apis/config.porch.kpt.dev/v1alpha1"
    local theirs = recorded("openapi", path).schemas[name]
    local mine = ours(path).components.schemas[name]
    assert.same(theirs["x-kubernetes-validations"], mine["x-kubernetes-validations"])
    assert.same(shape(theirs).properties.spec, shape(mine).properties.spec)
    assert.same(shape(theirs).properties.status, shape(mine).properties.status)
    assert.same(theirs.properties.spec.properties.content["x-kubernetes-validations"],
      mine.properties.spec.properties.content["x-kubernetes-validations"])
  end)

  local function operations(path, ignored)
    local theirs = recorded("openapi", "/openapi/v3" .. path).paths
    local mine = ours("/openapi/v3" .. path).paths
    local count = 0
    for key, operation in pairs(theirs) do
      local method, url = key:match("^(%l+) (.+)$")
      if not ignored(url) then
        local own = assert(mine[url] and mine[url][method], key)
        assert.equal(operation.action, own["x-kubernetes-action"] or dkjson.null, key)
        assert.same(operation.kind, own["x-kubernetes-group-version-kind"] or dkjson.null, key)
        local names = {}
        for i, parameter in ipairs(own.parameters or {}) do
          names[i] = parameter.name
        end
        table.sort(names)
        assert.same(operation.parameters, names, key)
        count = count + 1
      end
    end
    return count
  end

  compare("have no operation that is missing here", function()
    assert.equal(26, operations("/apis/" .. GV, function()
      return false
    end))
    assert.equal(11, operations("/apis/config.porch.kpt.dev/v1alpha1", function(url)
      return not url:match("/repositories")
    end))
  end)

  compare("have the same table columns", function()
    local count = 0
    local by_path = {
      packagerevisions = { "porch.kpt.dev", "v1alpha1" },
      packagerevisionresources = { "porch.kpt.dev", "v1alpha1" },
      packages = { "porch.kpt.dev", "v1alpha1" },
      repositories = { "config.porch.kpt.dev", "v1alpha1" },
    }
    local probe = require("probe_base")
    for _, name in ipairs({ "read-forms", "packages", "repository-create" }) do
      for _, step in ipairs(steps(name)) do
        local body = step.response and step.response.body
        local columns = type(body) == "table" and body.kind == "Table" and body.columnDefinitions
        local resource = step.request and step.request.path:match("/namespaces/[^/]+/(%l+)")
        if columns and columns ~= dkjson.null and by_path[resource] then
          local gv, expected, found = by_path[resource], {}, {}
          for i, column in ipairs(columns) do
            expected[i] = column.name .. ":" .. column.type .. ":" .. column.priority
          end
          for i, column in ipairs(probe.kind_find(gv[1], gv[2], resource).columns) do
            found[i] = column.name .. ":" .. column.type .. ":" .. math.tointeger(column.priority)
          end
          assert.same(expected, found)
          count = count + 1
        end
      end
    end
    assert(count > 3)
  end)
end)
