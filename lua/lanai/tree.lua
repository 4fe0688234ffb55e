-- SPDX-License-Identifier: Apache-2.0
--
-- Files of a package in memory, as directories of directories: what algorithms over packages work
-- on. A tree is loaded from anything that lists and reads files (a draft, a package in git, a
-- directory of this machine) and its changes are given back to anything that takes files. Bytes are
-- read when they are asked for.

local M = {}

--- @class lanai.Tree
--- @field directories table<string, lanai.Tree>
--- @field entries table<string, {bytes: string?, kind: string, source: any, path: string}>
local Tree = {}
Tree.__index = Tree

local function new()
  return setmetatable({ directories = {}, entries = {} }, Tree)
end

local function sorted_names(...)
  local names = {}
  for _, t in ipairs({ ... }) do
    for name in pairs(t) do
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

--- Gives the directory at a path ("." is the tree itself), or nil.
--- @param path string
--- @return lanai.Tree|nil
function Tree:directory(path)
  local at = self
  if path ~= "." then
    for name in path:gmatch("[^/]+") do
      at = at and at.directories[name]
    end
  end
  return at
end

local function parent_of(self, path)
  local directory, name = path:match("^(.*)/([^/]+)$")
  if not directory then
    return self, path
  end
  return self:directory(directory), name
end

local function entry_of(self, path)
  local parent, name = parent_of(self, path)
  return parent and parent.entries[name]
end

--- Gives the bytes of a file, or nil when there is none.
--- @param path string
--- @return string|nil
function Tree:file(path)
  local entry = entry_of(self, path)
  if entry and not entry.bytes then
    entry.bytes = assert(entry.source:file(entry.path))
  end
  return entry and entry.bytes
end

--- Tells what a file is: "file", "executable" or "link"; nil when there is none.
--- @param path string
--- @return string|nil
function Tree:kind(path)
  local entry = entry_of(self, path)
  return entry and entry.kind
end

local function remove(self, path)
  local directory, name = path:match("^(.*)/([^/]+)$")
  local parent = self:directory(directory or ".")
  if parent then
    parent.entries[name or path] = nil
  end
  while directory and parent and not next(parent.entries) and not next(parent.directories) do
    local above, last = directory:match("^(.*)/([^/]+)$")
    parent = self:directory(above or ".")
    parent.directories[last or directory] = nil
    directory = above
  end
end

local function make_parent(self, path)
  local at, from = self, 1
  for slash in path:gmatch("()/") do
    local name = path:sub(from, slash - 1)
    at.directories[name] = at.directories[name] or new()
    at, from = at.directories[name], slash + 1
  end
  return at, path:sub(from)
end

--- Sets the bytes of a file, or deletes it with nil; a directory without files goes. A file that is
--- there keeps what it is unless kind says otherwise.
--- @param path string
--- @param bytes string|nil
--- @param kind string|nil
--- @return boolean
function Tree:set(path, bytes, kind)
  if not bytes then
    remove(self, path)
    return true
  end
  local parent, name = make_parent(self, path)
  local old = parent.entries[name]
  parent.entries[name] = { bytes = bytes, kind = kind or old and old.kind or "file" }
  return true
end

--- Removes a directory and all below it.
--- @param path string
function Tree:remove_directory(path)
  local directory = self:directory(path)
  for _, file in ipairs(directory and directory:files() or {}) do
    remove(self, path == "." and file or path .. "/" .. file)
  end
end

--- Calls visit(path, directory) for everything below, in order of names, a directory before what it
--- holds; `directory` is nil for files. A directory is not entered when visit returns false.
--- @param visit fun(path: string, directory: lanai.Tree|nil): boolean|nil
function Tree:walk(visit)
  local function walk(at, prefix)
    for _, name in ipairs(sorted_names(at.directories, at.entries)) do
      local directory = at.directories[name]
      if visit(prefix .. name, directory) ~= false and directory then
        walk(directory, prefix .. name .. "/")
      end
    end
  end
  walk(self, "")
end

--- Lists the paths of all files in the order of walk.
--- @return string[]
function Tree:files()
  local list = {}
  self:walk(function(path, directory)
    if not directory then
      list[#list + 1] = path
    end
  end)
  return list
end

--- Gives a path that is a file and a directory at once, or nil: such a tree cannot be written.
--- @return string|nil
function Tree:clash()
  local found
  self:walk(function(path, directory)
    local parent, name = parent_of(self, path)
    found = found or directory and next(directory.entries) and parent.entries[name] and path
    return not found
  end)
  return found
end

--- Puts a file of another tree here, without reading it.
--- @param from lanai.Tree
--- @param path string where it is there
--- @param to string where it comes to here
function Tree:take(from, path, to)
  local entry = entry_of(from, path)
  local parent, name = make_parent(self, to)
  parent.entries[name] = { bytes = entry.bytes, kind = entry.kind, source = entry.source,
    path = entry.path }
end

--- Makes a tree of a map path → bytes, or an empty one.
--- @param files table<string, string>|nil
--- @return lanai.Tree
function M.new(files)
  local tree = new()
  for path, bytes in pairs(files or {}) do
    tree:set(path, bytes)
  end
  return tree
end

--- Makes a tree of anything with files() and file(path), perhaps kind(path).
--- @param source lanai.Package|lanai.Tree|table
--- @return lanai.Tree
function M.load(source)
  local tree = new()
  for _, path in ipairs(source:files()) do
    local parent, name = make_parent(tree, path)
    parent.entries[name] = { kind = source:kind(path), source = source, path = path }
  end
  return tree
end

--- Makes a tree of the same files, which changes of the other do not reach.
--- @param from lanai.Tree
--- @return lanai.Tree
function M.copy(from)
  local tree = new()
  for _, path in ipairs(from:files()) do
    tree:take(from, path, path)
  end
  return tree
end

--- Gives what differs between two trees to take(path, bytes, kind); bytes is nil for a file that is
--- gone. Stops with the error of take.
--- @param before lanai.Tree
--- @param after lanai.Tree
--- @param take fun(path: string, bytes: string|nil, kind: string|nil): boolean|nil, table?
--- @return true|nil, table?
function M.changes(before, after, take)
  for _, path in ipairs(before:files()) do
    if not after:kind(path) then
      local ok, err = take(path, nil)
      if not ok then
        return nil, err
      end
    end
  end
  for _, path in ipairs(after:files()) do
    local bytes, kind = after:file(path), after:kind(path)
    if before:kind(path) ~= kind or before:file(path) ~= bytes then
      local ok, err = take(path, bytes, kind)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

return M
