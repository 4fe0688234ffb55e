-- SPDX-License-Identifier: Apache-2.0
--
-- search-replace: finds fields by value, path and file, and gives them values and comments.

local item = require("lanai.item")
local node = require("lanai.node")
local quote = require("lanai.quote")
local regex = require("lanai.regex")

local KEYS = {
  "by-value", "by-file-path", "by-value-regex", "by-path", "put-value", "put-comment",
}

-- A path as a list of steps: "a.b[0]" is "a", "b", "[0]".
local function steps_of(path)
  local steps = {}
  for part in (path .. "."):gmatch("(.-)%.") do
    local name, rest = part:match("^([^%[]*)(.*)$")
    if name ~= "" then
      steps[#steps + 1] = name
    end
    for index in rest:gmatch("%[[^%]]*%]") do
      steps[#steps + 1] = index
    end
  end
  return steps
end

local function step_fits(wanted, step)
  if wanted == "*" then
    return step:sub(1, 1) ~= "["
  elseif wanted == "[*]" then
    return step:sub(1, 1) == "["
  end
  return wanted == step
end

-- `**` takes any number of names, each with the indices behind it.
local function path_fits(wanted, steps, i, j)
  i, j = i or 1, j or 1
  while i <= #wanted and wanted[i] ~= "**" do
    if not steps[j] or not step_fits(wanted[i], steps[j]) then
      return false
    end
    i, j = i + 1, j + 1
  end
  if i > #wanted then
    return j > #steps
  end
  for from = j, #steps + 1 do
    local whole = not steps[from] or steps[from]:sub(1, 1) ~= "["
    if whole and path_fits(wanted, steps, i + 1, from) then
      return true
    end
  end
  return false
end

-- A glob over paths of files, with `**`, as an expression.
local function glob_expression(glob)
  local out, at, depth = {}, 1, 0
  while at <= #glob do
    local rest, behind = glob:sub(at), at + 1
    local c = rest:sub(1, 1)
    local part
    if rest:find("^%*%*/") then
      part, behind = "(?:.*/)?", at + 3
    elseif rest:find("^%*%*") then
      part, behind = ".*", at + 2
    elseif c == "*" then
      part = "[^/]*"
    elseif c == "?" then
      part = "[^/]"
    elseif c == "[" and rest:find("^%[[!^]?[^%]]+%]") then
      local negated, set, next_at = rest:match("^%[([!^]?)([^%]]+)%]()")
      part, behind = "[" .. (negated ~= "" and "^" or "") .. set .. "]", at + next_at - 1
    elseif c == "{" then
      part, depth = "(?:", depth + 1
    elseif c == "}" and depth > 0 then
      part, depth = ")", depth - 1
    elseif c == "," and depth > 0 then
      part = "|"
    elseif c == "\\" and #rest > 1 then
      part, behind = regex.quote(rest:sub(2, 2)), at + 2
    else
      part = regex.quote(c)
    end
    out[#out + 1] = part
    at = behind
  end
  return table.concat(out)
end

local function check(data)
  local known = {}
  local names = {}
  for _, key in ipairs(KEYS) do
    known[key] = true
    names[#names + 1] = quote(key)
  end
  local keys = data and node.keys(data) or {}
  table.sort(keys)
  for _, key in ipairs(keys) do
    if not known[key] then
      return nil, ("invalid matcher %s, must be one of [%s]"):format(quote(key),
        table.concat(names, " "))
    end
  end
  return true
end

-- Gives what to search and what to put; nil and a message.
local function configure(config)
  local data = item.map(config, "data")
  local ok, problem = check(data)
  if not ok then
    return nil, problem
  end
  local s = { value = item.text(data, "by-value") or "", path = item.text(data, "by-path") or "",
    put = item.text(data, "put-value") or "", comment = item.text(data, "put-comment") or "" }
  local expression = item.text(data, "by-value-regex") or ""
  local files = item.text(data, "by-file-path") or ""
  if s.value ~= "" and expression ~= "" then
    return nil, 'only one of ["by-value", "by-value-regex"] can be provided'
  end
  s.steps = steps_of(s.path)
  s.last = s.steps[#s.steps] or ""
  if expression ~= "" then
    s.regex, problem = regex.compile(expression)
  end
  if files ~= "" and not problem then
    s.files, problem = regex.compile(glob_expression(files), true)
  end
  if problem then
    return nil, problem
  end
  s.absolute = s.path ~= "" and s.put ~= "" and s.value == "" and not s.regex
    and not s.path:find("[*%[]")
  return s
end

-- True, and the groups of the expression, when the value is looked for.
local function value_fits(s, text)
  if s.regex then
    local from, _, groups = s.regex:find(text)
    return from ~= nil, groups
  end
  return s.value ~= "" and s.value == text
end

-- A replacement with its ${1} filled; nil and a message when there is no such group.
local function fill(text, groups)
  if not groups then
    return text
  end
  local filled = text:gsub("%${(%d+)}", function(n)
    return groups[tonumber(n)]
  end)
  if filled:find("%${%d+}") then
    return nil, "unable to resolve capture groups"
  end
  return filled
end

local function put_value(value, text)
  if node.text(value) ~= text or node.tag(value) or node.kind(value) == "null" then
    node.set_text(value, text)
  end
  if text:find("\n", 1, true) and node.style(value) == "plain" then
    node.set_style(value, "literal")
  end
end

-- The field is found: changes it and tells what it was. nil and a message on failure.
local function found(s, field, groups)
  local changed = s.put ~= "" or s.comment ~= ""
  if s.put ~= "" then
    local text, problem = fill(s.put, groups)
    if not text then
      return nil, problem
    end
    put_value(field.value, text)
  end
  local behind = node.comment(field.value, "line")
  if s.comment ~= "" then
    local comment, problem = fill(s.comment, groups)
    if not comment then
      return nil, problem
    end
    behind = "# " .. comment
    node.set_comment(field.value, "line", behind)
  end
  local text = node.text(field.value)
  field.found[#field.found + 1] = { path = field.path, changed = changed,
    value = s.comment ~= "" and behind and text .. " " .. behind or text }
  return true
end

-- Most fields have another key than the path ends with: those need no closer look.
local function may_fit(s, key)
  if s.path == "" or s.last == "**" then
    return true
  elseif type(key) == "number" then
    return s.last:byte() == 91 -- [
  end
  return key == s.last or s.last == "*"
    or (#key > #s.last and key:sub(-#s.last - 1) == "." .. s.last)
end

local function field_fits(s, field)
  return path_fits(s.steps, steps_of(field.path))
end

local function visit_scalar(s, field)
  local by_value, by_path = s.value ~= "" or s.regex, s.path ~= ""
  local fits, groups = by_path, nil
  if by_value then
    fits, groups = value_fits(s, node.text(field.value))
  end
  if fits and (not by_path or field_fits(s, field)) then
    return found(s, field, groups)
  end
  return true
end

local function list_text(list)
  local texts = {}
  for i = 1, #list do
    texts[i] = node.text(node.at(list, i)) or node.json(list[i])
  end
  return "[" .. table.concat(texts, ", ") .. "]"
end

-- A comment for a whole list stands behind its key, which needs block style.
local function visit_list(s, field)
  if s.comment == "" or s.path == "" or type(field.key) ~= "string"
    or not field_fits(s, field) then
    return
  end
  local text = list_text(field.value)
  node.set_style(field.value, "plain")
  node.set_comment(field.value, "line", nil)
  node.set_key_comment(field.parent, field.key, "line", "# " .. s.comment)
  field.found[#field.found + 1] = { path = field.path .. " # " .. s.comment, value = text,
    changed = true }
end

-- Sets one field, whether it was there or not.
local function create(s, resource, list)
  local parent = resource
  for i = 1, #s.steps - 1 do
    if parent[s.steps[i]] == nil then
      node.set(parent, s.steps[i], node.map())
    end
    parent = node.at(parent, s.steps[i])
    if not node.is_map(parent) then
      return nil, "wrong node kind: expected MappingNode but got "
        .. (node.is_list(parent) and "SequenceNode" or "ScalarNode")
    end
  end
  local key = s.steps[#s.steps]
  if not node.at(parent, key) then
    node.set(parent, key, "")
  end
  return found(s, { value = node.at(parent, key), path = s.path, found = list })
end

-- Annotations that say where a resource is are not its content: a value that is found there would
-- move files.
local PLACE = { ["config.kubernetes.io/path"] = true, ["config.kubernetes.io/index"] = true,
  ["config.k8s.io/id"] = true }

local function is_place(path, key)
  return path:find("^metadata%.annotations%.")
    and (PLACE[key] or tostring(key):find("^internal%.config%.kubernetes%.io/"))
end

local function search(s, resource, list)
  if s.absolute then
    return create(s, resource, list)
  end
  for path, value, parent, key in node.walk(resource) do
    local near = may_fit(s, key) and (s.value == "" or s.value == node.text(value))
    local kind = near and node.kind(value)
    local field = kind and { path = path, value = value, parent = parent, key = key, found = list }
    if kind == "list" then
      visit_list(s, field)
    elseif kind and kind ~= "map" and kind ~= "alias" and not is_place(path, key) then
      local ok, problem = visit_scalar(s, field)
      if not ok then
        return nil, problem
      end
    end
  end
  return true
end

local function report(out, resource, list)
  local path = item.path(resource)
  for _, f in ipairs(path and list or {}) do
    out:result({ field = { path = f.path }, file = { path = path },
      message = ('%s field value %s"%s"'):format(f.changed and "Mutated" or "Matched",
        f.changed and "to " or "", f.value) })
  end
  return path and #list or 0
end

local function fail(out, problem)
  local message = "failed to perform search-replace operation: " .. quote(problem)
  out:result({ severity = "error", message = message })
  return nil, message
end

local function run(items, config, out)
  local s, problem = configure(config)
  if not s then
    return fail(out, problem)
  end
  local n = 0
  for _, resource in pairs(items) do
    if not s.files or s.files:test(item.path(resource) or "") then
      local list = {}
      local ok
      ok, problem = search(s, resource, list)
      if not ok then
        return fail(out, problem)
      end
      n = n + report(out, resource, list)
    end
  end
  if n == 0 then
    out:result({ message = "no matches" })
  end
  return true
end

return {
  api = 1,
  name = "search-replace",
  versions = { "v0.1.0", "v0.2.0", "v0.2.1" },
  images = { "search-replace" },
  summary = "Finds fields by value, path or file and replaces values and comments",
  doc = [[
    configMap:
      by-value: nginx              # the whole value
      by-value-regex: (.*)-dev     # or a part of it
      by-path: spec.**.image       # * is one step, ** any number, a[0] and a[*] elements
      by-file-path: "**/app.yaml"  # files to look at
      put-value: ${1}-prod         # the new value; ${1} is the first group of the expression
      put-comment: "kpt-set: ${1}-${env}"

All matchers that are given must fit. A by-path without wildcards makes the field when put-value is
given and no value is looked for.
]],
  config = { ConfigMap = { ["by-value"] = "string", ["by-value-regex"] = "expression",
    ["by-path"] = "path", ["by-file-path"] = "glob", ["put-value"] = "string",
    ["put-comment"] = "string" } },
  pure = true,
  run = run,
}
