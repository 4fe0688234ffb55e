-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.core.kube.support"

local REVIEWS = "/apis/authorization.k8s.io/v1/"
local RBAC = "/apis/rbac.authorization.k8s.io/v1/"

describe("kube access", function()
  local s, bob
  setup(function()
    s = support.server()
    bob = { Authorization = "Bearer " .. s.server:token("bob", {}) }
  end)
  teardown(function() s.close() end)

  it("refuses tokens that nobody issued", function()
    local answer = s.get("/api/v1/namespaces", { Authorization = "Bearer nonsense" })
    assert.equal(401, answer.status)
    assert.equal("Unauthorized", answer.json.reason)
  end)

  it("says who may not do what, where", function()
    local answer = s.get("/api/v1/namespaces/default/secrets/x", bob)
    assert.equal(403, answer.status)
    assert.equal("Forbidden", answer.json.reason)
    assert.matches('^secrets "x" is forbidden: User "bob" cannot get resource "secrets" in API'
      .. ' group "" in the namespace "default"', answer.json.message)
    assert.equal("secrets", answer.json.details.kind)
    answer = s.get("/apis/rbac.authorization.k8s.io/v1/clusterroles", bob)
    assert.matches('at the cluster scope', answer.json.message)
    answer = s.get("/metrics", bob)
    assert.matches('^forbidden: User "bob" cannot get path "/metrics"', answer.json.message)
  end)

  it("acts for another user only with the right to", function()
    local answer = s.get("/api/v1/namespaces/default/secrets", { ["Impersonate-User"] = "bob" })
    assert.equal(403, answer.status)
    assert.matches('User "bob" cannot list', answer.json.message)
    answer = s.get("/api/v1/namespaces/default/secrets", { ["Impersonate-User"] = "bob",
      ["Impersonate-Group"] = { "a", "system:masters" } })
    assert.equal(200, answer.status)
    answer = s.get("/api/v1/namespaces/default/secrets", { ["Impersonate-User"] = "admin",
      ["Impersonate-Group"] = "system:masters", Authorization = bob.Authorization })
    assert.equal(403, answer.status)
    assert.matches('cannot impersonate resource "users"', answer.json.message)
    answer = s.get("/api/v1/namespaces", { ["Impersonate-Group"] = "a" })
    assert.equal(400, answer.status)
    answer = s.get("/api/v1/namespaces", { ["Impersonate-Extra-Scope"] = "a" })
    assert.equal(400, answer.status)
  end)

  it("acts with further facts about a user only with the right to each", function()
    local SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    local function who(caller, scope)
      return s.call("POST", SELF, {}, { ["Impersonate-User"] = "eve",
        ["Impersonate-Extra-Example.COM%2fScope"] = scope, Authorization = caller })
    end
    local info = who(nil, { "a", "b" }).json.status.userInfo
    assert.equal("eve", info.username)
    assert.same({ ["example.com/scope"] = { "a", "b" } }, info.extra)
    assert.is_nil(s.call("POST", SELF, {}).json.status.userInfo.extra)
    s.must("POST", RBAC .. "clusterroles", { metadata = { name = "actor" }, rules = {
      { apiGroups = { "" }, resources = { "users" }, verbs = { "impersonate" } },
      { apiGroups = { "authentication.k8s.io" }, resources = { "userextras/example.com/scope" },
        resourceNames = { "a" }, verbs = { "impersonate" } } } })
    s.must("POST", RBAC .. "clusterrolebindings", { metadata = { name = "actor" },
      roleRef = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = "actor" },
      subjects = { { kind = "User", name = "stagehand",
        apiGroup = "rbac.authorization.k8s.io" } } })
    local caller = "Bearer " .. s.server:token("stagehand", {})
    assert.equal(201, who(caller, "a").status)
    local answer = who(caller, { "a", "b" })
    assert.equal(403, answer.status)
    assert.equal('userextras.authentication.k8s.io "b" is forbidden: User "stagehand" cannot'
      .. ' impersonate resource "userextras/example.com/scope" in API group'
      .. ' "authentication.k8s.io" at the cluster scope', answer.json.message)
  end)

  it("answers reviews", function()
    local spec = { resourceAttributes = { verb = "get", resource = "secrets", namespace = "x" } }
    local answer = s.call("POST", REVIEWS .. "selfsubjectaccessreviews", { spec = spec })
    assert.equal(201, answer.status)
    assert.is_true(answer.json.status.allowed)
    answer = s.call("POST", REVIEWS .. "selfsubjectaccessreviews", { spec = spec }, bob)
    assert.is_false(answer.json.status.allowed)
    spec.user = "bob"
    answer = s.call("POST", REVIEWS .. "subjectaccessreviews", { spec = spec })
    assert.is_false(answer.json.status.allowed)
    spec.groups = { "system:masters" }
    answer = s.call("POST", REVIEWS .. "subjectaccessreviews", { spec = spec })
    assert.is_true(answer.json.status.allowed)
    answer = s.call("POST", REVIEWS .. "subjectaccessreviews", { spec = spec }, bob)
    assert.equal(403, answer.status)
    answer = s.call("POST", REVIEWS .. "selfsubjectaccessreviews", { spec = {} })
    assert.equal(422, answer.status)
  end)

  it("lists what the caller may do", function()
    local answer = s.call("POST", REVIEWS .. "selfsubjectrulesreviews",
      { spec = { namespace = "default" } })
    assert.equal(201, answer.status)
    assert.is_false(answer.json.status.incomplete)
    assert.same({ "*" }, answer.json.status.resourceRules[1].verbs)
  end)

  it("says who the caller and who a token is", function()
    local me = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    local info = s.must("POST", me, {}, bob).status.userInfo
    assert.equal("bob", info.username)
    assert.same({ "system:authenticated" }, info.groups)
    local answer = s.must("POST", "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews", {})
    assert.equal("authentication.k8s.io/v1beta1", answer.apiVersion)
    local review = "/apis/authentication.k8s.io/v1/tokenreviews"
    local status = s.must("POST", review,
      { spec = { token = bob.Authorization:sub(8) } }).status
    assert.is_true(status.authenticated)
    assert.equal("bob", status.user.username)
    status = s.must("POST", review, { spec = { token = "x" } }).status
    assert.falsy(status.authenticated)
    assert.truthy(status.error)
  end)
end)
