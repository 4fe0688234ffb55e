-- SPDX-License-Identifier: Apache-2.0
-- How far back a watch may resume is what the operator says; who comes later starts over.
local lib = require("spec.lib.server")

local MAPS = "/api/v1/namespaces/default/configmaps"

describe("a server with a short history", function()
  local server

  before_each(function()
    server = lib.start { flags = { "--history-changes", "100", "--history-age", "0" } }
  end)

  after_each(function()
    server:stop()
  end)

  local function change(n)
    local status, body = server:request("PATCH", MAPS .. "/a", ('{"data":{"n":"%d"}}'):format(n),
      { ["Content-Type"] = "application/merge-patch+json" })
    assert.equal(200, status, body)
    return body:match('"resourceVersion": ?"(%d+)"')
  end

  local function watch(version)
    local _, body = server:request("GET", MAPS .. "?watch=true&timeoutSeconds=1&resourceVersion="
      .. version)
    return body
  end

  it("lets watches resume that are not too far behind, and no others", function()
    local status, body = server:request("POST", MAPS,
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}')
    assert.equal(201, status, body)
    local first = body:match('"resourceVersion": ?"(%d+)"')
    assert.matches('"n":"1"', (function() change(1) return watch(first) end)())
    local middle
    for n = 2, 180 do
      local version = change(n)
      middle = n == 100 and version or middle
    end
    assert.matches('"n":"101".*"n":"180"', watch(middle))
    assert.matches('"code":410', watch(first))
    assert.not_matches('"n":', watch(first))
  end)
end)
