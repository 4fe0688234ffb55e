-- SPDX-License-Identifier: Apache-2.0
--
-- The scripts of style.md §6 that others cannot stop, and some more, for every place that runs code
-- which is not trusted. `h.count` is the host call of the specs of script/.

-- name, body, kind of the error, text in the message
return {
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
