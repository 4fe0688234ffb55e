-- SPDX-License-Identifier: Apache-2.0
--
-- The scripts of style.md §6 that others cannot stop, and some more. Each ends by itself with the
-- outcome named here, within its limit and a grace.

local probe = require("probe_script")
local sources = require("spec.core.script.sources")

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

-- name, body, kind of the error, text in the message
local HOSTILE = {
  { "a plain loop", "while true do end", "timeout", "used up its time" },
  { "a loop inside pcall in a loop", "while true do pcall(function() while true do end end) end",
    "timeout", "used up its time" },
  { "pcall of pcall", "while true do pcall(pcall, function() while true do end end) end",
    "timeout", "used up its time" },
  { "a loop in a sort comparator", "table.sort({3, 2, 1}, function() while true do end end)",
    "timeout", "used up its time" },
  { "a loop in a gsub callback", "('x'):gsub('x', function() while true do end end)",
    "timeout", "used up its time" },
  { "a loop in __close", [[
    local function forever() while true do end end
    while true do
      pcall(function()
        local a <close> = setmetatable({}, {__close = forever})
        local b <close> = setmetatable({}, {__close = forever})
      end)
    end]], "timeout", "used up its time" },
  { "a loop in __index", "local t = setmetatable({}, {__index = function() while true do end end})"
    .. " return t.x", "timeout", "used up its time" },
  { "a loop in __tostring", "tostring(setmetatable({}, {__tostring = function() while true do end"
    .. " end}))", "timeout", "used up its time" },
  { "recursive pcall until the C stack ends", [[
    local function f() pcall(f) end
    while true do f() end]], "timeout", "used up its time" },
  { "a coroutine that resumes for ever", "local co = coroutine.create(function() end)",
    "internal", "'coroutine' is not available" },
  { "a loop in __gc", "setmetatable({}, {__gc = function() while true do end end})",
    "internal", "__gc is not available" },
  { "an endless xpcall message handler", "xpcall(error, function() while true do end end)",
    "internal", "'xpcall' is not available" },
  { "an empty string repeated 2^53 times", "return (''):rep(1 << 53)", nil },
  { "a huge string", "return ('x'):rep(1000000000)", "internal", "too large" },
  { "a separator repeated", "return (''):rep(1 << 53, 'xx')", "internal", "too large" },
  { "doubling concatenation", "local s = 'x' while true do s = s .. s end", "too-large",
    "used up its memory" },
  { "table.move over a huge range", "table.move({}, 1, 1 << 53, 2)", "internal",
    "range is too large" },
  { "table.move over a negative range", "table.move({}, -(1 << 62), 1 << 62, 2)", "internal",
    "range is too large" },
  { "table.insert with a lying __len",
    "table.insert(setmetatable({}, {__len = function() return 1 << 53 end}), 1, 2)", "internal",
    "is not a list" },
  { "table.concat with a lying __len", [[
    local t = setmetatable({}, {__len = function() return 1 << 53 end,
      __index = function() return "" end})
    return table.concat(t)]], "internal", "is not a list" },
  { "table.concat over a huge range",
    "return table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1 << 53)",
    "internal", "range is too large" },
  { "table.sort with a C comparator", "table.sort({3, 2, 1}, rawequal)", "internal",
    "a Lua function is expected" },
  { "table.sort over long equal strings", [[
    local a, b, t = ("x"):rep(3000000) .. "a", ("x"):rep(3000000) .. "b", {}
    for i = 1, 100000 do t[i] = i % 2 == 0 and a or b end
    table.sort(t)]], "timeout", "used up its time" },
  { "backtracking find", "return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(41))", "timeout",
    "used up its time" },
  { "backtracking gsub", "return (('a'):rep(50000)):gsub('.-.-.-.-b', '')", "timeout",
    "used up its time" },
  { "backtracking gmatch", "for _ in (('a'):rep(100000)):gmatch('a*a*a*b') do end", "timeout",
    "used up its time" },
  { "a balanced match over and over", "return (('('):rep(200000)):find('%b()')", "timeout",
    "used up its time" },
  { "a table bomb retried under pcall",
    "while true do pcall(function() local t = {} for i = 1, 1e9 do t[i] = {} end end) end",
    "too-large", "used up its memory" },
  { "a string bomb whose error is caught", [[
    pcall(function() local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(10000) .. i end end)
    return "survived"]], "too-large", "used up its memory" },
  { "unpacking more than the stack holds", "return select('#', table.unpack({}, 1, 10000000))",
    "internal", "too many results to unpack" },
  { "deep recursion", "local function f() return 1 + f() end return f()", "too-large",
    "used up its memory" },
  { "too many host calls", "for i = 1, 1000 do h.count() end", "too-large", "host calls" },
  { "too many host calls under pcall", "for i = 1, 1000 do pcall(h.count) end return 'survived'",
    "too-large", "host calls" },
}

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
