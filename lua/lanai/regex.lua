-- SPDX-License-Identifier: Apache-2.0
--
-- Regular expressions in RE2's syntax, as far as configuration of functions uses it: literals, `.`,
-- classes with ranges, \d \w \s \b and their opposites, [[:alpha:]], anchors, groups (capturing,
-- (?:…), (?i) in front), alternatives, greedy and lazy repetition. The leftmost match is found, and
-- of its alternatives the first. All ways are followed at once, so the time is at most the length
-- of the text times that of the expression, whatever it says.
--
--     local regex = require("lanai.regex")
--     local re, message = regex.compile("(\\w+)-dev")
--     local from, to, captures = re:find("my-dev")   -- captures[1] == "my"

local regex = {}

local MAX_PROGRAM = 20000 -- instructions; a{1000}{1000} is refused

-- Classes are tables of 256 booleans by byte.
local function class(test)
  local set = {}
  for byte = 0, 255 do
    set[byte] = test(byte)
  end
  return set
end

local function pattern_class(pattern)
  return class(function(byte) return byte < 128 and string.char(byte):find(pattern) ~= nil end)
end

local NAMED = {
  d = pattern_class("^%d$"), w = pattern_class("^[%w_]$"), s = pattern_class("^[\t\n\f\r ]$"),
}
local POSIX = {
  alpha = "%a", digit = "%d", alnum = "%w", upper = "%u", lower = "%l", space = "%s",
  punct = "%p", xdigit = "%x", cntrl = "%c", print = "[%g ]", graph = "%g", word = "[%w_]",
  blank = "[ \t]",
}
local ESCAPES = { n = "\n", t = "\t", r = "\r", f = "\f", v = "\v", a = "\a" }

local function negate(set)
  return class(function(byte) return not set[byte] end)
end

-- The parser builds a tree of {op, …}; `at` is the position in the expression.
local Parser = {}
Parser.__index = Parser

local function fail(message, part)
  error({ regex = ("error parsing regexp: %s: `%s`"):format(message, part) }, 0)
end

function Parser:peek()
  return self.text:sub(self.at, self.at)
end

function Parser:escape(in_class)
  local c = self.text:sub(self.at + 1, self.at + 1)
  self.at = self.at + 2
  if NAMED[c] then
    return nil, NAMED[c]
  elseif NAMED[c:lower()] and c ~= "" then
    return nil, negate(NAMED[c:lower()])
  elseif ESCAPES[c] then
    return ESCAPES[c]
  elseif c == "x" then
    local hex, behind = self.text:match("^(%x%x)()", self.at)
    if not hex then
      hex, behind = self.text:match("^{(%x+)}()", self.at)
    end
    if not hex then
      fail("invalid escape sequence", "\\x")
    end
    self.at = behind
    return utf8.char(tonumber(hex, 16))
  elseif c:find("^%p$") then
    return c
  elseif not in_class and (c == "b" or c == "B" or c == "A" or c == "z") then
    return nil, nil, c
  elseif c == "" then
    fail("trailing backslash at end of expression", "")
  end
  fail("invalid escape sequence", "\\" .. c)
end

function Parser:bracket_item(set)
  local posix = self.text:match("^%[:(%^?%a+):%]", self.at)
  if posix then
    local name = posix:gsub("^%^", "")
    if not POSIX[name] then
      fail("invalid character class range", "[:" .. posix .. ":]")
    end
    local found = pattern_class("^" .. POSIX[name] .. "$")
    self.at = self.at + #posix + 4
    return nil, posix:find("^%^") and negate(found) or found
  end
  if self:peek() == "\\" then
    return self:escape(true)
  end
  local char = self.text:match("^" .. utf8.charpattern, self.at) or self:peek()
  self.at = self.at + #char
  return char, set
end

