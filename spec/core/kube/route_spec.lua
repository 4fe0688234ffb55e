-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local support = require "spec.core.kube.support"

describe("kube routes", function()
  local s
  setup(function() s = support.server() end)
  teardown(function() s.close() end)

  it("answers unknown paths with plain text", function()
    for _, path in ipairs { "/nothing", "/apis/no.group/v1/things", "/api/v2/pods" } do
      local answer = s.get(path)
      assert.equal(404, answer.status)
      assert.equal("404 page not found\n", answer.body)
      assert.equal("nosniff", answer.headers["X-Content-Type-Options"][1])
    end
  end)

  it("answers unknown resources of its groups with a Status", function()
    local answer = s.get("/api/v1/namespaces/default/pods")
    assert.equal(404, answer.status)
    assert.equal("NotFound", answer.json.reason)
    assert.equal("v1", answer.json.apiVersion)
    assert.equal("the server could not find the requested resource", answer.json.message)
  end)

  it("answers unknown resources of groups of custom resources with plain text", function()
    local base = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default"
    for _, path in ipairs { "/packagevariantsets", "/nothing/x", "/repositories/x/nothing" } do
      local answer = s.get(base .. path)
      assert.equal(404, answer.status)
      assert.equal("404 page not found\n", answer.body)
      assert.equal("nosniff", answer.headers["X-Content-Type-Options"][1])
    end
  end)

  it("takes a namespace for a resource and for a scope", function()
    assert.equal("Namespace", s.get("/api/v1/namespaces/default").json.kind)
    assert.equal("Namespace", s.get("/api/v1/namespaces/default/status").json.kind)
    assert.equal("SecretList", s.get("/api/v1/namespaces/default/secrets").json.kind)
    assert.equal("SecretList", s.get("/api/v1/secrets").json.kind)
  end)

  it("decodes each segment once", function()
    s.must("POST", support.CM, support.config_map("per.cent"))
    assert.equal(200, s.get("/api/v1/namespaces/%64efault/configmaps/per%2Ecent").status)
    assert.equal(404, s.get("/api/v1/namespaces/default/configmaps/per%252Ecent").status)
  end)

  it("refuses methods in the words of the group", function()
    local answer = s.call("PUT", "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packages", {})
    assert.equal(405, answer.status)
    assert.equal("the server does not allow this method on the requested resource",
      answer.json.message)
    answer = s.call("DELETE", "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default"
      .. "/repositories/x/status")
    assert.equal('delete is not supported on resources of kind "repositories.config.porch.kpt.dev"',
      answer.json.message)
  end)

  it("refuses watches of resources and packages", function()
    for _, name in ipairs { "packagerevisionresources", "packages" } do
      local answer = s.get("/apis/porch.kpt.dev/v1alpha1/namespaces/default/" .. name .. "?watch=1")
      assert.equal(405, answer.status)
      assert.equal(('watch is not supported on resources of kind "%s.porch.kpt.dev"'):format(name),
        answer.json.message)
    end
  end)

  it("refuses writing packages with the words clients know", function()
    local base = "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packages"
    assert.matches("^create or clone a PackageRevision",
      s.call("POST", base, {}).json.message)
    assert.matches("^delete all PackageRevisions", s.call("DELETE", base .. "/x").json.message)
    assert.matches("^update a PackageRevision", s.call("PATCH", base .. "/x", {}, {
      ["Content-Type"] = "application/merge-patch+json" }).json.message)
  end)

  it("lets HEAD through where the peer does", function()
    assert.equal(200, s.call("HEAD", "/api/v1/namespaces/default").status)
    assert.equal(405,
      s.call("HEAD", "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packagerevisions").status)
  end)

  it("tells health by name, and readiness apart", function()
    assert.equal("ok", s.get("/healthz").body)
    assert.matches("%[%+%]store ok\n.*readyz check passed\n$", s.get("/readyz?verbose").body)
    assert.equal(200, s.get("/livez/ping").status)
    assert.equal(404, s.get("/livez/nothing").status)
    s.server:ready(false)
    assert.equal(500, s.get("/readyz").status)
    assert.equal(200, s.get("/livez").status)
    assert.equal(200, s.get("/readyz?exclude=startup-and-shutdown").status)
    s.server:ready(true)
    assert.equal(200, s.get("/readyz").status)
  end)

  it("says a version that clients can parse", function()
    local version = s.get("/version").json
    assert.matches("^v1%.34%.0%-lanai", version.gitVersion)
    assert.equal("34", version.minor)
    local names = {}
    for name, value in pairs(version) do
      assert.is_string(value)
      names[#names + 1] = name
    end
    table.sort(names)
    assert.same({ "buildDate", "compiler", "emulationMajor", "emulationMinor", "gitCommit",
      "gitTreeState", "gitVersion", "goVersion", "major", "minCompatibilityMajor",
      "minCompatibilityMinor", "minor", "platform" }, names)
  end)

  it("serves discovery in three forms with ETags", function()
    local legacy = s.get("/apis")
    assert.equal("APIGroupList", legacy.json.kind)
    assert.equal("no-cache, private", legacy.headers["Cache-Control"][1])
    local v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    local all = s.get("/apis", { Accept = v2 .. ",application/json" })
    assert.equal("APIGroupDiscoveryList", all.json.kind)
    assert.equal(v2, all.headers["Content-Type"][1])
    assert.equal("public", all.headers["Cache-Control"][1])
    local etag = all.headers.ETag[1]
    local again = s.get("/apis", { Accept = v2, ["If-None-Match"] = etag })
    assert.equal(304, again.status)
    assert.equal("", again.body)
    assert.equal(200, s.get("/apis", { ["If-None-Match"] = etag }).status)
    assert.equal("APIResourceList", s.get("/api/v1").json.kind)
    assert.equal("APIGroup", s.get("/apis/porch.kpt.dev").json.kind)
  end)

  it("serves discovery as YAML", function()
    for _, path in ipairs { "/apis", "/apis/porch.kpt.dev", "/apis/porch.kpt.dev/v1alpha1" } do
      local answer = s.get(path, { Accept = "application/yaml" })
      assert.equal("application/yaml", answer.headers["Content-Type"][1])
      assert.matches("^apiVersion: v1\n", answer.body)
    end
    local answer = s.get("/apis/porch.kpt.dev/v1alpha1", {
      Accept = "application/xml;q=0.9,application/yaml;q=0.1" })
    assert.matches('\n%- kind: PackageRevision\n  name: packagerevisions/approval\n'
      .. '  namespaced: true\n  singularName: ""\n  verbs:\n  %- get\n', answer.body)
  end)

  it("refuses forms of discovery that it does not have, in the words of the group", function()
    local only = "only the following media types are accepted: application/json, application/yaml,"
      .. " application/vnd.kubernetes.protobuf"
    local available = "406: Not Acceptable\n\nAvailable representations: application/json,"
      .. " application/yaml, application/vnd.kubernetes.protobuf"
    for path, message in pairs {
      ["/apis"] = only, ["/apis/porch.kpt.dev"] = only, ["/api/v1"] = only,
      ["/apis/config.porch.kpt.dev/v1alpha1"] = only,
      ["/apis/porch.kpt.dev/v1alpha1"] = available,
    } do
      for _, accept in ipairs { "text/html", "application/cbor" } do
        local answer = s.get(path, { Accept = accept })
        assert.equal(406, answer.status)
        assert.equal("NotAcceptable", answer.json.reason)
        assert.equal(message, answer.json.message)
        assert.same(message == available and {} or nil, answer.json.details)
      end
    end
  end)

  it("serves OpenAPI documents by hash", function()
    local list = s.get("/openapi/v3")
    assert.equal("text/plain; charset=utf-8", list.headers["Content-Type"][1])
    local index = cjson.decode(list.body)
    local url = index.paths["apis/porch.kpt.dev/v1alpha1"].serverRelativeURL
    local answer = s.get(url)
    assert.equal(200, answer.status)
    assert.equal("public, immutable", answer.headers["Cache-Control"][1])
    assert.truthy(answer.headers.Expires)
    local moved = s.get("/openapi/v3/apis/porch.kpt.dev/v1alpha1?hash=AA")
    assert.equal(301, moved.status)
    assert.equal(url, moved.headers.Location[1])
    local missing = s.get("/openapi/v3/apis/no.group/v1")
    assert.equal(404, missing.status)
    assert.equal("", missing.body)
    assert.is_nil(missing.headers["Content-Type"])
    local pb = s.get("/openapi/v2", {
      Accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" })
    assert.equal("application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
      pb.headers["Content-Type"][1])
    assert.equal("2.0", s.get("/openapi/v2").json.swagger)
    assert.equal(406, s.get("/openapi/v2", { Accept = "text/html" }).status)
  end)

  it("counts requests", function()
    local text = s.get("/metrics").body
    assert.matches('apiserver_request_total{verb="GET",group="",version="v1",'
      .. 'resource="namespaces",subresource="",scope="resource",code="200"} %d', text)
    assert.matches("lanai_store_commits_total %d", text)
    assert.matches("process_resident_memory_bytes %d", text)
  end)

  it("echoes the audit id", function()
    local answer = s.get("/api/v1/namespaces/default", { ["Audit-Id"] = "abc" })
    assert.equal("abc", answer.headers["Audit-Id"][1])
    assert.equal("no-cache, private", answer.headers["Cache-Control"][1])
  end)
end)
