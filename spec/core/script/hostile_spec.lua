-- SPDX-License-Identifier: Apache-2.0
--
-- Scripts that others cannot stop end by themselves with the outcome that hostile.lua names, within
-- their limit and a grace.

local probe = require("probe_script")
local sources = require("spec.core.script.sources")
local HOSTILE = require("spec.core.script.hostile")

local CPU_MS = 100
local GRACE_MS = os.getenv("LD_PRELOAD") and 3000 or 1000 -- sanitizers and busy machines are slow

local function run(body, options)
  local text = "return { run = function(h)\n" .. body .. "\nend }"
  local set, _, message = probe.load({ sources.dir({ ["x.lua"] = text }) })
  assert(set, message)
  options = options or {}
  options.cpu_ms = options.cpu_ms or CPU_MS
  return set:run("x", options)
end

describe("a hostile script:", function()
  after_each(sources.clean)

  for _, case in ipairs(HOSTILE) do
    local name, body, kind, text = table.unpack(case)
    it(name, function()
      local cpu_ms = kind == "too-large" and 5000 or CPU_MS -- filling memory takes its time
      local r = run(body, { cpu_ms = cpu_ms })
      assert.is_true(r.wall_ms < cpu_ms + GRACE_MS, ("took %.0f ms"):format(r.wall_ms))
      assert.is_true(r.bytes <= 17 << 20, ("took %d bytes"):format(r.bytes))
      assert.equal(kind, r.kind)
      assert.equal(kind == nil, r.ok)
      if kind then
        assert.matches(text, r.message, 1, true)
      end
      if kind == "timeout" or kind == "too-large" then
        assert.is_false(r.again) -- a run that hit a limit stays failed
      end
    end)
  end

  it("that waits past the deadline of its request", function()
    local r = run("while true do end", { cpu_ms = 60000, deadline_ms = 50 })
    assert.equal("timeout", r.kind)
    assert.matches("deadline", r.message)
    assert.is_true(r.wall_ms < 50 + GRACE_MS)
  end)

  it("leaves its thread usable", function()
    assert.equal("timeout", run("while true do end").kind)
    assert.equal("done", run("for i = 1, 10000 do end return 'done'").result)
  end)

  it("loops while a module is being loaded", function()
    local set = assert(probe.load({ sources.dir({ ["x.lua"] = "while true do end" }) }))
    local r = set:run("x", { cpu_ms = CPU_MS })
    assert.equal("timeout", r.kind)
    assert.is_true(r.wall_ms < CPU_MS + GRACE_MS)
  end)
end)

describe("scripts on several threads", function()
  after_each(sources.clean)

  it("are stopped one by one", function()
    local set = assert(probe.load({ sources.dir({
      ["loop.lua"] = "return { run = function() while true do end end }",
      ["sort.lua"] = "return { run = function()"
        .. " table.sort({1, 2}, function() while true do end end) end }",
      ["fine.lua"] = "return { run = function() for i = 1, 100000 do local t = {i} end end }",
    }) }))
    local names, expected = {}, {}
    for i = 1, 12 do
      names[i] = ({ "loop", "fine", "sort" })[i % 3 + 1]
      expected[i] = names[i] == "fine" and "none" or "timeout"
    end
    assert.same(expected, set:run_parallel(names, GRACE_MS / 2))
  end)
end)

describe("the limits", function()
  after_each(sources.clean)

  it("let ordinary work pass and count it", function()
    local r = run("local t = {} for i = 1, 20000 do t[i] = i end return #t")
    assert.is_true(r.ok)
    assert.equal("20000", r.result)
    assert.is_true(r.bytes > 100000)
    assert.is_true(r.cpu_ms > 0 and r.cpu_ms < CPU_MS)
  end)

  it("do not fail a run that only makes garbage", function()
    local r = run("for i = 1, 3000 do local s = ('x'):rep(100000) .. i end return 'fine'",
      { bytes = 1 << 20, cpu_ms = 5000 })
    assert.is_true(r.ok, r.message)
  end)
end)
