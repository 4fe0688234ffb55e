-- SPDX-License-Identifier: Apache-2.0
--
-- Field paths as kustomize's replacements have them: names between dots (`\.` is a dot of a name,
-- brackets protect dots), `[name=web]` and `[=value]` for elements of lists, numbers, `*`, `-`.

local node = require("lanai.node")
local regex = require("lanai.regex")

local M = {}

local KINDS = { list = "SequenceNode", map = "MappingNode", alias = "AliasNode" }

-- Cuts at dots that have no backslash.
local function cut(path)
  local parts, joined = {}, {}
  for part in (path .. "."):gmatch("([^.]*)%.") do
    parts[#parts + 1] = part
  end
  if #parts > 1 and parts[1] == "" then
    table.remove(parts, 1)
  end
  for i, part in ipairs(parts) do
    local last = joined[#joined]
    if i > 1 and last:sub(-1) == "\\" then
      joined[#joined] = last:sub(1, -2) .. "." .. part
    else
      joined[#joined + 1] = part
    end
  end
  return joined
end

--- Gives the steps of a path.
--- Example: `fieldpath.split("metadata.annotations.[a.b/c]")`.
--- @param path string
--- @return string[]
function M.split(path)
  local parts, steps, i = cut(path), {}, 1
  while i <= #parts do
    local step = parts[i]
    if step:sub(1, 1) == "[" and step:sub(-1) ~= "]" then
      while i < #parts and parts[i + 1]:sub(-1) ~= "]" do
        i = i + 1
        step = step .. "." .. parts[i]
      end
      if i < #parts then
        i = i + 1
        step = step .. "." .. parts[i]
      end
      if not step:find("=", 1, true) then
        step = step:match("^[%[%]]*(.-)[%[%]]*$")
      end
    end
    steps[#steps + 1] = step
    i = i + 1
  end
  return steps
end

local function is_element(step)
  return step:sub(1, 1) == "[" and step:sub(-1) == "]"
end

-- A number that may be an index.
local function index_of(step)
  return step:find("^%+?%d+$") and math.tointeger(tonumber(step)) or nil
end

local function element_of(step)
  local key, value = step:match("^%[([^=]*)=(.*)%]$")
  if not key then
    return nil, "list path element must contain fieldName and fieldValue for element to match"
  end
  return key, value
end

-- nil when the value may be walked as the kind, else a message; null may be anything.
local function wrong_kind(value, kind)
  local is = node.kind(value)
  if is == "null" or is == kind then
    return nil
  end
  return ("wrong node kind: expected %s but got %s: node contents:\n%s"):format(KINDS[kind],
    KINDS[is] or "ScalarNode", node.emit(value))
end

-- A value as text, to be matched: lists and maps as YAML.
local function text_of(value)
  return node.text(value) or node.emit(value):match("^%s*(.-)%s*$")
end

-- --- one value ---------------------------------------------------------------------------

local function find_element(list, step)
  local key, wanted = element_of(step)
  if not key then
    return nil, wanted
  end
  local message = wrong_kind(list, "list")
  for i = 1, message and 0 or #list do
    local element = node.at(list, i)
    local value = element
    if key ~= "" then
      value = node.is_map(element) and node.at(element, key)
    end
    if value and node.text(value) == wanted then
      return element
    end
  end
  return nil, message
end

local function find_step(value, step)
  local index = step:find("^[+-]?%d+$") and math.tointeger(tonumber(step))
  if index and index < 0 then
    return nil, ("array index %d cannot be negative"):format(index)
  elseif index or step == "-" then
    local message = wrong_kind(value, "list")
    if message or node.kind(value) == "null" then
      return nil, message
    end
    return node.at(value, index and index + 1 or #value)
  elseif step == "*" then
    return nil, "wildcard is not supported in PathGetter"
  elseif is_element(step) then
    return find_element(value, step)
  end
  local message = wrong_kind(value, "map")
  if message or node.kind(value) == "null" then
    return nil, message
  end
  return node.at(value, step)
end

--- Finds the one value at a path; nil when there is none, nil and a message when there can be none.
--- @param value lanai.Node
--- @param steps string[]
--- @return lanai.Node|nil, string?
function M.get(value, steps)
  local message
  for _, raw in ipairs(steps) do
    local step = raw:match("^%s*(.-)%s*$")
    if step ~= "" then
      value, message = find_step(value, step)
      if not value then
        return nil, message
      end
    end
  end
  return value
end

-- --- all values --------------------------------------------------------------------------

-- What a missing value becomes: by the step that follows, and the leaf as `leaf` says.
local function blank(steps, at, leaf)
  local following = steps[at + 1]
  if not following or following == "" then
    return leaf == "list" and node.list() or leaf == "map" and node.map() or node.null()
  elseif is_element(following) or index_of(following) then
    return node.list()
  end
  return node.map()
end

local collect

local function collect_field(value, steps, at, found, leaf)
  local message = wrong_kind(value, "map")
  if message then
    return message
  end
  if node.kind(value) == "null" then
    if not leaf then
      return nil
    end
    node.assign(value, node.map())
  end
  local member = node.at(value, steps[at])
  if not member then
    if not leaf then
      return nil
    end
    node.set(value, steps[at], blank(steps, at, leaf))
    member = node.at(value, steps[at])
  end
  return collect(member, steps, at + 1, found, leaf)
end

local function append(list, value)
  node.insert(list, #list + 1, value)
  return node.at(list, #list)
end

local function collect_index(list, steps, at, found, leaf)
  local index = index_of(steps[at])
  local message = wrong_kind(list, "list")
  if message then
    return message
  end
  if leaf and node.kind(list) == "null" then
    node.assign(list, node.list())
  end
  if leaf and #list == index then
    append(list, blank(steps, at, leaf))
  end
  if #list <= index then
    return ("index %d specified but only %d elements found"):format(index, #list)
  end
  return collect(node.at(list, index + 1), steps, at + 1, found, leaf)
end

local function collect_every(list, steps, at, found, leaf)
  local message = wrong_kind(list, "list")
  for i = 1, message and 0 or #list do
    message = message or collect(node.at(list, i), steps, at + 1, found, leaf)
  end
  return message
end

-- Elements whose text, or that of their member, has a match of the expression. An element that is
-- the value itself ends the path.
local function collect_matching(list, steps, at, found, leaf)
  local key, pattern = element_of(steps[at])
  local message = not key and pattern or wrong_kind(list, "list")
  if message then
    return message
  end
  local expression, wrong = regex.compile(pattern)
  if not expression then
    return wrong
  end
  if leaf and node.kind(list) == "null" then
    node.assign(list, node.list())
  end
  local before = #found
  for i = 1, #list do
    local element = node.at(list, i)
    local value = element
    if key ~= "" then
      value = node.is_map(element) and node.at(element, key)
    end
    if value and expression:test(text_of(value)) then
      message = message or collect(element, steps, key == "" and #steps + 1 or at + 1, found, leaf)
    end
  end
  if message or not leaf or #found > before then
    return message
  end
  local made = append(list, key == "" and pattern or node.map({ [key] = pattern }))
  return collect(made, steps, key == "" and #steps + 1 or at + 1, found, leaf)
end

collect = function(value, steps, at, found, leaf)
  local step = steps[at]
  if not step then
    found[#found + 1] = value
    return nil
  elseif index_of(step) then
    return collect_index(value, steps, at, found, leaf)
  elseif is_element(step) then
    return collect_matching(value, steps, at, found, leaf)
  elseif step == "*" then
    return collect_every(value, steps, at, found, leaf)
  end
  return collect_field(value, steps, at, found, leaf)
end

--- Finds all values at a path; values in brackets are expressions, `*` is every element. What is
--- missing is made when `leaf` says what stands at the end: "scalar" (a null), "list" or "map".
--- @param value lanai.Node
--- @param steps string[]
--- @param leaf string|nil
--- @return lanai.Node[]|nil, string?
function M.find(value, steps, leaf)
  local found = {}
  local message = collect(value, steps, 1, found, leaf)
  if message then
    return nil, message
  end
  return found
end

return M
