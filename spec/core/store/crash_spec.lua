local support = require "spec.core.store.support"
local probe = require "probe_store"

describe("a process that is killed", function()
  after_each(support.clean)

  it("loses nothing that it acknowledged", function()
    local dir = support.dir()
    local acknowledged, newest = {}, 0
    for round = 1, 5 do
      local text = probe.kill_child(dir, 100 + 37 * round)
      local n = 0
      for rv, name in text:gmatch("(%d+) (%w+)\n") do
        acknowledged[name] = tonumber(rv)
        newest = math.max(newest, tonumber(rv))
        n = n + 1
      end
      assert.is_true(n >= 100)
      local s = support.open { dir = dir }
      assert.is_true(s:rv() >= newest)
      for key, rv in pairs(acknowledged) do
        local o = assert(s:get("kind", "ns", key))
        assert.is_true(o.rv >= rv)
        assert.truthy(o.json:find('"resourceVersion":"' .. o.rv .. '"', 1, true))
        assert.equal(3000 + #tostring(o.rv), #o.json)
      end
      local seen = {}
      for _, c in ipairs(assert(s:changes("kind", nil, 0))) do
        seen[c.name .. c.rv] = true
      end
      for key, rv in pairs(acknowledged) do
        assert.is_true(seen[key .. rv])
      end
      s:close()
    end
  end)
end)
