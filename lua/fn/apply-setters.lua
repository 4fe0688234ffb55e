-- SPDX-License-Identifier: Apache-2.0
--
-- apply-setters: values into the fields that have setter comments.

local item = require("lanai.item")
local node = require("lanai.node")
local quote = require("lanai.quote")
local setter = require("lanai.setter")

-- True when a value is given for one of the names in the pattern.
local function is_wanted(pattern, values)
  for name in pattern:gmatch("%${([^}]*)}") do
    if values[name] then
      return true
    end
  end
  return false
end

-- The names that are left in a text, as `${name}`; nil when there are none.
local function unresolved(text)
  if not text:find("${", 1, true) then
    return nil
  end
  local names = setter.names(text)
  for i, name in ipairs(names) do
    names[i] = "${" .. name .. "}"
  end
  return #names > 0 and names or nil
end

-- Values may have names in them, which later ones fill: then in key order, one after the other.
local function fill(text, given)
  if not given.nested then
    return setter.fill(text, given.values)
  end
  for _, key in ipairs(given.keys) do
    text = setter.fill(text, { [key] = given.values[key] })
  end
  return text
end

local function set_scalar(field, given)
  local value = field.value
  local old, text = node.text(value), fill(field.pattern, given)
  if unresolved(text) then
    text = setter.fill(text, setter.current(field.pattern, old))
  end
  local names = unresolved(text)
  if names then
    return nil, ("values for setters [%s] must be provided"):format(table.concat(names, " "))
  end
  if text ~= old or node.tag(value) or node.kind(value) == "null" then
    node.set_text(field.value, text)
  end
  if text == "" then
    node.set_style(value, "double")
  elseif text:find("\n", 1, true) and node.style(value) == "plain" then
    node.set_style(value, "literal")
  end
  return text
end

-- True when the elements are written as those in `other`, whatever comments they have.
local function is_same(list, other)
  if #list ~= #other or not node.equal(list, other) then
    return false
  end
  for i = 1, #list do
    if node.style(node.at(list, i)) ~= node.style(node.at(other, i)) then
      return false
    end
  end
  return true
end

local function empty_list(field)
  local comment = setter.comment(field.value, field.parent, field.key)
  if #field.value > 0 then
    node.assign(field.value, node.list())
  end
  node.set_style(field.value, "flow")
  node.set_comment(field.value, "line", comment)
  node.set_key_comment(field.parent, field.key, "line", nil)
end

-- A block list of the elements. Its comment moves behind the key: a copy left at the list would be
-- printed at the next value of the file.
local function fill_list(field, elements)
  local comment = setter.comment(field.value, field.parent, field.key)
  if not is_same(field.value, elements) then
    node.assign(field.value, elements)
  end
  node.set_style(field.value, "plain")
  node.set_comment(field.value, "line", nil)
  node.set_key_comment(field.parent, field.key, "line", comment)
end

local function set_list(field, values)
  local name = field.pattern:match("^%${([^}]*)}$")
  if not name then
    return nil, "invalid setter pattern for array node: " .. quote(field.pattern)
  end
  local text = values[name]
  if text == "" then
    empty_list(field)
    return text
  end
  local elements = node.parse(text)
  if not node.is_list(elements) then
    return nil, "input to array setter must be an array of values, but found " .. quote(text)
  end
  fill_list(field, elements)
  return text
end

-- Sets the fields of one resource and says so in `results`; gives a message when it fails.
local function apply(resource, given, results)
  local path
  for _, field in ipairs(setter.fields(resource)) do
    if is_wanted(field.pattern, given.values) then
      local text, message
      if field.list then
        text, message = set_list(field, given.values)
      else
        text, message = set_scalar(field, given)
      end
      if not text then
        return message
      end
      path = path or item.path(resource)
      results[#results + 1] = { message = "set field value to " .. quote(text),
        field = { path = field.path }, file = { path = path } }
    end
  end
end

local function fail(out, message)
  out:result({ message = "failed to apply setters: " .. message, severity = "error" })
  return nil, message
end

local function run(items, config, out)
  local given, results = { values = setter.data(config), keys = {}, nested = false }, {}
  for key, value in pairs(given.values) do
    given.keys[#given.keys + 1] = key
    given.nested = given.nested or value:find("${", 1, true) ~= nil
  end
  table.sort(given.keys)
  for i = 1, #items do
    local message = apply(items[i], given, results)
    if message then
      return fail(out, message)
    end
  end
  for _, result in ipairs(results) do
    out:result(result)
  end
  if #results > 0 then
    return true
  elseif not out:at_least("v0.2.0") then
    return fail(out, "no matches for the input list of setters")
  end
  out:result({ message = "no matches for input setter(s)" })
  return true
end

return {
  api = 1,
  name = "apply-setters",
  versions = { "v0.1.0", "v0.1.1", "v0.2.0", "v0.2.1", "v0.2.2" },
  images = { "apply-setters" },
  summary = "Puts values into the fields that have setter comments.",
  doc = [[
A field with the line comment `# kpt-set: PATTERN` gets PATTERN as its value, in which each
`${name}` is replaced by the value of that name in the data of the ConfigMap. Names without a value
there keep what they have now, derived from the old value. Fields none of whose names has a value
stay as they are.

A list has its comment behind its key (or behind the list in flow style); its pattern is one
`${name}` and the value a list in YAML. An empty value empties the list.

    data:
      image: nginx        # image: nginx:1.2 # kpt-set: ${image}:${tag}
      envs: |             # envs: # kpt-set: ${envs}
        - dev
        - prod
]],
  config = { kind = "ConfigMap", apiVersion = "v1" },
  pure = true,
  run = run,
}
