-- SPDX-License-Identifier: Apache-2.0
--
-- The update of a package and of every package below that has an upstream of its own
-- (cad-library.md §3.1). Everything happens in memory: when it fails nothing is changed.

local identity = require("lanai.identity")
local kptfile = require("lanai.kptfile")
local lanai = require("lanai")
local package = require("lanai.package")
local strategy = require("lanai.strategy")
local tree = require("lanai.tree")

local M = {}

--- @class lanai.Update.Options
--- @field root lanai.Tree the package; changed in place
--- @field name string name of its directory
--- @field compat string "kpt" or "lanai"
--- @field ref string|nil go to this version, now and later
--- @field strategy string|nil use this strategy, now and later
--- @field fetch fun(git: table): lanai.Tree|nil, table gives the files and where they were found
--- @field say fun(text: string) takes progress messages
--- @field report table[] gets the conflicts

local function wrap(path, err)
  err.package = err.package or path
  return nil, err
end

local function join(path, name)
  return path == "." and name or name == "." and path or path .. "/" .. name
end

local function base_name(o, path)
  return path == "." and o.name or path:match("[^/]+$")
end

local function read(directory, path)
  local text = directory and directory:file("Kptfile")
  if not text then
    return nil, { kind = "not-found", kptfile = path, missing = true,
      message = ("error reading Kptfile at %q: no such file"):format(path) }
  end
  local file, err = kptfile.parse(text)
  if not file then
    return nil, kptfile.error_at(path, err)
  end
  return file
end

local function edit(o, path, change)
  local directory = o.root:directory(path)
  local text, err = kptfile.edit(directory:file("Kptfile"), o.compat, change)
  if not text then
    return nil, kptfile.error_at(path, err)
  end
  return directory:set("Kptfile", text)
end

local function set_wishes(ref, name)
  return function(file)
    if ref then
      file.upstream.git.ref = ref
    end
    if name then
      file.upstream.updateStrategy = name
    end
  end
end

-- nil: no Kptfile there.
local function is_unfetched(directory)
  local text = directory and directory:file("Kptfile")
  local file, err
  if text then
    file, err = kptfile.parse(text)
  end
  if err then
    return nil, err
  end
  return file ~= nil and file.upstream ~= nil and file.upstreamLock == nil
end

-- Merges one package that all three sides have.
local function merge(o, u)
  identity.stamp(o.compat, u.ours, u.theirs, u.base)
  local theirs_unfetched, err = is_unfetched(u.theirs)
  local base_unfetched
  if not err then
    base_unfetched, err = is_unfetched(u.base)
  end
  if err then
    return nil, err
  end
  if theirs_unfetched then
    return strategy.merge_kptfile(u, true)
  elseif base_unfetched then
    return nil, { kind = "conflict", message = "no origin available for package" }
  end
  local file
  file, err = read(u.ours, u.path)
  if not file then
    return nil, err
  end
  local name = file.upstream and file.upstream.updateStrategy
    or u.compat ~= "kpt" and "resource-merge" or ""
  if not strategy.exists(name) then
    return nil, { kind = "invalid", message = "unrecognized update strategy " .. name }
  end
  o.say(("Updating package %q with strategy %q.\n"):format(u.name, name))
  return strategy.apply(name, u)
end

