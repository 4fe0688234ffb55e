-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.core.kube.support"

local CM = support.CM
local MERGE = { ["Content-Type"] = "application/merge-patch+json" }

describe("kube watches", function()
  local s
  before_each(function() s = support.server() end)
  after_each(function() s.close() end)

  local function make(name, fields)
    return s.must("POST", CM, support.config_map(name, fields))
  end

  local function patch(name, body)
    return s.must("PATCH", CM .. "/" .. name, body, MERGE)
  end

  local function brief(event)
    return event and event.type .. " " .. (event.object.metadata.name or "")
  end

  it("starts with what is there and goes on with what comes", function()
    make("a")
    local w = s.watch(CM .. "?watch=true")
    assert.equal("ADDED a", brief(w.next()))
    assert.is_nil(w.next(0))
    make("b")
    assert.equal("ADDED b", brief(w.next()))
    patch("b", { data = { x = "1" } })
    local event = w.next()
    assert.equal("MODIFIED b", brief(event))
    assert.equal("1", event.object.data.x)
    s.must("DELETE", CM .. "/b")
    local gone = w.next()
    assert.equal("DELETED b", brief(gone))
    assert.equal(tostring(s.server:rv()), gone.object.metadata.resourceVersion)
    w.close()
  end)

  it("resumes behind a number, without losing or repeating", function()
    local a = make("a")
    make("b")
    patch("a", { data = { x = "1" } })
    local w = s.watch(CM .. "?watch=1&resourceVersion=" .. a.metadata.resourceVersion)
    assert.equal("ADDED b", brief(w.next()))
    local last = w.next()
    assert.equal("MODIFIED a", brief(last))
    w.close()
    w = s.watch(CM .. "?watch=1&resourceVersion=" .. last.object.metadata.resourceVersion)
    assert.is_nil(w.next(0))
    w.close()
  end)

  it("keeps to its namespace and kind", function()
    local w = s.watch(CM .. "?watch=1&resourceVersion=" .. s.server:rv())
    s.must("POST", "/api/v1/namespaces/kube-system/configmaps", support.config_map("other"))
    s.must("POST", "/api/v1/namespaces/default/secrets", { metadata = { name = "s" } })
    make("mine")
    assert.equal("ADDED mine", brief(w.next()))
    w.close()
    w = s.watch("/api/v1/configmaps?watch=1")
    assert.equal("ADDED mine", brief(w.next()))
    assert.equal("ADDED other", brief(w.next()))
    w.close()
  end)

  it("turns entering and leaving a selection into ADDED and DELETED", function()
    make("a")
    local w = s.watch(CM .. "?watch=1&labelSelector=x%3D1")
    assert.is_nil(w.next(0))
    patch("a", { metadata = { labels = { x = "1" } } })
    assert.equal("ADDED a", brief(w.next()))
    patch("a", { data = { k = "v" } })
    assert.equal("MODIFIED a", brief(w.next()))
    local left = patch("a", { metadata = { labels = { x = "2" } } })
    local event = w.next()
    assert.equal("DELETED a", brief(event))
    assert.equal("1", event.object.metadata.labels.x)
    assert.equal(left.metadata.resourceVersion, event.object.metadata.resourceVersion)
    s.must("DELETE", CM .. "/a")
    assert.is_nil(w.next(0))
    w.close()
  end)

  it("follows one name", function()
    local w = s.watch(CM .. "?watch=1&fieldSelector=metadata.name%3Db&resourceVersion=0")
    make("a")
    make("b")
    s.must("DELETE", CM .. "/a")
    s.must("DELETE", CM .. "/b")
    assert.equal("ADDED b", brief(w.next()))
    assert.equal("DELETED b", brief(w.next()))
    w.close()
  end)

  it("marks the end of the initial events", function()
    make("a")
    local w = s.watch(CM .. "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
      .. "&allowWatchBookmarks=true")
    assert.equal("ADDED a", brief(w.next()))
    local mark = w.next()
    assert.equal("BOOKMARK", mark.type)
    assert.equal("true", mark.object.metadata.annotations["k8s.io/initial-events-end"])
    assert.equal(tostring(s.server:rv()), mark.object.metadata.resourceVersion)
    assert.equal("ConfigMap", mark.object.kind)
    make("b")
    assert.equal("ADDED b", brief(w.next()))
    w.close()
    w = s.watch(CM .. "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
    assert.equal("ADDED a", brief(w.next()))
    assert.equal("ADDED b", brief(w.next()))
    assert.is_nil(w.next(0))
    w.close()
  end)

  it("refuses combinations that make no sense", function()
    for _, query in ipairs { "sendInitialEvents=true", "resourceVersionMatch=NotOlderThan",
      "sendInitialEvents=true&resourceVersionMatch=Exact" } do
      local _, answer = s.watch(CM .. "?watch=1&" .. query)
      assert.equal(422, answer.status)
    end
    local _, answer = s.watch(CM .. "?watch=1&resourceVersion=abc")
    assert.equal(400, answer.status)
  end)

  it("says Expired to a number from another life", function()
    local w = s.watch(CM .. "?watch=1&resourceVersion=" .. s.server:rv() + 1000)
    local event = w.next()
    assert.equal("ERROR", event.type)
    assert.equal(410, event.object.code)
    assert.equal("Expired", event.object.reason)
    assert.is_nil(w.next())
    assert.is_true(w.ended())
    w.close()
  end)

  it("ends cleanly at its time and tells the last number", function()
    local w = s.watch(CM .. "?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion="
      .. s.server:rv())
    local event = w.next()
    assert.equal("BOOKMARK", event.type)
    assert.is_nil(event.object.metadata.annotations)
    assert.is_nil(w.next())
    assert.is_true(w.ended())
    w.close()
  end)

  it("ends when the server drains", function()
    local w = s.watch(CM .. "?watch=1&allowWatchBookmarks=true")
    local plain = s.watch(CM .. "?watch=1")
    assert.is_nil(w.next(0))
    s.server:drain()
    assert.equal("BOOKMARK", w.next().type)
    assert.is_nil(w.next())
    assert.is_true(w.ended())
    assert.is_nil(plain.next())
    assert.is_true(plain.ended())
    w.close()
    plain.close()
  end)

  it("sends Tables with columns once", function()
    make("a")
    local w = s.watch(CM .. "?watch=1", support.TABLE)
    local first = w.next().object
    assert.equal("Table", first.kind)
    assert.equal("a", first.rows[1].cells[1])
    assert.equal("Name", first.columnDefinitions[1].name)
    make("b")
    local second = w.next().object
    assert.equal("b", second.rows[1].cells[1])
    assert.equal(support.null, second.columnDefinitions)
    w.close()
  end)

  it("sends metadata alone", function()
    local w = s.watch(CM .. "?watch=1&allowWatchBookmarks=true&sendInitialEvents=true"
      .. "&resourceVersionMatch=NotOlderThan",
      { Accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" })
    assert.equal("PartialObjectMetadata", w.next().object.kind)
    make("a", { data = { k = "v" } })
    local object = w.next().object
    assert.equal("PartialObjectMetadata", object.kind)
    assert.is_nil(object.data)
    w.close()
  end)

  it("lets a stalled watcher cost nobody anything", function()
    local stalled = s.watch(CM .. "?watch=1")
    local healthy = s.watch(CM .. "?watch=1")
    assert.is_nil(stalled.next(0))
    assert.is_nil(healthy.next(0))
    local big = ("z"):rep(64 * 1024)
    for i = 1, 100 do
      make("n-" .. i, { data = { big = big } })
      assert.equal("ADDED n-" .. i, brief(healthy.next()))
    end
    for i = 1, 100 do
      assert.equal("ADDED n-" .. i, brief(stalled.next()))
    end
    stalled.close()
    healthy.close()
  end)

  it("sends no event for a write that changes nothing", function()
    make("a", { data = { k = "v" } })
    local w = s.watch(CM .. "?watch=1&resourceVersion=" .. s.server:rv())
    local before = s.server:rv()
    patch("a", { data = { k = "v" } })
    assert.equal(before, s.server:rv())
    assert.is_nil(w.next(0))
    w.close()
  end)
end)

describe("kube watches of a trimmed log", function()
  it("say Expired at the start and in the middle", function()
    local s = support.server { change_rows = 16 }
    local a = s.must("POST", CM, support.config_map("a"))
    local slow = s.watch(CM .. "?watch=1&resourceVersion=" .. s.server:rv())
    for i = 1, 200 do
      s.must("PATCH", CM .. "/a", { data = { i = tostring(i) } }, MERGE)
    end
    local event = slow.next()
    assert.equal("ERROR", event.type)
    assert.equal("Expired", event.object.reason)
    slow.close()
    local w = s.watch(CM .. "?watch=1&resourceVersion=" .. a.metadata.resourceVersion)
    event = w.next()
    assert.equal("ERROR", event.type)
    assert.matches("^too old resource version: " .. a.metadata.resourceVersion,
      event.object.message)
    w.close()
    s.close()
  end)

  it("do not concern a watch of a quiet kind", function()
    local s = support.server { change_rows = 256 }
    s.must("POST", CM, support.config_map("a"))
    local quiet = s.watch("/api/v1/namespaces/default/secrets?watch=1&resourceVersion="
      .. s.server:rv())
    assert.is_nil(quiet.next(0))
    for i = 1, 700 do
      s.must("PATCH", CM .. "/a", { data = { i = tostring(i) } }, MERGE)
    end
    s.must("POST", "/api/v1/namespaces/default/secrets", { metadata = { name = "s" } })
    local event = quiet.next()
    assert.equal("ADDED", event.type)
    assert.equal("s", event.object.metadata.name)
    quiet.close()
    s.close()
  end)
end)
