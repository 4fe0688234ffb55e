-- SPDX-License-Identifier: Apache-2.0
--
-- Setter comments, as apply-setters, list-setters and the documents of packages read them:
-- `# kpt-set: PATTERN`, where PATTERN is text with `${name}` in it.

local node = require("lanai.node")

local M = {}

M.PREFIX = "# kpt-set: "

local NAME = "%$%{([^}]*)%}"

--- Gives the pattern of a line comment; nil when it has none.
--- @param comment string|nil
--- @return string|nil
function M.pattern(comment)
  if not comment or comment:sub(1, #M.PREFIX) ~= M.PREFIX then
    return nil
  end
  local pattern = comment:sub(#M.PREFIX + 1):match("^%s*(.-)%s*$")
  return pattern ~= "" and pattern or nil
end

--- Gives the names in a pattern in their order, each as often as it is there.
--- @param pattern string
--- @return string[]
function M.names(pattern)
  local names = {}
  for name in pattern:gmatch(NAME) do
    names[#names + 1] = name
  end
  return names
end

--- Puts values in the place of the names that have one.
--- @param pattern string
--- @param values table<string, string>
--- @return string
function M.fill(pattern, values)
  return (pattern:gsub(NAME, values))
end

-- The texts around the names: one more than there are names.
local function literals(pattern)
  local texts, at = {}, 1
  for from, to in pattern:gmatch("()%$%{[^}]*%}()") do
    texts[#texts + 1] = pattern:sub(at, from - 1)
    at = to
  end
  texts[#texts + 1] = pattern:sub(at)
  return texts
end

-- Where the last occurrence of `text` starts that ends before `limit`; nil when there is none.
local function find_last(line, text, limit)
  if text == "" then
    return limit
  end
  local found
  local at = line:find(text, 1, true)
  while at and at + #text <= limit do
    found, at = at, line:find(text, at + 1, true)
  end
  return found
end

-- What stands between the literals, each as long as it can be, the first one most of all: the
-- last possible place of every literal, found from the end.
local function match_line(line, texts)
  local start = line:find(texts[1], 1, true)
  if not start then
    return nil
  end
  local limit, at = #line + 1, {}
  for i = #texts, 2, -1 do
    at[i] = find_last(line, texts[i], limit)
    if not at[i] then
      return nil
    end
    limit = at[i]
  end
  local from, values = start + #texts[1], {}
  for i = 2, #texts do
    if at[i] < from then
      return nil
    end
    values[i - 1] = line:sub(from, at[i] - 1)
    from = at[i] + #texts[i]
  end
  return values
end

--- Derives the values of a pattern's names from a text that the pattern made. Empty when the text
--- does not fit, or leaves a name without a value.
--- Example: `setter.current("${image}:${tag}", "nginx:1")` gives `{ image = "nginx", tag = "1" }`.
--- @param pattern string
--- @param text string
--- @return table<string, string>
function M.current(pattern, text)
  local names, texts, found = M.names(pattern), literals(pattern), nil
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    found = found or match_line(line, texts)
  end
  local values = {}
  for i, value in ipairs(found or {}) do
    if value == "" then
      return {}
    end
    values[names[i]] = value
  end
  return values
end

--- Gives the line comment that speaks of a value: that of a block list stands behind its key.
--- @param value lanai.Node
--- @param parent lanai.Node
--- @param key string|integer
--- @return string|nil
function M.comment(value, parent, key)
  if node.kind(value) == "list" and node.style(value) ~= "flow" then
    return type(key) == "string" and node.key_comment(parent, key, "line") or nil
  end
  return node.comment(value, "line")
end

--- Gives the data of a ConfigMap as texts; null is the empty text.
--- @param config lanai.Node|nil
--- @return table<string, string>
function M.data(config)
  local data, texts = config and config.data, {}
  if node.is_map(data) then
    for _, key in ipairs(node.keys(data)) do
      local value = node.at(data, key)
      texts[key] = node.kind(value) == "null" and "" or node.text(value) or ""
    end
  end
  return texts
end

--- A field with a setter comment.
--- @class lanai.Setter
--- @field path string
--- @field value lanai.Node
--- @field parent lanai.Node
--- @field key string|integer
--- @field pattern string
--- @field list boolean

--- Appends a field to those before it in document order. Lists come before everything else in their
--- map, as kyaml visits them.
--- @param fields lanai.Setter[]
--- @param field lanai.Setter
function M.place(fields, field)
  local at = #fields + 1
  if field.list then
    local inside = field.path:sub(1, -#field.key - 1)
    while at > 1 and fields[at - 1].path:sub(1, #inside) == inside
      and not (fields[at - 1].list and fields[at - 1].parent == field.parent) do
      at = at - 1
    end
  end
  table.insert(fields, at, field)
end

--- Gives the fields of a resource that have setter comments, in the order in which kyaml visits
--- them. Lists in lists have none.
--- @param item lanai.Node
--- @return lanai.Setter[]
function M.fields(item)
  local fields = {}
  for path, value, parent, key in node.walk(item, M.PREFIX) do
    local kind = node.kind(value)
    local list = kind == "list"
    if list and type(key) == "string" or not list and kind ~= "map" and kind ~= "alias" then
      local pattern = M.pattern(M.comment(value, parent, key))
      if pattern then
        M.place(fields, { path = path, value = value, parent = parent, key = key,
          pattern = pattern, list = list })
      end
    end
  end
  return fields
end

return M
