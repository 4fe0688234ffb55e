-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.core.kube.support"

local CM = support.CM
local REPOSITORIES = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories"

describe("metadata of objects", function()
  local s
  setup(function() s = support.server() end)
  teardown(function() s.close() end)

  -- "field: message" of each cause of a refusal.
  local function causes(path, object)
    local answer = s.call("POST", path, object)
    assert.equal(422, answer.status)
    local list = {}
    for i, cause in ipairs(answer.json.details.causes) do
      list[i] = cause.field .. ": " .. cause.message
    end
    return list
  end

  local function metadata(members)
    members.name = members.name or "x"
    return causes(CM, { metadata = members })
  end

  it("may have a name of 253 characters with dots", function()
    assert.equal(201, s.call("POST", CM, { metadata = { name = ("a."):rep(126) .. "b" } }).status)
    local list = metadata { name = ("a."):rep(127) .. "b" }
    assert.equal(1, #list)
    assert.matches("must be no more than 253 characters$", list[1])
  end)

  it("are refused with one cause for each fault of a name", function()
    local list = metadata { name = ("A"):rep(254) }
    assert.equal(2, #list)
    assert.matches("^metadata.name: .*must be no more than 253 characters$", list[1])
    assert.matches("^metadata.name: .*a lowercase RFC 1123 subdomain must consist", list[2])
    list = causes("/api/v1/namespaces", { metadata = { name = "a.b" } })
    assert.same({ 'metadata.name: Invalid value: "a.b": must not contain dots' }, list)
  end)

  it("are refused with keys of labels and annotations that are no qualified names", function()
    local list = metadata { labels = { ["/a"] = "", ["a/b/c"] = "" } }
    table.sort(list)
    assert.equal(2, #list)
    assert.equal('metadata.labels: Invalid value: "/a": prefix part must be non-empty', list[1])
    assert.matches('^metadata.labels: Invalid value: "a/b/c": a qualified name must consist',
      list[2])
    list = metadata { annotations = { ["a/"] = "" } }
    assert.equal('metadata.annotations: Invalid value: "a/": name part must be non-empty', list[1])
    list = metadata { annotations = { [("x"):rep(64)] = "" } }
    assert.matches("name part must be no more than 63 characters$", list[1])
    assert.equal(201, s.call("POST", CM, { metadata = { name = "upper",
      annotations = { ["Example.COM/Key"] = "" } } }).status)
  end)

  it("are refused with label values and finalizers of a wrong form", function()
    local list = metadata { labels = { a = ("v"):rep(64) } }
    assert.same({ 'metadata.labels: Invalid value: "' .. ("v"):rep(64)
      .. '": must be no more than 63 characters' }, list)
    list = metadata { labels = { a = "-b" } }
    assert.matches("a valid label must be an empty string or consist of alphanumeric", list[1])
    list = metadata { finalizers = { "a b" } }
    assert.matches("^metadata.finalizers: .*name part must consist of alphanumeric", list[1])
  end)

  it("of a Repository name a label: first its shape, then its length", function()
    local spec = { type = "git", git = { repo = "file:///nowhere" } }
    local list = causes(REPOSITORIES,
      support.repository(("a"):rep(32) .. "." .. ("b"):rep(32), spec))
    assert.same({
      '<nil>: Invalid value: "object": metadata.name must conform to the RFC1123 DNS label'
        .. " standard",
      '<nil>: Invalid value: "object": metadata.name must be no more than 63 characters',
    }, list)
  end)
end)

describe("conditions of a Repository", function()
  local s
  setup(function() s = support.server() end)
  teardown(function() s.close() end)

  local function condition(members)
    local one = { type = "Odd", status = "True", reason = "Because", message = "",
      lastTransitionTime = "2024-01-01T00:00:00Z" }
    for name, value in pairs(members) do
      one[name] = value
    end
    return s.call("PATCH", REPOSITORIES .. "/r/status", { status = { conditions = { one } } },
      { ["Content-Type"] = "application/merge-patch+json" })
  end

  local function fault(members)
    local answer = condition(members)
    assert.equal(422, answer.status)
    assert.equal(1, #answer.json.details.causes)
    local cause = answer.json.details.causes[1]
    assert.equal("FieldValueInvalid", cause.reason)
    return cause.field .. ": " .. cause.message
  end

  it("keep to the patterns and the range of their members", function()
    s.must("POST", REPOSITORIES,
      support.repository("r", { type = "git", git = { repo = "file:///nowhere" } }))
    assert.equal(200, condition { type = "example.com/Odd_1.x", reason = "A:b,c_",
      observedGeneration = 0 }.status)
    assert.equal('status.conditions[0].reason: Invalid value: "a b": status.conditions[0].reason in'
      .. " body should match '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$'", fault { reason = "a b" })
    assert.matches("should match", fault { reason = "a\0b" })
    assert.matches("^status.conditions%[0%].type: .* should match '%^%(%[a%-z0%-9%]",
      fault { type = "-" })
    assert.equal("status.conditions[0].observedGeneration: Invalid value: -1: status.conditions[0]."
      .. "observedGeneration in body should be greater than or equal to 0",
      fault { observedGeneration = -1 })
    assert.matches("should be at most 1024 chars long", fault { reason = ("r"):rep(1025) })
  end)
end)
