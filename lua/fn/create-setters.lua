-- SPDX-License-Identifier: Apache-2.0
--
-- create-setters: setter comments for the fields that have the given values.

local item = require("lanai.item")
local node = require("lanai.node")
local quote = require("lanai.quote")
local setter = require("lanai.setter")

-- Gives the texts of a list's elements, sorted; those that are no scalars are empty.
local function sorted_texts(list)
  local texts = {}
  for i = 1, #list do
    texts[i] = node.text(node.at(list, i)) or ""
  end
  table.sort(texts)
  return texts
end

-- Scalar setters, the longest values first, and list setters; nil and a message.
local function configure(config)
  local data, names = setter.data(config), {}
  for name in pairs(data) do
    names[#names + 1] = name
  end
  if #names == 0 then
    return nil, "config map cannot be empty"
  end
  table.sort(names)
  local scalars, lists = {}, {}
  for _, name in ipairs(names) do
    local value = node.parse(data[name])
    if not value or not data[name]:find("%S") then
      return nil, "parsing error"
    elseif node.is_list(value) then
      lists[#lists + 1] = { name = name, texts = sorted_texts(value) }
    elseif not node.is_map(value) then
      scalars[#scalars + 1] = { name = name, text = data[name], rank = #scalars }
    end
  end
  table.sort(scalars, function(a, b)
    if #a.text ~= #b.text then
      return #a.text > #b.text
    end
    return a.rank < b.rank
  end)
  return scalars, lists
end

-- The text with the values of setters replaced, from left to right, by the first one that fits.
local function parametrize(text, scalars)
  local parts, at, from = {}, 1, 1
  while at <= #text do
    local step = 1
    for _, s in ipairs(scalars) do
      if text:sub(at, at + #s.text - 1) == s.text then
        parts[#parts + 1] = text:sub(from, at - 1) .. "${" .. s.name .. "}"
        step, from = #s.text, at + #s.text
        break
      end
    end
    at = at + step
  end
  return table.concat(parts) .. text:sub(from)
end

local function any_contains(texts, scalars)
  for _, text in ipairs(texts) do
    for _, s in ipairs(scalars) do
      if text:find(s.text, 1, true) then
        return true
      end
    end
  end
  return false
end

local function equal(a, b)
  if #a ~= #b then
    return false
  end
  for i, text in ipairs(a) do
    if text ~= b[i] then
      return false
    end
  end
  return true
end

-- Elements below each other; the comment of the list moves behind its key.
local function make_block(field)
  local comment = node.comment(field.value, "line")
  node.set_style(field.value, "plain")
  node.set_comment(field.value, "line", nil)
  node.set_key_comment(field.parent, field.key, "line", comment)
end

-- Gives the setter comment and the value of a list that is that of a setter.
local function visit_list(field, scalars, lists)
  local texts = sorted_texts(field.value)
  local is_flow = node.style(field.value) == "flow"
  if is_flow and any_contains(texts, scalars) then
    make_block(field)
    is_flow = false
  end
  for _, list in ipairs(lists) do
    if equal(texts, list.texts) then
      local comment = "kpt-set: ${" .. list.name .. "}"
      if is_flow and #texts > 0 then
        make_block(field)
        is_flow = false
      end
      if is_flow then
        node.set_comment(field.value, "line", "# " .. comment)
      elseif node.key_comment(field.parent, field.key, "line") ~= "# " .. comment then
        node.set_key_comment(field.parent, field.key, "line", "# " .. comment)
      end
      return comment, "[" .. table.concat(texts, " ") .. "]"
    end
  end
end

-- Gives the setter comment and the value of a scalar in which a setter's value is.
local function visit_scalar(field, scalars)
  local text = node.text(field.value)
  if text:find("\n", 1, true) then
    return nil
  end
  local pattern = parametrize(text, scalars)
  if pattern == text then
    return nil
  end
  local comment = "kpt-set: " .. pattern
  if node.comment(field.value, "line") ~= "# " .. comment then
    node.set_comment(field.value, "line", "# " .. comment)
  end
  return comment, text
end

-- All fields of a resource that may get a comment.
local function fields_of(resource)
  local fields = {}
  for path, value, parent, key in node.walk(resource) do
    local kind = node.kind(value)
    local list = kind == "list"
    if list and type(key) == "string" or not list and kind ~= "map" and kind ~= "alias"
      and kind ~= "null" then
      setter.place(fields, { path = path, value = value, parent = parent, key = key, list = list })
    end
  end
  return fields
end

local function fail(out, message)
  out:result({ message = "failed to create setters: " .. message, severity = "error" })
  return nil, message
end

local function run(items, config, out)
  local scalars, lists = configure(config)
  if not scalars then
    return fail(out, lists)
  end
  local count = 0
  for i = 1, #items do
    local resource = items[i]
    for _, field in ipairs(fields_of(resource)) do
      local comment, value
      if field.list then
        comment, value = visit_list(field, scalars, lists)
      else
        comment, value = visit_scalar(field, scalars)
      end
      if comment then
        count = count + 1
        out:result({ message = ("Added line comment %s for field with value %s"):format(
          quote(comment), quote(value)), field = { path = field.path },
          file = { path = item.path(resource) } })
      end
    end
  end
  if count == 0 then
    return fail(out, "no matches for the input list of setters")
  end
  return true
end

return {
  api = 1,
  name = "create-setters",
  versions = { "v0.1.0" },
  images = { "create-setters" },
  summary = "Adds setter comments to the fields that have the given values.",
  doc = [[
Data of the ConfigMap are names and values of setters. Where a scalar contains a value, it gets the
comment `# kpt-set: PATTERN`, its text with `${name}` in the place of the value; longer values go
first. A value that is a list in YAML stands for lists with the same elements in any order; those
get the comment behind their key. apply-setters understands the comments.

    data:
      image: nginx
      envs: "[dev, prod]"
]],
  config = { kind = "ConfigMap", apiVersion = "v1" },
  pure = true,
  run = run,
}
