-- SPDX-License-Identifier: Apache-2.0
--
-- Regular expressions with the syntax and the preferences of Go's regexp (RE2), for functions whose
-- configuration has them. The program is run over all alternatives at once, so the time is bounded
-- by length × program; there are no back-references and no look-around, as in RE2. lua/fn/README.md
-- says what differs.
--
-- A program is a list of instructions: {"char", set}, {"split", first, second}, {"jump", to},
-- {"save", slot}, {"assert", kind}, {"match"}. A set is a list of ranges of code points, perhaps
-- negated.

local syntax = require("lanai.regex_syntax")

local M = {}
M.__index = M

local function in_set(set, c)
  local found = false
  for i = 1, #set, 2 do
    if c >= set[i] and c <= set[i + 1] then
      found = true
      break
    end
  end
  return found ~= (set.negated == true)
end

local WORD = { 48, 57, 65, 90, 95, 95, 97, 122 }

local function is_word(c)
  return c ~= nil and in_set(WORD, c)
end

local function holds(kind, text, at)
  if kind == "begin" then
    return at == 1
  elseif kind == "end" then
    return at == #text + 1
  elseif kind == "line begin" then
    return at == 1 or text[at - 1] == 10
  elseif kind == "line end" then
    return at == #text + 1 or text[at] == 10
  end
  return (is_word(text[at - 1]) ~= is_word(text[at])) == (kind == "word")
end

local function with_slot(slots, slot, at)
  local copy = {}
  for k, v in pairs(slots) do
    copy[k] = v
  end
  copy[slot] = at
  return copy
end

-- Adds the thread at pc and all that follows without reading, best first.
local function add(program, list, pc, slots, text, at)
  local stack = { { pc, slots } }
  while #stack > 0 do
    local top = table.remove(stack)
    pc, slots = top[1], top[2]
    if not list.seen[pc] then
      list.seen[pc] = true
      local op = program[pc]
      if op[1] == "jump" then
        stack[#stack + 1] = { op[2], slots }
      elseif op[1] == "split" then
        stack[#stack + 1] = { op[3], slots }
        stack[#stack + 1] = { op[2], slots }
      elseif op[1] == "save" then
        stack[#stack + 1] = { pc + 1, with_slot(slots, op[2], at) }
      elseif op[1] == "assert" then
        if holds(op[2], text, at) then
          stack[#stack + 1] = { pc + 1, slots }
        end
      else
        list[#list + 1] = { pc, slots }
      end
    end
  end
end

-- The slots of the leftmost match, the preferred one among those; nil when there is none.
local function search(program, text, from)
  local current, best = { seen = {} }, nil
  for at = from, #text + 1 do
    if not best then
      add(program, current, 1, {}, text, at)
    end
    if #current == 0 then
      break
    end
    local following = { seen = {} }
    for _, thread in ipairs(current) do
      local op = program[thread[1]]
      if op[1] == "match" then
        best = thread[2]
        break -- what comes behind is less preferred
      elseif text[at] and in_set(op[2], text[at]) then
        add(program, following, thread[1] + 1, thread[2], text, at + 1)
      end
    end
    current = following
  end
  return best
end

--- Compiles an expression; nil and a message for what is none.
--- @param pattern string
--- @return table|nil, string?
function M.compile(pattern)
  local self = { pattern = pattern }
  if not pattern:find("[%^%$%.%[%]%(%)%*%+%?%{%}%|\\]") then
    self.plain = true
  else
    local program, n = syntax.compile(pattern)
    if not program then
      return nil, n
    end
    self.program, self.groups = program, n
  end
  return setmetatable(self, M)
end

--- Compiles an expression that must match the whole text.
--- @param pattern string
--- @return table|nil, string?
function M.compile_whole(pattern)
  if not pattern:find("[%^%$%.%[%]%(%)%*%+%?%{%}%|\\]") then
    return setmetatable({ pattern = pattern, plain = true, whole = true }, M)
  end
  return M.compile("^(?:" .. pattern .. ")$")
end

-- Places of code points in the text, and the code points.
local function decode(text)
  local places, points = {}, {}
  for place, point in utf8.codes(text) do
    places[#places + 1], points[#points + 1] = place, point
  end
  places[#places + 1] = #text + 1
  return places, points
end

--- Finds the leftmost match at or behind byte `init`: its first and last byte, and the texts of the
--- groups, "" for one that took no part.
--- @param text string
--- @param init integer|nil
--- @return integer|nil, integer?, string[]?
function M:find(text, init)
  init = init or 1
  if self.whole then
    if text == self.pattern and init == 1 then
      return 1, #text, {}
    end
    return nil
  elseif self.plain then
    local from, to = text:find(self.pattern, init, true)
    return from, to, from and {} or nil
  end
  local places, points = decode(text)
  local from = 1
  while places[from] < init and from < #places do
    from = from + 1
  end
  local slots = search(self.program, points, from)
  if not slots then
    return nil
  end
  local groups = {}
  for i = 1, self.groups do
    local first, last = slots[2 * i], slots[2 * i + 1]
    groups[i] = first and last and text:sub(places[first], places[last] - 1) or ""
  end
  return places[slots[0]], places[slots[1]] - 1, groups
end

--- True when the expression matches anywhere in the text.
--- @param text string
--- @return boolean
function M:test(text)
  return self:find(text) ~= nil
end

return M
