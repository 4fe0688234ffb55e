-- SPDX-License-Identifier: Apache-2.0
--
-- Directories of this machine as trees, and paths as users write them. Symbolic links inside a
-- package are neither followed nor changed.

local files = require("lanai.files")
local location = require("lanai.location")
local process = require("lanai.process")
local tree = require("lanai.tree")

local M = {}

--- The absolute form of a path, cleaned; links stay.
--- @param path string
--- @return string
function M.absolute(path)
  if path:sub(1, 1) ~= "/" then
    path = assert(files.real(".")) .. "/" .. path
  end
  return location.clean(path)
end

-- A path as seen from the working directory, when it is below it.
local function from_here(path)
  local here = assert(files.real("."))
  if path == here then
    return "."
  end
  return path:sub(1, #here + 1) == here .. "/" and path:sub(#here + 2) or path
end

--- The directory that a user named, with links resolved; nil and kpt's words when it is not there.
--- @param path string
--- @return string|nil, string?
function M.resolve(path)
  local real = files.real(path)
  if not real then
    return nil, ("lstat %s: no such file or directory"):format(location.clean(path))
  end
  if files.is_link(path) then
    process.warn(("[WARN] resolved symlink %q to %q, please note that the symlinks within the "
      .. "package are ignored\n"):format(path, path:sub(1, 1) == "/" and real or from_here(real)))
  end
  return real
end

--- Loads a directory.
--- @param directory string
--- @return lanai.Tree|nil, lanai.Error?
function M.load(directory)
  local list, err = files.list(directory)
  if not list then
    return nil, err
  end
  local kinds, names = {}, {}
  for _, entry in ipairs(list) do
    if entry.kind == "file" or entry.kind == "executable" then
      kinds[entry.path] = entry.kind
      names[#names + 1] = entry.path
    end
  end
  return tree.load {
    files = function()
      return names
    end,
    kind = function(_, path)
      return kinds[path]
    end,
    file = function(_, path)
      return files.read(directory .. "/" .. path)
    end,
  }
end

--- Changes a directory into a tree that was made from it.
--- @param directory string
--- @param before lanai.Tree as loaded
--- @param after lanai.Tree
--- @return true|nil, lanai.Error?
function M.save(directory, before, after)
  local clash = after:clash()
  if clash then
    return nil, { kind = "conflict", message = ("%q is a file and a directory"):format(clash) }
  end
  return tree.changes(before, after, function(path, bytes, kind)
    if bytes then
      return files.write(directory, path, bytes, kind)
    end
    return files.remove(directory, path)
  end)
end

return M
