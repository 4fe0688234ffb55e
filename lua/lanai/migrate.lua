-- SPDX-License-Identifier: Apache-2.0
--
-- Setters and substitutions of old packages: definitions in the Kptfile's openAPI, and comments
-- like `# {"$kpt-set":"name"}` that refer to them.

local item = require("lanai.item")
local node = require("lanai.node")

local M = {}

local SETTER = "io.k8s.cli.setters."
local SUBSTITUTION = "io.k8s.cli.substitutions."

-- A part of the definition with that key: "setter" or "substitution".
local function extension(definitions, key, part)
  return item.map(item.map(item.map(definitions, key), "x-k8s-cli"), part)
end

--- Gives the definitions of a Kptfile; nil when it has none.
--- @param kptfile lanai.Node
--- @return lanai.Node|nil
function M.definitions(kptfile)
  return item.map(item.map(kptfile, "openAPI"), "definitions")
end

--- Gives the setters that are defined, name → value; nil and a message. Values of lists are lists
--- in flow style.
--- @param definitions lanai.Node|nil
--- @return table<string, string>|nil, string?
function M.setters(definitions)
  local setters = {}
  for _, key in ipairs(definitions and node.keys(definitions) or {}) do
    if key:sub(1, #SETTER) == SETTER then
      local setter = extension(definitions, key, "setter")
      if not setter then
        return nil, "missing x-k8s-cli.setter for " .. key
      end
      local list, texts = setter.listValues, {}
      for i = 1, node.is_list(list) and #list or 0 do
        texts[i] = node.text(node.at(list, i)) or ""
      end
      setters[item.text(setter, "name") or ""] = #texts > 0
        and "[" .. table.concat(texts, ", ") .. "]" or item.text(setter, "value") or ""
    end
  end
  return setters
end

local function key_of(reference)
  return reference:match("^#/definitions/(.*)$")
end

local pattern_of

-- What stands for the marker of a substitution.
local function value_of(definitions, key, visited)
  if extension(definitions, key, "substitution") then
    return pattern_of(definitions, key, visited)
  end
  local setter = extension(definitions, key, "setter")
  if not setter then
    return nil, "object has no key " .. key
  end
  local fixed = item.text(item.map(setter, "enumValues"), item.text(setter, "value") or "")
  return fixed or "${" .. (item.text(setter, "name") or "") .. "}"
end

local function replace(text, marker, value)
  local parts, at = {}, 1
  local from, to = text:find(marker, 1, true)
  while from and marker ~= "" do
    parts[#parts + 1] = text:sub(at, from - 1) .. value
    at = to + 1
    from, to = text:find(marker, at, true)
  end
  return table.concat(parts) .. text:sub(at)
end

-- The pattern of a substitution with setters only; nil and a message.
pattern_of = function(definitions, key, visited)
  local substitution = extension(definitions, key, "substitution")
  local name = item.text(substitution, "name") or ""
  if visited[name] then
    return nil, "cyclic substitution detected with name " .. name
  end
  visited[name] = true
  local pattern, values = item.text(substitution, "pattern") or "", substitution.values
  for i = 1, node.is_list(values) and #values or 0 do
    local reference = item.text(values[i], "ref") or ""
    if reference == "" then
      return nil, "missing reference on substitution " .. name
    end
    local value, message = value_of(definitions, key_of(reference) or "", visited)
    if not value then
      return nil, message
    end
    pattern = replace(pattern, item.text(values[i], "marker") or "", value)
  end
  return pattern
end

-- The key of the definition that an old comment refers to.
local function definition_of(comment, definitions)
  local text = comment:match("^#*%s*({.*})%s*$")
  local object = text and node.parse(text)
  local name = item.text(object, "$kpt-set")
  if name and name ~= "" then
    return item.map(definitions, SETTER .. name) and SETTER .. name or SUBSTITUTION .. name
  end
  return key_of(item.text(object, "$ref") or "")
end

--- Gives the pattern that an old comment means; nil when it means none, nil and a message.
--- @param comment string
--- @param definitions lanai.Node|nil
--- @return string|nil, string?
function M.pattern(comment, definitions)
  local key = definitions and definition_of(comment, definitions)
  if not key then
    return nil
  elseif extension(definitions, key, "setter") then
    return "${" .. (item.text(extension(definitions, key, "setter"), "name") or "") .. "}"
  elseif extension(definitions, key, "substitution") then
    return pattern_of(definitions, key, {})
  end
  return nil
end

--- Gives the pattern that an old comment of a list means, defined or not; nil when it means none.
--- @param comment string
--- @return string|nil
function M.list_pattern(comment)
  local name = comment:match('^# {"%$kpt%-set":"(.*)"}$')
    or comment:match('^# {"%$ref":"#/definitions/io%.k8s%.cli%.(.*)"}$')
  return name and "${" .. name:gsub("^setters%.", "") .. "}" or nil
end

return M
