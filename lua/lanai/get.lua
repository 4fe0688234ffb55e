-- SPDX-License-Identifier: Apache-2.0
--
-- Fetching a package into a new directory, with every package below that names an upstream and was
-- not fetched yet (cad-library.md §2.2).

local identity = require("lanai.identity")
local kptfile = require("lanai.kptfile")
local package = require("lanai.package")
local strategy = require("lanai.strategy")
local tree = require("lanai.tree")

local M = {}

--- @class lanai.Get.Options
--- @field git {repo: string, directory: string, ref: string}
--- @field name string of the package and its directory
--- @field strategy string
--- @field compat string "kpt" or "lanai"
--- @field fetch fun(git: table): lanai.Tree|nil, table as in lanai.Update.Options
--- @field say fun(text: string)
--- @field unattributed boolean|nil leave out the annotation that counts use

local REQUIRED = { "repo", "ref", "directory" }

--- Brings the upstream of the package at a directory into it; its Kptfile says where from.
--- @param directory lanai.Tree
--- @param file lanai.Node its Kptfile
--- @param o {compat: string, fetch: function, say: function}
--- @return true|nil, lanai.Error?
function M.fetch(directory, file, o)
  local git = file.upstream.git
  if not git then
    return nil, { kind = "invalid", message = "kptfile upstream doesn't have git information" }
  end
  for _, field in ipairs(REQUIRED) do
    if (git[field] or "") == "" then
      return nil, { kind = "invalid", message = "must specify " .. field }
    end
  end
  local theirs, found = o.fetch({ repo = git.repo, directory = git.directory, ref = git.ref })
  if not theirs then
    return nil, found
  end
  o.say(("Adding package %q.\n"):format((git.directory:gsub("^/", ""))))
  local ok, err = package.copy(theirs, directory, { kptfile = true, subpackages = "ALL" })
  if not ok then
    return nil, err
  end
  local text
  text, err = kptfile.edit(directory:file("Kptfile"), o.compat, function(kf)
    kf.upstreamLock = kptfile.lock(found)
  end)
  if not text then
    return nil, err
  end
  directory:set("Kptfile", text)
  return strategy.merge_kptfile({ ours = directory, theirs = theirs, compat = o.compat,
    report = {}, path = "." }, false)
end

local function join(path, name)
  return path == "." and name or path .. "/" .. name
end

-- Fetches what is not fetched yet, in the tree and in what comes along.
local function fetch_all(root, o)
  local count, stack = 0, { "." }
  while #stack > 0 do
    local path = table.remove(stack)
    local directory = root:directory(path)
    local file, err = kptfile.parse(directory:file("Kptfile"))
    if not file then
      return nil, kptfile.error_at(path, err)
    end
    if file.upstream and not file.upstreamLock then
      count = count + 1
      local git = file.upstream.git or {}
      o.say(("%sPackage %q:\nFetching %s@%s\n"):format(path == "." and "" or "\n",
        package.display(o.name, path), git.repo, git.ref))
      local ok
      ok, err = M.fetch(directory, file, o)
      if not ok then
        return nil, err
      end
    end
    local below
    below, err = package.subpackages(directory, "ALL")
    if not below then
      return nil, err
    end
    for _, sub in ipairs(below) do
      stack[#stack + 1] = join(path, sub)
    end
  end
  o.say(("\nFetched %d package(s).\n"):format(count))
  return true
end

--- Fetches a package; gives its files.
--- @param o lanai.Get.Options
--- @return lanai.Tree|nil, lanai.Error?
function M.run(o)
  local root = tree.new { Kptfile = kptfile.minimal(o.name, kptfile.upstream(o.git, o.strategy)) }
  local ok, err = fetch_all(root, o)
  if not ok then
    return nil, err
  end
  identity.stamp_new(o.compat, root, not o.unattributed)
  return root
end

return M
