-- SPDX-License-Identifier: Apache-2.0
--
-- Packages inside packages (cad-library.md §1.3, §3.3): which directories are packages, what
-- belongs to one, copying, removing and comparing content. Works on lanai.Tree.

local kptfile = require("lanai.kptfile")
local lanai = require("lanai")
local resources = require("lanai.resources")

local M = {}

local BLUEPRINT = "cnrm.cloud.google.com/blueprint"

--- How messages name a package: by its path from the directory that holds the root.
--- @param name string of the root's directory
--- @param path string of the package below the root, "." for the root
--- @return string
function M.display(name, path)
  return path == "." and name or name .. "/" .. path
end

--- True when a directory is a package.
--- @param directory lanai.Tree|nil
--- @return boolean
function M.is_package(directory)
  return directory ~= nil and directory:kind("Kptfile") ~= nil
end

-- True when a package with this Kptfile is one that the matcher asks for.
local function matches(matcher, file)
  if matcher == "LOCAL" then
    return file.upstream == nil
  elseif matcher == "REMOTE" then
    return file.upstream ~= nil
  end
  return matcher == "ALL"
end

--- Lists the paths of packages below a directory in byte order. The matcher is "ALL", "LOCAL"
--- (without upstream), "REMOTE" (with one) or "NONE"; opts.recursive also looks inside packages.
--- @param directory lanai.Tree|nil
--- @param matcher string
--- @param opts {recursive: boolean?}|nil
--- @return string[]|nil, table?
function M.subpackages(directory, matcher, opts)
  local found, failure = {}, nil
  if not directory then
    return found
  end
  directory:walk(function(path, below)
    if not below or failure then
      return not failure
    elseif path:match("[^/]+$") == ".git" then
      return false
    elseif M.is_package(below) then
      local file, err = kptfile.parse(below:file("Kptfile"))
      if not file then
        failure = kptfile.error_at(path, err)
      elseif matches(matcher, file) then
        found[#found + 1] = path
      end
      return opts ~= nil and opts.recursive == true
    end
  end)
  if failure then
    return nil, failure
  end
  table.sort(found)
  return found
end

--- The union of subpackages of several directories.
--- @param matcher string
--- @param opts {recursive: boolean?}|nil
--- @param ... lanai.Tree|nil
--- @return string[]|nil, table?
function M.subpackages_of(matcher, opts, ...)
  local seen = {}
  for i = 1, select("#", ...) do
    local found, err = M.subpackages((select(i, ...)), matcher, opts)
    if not found then
      return nil, err
    end
    for _, path in ipairs(found) do
      seen[path] = true
    end
  end
  local list = {}
  for path in lanai.sorted_pairs(seen) do
    list[#list + 1] = path
  end
  return list
end

--- Visits what belongs to the package at a directory: neither its subpackages nor .git.
--- @param directory lanai.Tree
--- @param visit fun(path: string, directory: lanai.Tree|nil)
function M.walk(directory, visit)
  directory:walk(function(path, below)
    if below and (M.is_package(below) or path:match("[^/]+$") == ".git") then
      return false
    end
    visit(path, below)
  end)
end

--- Lists the files of the package at a directory.
--- @param directory lanai.Tree
--- @return string[]
function M.files(directory)
  local list = {}
  M.walk(directory, function(path, below)
    if not below then
      list[#list + 1] = path
    end
  end)
  return list
end

local function take(from, to, path)
  if path ~= "Kptfile" or not to:kind(path) then
    to:take(from, path, path)
  end
end

--- Copies the package at one directory to another. A root Kptfile that is there stays; it is copied
--- with opts.kptfile only. opts.subpackages is a matcher: those packages come along whole.
--- @param from lanai.Tree
--- @param to lanai.Tree
--- @param opts {kptfile: boolean?, subpackages: string?}
--- @return true|nil, table?
function M.copy(from, to, opts)
  local below, err = M.subpackages(from, opts.subpackages or "NONE", { recursive = true })
  if not below then
    return nil, err
  end
  for _, path in ipairs(M.files(from)) do
    if path ~= "Kptfile" or opts.kptfile then
      take(from, to, path)
    end
  end
  for _, path in ipairs(below) do
    for _, file in ipairs(from:directory(path):files()) do
      if not ("/" .. file):find("/.git/", 1, true) then
        take(from, to, path .. "/" .. file)
      end
    end
  end
  return true
end

--- Removes what belongs to the package at a directory; with opts.keep_kptfile not its Kptfile.
--- @param directory lanai.Tree
--- @param opts {keep_kptfile: boolean?}
function M.remove_content(directory, opts)
  for _, path in ipairs(M.files(directory)) do
    if path ~= "Kptfile" or not opts.keep_kptfile then
      directory:set(path, nil)
    end
  end
end

-- Text of resources without the annotation that tools add to measure their use, or nil.
local function without_blueprint(path, bytes)
  local items = resources.read({ { path = path, text = bytes } }, {})
  if not items then
    return nil
  end
  return resources.text(items, { without = { BLUEPRINT } })
end

local function same_file(path, a, b)
  if a == b or not (path:find("%.ya?ml$") or path:find("%.json$")) then
    return a == b
  end
  local left = without_blueprint(path, a)
  return left ~= nil and left == without_blueprint(path, b)
end

--- Lists in byte order the paths in which the packages at two directories differ: files and
--- directories of one side only, and files that differ. Upstream and lock of a Kptfile do not
--- count, nor does the blueprint annotation.
--- @param a lanai.Tree
--- @param b lanai.Tree
--- @return string[]|nil, table?
function M.diff(a, b)
  local left, right, differ = {}, {}, {}
  M.walk(a, function(path)
    left[path] = true
  end)
  M.walk(b, function(path)
    right[path] = true
    differ[path] = not left[path] or nil
  end)
  for path in pairs(left) do
    if not right[path] then
      differ[path] = true
    elseif a:kind(path) and b:kind(path) then
      local same, err
      if path:match("[^/]+$") == "Kptfile" then
        same, err = kptfile.same(a:file(path), b:file(path), { "upstream", "upstreamLock" })
        if err then
          return nil, err
        end
      else
        same = same_file(path, a:file(path), b:file(path))
      end
      differ[path] = not same or nil
    end
  end
  local list = {}
  for path in lanai.sorted_pairs(differ) do
    list[#list + 1] = path
  end
  return list
end

return M
