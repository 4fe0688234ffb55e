-- SPDX-License-Identifier: Apache-2.0
--
-- .krmignore files (cad-library.md §1.5): which files are skipped when the resources of a package
-- are read. The syntax is a small part of gitignore's; what `!` accepts wins over everything else.
-- The rules of a package do not reach into the packages inside.

local lanai = require("lanai")

local M = {}

-- One component of a glob as a Lua pattern.
local function component(glob)
  local out, at = {}, 1
  while at <= #glob do
    local c = glob:sub(at, at)
    local class, negated, last = nil, nil, nil
    if c == "[" then
      negated, class, last = glob:match("^%[([!^]?)(%]?[^%]]*)%]()", at)
    end
    if class then
      out[#out + 1] = "[" .. (negated ~= "" and "^" or "") .. class:gsub("[%%%]^]", "%%%0") .. "]"
      at = last
    else
      out[#out + 1] = c == "*" and ".*" or c == "?" and "." or c:gsub("[^%w]", "%%%0")
      at = at + 1
    end
  end
  return "^" .. table.concat(out) .. "$"
end

-- One line as {accept, directories_only, anchored, parts}; nil for none.
local function parse_line(line)
  line = line:match("^%s*(.-)%s*$")
  if line == "" or line:sub(1, 1) == "#" then
    return nil
  end
  local rule = {}
  if line:sub(1, 1) == "!" then
    rule.accept, line = true, line:sub(2)
  end
  line = line:gsub("^\\([#!])", "%1")
  if line:sub(-1) == "/" then
    rule.directories_only, line = true, line:sub(1, -2)
  end
  if line:sub(1, 1) == "/" then
    rule.anchored, line = true, line:sub(2)
  end
  rule.parts = {}
  for i, part in ipairs(lanai.split(line, "/")) do
    rule.parts[i] = component(part)
  end
  return rule
end

local function rule_matches(rule, parts, is_directory)
  local skip = #parts - #rule.parts
  if skip < 0 or (rule.anchored and skip > 0) or (rule.directories_only and not is_directory) then
    return false
  end
  for i, pattern in ipairs(rule.parts) do
    if not parts[skip + i]:find(pattern) then
      return false
    end
  end
  return true
end

--- Parses the text of a .krmignore.
--- @param text string
--- @return table[]
function M.parse(text)
  local rules = {}
  for _, line in ipairs(lanai.split(text, "\n")) do
    rules[#rules + 1] = parse_line(line)
  end
  return rules
end

--- True when the rules ignore a path, which is relative to their directory.
--- @param rules table[]
--- @param path string
--- @param is_directory boolean
--- @return boolean
function M.matches(rules, path, is_directory)
  local parts, ignored = lanai.split(path, "/"), false
  for _, rule in ipairs(rules) do
    if rule_matches(rule, parts, is_directory) then
      if rule.accept then
        return false
      end
      ignored = true
    end
  end
  return ignored
end

--- Lists the files below a directory that its .krmignore does not exclude, in the order of walk.
--- With opts.packages a package inside has its own rules instead. opts.enter(path, directory) may
--- keep a directory from being entered.
--- @param directory lanai.Tree
--- @param opts {packages: boolean?, enter: function?}|nil
--- @return string[]
function M.files(directory, opts)
  opts = opts or {}
  local found, scopes = {}, {}
  local function begin(prefix, below)
    local text = below:file(".krmignore")
    scopes[#scopes + 1] = { prefix = prefix, rules = M.parse(text or "") }
  end
  local function ignored(path, is_directory)
    while path:sub(1, #scopes[#scopes].prefix) ~= scopes[#scopes].prefix do
      scopes[#scopes] = nil
    end
    local scope = scopes[#scopes]
    return M.matches(scope.rules, path:sub(#scope.prefix + 1), is_directory)
  end
  begin("", directory)
  directory:walk(function(path, below)
    if ignored(path, below ~= nil) then
      return false
    elseif not below then
      found[#found + 1] = path
    elseif opts.enter and not opts.enter(path, below) then
      return false
    elseif opts.packages and below:kind("Kptfile") then
      begin(path .. "/", below)
    end
  end)
  return found
end

return M
