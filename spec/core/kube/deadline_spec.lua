-- SPDX-License-Identifier: Apache-2.0
--
-- Requests that outlive their time while the engine works on them. Nothing is committed while the
-- store is held.
local support = require "spec.core.kube.support"

local CM = support.CM
local LATE = "Timeout: request did not complete within requested timeout - context deadline"
  .. " exceeded"

describe("kube deadlines", function()
  local s
  before_each(function() s = support.server() end)
  after_each(function() s.close() end)

  local function hold()
    local release = s.hold()
    return function()
      release()
      s.server:drain() -- until nothing is being written any more
    end
  end

  local function late(method, path, body, headers)
    local answer = s.call(method, path, body, headers)
    assert.equal(504, answer.status)
    assert.equal("Timeout", answer.json.reason)
    assert.equal(504, answer.json.code)
    assert.equal(LATE, answer.json.message)
    assert.is_nil(answer.headers["Retry-After"])
  end

  it("answer 504 while the engine works, which ends what it began", function()
    local release = hold()
    late("POST", CM .. "?timeout=20ms", support.config_map("a", { data = { k = "v" } }))
    assert.equal(404, s.get(CM .. "/a").status)
    release()
    assert.equal("v", s.get(CM .. "/a").json.data.k)
  end)

  it("hold for each request on its own", function()
    s.must("POST", CM, support.config_map("a"))
    local release = hold()
    late("PATCH", CM .. "/a?timeout=30ms", { data = { first = "1" } },
      { ["Content-Type"] = "application/merge-patch+json" })
    late("DELETE", CM .. "/a?timeout=10ms")
    late("POST", CM .. "?timeout=1ns", support.config_map("b"))
    release()
    assert.equal(200, s.get(CM .. "/b").status)
  end)

  it("end the deletion of a collection with what is being deleted", function()
    for _, name in ipairs { "a", "b", "c" } do
      s.must("POST", CM, support.config_map(name, { labels = { x = "1" } }))
    end
    local release = hold()
    late("DELETE", CM .. "?labelSelector=x%3D1&timeout=20ms")
    release()
    assert.same({ "b", "c" }, support.names(s.get(CM .. "?labelSelector=x%3D1").json))
  end)

  it("are the server's where the parameter names none or more", function()
    for _, timeout in ipairs { "0s", "-1s", "100h" } do
      assert.equal(201, s.call("POST", CM .. "?timeout=" .. timeout,
        { metadata = { generateName = "g-" } }).status)
    end
    assert.equal('invalid timeout specified in the request URL - time: invalid duration "soon"',
      s.get(CM .. "?timeout=soon").json.message)
  end)

  it("are no matter of watches, which have timeoutSeconds", function()
    local w = s.watch(CM .. "?watch=1&timeout=soon")
    s.must("POST", CM, support.config_map("a"))
    assert.equal("ADDED", w.next().type)
    w.close()
  end)
end)
