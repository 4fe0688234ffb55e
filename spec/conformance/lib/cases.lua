-- SPDX-License-Identifier: Apache-2.0
-- Finds cases and reads them. A case is a directory with case.yaml; the git fixtures are
-- NAME.yaml beside NAME.tar, and the hosted repositories a repositories.yaml.
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

-- "porch-tables/util" of "porch-tables/util/…"; "porch-data" of "porch-data/…".
local function category_of(id)
  local first, second = id:match("^([^/]+)/([^/]+)")
  local grouped = first == "porch-tables" or first == "merge" or first == "yaml"
  return grouped and first .. "/" .. second or first
end

local function wanted(id, list)
  if #list == 0 then
    return true
  end
  for _, prefix in ipairs(list) do
    if id == prefix or id:sub(1, #prefix + 1) == prefix .. "/" then
      return true
    end
  end
  return false
end

-- Id, file and directory of a path that `find` printed, or nil.
local function entry(root, path)
  local dir, file = path:match("^%./(.*)/([^/]+)$")
  if not dir or dir:find("/_context", 1, true) then
    return nil
  end
  local here = root .. "/" .. dir
  if file == "case.yaml" then
    return { id = dir, file = here .. "/case.yaml", dir = here }
  elseif file == "repositories.yaml" then
    return { id = dir, file = here .. "/" .. file, dir = here, op = "porch.gitea" }
  end
  return { id = dir .. "/" .. file:gsub("%.yaml$", ""), file = here .. "/" .. file, dir = here }
end

--- Lists the cases below root whose id begins with one of the prefixes, by category and id.
--- Returns nil and a text when the directory holds none.
function M.find(root, prefixes)
  root = root:gsub("/+$", "")
  local ok, text = pcall(shell.sh, "cd " .. shell.quote(root) .. " && find . -type f"
    .. " \\( -name case.yaml -o -path './porch-fixtures/git/*.yaml'"
    .. " -o -path './porch-fixtures/*/repositories.yaml' \\)")
  if not ok then
    return nil, "cannot read '" .. root .. "'"
  end
  local list = {}
  for _, path in ipairs(shell.lines(text)) do
    local e = entry(root, path)
    if e and wanted(e.id, prefixes) then
      e.category = category_of(e.id)
      list[#list + 1] = e
    end
  end
  if #list == 0 then
    return nil, "no such cases in '" .. root .. "'"
  end
  table.sort(list, function(a, b)
    if a.category ~= b.category then
      return a.category < b.category
    end
    return a.id < b.id
  end)
  return list
end

-- A field of params, files or trees; null counts as absent, but is there for has().
local Case = {}
Case.__index = Case

--- A field of params, nil when it is absent or null.
function Case:param(name)
  return yaml.given(self.params[name])
end

--- The name of a field other than those named that injects an error into a mock of the peer's
--- test ({error: text}), or nil.
function Case:injected(...)
  local own = {}
  for _, name in ipairs({ ... }) do
    own[name] = true
  end
  for name, value in pairs(self.params) do
    if not own[name] and type(value) == "table" and value.error ~= nil then
      return name
    end
  end
end

--- True when the corpus could not record this field.
function Case:unresolved(name)
  for _, field in ipairs(self.spec.unresolved or {}) do
    if field == name then
      return true
    end
  end
  return false
end

--- Bytes of files.<name>.
function Case:file(name)
  return assert(shell.read(self.dir .. "/" .. self.spec.files[name]))
end

--- Files of trees.<name>, path → bytes.
function Case:tree(name)
  return shell.tree(self.dir .. "/" .. self.spec.trees[name])
end

--- Reads a case that find listed.
function M.load(e)
  local spec = yaml.parse(assert(shell.read(e.file)))
  return setmetatable({ id = e.id, dir = e.dir, op = spec.op or e.op or spec.command, spec = spec,
    params = yaml.given(spec.params) or {}, name = spec.name or e.id }, Case)
end

return M
