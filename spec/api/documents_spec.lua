-- SPDX-License-Identifier: Apache-2.0

local dkjson = require("dkjson")
local pb = require("spec.api.protobuf_reader")
local probe = require("probe_base")
local support = require("spec.api.support")

local GV = "porch.kpt.dev/v1alpha1"

-- The resource list of porch.kpt.dev byte for byte, as real servers send it.
local RESOURCES = ([[
{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"porch.kpt.dev/v1alpha1","resources":[
{"name":"packagerevisionresources","singularName":"packagerevisionresources","namespaced":true,
"kind":"PackageRevisionResources","verbs":["get","list","patch","update"]},
{"name":"packagerevisions","singularName":"packagerevision","namespaced":true,
"kind":"PackageRevision","verbs":["create","delete","get","list","patch","update","watch"]},
{"name":"packagerevisions/approval","singularName":"","namespaced":true,
"kind":"PackageRevision","verbs":["get","patch","update"]},
{"name":"packages","singularName":"package","namespaced":true,
"kind":"PorchPackage","verbs":["create","delete","get","list","patch","update"]}]}
]]):gsub("\n", "")

local function decode(document)
  local value, position = dkjson.decode(document.body, 1, dkjson.null)
  assert(value, document.path)
  assert.equal(#document.body + 1, position)
  return value
end

describe("documents", function()
  local documents

  setup(function()
    documents = support.documents("api")
  end)

  it("in the program are those of the generator, found by path and variant", function()
    local count = 0
    for _, document in pairs(documents) do
      local found = probe.document_find(document.path, document.variant)
      assert.equal(document.body, found.body)
      assert.equal(document.content_type, found.content_type)
      count = count + 1
    end
    assert.is_table(probe.document_at(count))
    assert.is_nil(probe.document_at(count + 1))
    assert.is_nil(probe.document_find("/apis", "v3"))
    assert.is_nil(probe.document_find("/apis/", ""))
    assert.is_nil(probe.document_find("", ""))
  end)

  it("carry the SHA-512 of their bytes as ETag", function()
    local hex = support.with_generator(function()
      return require("sha512").hex
    end)
    -- Vectors of FIPS 180-4: empty, one block, two blocks.
    assert.equal("CF83E1357EEFB8BDF1542850D66D8007D620E4050B5715DC83F4A921D36CE9CE"
      .. "47D0D13C5D85F2B0FF8318D2877EEC2F63B931BD47417A81A538327AF927DA3E", hex(""))
    assert.equal("DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A"
      .. "2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F", hex("abc"))
    assert.equal("8E959B75DAE313DA8CF4F72814FC143F8F7779C6EB9F7FA17299AEADB6889018"
      .. "501D289E4900F7E4331B99DEC4B5433AC7D329EEB6DD26545E96E55B874BE909",
      hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
        .. "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"))
    local found = probe.document_find("/openapi/v2", "pb")
    assert.equal(hex(found.body), found.etag)
  end)
end)

