-- SPDX-License-Identifier: Apache-2.0
-- Data flows one way: a room uses rooms of lower rank only, and the README shows the map.

local rooms = require "spec.lib.rooms"

local function show(edges)
  local out = {}
  for _, e in ipairs(edges) do
    out[#out + 1] = ("%s:%d: %s uses %s"):format(e.file, e.line, e.from, e.to)
  end
  return table.concat(out, "\n")
end

describe("the room graph", function()
  it("has no upward or sideways edge", function()
    assert.equal("", show(rooms.upward()))
  end)

  it("sees the edges that are there", function()
    local seen = {}
    for _, e in ipairs(rooms.includes()) do seen[e.from .. ">" .. e.to] = true end
    assert.is_true(seen["engine>store"])
    assert.is_true(seen["store>base"])
  end)

  it("gives every room of core/ a rank", function()
    assert.same({}, rooms.unknown())
  end)

  it("is the map in README.md", function()
    local f = assert(io.open("README.md"))
    local text = f:read("a")
    f:close()
    local shown = text:match("<!%-%- rooms %-%->\n```\n(.-)```\n<!%-%- /rooms %-%->")
    assert.equal(rooms.map(), shown, "run spec/rooms-update")
  end)
end)
