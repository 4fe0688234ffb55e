-- SPDX-License-Identifier: Apache-2.0
--
-- Regular expressions in the syntax of RE2, read into programs that lanai.regex runs. Errors have
-- the texts of Go's regexp.

local M = {}

local MAX_REPEAT = 1000    -- as in RE2
local MAX_PROGRAM = 10000  -- instructions: an expression may repeat what repeats

local LAST = 0x10FFFF

local CLASSES = {
  d = { 48, 57 },
  w = { 48, 57, 65, 90, 95, 95, 97, 122 },
  s = { 9, 10, 12, 13, 32, 32 },
}

local NAMED = {
  alnum = { 48, 57, 65, 90, 97, 122 }, alpha = { 65, 90, 97, 122 }, ascii = { 0, 127 },
  blank = { 9, 9, 32, 32 }, cntrl = { 0, 31, 127, 127 }, digit = { 48, 57 }, graph = { 33, 126 },
  lower = { 97, 122 }, print = { 32, 126 }, punct = { 33, 47, 58, 64, 91, 96, 123, 126 },
  space = { 9, 13, 32, 32 }, upper = { 65, 90 }, word = CLASSES.w,
  xdigit = { 48, 57, 65, 70, 97, 102 },
}

local ESCAPES = { a = 7, f = 12, n = 10, r = 13, t = 9, v = 11 }

local function fail(code, fragment)
  error({ regex = ("error parsing regexp: %s: `%s`"):format(code, fragment) }, 0)
end

