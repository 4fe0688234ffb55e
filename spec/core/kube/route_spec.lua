-- SPDX-License-Identifier: Apache-2.0
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
  end)

  it("serves discovery in three forms with ETags", function()
    local legacy = s.get("/apis")
    assert.equal("APIGroupList", legacy.json.kind)
    local v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    local all = s.get("/apis", { Accept = v2 .. ",application/json" })
    assert.equal("APIGroupDiscoveryList", all.json.kind)
    assert.equal(v2, all.headers["Content-Type"][1])
    local etag = all.headers.ETag[1]
    local again = s.get("/apis", { Accept = v2, ["If-None-Match"] = etag })
    assert.equal(304, again.status)
    assert.equal("", again.body)
    assert.equal(200, s.get("/apis", { ["If-None-Match"] = etag }).status)
    assert.equal("APIResourceList", s.get("/api/v1").json.kind)
    assert.equal("APIGroup", s.get("/apis/porch.kpt.dev").json.kind)
  end)

  it("serves OpenAPI documents by hash", function()
    local index = s.get("/openapi/v3").json
    local url = index.paths["apis/porch.kpt.dev/v1alpha1"].serverRelativeURL
    local answer = s.get(url)
    assert.equal(200, answer.status)
    assert.equal("public, immutable", answer.headers["Cache-Control"][1])
    assert.truthy(answer.headers.Expires)
    local moved = s.get("/openapi/v3/apis/porch.kpt.dev/v1alpha1?hash=AA")
    assert.equal(301, moved.status)
    assert.equal(url, moved.headers.Location[1])
    assert.equal(404, s.get("/openapi/v3/apis/no.group/v1").status)
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