-- One place of the fetched package: the root, or a package below that has its own upstream.
local function update_at(o, sides, top, path)
  local here = join(top, path)
  local ours = o.root:directory(here)
  local theirs, base = sides.theirs:directory(path), sides.base:directory(path)
  local is_root = path == "."
  local name = base_name(o, here)
  local has = { ours = package.is_package(ours), theirs = is_root or package.is_package(theirs),
    base = is_root or package.is_package(base) }
  if not has.ours then
    if has.theirs and not has.base then
      o.say(("Adding package %q from upstream.\n"):format(name))
      strategy.copy_at({ ours = o.root:directory(top), theirs = sides.theirs }, path,
        { kptfile = true })
    elseif has.theirs then
      o.say(("Ignoring package %q in upstream since it is deleted from local.\n"):format(name))
      o.report[#o.report + 1] = { package = here, taken = "ours", reason = "deleted here" }
    end
    return true
  elseif not has.base and has.theirs then
    o.say(("Package %q added in both local and upstream.\n"):format(name))
    return nil, { kind = "conflict",
      message = ("subpackage %q added in both upstream and local"):format(path) }
  elseif not has.base then
    return true
  elseif not has.theirs then
    return M.remove_gone(o, here, name, base, ours)
  end
  return merge(o, { ours = ours, theirs = theirs or tree.new(), base = base or tree.new(),
    name = name, path = here, is_root = is_root, compat = o.compat, report = o.report })
end

--- Removes a package that upstream has removed, unless it was changed here.
--- @return true|nil, lanai.Error?
function M.remove_gone(o, path, name, base, ours)
  local same, err
  if o.compat == "kpt" then
    same = M.same_bytes(base, ours)
  else
    local differ
    differ, err = package.diff(base, ours)
    same = differ and #differ == 0
  end
  if err then
    return nil, err
  end
  if same then
    o.say(("Deleting package %q from local since it is removed in upstream.\n"):format(name))
    o.root:remove_directory(path)
  else
    o.say(("Package %q deleted from upstream, but keeping local since it has changes.\n")
      :format(name))
    o.report[#o.report + 1] = { package = path, taken = "ours",
      reason = "changed here, deleted upstream" }
  end
  return true
end

--- True when two directories hold the same files.
--- @param a lanai.Tree
--- @param b lanai.Tree
--- @return boolean
function M.same_bytes(a, b)
  local same = true
  tree.changes(a, b, function()
    same = false
    return nil
  end)
  return same
end

local function fetch_sides(o, file)
  local git = file.upstream.git
  o.say(("Fetching upstream from %s@%s\n"):format(git.repo, git.ref))
  local theirs, found = o.fetch({ repo = git.repo, directory = git.directory, ref = git.ref })
  if not theirs then
    return nil, found
  end
  local lock, base = file.upstreamLock and file.upstreamLock.git, nil
  if lock then
    o.say(("Fetching origin from %s@%s\n"):format(git.repo, git.ref))
    local err
    base, err = o.fetch({ repo = lock.repo, directory = lock.directory, ref = lock.commit })
    if not base then
      return nil, err
    end
  end
  return { theirs = theirs, base = base or tree.new(), found = found }
end

-- The package at `top` with its own upstream, and what was fetched with it.
local function update_package(o, top)
  local file, err = read(o.root:directory(top), top)
  if not file then
    return nil, err
  end
  o.say(("%sPackage %q:\n"):format(top == "." and "" or "\n",
    package.display(o.name, top)))
  local sides
  sides, err = fetch_sides(o, file)
  if not sides then
    return nil, err
  end
  local stack = { "." }
  while #stack > 0 do
    local path = table.remove(stack)
    local ok
    ok, err = update_at(o, sides, top, path)
    local paths
    if ok then
      paths, err = package.subpackages_of("REMOTE", nil, o.root:directory(join(top, path)),
        sides.theirs:directory(path), sides.base:directory(path))
    end
    if not paths then
      return nil, err
    end
    for _, sub in ipairs(paths) do
      stack[#stack + 1] = join(path, sub)
    end
  end
  return edit(o, top, function(kf)
    kf.upstreamLock = kptfile.lock(sides.found)
  end)
end

local function clean(path)
  return "/" .. path:gsub("^[./]+", ""):gsub("/+$", "")
end

-- A package below follows the root to the new version when it comes from the same place.
local function follows(root, git, old_ref)
  return git.repo == root.repo and git.ref == old_ref
    and clean(git.directory or ""):sub(1, #clean(root.directory or ""))
      == clean(root.directory or "")
end

-- Packages with an upstream directly below `top`, after the root's wishes were passed on.
local function next_packages(o, top, root, old_ref)
  local paths, err = package.subpackages(o.root:directory(top), "ALL")
  if not paths then
    return nil, err
  end
  local list = {}
  for _, path in ipairs(paths) do
    local here = join(top, path)
    local file
    file, err = read(o.root:directory(here), here)
    if not file then
      return nil, err
    end
    local git = lanai.at(file, "upstream.git")
    if git then
      if follows(root, git, old_ref) and (o.ref or o.strategy) then
        local ok, failure = edit(o, here, set_wishes(o.ref, o.strategy))
        if not ok then
          return nil, failure
        end
      end
      list[#list + 1] = here
    end
  end
  return list
end

--- Updates a package; gives how many were updated.
--- @param o lanai.Update.Options
--- @return integer|nil, lanai.Error?
function M.run(o)
  local file, err = read(o.root, ".")
  if not file then
    return nil, err
  end
  local git = lanai.at(file, "upstream.git")
  if not git then
    return nil, { kind = "invalid", message = "package must have an upstream reference" }
  end
  local root = { repo = git.repo, directory = git.directory, ref = git.ref }
  local ok
  ok, err = edit(o, ".", set_wishes(o.ref, o.strategy))
  if not ok then
    return nil, err
  end
  local count, stack = 0, { "." }
  while #stack > 0 do
    local top = table.remove(stack)
    count = count + 1
    ok, err = update_package(o, top)
    local more
    if ok then
      more, err = next_packages(o, top, root, root.ref)
    end
    if not more then
      return wrap(top, err)
    end
    table.move(more, 1, #more, #stack + 1, stack)
  end
  o.say(("\nUpdated %d package(s).\n"):format(count))
  identity.stamp(o.compat, o.root)
  return count
end

return M
