-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.core.host.support")

-- Results of several runs of one workflow whose table has these members.
local function results(members, times)
  local env, out = support.open({ x = members }), {}
  for i = 1, times do
    local r = env:run("Probe/x", '{"i":' .. i .. "}")
    out[i] = r.ok and r.result or r.message
  end
  return out
end

describe("runs of one workflow", function()
  after_each(support.clean)

  it("know nothing of each other", function()
    assert.same({ { n = 1, i = 1 }, { n = 1, i = 2 }, { n = 1, i = 3 } }, results([[
      run = function(ctx, req)
        lanai.n = (lanai.n or 0) + 1
        return { n = lanai.n, i = req.i }
      end,]], 3))
  end)

  it("know nothing of each other's nodes, either, that were made while loading", function()
    assert.same({ { n = 1 }, { n = 1 }, { n = 1 } }, results([[
      run = (function()
        local node = lanai.map({ items = lanai.list() })
        return function(ctx, req)
          node.items[#node.items + 1] = "x"
          return { n = #node.items }
        end
      end)(),]], 3))
  end)

  it("have null as one value", function()
    assert.same({ { same = true, text = "null" }, { same = true, text = "null" } }, results([[
      run = (function()
        local null = lanai.null
        return function(ctx, req)
          local copy = lanai.map({ a = null })
          for _, v in pairs(copy) do
            return { same = v == null, text = tostring(null) }
          end
        end
      end)(),]], 2))
  end)

  it("go on after one that failed", function()
    assert.same({ "Internal error occurred: boom 1", { n = 2 }, "Internal error occurred: boom 3" },
      results([[
        run = function(ctx, req)
          if req.i % 2 == 1 then return ctx.fail("internal", "boom " .. req.i) end
          return { n = req.i }
        end,]], 3))
  end)
end)