function Parser:bracket()
  local from = self.at
  self.at = self.at + 1
  local negated = self:peek() == "^"
  self.at = self.at + (negated and 1 or 0)
  local set, first = class(function() return false end), true
  while first or self:peek() ~= "]" do
    if self.at > #self.text then
      fail("missing closing ]", self.text:sub(from))
    end
    first = false
    local low, named = self:bracket_item()
    local high = low
    if low and self:peek() == "-" and self.text:sub(self.at + 1, self.at + 1) ~= "]" then
      self.at = self.at + 1
      high = self:bracket_item()
    end
    if low and (#low > 1 or not high or #high > 1 or high < low) then
      fail("invalid character class range", self.text:sub(from, self.at - 1))
    end
    for byte = 0, 255 do
      set[byte] = set[byte] or (low and byte >= low:byte() and byte <= high:byte())
        or (not low and named[byte])
    end
  end
  self.at = self.at + 1
  return { "set", negated and negate(set) or set }
end

function Parser:fold(char)
  if self.insensitive and char:find("^%a$") then
    return { "set", class(function(byte)
      return byte < 128 and string.char(byte):lower() == char:lower()
    end) }
  end
  return { "text", char }
end

local ANY = class(function(byte) return byte ~= 10 end)
local ALL = class(function() return true end)

function Parser:group()
  if self.text:sub(self.at + 1, self.at + 1) ~= "?" then
    self.groups = self.groups + 1
    local index = self.groups
    self.at = self.at + 1
    return { "group", index, self:alternatives(true) }
  end
  local name, behind = self.text:match("^%(%?P?<([%w_]+)>()", self.at)
  if name then
    self.groups = self.groups + 1
    local index = self.groups
    self.at = behind
    return { "group", index, self:alternatives(true) }
  end
  local flags, stop
  flags, stop, behind = self.text:match("^%(%?([is]*)([:)])()", self.at)
  if not flags then
    fail("invalid or unsupported Perl syntax", self.text:sub(self.at, self.at + 2))
  end
  local old_i, old_s = self.insensitive, self.single
  self.insensitive = self.insensitive or flags:find("i") ~= nil
  self.single = self.single or flags:find("s") ~= nil
  self.at = behind
  if stop == ")" then -- holds until the end of the group around it
    return { "empty" }
  end
  local inner = self:alternatives(true)
  self.insensitive, self.single = old_i, old_s
  return inner
end

function Parser:atom()
  local c = self:peek()
  if c == "(" then
    return self:group()
  elseif c == "[" then
    return self:bracket()
  elseif c == "." then
    self.at = self.at + 1
    return { "set", self.single and ALL or ANY }
  elseif c == "^" or c == "$" then
    self.at = self.at + 1
    return { "anchor", c == "^" and "A" or "z" }
  elseif c == "\\" then
    local char, set, anchor = self:escape()
    return set and { "set", set } or anchor and { "anchor", anchor } or self:fold(char)
  elseif c == "*" or c == "+" or c == "?" then
    fail("missing argument to repetition operator", c)
  end
  local char = self.text:match("^" .. utf8.charpattern, self.at) or c
  self.at = self.at + #char
  return self:fold(char)
end

local BOUNDS = { ["*"] = { 0 }, ["+"] = { 1 }, ["?"] = { 0, 1 } }

function Parser:repetition()
  local sign = self:peek()
  local bounds, behind = BOUNDS[sign], self.at + 1
  if not bounds then
    local min, comma, max, next_at = self.text:match("^{(%d+)(,?)(%d*)}()", self.at)
    if not min then
      return nil
    end
    bounds = { tonumber(min), comma == "" and tonumber(min) or tonumber(max) }
    if bounds[1] > 1000 or (bounds[2] or 0) > 1000 or (bounds[2] or 1000) < bounds[1] then
      fail("invalid repeat count", self.text:sub(self.at, next_at - 1))
    end
    behind = next_at
  end
  self.at = behind
  local lazy = self:peek() == "?"
  self.at = self.at + (lazy and 1 or 0)
  return bounds, lazy
end

function Parser:sequence()
  local list = { "sequence" }
  while self.at <= #self.text and not self.text:find("^[|)]", self.at) do
    local item = self:atom()
    local bounds, lazy = self:repetition()
    if bounds then
      item = { "repeat", item, bounds[1], bounds[2], lazy }
      local from = self.at
      if self:repetition() then
        fail("invalid nested repetition operator", self.text:sub(from - 1, self.at - 1))
      end
    end
    list[#list + 1] = item
  end
  return list
end

function Parser:alternatives(inside)
  local old_i, old_s = self.insensitive, self.single
  local list = { "either", self:sequence() }
  while self:peek() == "|" do
    self.at = self.at + 1
    list[#list + 1] = self:sequence()
  end
  if inside then
    if self:peek() ~= ")" then
      fail("missing closing )", self.text)
    end
    self.at = self.at + 1
    self.insensitive, self.single = old_i, old_s
  elseif self.at <= #self.text then
    fail("unexpected )", self.text)
  end
  return #list == 2 and list[2] or list
end

-- The program: {op = "set", set} | "split", first, second | "jump", to | "save", slot | "anchor",
-- which | "match". A fork prefers its first way.
local compile

local function add(program, instruction)
  if #program >= MAX_PROGRAM then
    fail("expression too large", "")
  end
  program[#program + 1] = instruction
  return #program
end

local function add_fork(program, lazy)
  local at = add(program, { op = "split" })
  return at, function(inside, behind)
    program[at].first, program[at].second = lazy and behind or inside, lazy and inside or behind
  end
end

local function compile_star(program, item, lazy)
  local at, aim = add_fork(program, lazy)
  compile(program, item)
  add(program, { op = "jump", to = at })
  aim(at + 1, #program + 1)
end

local COMPILE = {
  empty = function() end,
  text = function(program, item)
    for i = 1, #item[2] do
      local wanted = item[2]:byte(i)
      add(program, { op = "set", set = { [wanted] = true } })
    end
  end,
  set = function(program, item) add(program, { op = "set", set = item[2] }) end,
  anchor = function(program, item) add(program, { op = "anchor", which = item[2] }) end,
  group = function(program, item)
    add(program, { op = "save", slot = 2 * item[2] })
    compile(program, item[3])
    add(program, { op = "save", slot = 2 * item[2] + 1 })
  end,
  sequence = function(program, item)
    for i = 2, #item do
      compile(program, item[i])
    end
  end,
  either = function(program, item)
    local ends = {}
    for i = 2, #item - 1 do
      local at = add(program, { op = "split" })
      program[at].first = at + 1
      compile(program, item[i])
      ends[#ends + 1] = add(program, { op = "jump" })
      program[at].second = #program + 1
    end
    compile(program, item[#item])
    for _, at in ipairs(ends) do
      program[at].to = #program + 1
    end
  end,
  ["repeat"] = function(program, item)
    local inner, min, max, lazy = item[2], item[3], item[4], item[5]
    for _ = 1, min do
      compile(program, inner)
    end
    if not max then
      return compile_star(program, inner, lazy)
    end
    local aims = {}
    for _ = min + 1, max do
      local at, aim = add_fork(program, lazy)
      aims[#aims + 1] = function() aim(at + 1, #program + 1) end
      compile(program, inner)
    end
    for _, aim in ipairs(aims) do
      aim()
    end
  end,
}

function compile(program, item)
  COMPILE[item[1]](program, item)
end

-- The longest text that is in every match: most texts that are searched do not have it.
local function required(tree)
  local best, run = "", ""
  local function visit(item)
    if item[1] == "text" then
      run = run .. item[2]
    elseif item[1] == "sequence" then
      for i = 2, #item do
        visit(item[i])
      end
    elseif item[1] == "group" then
      visit(item[3])
    elseif item[1] ~= "anchor" and item[1] ~= "empty" then
      run = ""
    end
    best = #run > #best and run or best
  end
  visit(tree)
  return best
end

local function is_word(text, at)
  return at >= 1 and at <= #text and NAMED.w[text:byte(at)] or false
end

local function holds(which, text, at)
  if which == "A" then
    return at == 1
  elseif which == "z" then
    return at == #text + 1
  end
  return (is_word(text, at - 1) ~= is_word(text, at)) == (which == "b")
end

-- Adds what can be reached from `pc` without reading; `saved` are the captures on that way.
local function follow(program, list, seen, text, at, pc, saved)
  local stack = { { pc, saved } }
  while #stack > 0 do
    local top = stack[#stack]
    stack[#stack] = nil
    pc, saved = top[1], top[2]
    local i = program[pc]
    if not seen[pc] then
      seen[pc] = true
      if i.op == "jump" then
        stack[#stack + 1] = { i.to, saved }
      elseif i.op == "split" then
        stack[#stack + 1] = { i.second, saved }
        stack[#stack + 1] = { i.first, saved }
      elseif i.op == "save" then
        local copy = {}
        for slot, position in pairs(saved) do
          copy[slot] = position
        end
        copy[i.slot] = at
        stack[#stack + 1] = { pc + 1, copy }
      elseif i.op == "anchor" then
        if holds(i.which, text, at) then
          stack[#stack + 1] = { pc + 1, saved }
        end
      else
        list[#list + 1] = { pc, saved }
      end
    end
  end
end

local Expression = {}
Expression.__index = Expression

-- The captures of the best match, by slot, or nil.
local function execute(program, text)
  local found
  local now = {}
  for at = 1, #text + 1 do
    local seen = {}
    local ready = {}
    for _, thread in ipairs(now) do
      follow(program, ready, seen, text, at, thread[1], thread[2])
    end
    if not found then
      follow(program, ready, seen, text, at, 1, {})
    end
    now = {}
    local byte = text:byte(at)
    for _, thread in ipairs(ready) do
      local i = program[thread[1]]
      if i.op == "match" then
        found = thread[2]
        break
      elseif byte and i.set[byte] then
        now[#now + 1] = { thread[1] + 1, thread[2] }
      end
    end
    if found and #now == 0 then
      break
    end
  end
  return found
end

--- Finds the first match: its first and last byte and the texts of the groups ("" for a group that
--- took no part); nil when there is none.
function Expression:find(text)
  if not text:find(self.required, 1, true) then
    return nil
  end
  local found = execute(self.program, text)
  if not found then
    return nil
  end
  local captures = {}
  for group = 1, self.groups do
    local from, to = found[2 * group], found[2 * group + 1]
    captures[group] = from and to and text:sub(from, to - 1) or ""
  end
  return found[0], found[1] - 1, captures
end

--- True when some part of the text matches.
function Expression:test(text)
  return self:find(text) ~= nil
end

--- Compiles an expression; nil and a message when it is wrong. `anchored` makes it match whole
--- texts only.
function regex.compile(text, anchored)
  local parser = setmetatable({ text = text, at = 1, groups = 0 }, Parser)
  local program, tree = {}, nil
  local ok, problem = pcall(function()
    tree = parser:alternatives(false)
    add(program, { op = "save", slot = 0 })
    if anchored then
      tree = { "sequence", { "anchor", "A" }, tree, { "anchor", "z" } }
    end
    compile(program, tree)
    add(program, { op = "save", slot = 1 })
    add(program, { op = "match" })
  end)
  if not ok then
    if type(problem) == "table" and problem.regex then
      return nil, problem.regex
    end
    error(problem, 0)
  end
  return setmetatable({ program = program, groups = parser.groups, required = required(tree) },
    Expression)
end

--- Writes a text so that it stands for itself in an expression.
function regex.quote(text)
  return (text:gsub("[%^%$%(%)%.%[%]%*%+%?%{%}%|\\]", "\\%0"))
end

return regex
