-- SPDX-License-Identifier: Apache-2.0
--
-- Label selectors in the syntax of Kubernetes: `a=b,c!=d,e in (f, g),h notin (i),j,!k,l>1`.

local M = {}

local function wrong(text)
  return nil, ("unable to parse requirement: found '%s'"):format(text)
end

local NAME = "[%w_./%-]+"

-- Values in parentheses; nil when they are not closed.
local function values_in(list)
  local values = {}
  for value in (list .. ","):gmatch("%s*([^,]-)%s*,") do
    values[value] = true
  end
  return values
end

-- One requirement at `at`: it, and where it ends.
local function read(text, at)
  local key, to = text:match("^%s*!%s*(" .. NAME .. ")%s*()", at)
  if key then
    return { key = key, op = "absent" }, to
  end
  local op, list
  key, op, list, to = text:match("^%s*(" .. NAME .. ")%s+(%l+)%s*%(([^()]*)%)%s*()", at)
  if key and (op == "in" or op == "notin") then
    return { key = key, op = op, values = values_in(list) }, to
  end
  local value
  key, op, value, to = text:match("^%s*(" .. NAME .. ")%s*([=!<>]+)%s*([%w_.%-]*)%s*()", at)
  if key then
    if op == "=" or op == "==" then
      return { key = key, op = "in", values = { [value] = true } }, to
    elseif op == "!=" then
      return { key = key, op = "notin", values = { [value] = true } }, to
    elseif (op == ">" or op == "<") and math.tointeger(tonumber(value)) then
      return { key = key, op = op, number = math.tointeger(tonumber(value)) }, to
    end
    return nil
  end
  key, to = text:match("^%s*(" .. NAME .. ")%s*()", at)
  return key and { key = key, op = "present" }, to
end

--- Reads a selector; nil and a message for what is none. The empty one selects everything.
--- @param text string
--- @return table[]|nil, string?
function M.parse(text)
  local requirements, at = {}, 1
  if not text:find("%S") then
    return requirements
  end
  repeat
    local requirement, to = read(text, at)
    if not requirement then
      return wrong(text:sub(at))
    end
    requirements[#requirements + 1] = requirement
    local sign = text:sub(to, to)
    if sign ~= "" and sign ~= "," then
      return wrong(text:sub(to))
    end
    at = to + 1
  until sign == ""
  return requirements
end

local TESTS = {
  present = function(value) return value ~= nil end,
  absent = function(value) return value == nil end,
  ["in"] = function(value, r) return value ~= nil and r.values[value] == true end,
  notin = function(value, r) return value == nil or not r.values[value] end,
  [">"] = function(value, r)
    local number = math.tointeger(tonumber(value or ""))
    return number ~= nil and number > r.number
  end,
  ["<"] = function(value, r)
    local number = math.tointeger(tonumber(value or ""))
    return number ~= nil and number < r.number
  end,
}

--- True when all requirements hold; `get` gives the value of a label or nil.
--- @param requirements table[]
--- @param get fun(key: string): string|nil
--- @return boolean
function M.matches(requirements, get)
  for _, r in ipairs(requirements) do
    if not TESTS[r.op](get(r.key), r) then
      return false
    end
  end
  return true
end

return M
