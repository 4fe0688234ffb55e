-- SPDX-License-Identifier: Apache-2.0
--
-- The patterns of scripts are those of Lua: every case is run here and in the sandbox.

local probe = require("probe_script")
local sources = require("spec.core.script.sources")

local SUBJECTS = { "", "a", "abc", "  trim me  ", "key=value; k2 = v2", "THE (quick) fox",
  "x[1][2]", "aaa", "a.b.c", "\0z\0", "hello hello", "%d%%", "a-b_c", "ÄÖ", "f(a(b)c)d", "]^-" }
local PATTERNS = { "", ".", "a", "^a", "a$", "^$", "%a+", "%s*(.-)%s*$", "^%s*(.-)%s*$",
  "(%w+)=(%w+)", "(%w+)%s*=%s*(%w+)", "%((%a+)%)", "%b()", "%f[%w]%w+", "()a()", "a-", "a-$", "a*",
  "a+", "a?b", "[a-c]+", "[^a-c]+", "[]]", "[^]]", "[%]%-]", "[a-]", "(h)(e)(l)%3o", "(%w+) %1",
  "%z", "%W", "[%a_]+", ".-b", "((a)(b))", "^", "$", "a$b", "%%", "[^%s]+", "%u%l*", "[%w.]+",
  "x?", "(a*(.)%w(%s*))", "%x", "%c", "%p+", "%g+", "a.-c", "[-a]", "[a%-z]+" }
local BROKEN = { "(", ")", "%", "[a", "[^", "[]", "(a", "a)", "%b", "%bx", "%f", "%f[", "%1",
  "(%1)", "[a%", "[%" }
local REPLACEMENTS = { '"<%0>"', '"%1"', '"%%"', '"x"', "{a = 'A', abc = 1}",
  "function(x) return x .. '!' end", "function() end", "function() return false end", '"%2%1"',
  '"%9"', '"%"', "function() return {} end", "7" }

-- Runs the same chunk with Lua's own string library and in the sandbox; both give one text.
local CHUNK = [[
local out = {}
local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]) end
  out[#out + 1] = table.concat(t, ",")
end
local function try(f, ...)
  local t = table.pack(pcall(f, ...))
  if t[1] then
    show(table.unpack(t, 1, t.n))
  else
    out[#out + 1] = "error: " .. tostring(t[2]):gsub("^.-:%d+: ", "")
  end
end
local function all(f, s, p)
  for a, b, c in f(s, p) do show(a, b, c) end
end
for _, s in ipairs(SUBJECTS) do
  for _, p in ipairs(PATTERNS) do
    try(string.find, s, p)
    try(string.find, s, p, 2)
    try(string.find, s, p, -2)
    try(string.find, s, p, 1, true)
    try(string.match, s, p)
    try(string.match, s, p, 3)
    try(all, string.gmatch, s, p)
    for _, r in ipairs(REPLACEMENTS) do
      try(string.gsub, s, p, r)
      try(string.gsub, s, p, r, 1)
    end
  end
end
]]

local function list(values, quote)
  local t = {}
  for i, v in ipairs(values) do
    t[i] = quote and ("%q"):format(v) or v
  end
  return "{" .. table.concat(t, ", ") .. "}"
end

local function chunk(patterns)
  return "local SUBJECTS = " .. list(SUBJECTS, true)
    .. "\nlocal PATTERNS = " .. list(patterns, true)
    .. "\nlocal REPLACEMENTS = " .. list(REPLACEMENTS) .. "\n" .. CHUNK
    .. "\nreturn table.concat(out, '\\n')"
end

local function in_sandbox(text)
  local dir = sources.dir({ ["x.lua"] = "return { run = function()\n" .. text .. "\nend }" })
  local r = assert(probe.load({ dir })):run("x", { cpu_ms = 20000, bytes = 64 << 20 })
  assert.is_true(r.ok, r.message)
  return r.result
end

local function lines(text)
  local t = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    t[#t + 1] = line
  end
  return t
end

describe("patterns in the sandbox", function()
  after_each(sources.clean)

  it("match as Lua's do", function()
    local text = chunk(PATTERNS)
    local expected, actual = lines(load(text)()), lines(in_sandbox(text))
    for i = 1, #expected do
      if expected[i] ~= actual[i] then -- one failing line, not a megabyte of text
        assert.equal(expected[i], actual[i], "line " .. i)
      end
    end
    assert.equal(#expected, #actual)
    assert.is_true(#expected > 10000)
  end)

  it("refuse what Lua refuses", function()
    for _, p in ipairs(BROKEN) do
      local body = ("return pcall(string.find, 'abc', %q) and 'ok' or 'refused'"):format(p)
      assert.equal(load(body)(), in_sandbox(body), p)
    end
  end)

  it("take a subject of megabytes", function()
    assert.equal("2000000", in_sandbox([[
      local n = 0
      for line in ("x\n"):rep(2000000):gmatch("[^\n]*\n") do n = n + 1 end
      return n]]))
  end)

  it("search plain text in linear time", function()
    assert.equal("nil", in_sandbox([[
      local a = ("a"):rep(1000000)
      return tostring(a:rep(3):find(a .. "b", 1, true))]]))
  end)
end)