local function append(set, ranges)
  for _, c in ipairs(ranges) do
    set[#set + 1] = c
  end
end

-- The ranges that are not in a sorted list of ranges.
local function complement(ranges)
  local rest, from = {}, 0
  for i = 1, #ranges, 2 do
    if ranges[i] > from then
      append(rest, { from, ranges[i] - 1 })
    end
    from = ranges[i + 1] + 1
  end
  append(rest, { from, LAST })
  return rest
end

-- Adds the other case of ASCII letters.
local function fold(set)
  for i = 1, #set, 2 do
    for _, case in ipairs({ { 65, 90, 32 }, { 97, 122, -32 } }) do
      local from, to = math.max(set[i], case[1]), math.min(set[i + 1], case[2])
      if from <= to then
        append(set, { from + case[3], to + case[3] })
      end
    end
  end
  return set
end

-- --- reading -----------------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

function Reader:peek(text)
  return self.text:sub(self.at, self.at + #text - 1) == text
end

function Reader:take(text)
  if text ~= "" and self:peek(text) then
    self.at = self.at + #text
    return true
  end
  return false
end

function Reader:point()
  local c = utf8.codepoint(self.text, self.at)
  self.at = utf8.offset(self.text, 2, self.at)
  return c
end

-- A hexadecimal escape, behind \x.
function Reader:hex(start)
  local digits, to = self.text:match("^(%x%x)()", self.at)
  if not digits then
    digits, to = self.text:match("^{(%x+)}()", self.at)
  end
  local c = digits and #digits <= 8 and tonumber(digits, 16)
  if not c or c > LAST then
    fail("invalid escape sequence", self.text:sub(start, start + 1))
  end
  self.at = to
  return c
end

-- Behind a backslash: a set of code points.
function Reader:escape()
  local start = self.at - 1
  if self.at > #self.text then
    fail("trailing backslash at end of expression", "")
  end
  local letter = self.text:sub(self.at, self.at)
  local class = CLASSES[letter:lower()]
  if class then
    self.at = self.at + 1
    return letter == letter:lower() and class or complement(class)
  elseif letter == "x" then
    self.at = self.at + 1
    local c = self:hex(start)
    return { c, c }
  elseif letter:find("[%w]") and not ESCAPES[letter] then
    fail("invalid escape sequence", self.text:sub(start, self.at))
  end
  local c = ESCAPES[letter]
  if c then
    self.at = self.at + 1
  else
    c = self:point()
  end
  return { c, c }
end

-- One element of a bracket expression; its ranges, and whether it may begin a range.
function Reader:bracket_element()
  if self:peek("[:") then
    local negated, name, to = self.text:match("^%[:(%^?)(%a+):%]()", self.at)
    if name then
      if not NAMED[name] then
        fail("invalid character class range", self.text:sub(self.at, to - 1))
      end
      self.at = to
      return negated == "" and NAMED[name] or complement(NAMED[name]), false
    end
  end
  if self:take("\\") then
    local set = self:escape()
    return set, #set == 2 and set[1] == set[2]
  end
  local c = self:point()
  return { c, c }, true
end

-- A bracket expression, behind its [.
function Reader:bracket()
  local start, set = self.at - 1, {}
  local negated = self:take("^")
  local first = true
  while first or not self:peek("]") do
    if self.at > #self.text then
      fail("missing closing ]", self.text:sub(start))
    end
    first = false
    local from = self.at
    local ranges, single = self:bracket_element()
    if single and self:peek("-") and not self:peek("-]") and self.at < #self.text then
      self.at = self.at + 1
      local upper, ends = self:bracket_element()
      if not ends or upper[1] < ranges[1] then
        fail("invalid character class range", self.text:sub(from, self.at - 1))
      end
      ranges = { ranges[1], upper[1] }
    end
    append(set, ranges)
  end
  self.at = self.at + 1
  if self.flags.i then
    fold(set)
  end
  set.negated = negated
  return { "char", set }
end

-- (?flags) or (?flags: behind the (?; true when a group begins.
function Reader:set_flags(start)
  local on, off, close, to = self.text:match("^([imsU]*)%-?([imsU]*)([:)])()", self.at)
  if not on or on .. off == "" and close == ")" then
    fail("invalid or unsupported Perl syntax", self.text:sub(start, self.at))
  end
  local flags = {}
  for flag in ("imsU"):gmatch(".") do
    flags[flag] = (self.flags[flag] or on:find(flag, 1, true)) and not off:find(flag, 1, true)
  end
  self.flags, self.at = flags, to
  return close == ":"
end

-- A group, behind its (.
function Reader:group()
  local start, flags, capture = self.at - 1, self.flags, nil
  if self:take("?") then
    local to = self.text:match("^P?<[%w_]+>()", self.at)
    if to then
      self.at, capture = to, true
    elseif not self:set_flags(start) then
      return { "empty" } -- the flags hold until the end of the group around
    end
  else
    capture = true
  end
  local index
  if capture then
    self.groups = self.groups + 1
    index = self.groups
  end
  self.depth = self.depth + 1
  if self.depth > 200 then
    fail("expression nests too deeply", self.text)
  end
  local body = self:alternatives()
  self.depth = self.depth - 1
  if not self:take(")") then
    fail("missing closing )", self.text)
  end
  self.flags = flags
  return index and { "group", body, index } or body
end

function Reader:literal(c)
  local set = { c, c }
  return { "char", self.flags.i and fold(set) or set }
end

-- \Q...\E: text that means itself.
function Reader:quoted()
  local body = { "sequence" }
  while self.at <= #self.text and not self:take("\\E") do
    body[#body + 1] = self:literal(self:point())
  end
  return body
end

local ASSERTIONS = { ["\\A"] = "begin", ["\\z"] = "end", ["\\b"] = "word", ["\\B"] = "no word" }

-- What a repetition may follow.
function Reader:atom()
  for text, kind in pairs(ASSERTIONS) do
    if self:take(text) then
      return { "assert", kind }
    end
  end
  if self:take("(") then
    return self:group()
  elseif self:take("[") then
    return self:bracket()
  elseif self:take(".") then
    return { "char", self.flags.s and { 0, LAST } or { 0, 9, 11, LAST } }
  elseif self:take("^") then
    return { "assert", self.flags.m and "line begin" or "begin" }
  elseif self:take("$") then
    return { "assert", self.flags.m and "line end" or "end" }
  elseif self:take("\\Q") then
    return self:quoted()
  elseif self:take("\\") then
    local set = self:escape()
    local copy = {}
    append(copy, set)
    return { "char", self.flags.i and fold(copy) or copy }
  elseif self.text:find("^[*+?]", self.at) then
    fail("missing argument to repetition operator", self.text:sub(self.at, self.at))
  end
  return self:literal(self:point())
end

local SHORT = { ["*"] = { 0, nil }, ["+"] = { 1, nil }, ["?"] = { 0, 1 } }

-- The least and most of a repetition that begins here; nil when none does.
function Reader:bounds()
  local sign = self.text:sub(self.at, self.at)
  if SHORT[sign] and sign ~= "" then
    self.at = self.at + 1
    return SHORT[sign][1], SHORT[sign][2]
  end
  local least, comma, most, to = self.text:match("^{(%d+)(,?)(%d*)}()", self.at)
  if not least or comma == "" and most ~= "" then
    return nil
  end
  local low, high = tonumber(least), tonumber(most)
  high = comma == "" and low or high
  if low > MAX_REPEAT or (high or 0) > MAX_REPEAT or high and high < low then
    fail("invalid repeat count", self.text:sub(self.at, to - 1))
  end
  self.at = to
  return low, high
end

function Reader:repeated()
  local body, start, repeats = self:atom(), self.at, 0
  local least, most = self:bounds()
  while least do
    local lazy = self:take("?") ~= (self.flags.U == true)
    repeats = repeats + 1
    if repeats > 1 then
      fail("invalid nested repetition operator", self.text:sub(start, self.at - 1))
    end
    body = { "repeat", body, least, most or false, lazy }
    least, most = self:bounds()
  end
  return body
end

function Reader:sequence()
  local body = { "sequence" }
  while self.at <= #self.text and not self.text:find("^[|)]", self.at) do
    body[#body + 1] = self:repeated()
  end
  return body
end

function Reader:alternatives()
  local body = { "any", self:sequence() }
  while self:take("|") do
    body[#body + 1] = self:sequence()
  end
  return #body == 2 and body[2] or body
end

-- --- writing -----------------------------------------------------------------------------

local write

local function emit(program, op)
  if #program >= MAX_PROGRAM then
    fail("expression too large", program.text)
  end
  program[#program + 1] = op
  return op
end

-- A branch whose preferred side is what follows; the other is set when it is known.
local function branch(program, lazy)
  local split = emit(program, { "split" })
  local first, second = 2, 3
  if lazy then
    first, second = 3, 2
  end
  split[first] = #program + 1
  return split, second
end

local WRITERS = {
  empty = function() end,
  char = emit,
  assert = emit,
  sequence = function(program, body)
    for i = 2, #body do
      write(program, body[i])
    end
  end,
  group = function(program, body)
    emit(program, { "save", 2 * body[3] })
    write(program, body[2])
    emit(program, { "save", 2 * body[3] + 1 })
  end,
  any = function(program, body)
    local ends = {}
    for i = 2, #body - 1 do
      local split, other = branch(program, false)
      write(program, body[i])
      ends[#ends + 1] = emit(program, { "jump" })
      split[other] = #program + 1
    end
    write(program, body[#body])
    for _, jump in ipairs(ends) do
      jump[2] = #program + 1
    end
  end,
  ["repeat"] = function(program, body)
    local inner, least, most, lazy = body[2], body[3], body[4], body[5]
    for _ = 1, least do
      write(program, inner)
    end
    if not most then
      local split, other = branch(program, lazy)
      local start = #program
      write(program, inner)
      emit(program, { "jump", start })
      split[other] = #program + 1
      return
    end
    local splits = {}
    for i = least + 1, most do
      local split, other = branch(program, lazy)
      splits[i - least] = { split, other }
      write(program, inner)
    end
    for _, s in ipairs(splits) do
      s[1][s[2]] = #program + 1
    end
  end,
}

write = function(program, body)
  WRITERS[body[1]](program, body)
end

--- Gives the program of an expression and the number of its groups; nil and a message.
--- @param pattern string
--- @return table|nil, integer|string
function M.compile(pattern)
  local ok, result, groups = pcall(function()
    local reader = setmetatable({ text = pattern, at = 1, groups = 0, depth = 0, flags = {} },
      Reader)
    local body = reader:alternatives()
    if reader.at <= #pattern then
      fail("unexpected )", pattern)
    end
    local program = { text = pattern }
    emit(program, { "save", 0 })
    write(program, body)
    emit(program, { "save", 1 })
    emit(program, { "match" })
    return program, reader.groups
  end)
  if ok then
    return result, groups
  elseif type(result) == "table" and result.regex then
    return nil, result.regex
  end
  error(result, 0)
end

return M