describe("discovery", function()
  local documents

  setup(function()
    documents = support.documents("api")
  end)

  it("lists the porch resources byte for byte", function()
    assert.equal(RESOURCES, documents["/apis/" .. GV].body)
    assert.equal('{"kind":"APIGroup","apiVersion":"v1","name":"porch.kpt.dev","versions":'
      .. '[{"groupVersion":"porch.kpt.dev/v1alpha1","version":"v1alpha1"}],"preferredVersion":'
      .. '{"groupVersion":"porch.kpt.dev/v1alpha1","version":"v1alpha1"}}',
      documents["/apis/porch.kpt.dev"].body)
  end)

  it("lists the resources of repositories in both forms", function()
    local verbs = { "delete", "deletecollection", "get", "list", "patch", "create", "update",
      "watch" }
    assert.same({
      { name = "repositories", singularName = "repository", namespaced = true,
        kind = "Repository", verbs = verbs, shortNames = { "repo" } },
      { name = "repositories/status", singularName = "", namespaced = true, kind = "Repository",
        verbs = { "get", "patch", "update" } },
    }, decode(documents["/apis/config.porch.kpt.dev/v1alpha1"]).resources)
    local kind = { group = "config.porch.kpt.dev", version = "v1alpha1", kind = "Repository" }
    assert.same({
      metadata = { name = "config.porch.kpt.dev" },
      versions = { { version = "v1alpha1", freshness = "Current", resources = { {
        resource = "repositories", singularResource = "repository", scope = "Namespaced",
        responseKind = kind, verbs = verbs, shortNames = { "repo" },
        subresources = { { subresource = "status", responseKind = kind,
          verbs = { "get", "patch", "update" } } },
      } } } },
    }, decode(documents["/apis v2"]).items[1])
  end)

  it("lists core as versions and the rest as groups", function()
    assert.equal('{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":'
      .. '[{"clientCIDR":"0.0.0.0/0","serverAddress":""}]}', documents["/api"].body)
    local groups = decode(documents["/apis"]).groups
    assert.equal("config.porch.kpt.dev", groups[1].name)
    assert.equal("porch.kpt.dev", groups[2].name)
    for _, group in ipairs(groups) do
      assert.not_equal("", group.name)
      assert.is_table(documents["/apis/" .. group.name])
    end
  end)

  it("says the same in the aggregated form", function()
    for _, variant in ipairs({ "v2", "v2beta1" }) do
      local document = documents["/apis " .. variant]
      assert.equal("application/json;g=apidiscovery.k8s.io;v=" .. variant
        .. ";as=APIGroupDiscoveryList", document.content_type)
      local tree = decode(document)
      assert.equal("apidiscovery.k8s.io/" .. variant, tree.apiVersion)
      for _, group in ipairs(tree.items) do
        for _, version in ipairs(group.versions) do
          local legacy = decode(documents["/apis/" .. group.metadata.name .. "/"
            .. version.version])
          local flat = {}
          for _, resource in ipairs(version.resources) do
            flat[#flat + 1] = { resource.resource, resource.verbs,
              resource.scope == "Namespaced", resource.responseKind.kind }
            for _, sub in ipairs(resource.subresources or {}) do
              flat[#flat + 1] = { resource.resource .. "/" .. sub.subresource, sub.verbs,
                resource.scope == "Namespaced", sub.responseKind.kind }
            end
          end
          for i, resource in ipairs(legacy.resources) do
            assert.same({ resource.name, resource.verbs, resource.namespaced, resource.kind },
              flat[i])
          end
          assert.equal(#legacy.resources, #flat)
        end
      end
    end
    assert.same({}, decode(documents["/api v2"]).items[1].metadata)
  end)
end)

-- Calls f with every value of a member in a decoded tree.
local function each(tree, member, f)
  if type(tree) ~= "table" then
    return
  end
  if rawget(tree, member) ~= nil then
    f(tree[member], tree)
  end
  for _, value in pairs(tree) do
    each(value, member, f)
  end
end

-- Where the parameters of an operation or a path are: { dryRun = "query" }.
local function places(object)
  local map = {}
  for _, parameter in ipairs(object.parameters or {}) do
    map[parameter.name] = parameter["in"]
  end
  return map
end

describe("OpenAPI 3", function()
  local documents, index

  setup(function()
    documents = support.documents("api")
    index = decode(documents["/openapi/v3"]).paths
  end)

  it("indexes every group version with the digest of its document", function()
    local count = 0
    for key, entry in pairs(index) do
      local path, hash = entry.serverRelativeURL:match("^(.-)%?hash=(%x+)$")
      assert.equal("/openapi/v3/" .. key, path)
      assert.equal(probe.document_find(path, "").etag, hash)
      count = count + 1
    end
    assert.equal(17, count)
    assert.is_table(index["api/v1"])
    assert.equal("text/plain; charset=utf-8", documents["/openapi/v3"].content_type)
    -- A group of custom resources has no document of its own.
    assert.is_table(index["apis/porch.kpt.dev"])
    assert.is_nil(index["apis/config.porch.kpt.dev"])
  end)

  it("has no reference that leads nowhere", function()
    for key in pairs(index) do
      local tree = decode(documents["/openapi/v3/" .. key])
      local used = 0
      each(tree, "$ref", function(reference)
        used = used + 1
        local name = reference:match("^#/components/schemas/(.+)$")
        assert(tree.components.schemas[name], key .. ": " .. reference)
      end)
      assert(used > 0)
      assert.equal("3.0.0", tree.openapi)
    end
  end)

  it("marks kinds and operations so that clients find them", function()
    local tree = decode(documents["/openapi/v3/apis/" .. GV])
    local found = {}
    for name, schema in pairs(tree.components.schemas) do
      for _, gvk in ipairs(schema["x-kubernetes-group-version-kind"] or {}) do
        found[gvk.kind] = name
      end
    end
    assert.equal("com.github.nephio-project.porch.api.porch.v1alpha1.PackageRevision",
      found.PackageRevision)
    assert.is_string(found.PorchPackageList)
    local item = tree.paths["/apis/" .. GV .. "/namespaces/{namespace}/packagerevisions/{name}"]
    assert.equal("patch", item.patch["x-kubernetes-action"])
    assert.same({ group = "porch.kpt.dev", version = "v1alpha1", kind = "PackageRevision" },
      item.patch["x-kubernetes-group-version-kind"])
    assert.same({ dryRun = "query", fieldManager = "query", fieldValidation = "query",
      force = "query" }, places(item.patch))
  end)

  it("says once for a path what all its operations take", function()
    local paths = decode(documents["/openapi/v3/apis/" .. GV]).paths
    local list = paths["/apis/" .. GV .. "/packagerevisions"]
    assert.equal("query", places(list).labelSelector)
    assert.equal("query", places(list).pretty)
    assert.is_nil(list.get.parameters)
    local collection = paths["/apis/" .. GV .. "/namespaces/{namespace}/packagerevisions"]
    assert.same({ namespace = "path", pretty = "query" }, places(collection))
    assert.equal("query", places(collection.get).labelSelector)
    assert.equal("query", places(collection.post).dryRun)
    assert.is_nil(places(collection.post).labelSelector)
  end)

  it("describes discovery and the old paths of watches", function()
    local paths = decode(documents["/openapi/v3/apis/" .. GV]).paths
    local discovery = paths["/apis/" .. GV .. "/"].get
    assert.is_nil(discovery["x-kubernetes-action"])
    assert.matches("APIResourceList$",
      discovery.responses["200"].content["application/json"].schema["$ref"])
    local group = decode(documents["/openapi/v3/apis/porch.kpt.dev"]).paths
    assert.matches("APIGroup$", group["/apis/porch.kpt.dev/"].get.responses["200"]
      .content["application/yaml"].schema["$ref"])
    local watches = {}
    for path, item in pairs(paths) do
      if path:find("/watch/", 1, true) then
        watches[path:match("/watch(.*)")] = item.get["x-kubernetes-action"]
      end
    end
    assert.same({
      ["/packagerevisions"] = "watchlist",
      ["/namespaces/{namespace}/packagerevisions"] = "watchlist",
      ["/namespaces/{namespace}/packagerevisions/{name}"] = "watch",
    }, watches)
  end)

  it("names the media types that the server of a kind takes and gives", function()
    local function types(content)
      local names = {}
      for name in pairs(content) do
        names[#names + 1] = name
      end
      table.sort(names)
      return names
    end
    local porch = decode(documents["/openapi/v3/apis/" .. GV]).paths
    local list = porch["/apis/" .. GV .. "/packages"].get
    assert.same({ "application/json", "application/json;stream=watch", "application/yaml" },
      types(list.responses["200"].content))
    assert.is_nil(list.responses["401"])
    local config = "/apis/config.porch.kpt.dev/v1alpha1"
    local paths = decode(documents["/openapi/v3" .. config]).paths
    local item = paths[config .. "/namespaces/{namespace}/repositories/{name}"]
    assert.same({ "application/apply-patch+yaml", "application/json-patch+json",
      "application/merge-patch+json" }, types(item.patch.requestBody.content))
    assert.same({ "application/json", "application/yaml" }, types(item.put.requestBody.content))
    assert.is_nil(item.patch.responses["201"])
    assert.equal("Unauthorized", item.get.responses["401"].description)
    assert.equal("query", places(item.get).resourceVersion)
    for path in pairs(paths) do
      assert.is_nil(path:find("/watch/", 1, true))
    end
  end)

  it("writes custom resources out, all but their metadata", function()
    local schemas = decode(documents["/openapi/v3/apis/config.porch.kpt.dev/v1alpha1"])
      .components.schemas
    local repository, used = schemas["dev.kpt.porch.config.v1alpha1.Repository"], {}
    each(repository, "$ref", function(reference)
      used[#used + 1] = reference:match("[^.]+$")
    end)
    assert.same({ "ObjectMeta" }, used)
    local condition = repository.properties.status.properties.conditions.items
    assert.same({ "lastTransitionTime", "message", "reason", "status", "type" },
      condition.required)
    assert.equal("date-time", condition.properties.lastTransitionTime.format)
  end)

  it("says of a use something else than of its type", function()
    for key in pairs(index) do
      local schemas, count = decode(documents["/openapi/v3/" .. key]).components.schemas, 0
      each(schemas, "allOf", function(all, use)
        local name = all[1]["$ref"]:match("[^/]+$")
        assert.not_equal(schemas[name].description, use.description or "", name)
        count = count + 1
      end)
      assert(count > 0 or key:find("^apis/[^/]+$"))
    end
  end)

  it("shares times and marks values that are always there", function()
    local schemas = decode(documents["/openapi/v3/apis/" .. GV]).components.schemas
    local prefix = "com.github.nephio-project.porch.api.porch.v1alpha1."
    local stamp = schemas[prefix .. "PackageRevisionStatus"].properties.publishTimestamp
    local time = stamp.allOf[1]["$ref"]:match("[^/]+$")
    assert.equal("io.k8s.apimachinery.pkg.apis.meta.v1.Time", time)
    assert.equal("string", schemas[time].type)
    assert.equal("date-time", schemas[time].format)
    assert.same({}, schemas[prefix .. "PackageRevision"].properties.spec.default)
  end)

  it("has operation ids that are unique", function()
    local seen = {}
    for key in pairs(index) do
      each(decode(documents["/openapi/v3/" .. key]).paths, "operationId", function(id)
        assert.is_nil(seen[id], id)
        seen[id] = true
      end)
    end
    assert.is_true(seen.listPorchKptDevV1alpha1NamespacedPackageRevision)
  end)
end)

describe("OpenAPI 2", function()
  local tree, bytes

  setup(function()
    local documents = support.documents("api")
    tree, bytes = decode(documents["/openapi/v2"]), documents["/openapi/v2 pb"].body
  end)

  it("has no reference that leads nowhere", function()
    each(tree, "$ref", function(reference)
      assert(tree.definitions[reference:match("^#/definitions/(.+)$")], reference)
    end)
  end)

  it("lists the paths of the porch groups", function()
    local paths = {}
    for path in pairs(tree.paths) do
      local rest = path:match("^/apis/(.*porch%.kpt%.dev/.*)")
      paths[#paths + 1] = rest and rest:gsub("/namespaces/{namespace}", "/NS")
    end
    table.sort(paths)
    local config = "config.porch.kpt.dev/v1alpha1"
    assert.same({
      config .. "/NS/repositories", config .. "/NS/repositories/{name}",
      config .. "/NS/repositories/{name}/status", config .. "/repositories",
      GV .. "/", GV .. "/NS/packagerevisionresources", GV .. "/NS/packagerevisionresources/{name}",
      GV .. "/NS/packagerevisions", GV .. "/NS/packagerevisions/{name}",
      GV .. "/NS/packagerevisions/{name}/approval", GV .. "/NS/packages",
      GV .. "/NS/packages/{name}", GV .. "/packagerevisionresources", GV .. "/packagerevisions",
      GV .. "/packages", GV .. "/watch/NS/packagerevisions",
      GV .. "/watch/NS/packagerevisions/{name}", GV .. "/watch/packagerevisions",
    }, paths)
  end)

  it("has no defaults", function()
    each(tree.definitions, "default", function(value, schema)
      error("a default: " .. tostring(value) .. " of " .. tostring(schema.description))
    end)
    local spec = tree.definitions["com.github.nephio-project.porch.api.porch.v1alpha1"
      .. ".PackageRevision"].properties.spec
    assert.matches("PackageRevisionSpec$", spec["$ref"])
  end)

  it("is the same document as protobuf: paths, operations, parameters", function()
    assert.equal("2.0", pb.get(bytes, 1))
    assert.equal(tree.info.title, pb.get(bytes, 2, 1))
    local function compare_parameters(list, messages)
      local names, expected = {}, {}
      for i, parameter in ipairs(messages) do
        names[i] = pb.get(parameter, 1, 1, 2) or pb.get(parameter, 1, 2, 3, 4)
          or pb.get(parameter, 1, 2, 4, 4)
      end
      for i, parameter in ipairs(list or {}) do
        expected[i] = parameter.name
      end
      assert.same(expected, names)
    end
    local function compare_operation(operation, message)
      assert.equal(operation.operationId, pb.get(message, 5))
      assert.same(operation.produces, pb.all(message, 6))
      assert.same(operation.consumes, pb.all(message, 7))
      compare_parameters(operation.parameters, pb.all(message, 8))
      local action = pb.named(message, 13)["x-kubernetes-action"]
      assert.equal(operation["x-kubernetes-action"],
        action and dkjson.decode(pb.get(action, 2)) or nil)
      local answers = pb.named(pb.get(message, 9), 1)
      for code, answer in pairs(operation.responses) do
        assert.equal(answer.description, pb.get(answers[code], 1, 1))
        assert.equal(answer.schema and answer.schema["$ref"], pb.get(answers[code], 1, 2, 1, 1))
      end
    end
    local methods = { get = 2, put = 3, post = 4, delete = 5, patch = 8 }
    local paths, count = pb.named(pb.get(bytes, 8), 2), 0
    for path, item in pairs(tree.paths) do
      compare_parameters(item.parameters, pb.all(paths[path], 9))
      for method, number in pairs(methods) do
        if item[method] then
          compare_operation(item[method], pb.get(paths[path], number))
          count = count + 1
        end
      end
    end
    assert(count > 80)
  end)

  it("is the same document as protobuf: definitions", function()
    local function compare(schema, message, where)
      assert.equal(schema["$ref"], pb.get(message, 1), where)
      assert.equal(schema.type, pb.get(message, 22, 1), where)
      assert.equal(schema.format, pb.get(message, 2), where)
      assert.same(schema.required or {}, pb.all(message, 19), where)
      local properties = pb.named(pb.get(message, 25) or "", 1)
      for name, property in pairs(schema.properties or {}) do
        compare(property, properties[name], where .. "." .. name)
      end
      if schema.items then
        compare(schema.items, pb.get(message, 23, 1), where .. "[]")
      end
      if schema.additionalProperties then
        compare(schema.additionalProperties, pb.get(message, 21, 1), where .. "{}")
      end
      local extensions = pb.named(message, 31)
      for key, value in pairs(schema) do
        if key:sub(1, 2) == "x-" then
          local text = pb.get(extensions[key], 2)
          assert.same(value, (dkjson.decode(text)), where .. " " .. key)
        end
      end
    end
    local definitions = pb.named(pb.get(bytes, 9), 1)
    for name, schema in pairs(tree.definitions) do
      compare(schema, assert(definitions[name], name), name)
    end
  end)
end)
