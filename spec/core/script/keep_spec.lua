-- SPDX-License-Identifier: Apache-2.0

local probe = require("probe_script")
local sources = require("spec.core.script.sources")

local function load(files)
  local set, _, message = probe.load({ sources.dir(files) })
  return assert(set, message)
end

local function kept(set, name, options)
  local with = { keep = 1 }
  for key, value in pairs(options or {}) do
    with[key] = value
  end
  return set:run(name, with)
end

describe("a loaded state that serves again", function()
  after_each(sources.clean)

  it("is as it was when it was loaded, whatever a run did to it", function()
    local set = load({
      ["lib/seen.lua"] = "return { n = 0, names = {} }",
      ["x.lua"] = [[
        local seen = require("lib.seen")
        local calls, deep = 0, { { "a" } }
        return { run = function()
          calls, seen.n = calls + 1, seen.n + 1
          seen.names[#seen.names + 1] = ("x"):rep(100) .. calls
          deep[1][1] = deep[1][1] .. "b"
          string.mine, table.insert = 1, nil
          local junk = {}
          for i = 1, 2000 do junk[i] = { i, tostring(i) } end
          return calls .. seen.n .. #seen.names .. deep[1][1] .. type(rawget(string, "mine"))
        end }]],
    })
    local first = kept(set, "x")
    assert.is_true(first.ok, first.message)
    assert.is_true(first.fresh)
    for _ = 1, 5 do
      local again = kept(set, "x")
      assert.is_false(again.fresh)
      assert.equal(first.result, again.result)
      assert.equal(first.bytes, again.bytes)
    end
  end)

  it("has its limits anew after a run that hit them", function()
    local set = load({ ["x.lua"] = [[
      local runs = 0
      return { run = function(h)
        runs = runs + 1
        for _ = 1, 60 do h.count() end
        local t = {}
        for i = 1, 1000 do t[i] = ("x"):rep(1000) .. i end
        return runs
      end }]] })
    local outcomes = {
      { {}, true }, { { bytes = 200000 }, "too-large" }, { {}, true },
      { { calls = 10 }, "too-large" }, { {}, true }, { {}, true },
    }
    for i, outcome in ipairs(outcomes) do
      local r = kept(set, "x", outcome[1])
      assert.equal(outcome[2], r.ok or r.kind)
      assert.equal(i == 1, r.fresh)
      assert.is_true(not r.ok or r.result == "1")
    end
  end)

  it("is the workflow's own, and one for each of many", function()
    local files, again = {}, 0
    for i = 1, 40 do
      files["w" .. i .. ".lua"] = "return { run = function() return " .. i .. " end }"
    end
    local set = load(files)
    for _ = 1, 3 do
      for i = 40, 1, -1 do
        local r = kept(set, "w" .. i)
        assert.equal(tostring(i), r.result)
        again = again + (r.fresh and 0 or 1)
      end
    end
    assert.equal(0, again) -- 40 in turn are more than are kept, and the oldest go
    assert.is_false(kept(set, "w1").fresh)
  end)

  it("is not kept when loading takes much memory", function()
    local set = load({ ["x.lua"] = [[
      local t = {}
      for i = 1, 20000 do t[i] = { i } end
      return { run = function() t[1] = #t return t[1] end }]] })
    for _ = 1, 2 do
      local r = kept(set, "x")
      assert.equal("20000", r.result)
      assert.is_true(r.fresh)
    end
  end)
end)

describe("the memory of a state", function()
  after_each(sources.clean)

  it("gives what is freed to later blocks of every size", function()
    local set = load({ ["x.lua"] = [[
      return { run = function()
        for _ = 1, 40 do
          local t = {}
          for _, size in ipairs({ 10, 300, 700, 5000, 40000, 200000 }) do
            for i = 1, 400000 // size // 8 do t[#t + 1] = ("x"):rep(size) .. i end
          end
          if #table.concat(t) < 200000 then return "short" end
        end
        return "fine"
      end }]] })
    local r = set:run("x", { bytes = 4 << 20, cpu_ms = 5000 })
    assert.equal("fine", r.result or r.message)
  end)

  it("cannot be grown by changing the sizes of blocks", function()
    local set = load({ ["x.lua"] = [[
      return { run = function()
        for size = 16, 30000, 16 do
          local t = {}
          for i = 1, 3000000 // (size + 64) do t[i] = ("x"):rep(size) .. i end
        end
        return "fine"
      end }]] })
    local r = set:run("x", { bytes = 4 << 20, cpu_ms = 20000 })
    assert.equal("too-large", r.ok and "fine" or r.kind)
  end)
end)
