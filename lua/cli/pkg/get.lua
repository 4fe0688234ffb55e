-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg get REPO_URI[.git]/PKG_PATH[@VERSION] [LOCAL_DEST_DIRECTORY]`

local command = require("cli.command")
local context = require("lanai.context")
local disk = require("cli.disk")
local files = require("lanai.files")
local get = require("lanai.get")
local location = require("lanai.location")
local process = require("lanai.process")
local remote = require("cli.remote")
local strategy = require("lanai.strategy")
local tree = require("lanai.tree")

local function fail(text, ...)
  return nil, { kind = "invalid", message = text:format(...) }
end

-- Where the package goes: the directory that was named, or a new one in it.
local function destination(wish, git, explicit)
  wish = location.clean(wish)
  if not files.kind(wish) then
    local parent = wish:match("^(.*)/[^/]*$") or "."
    if parent ~= "" and not files.kind(parent) then
      return fail("parent directory %q does not exist", parent)
    end
    return wish
  elseif files.kind(wish) ~= "directory" then
    return fail("LOCAL_PKG_DEST must be a directory")
  elseif explicit and wish == "." then
    return wish
  end
  local repo = git.repo:gsub("/$", ""):gsub("%.git$", "")
  local name = location.base(location.clean(repo) .. "/" .. git.directory)
  if git.directory == "/" then
    name = location.base(repo)
  end
  wish = location.clean(wish .. "/" .. name)
  if files.kind(wish) then
    return fail("destination directory %q already exists", wish)
  end
  return wish
end

-- An empty directory may be filled.
local function check_empty(directory)
  if not files.kind(directory) then
    return true
  elseif files.kind(directory) ~= "directory" then
    return fail("destination exists and is not a directory")
  end
  local list, err = files.list(directory)
  if not list then
    return nil, err
  elseif #list > 0 then
    return fail("destination directory already exists")
  end
  return true
end

local function plan(args)
  local wish = args[2] or "."
  if files.is_link(wish) then
    local real, err = disk.resolve(wish)
    if not real then
      return fail(err)
    end
    wish = real
  end
  local git, err = location.parse(args[1], remote)
  if not git then
    return nil, err
  end
  local place
  place, err = destination(wish, git, args[2] ~= nil)
  if not place then
    return nil, err
  end
  return git, disk.absolute(place)
end

local function customize(package, compat)
  process.warn("\nCustomizing package for deployment.\n")
  local ok, err = context.generate(package, compat)
  if ok then
    process.warn("\nCustomized package for deployment.\n")
  end
  return ok, err
end

local function run(args, flags)
  if not strategy.exists(flags.strategy) then
    return command.usage_error(("unknown update strategy %q"):format(flags.strategy))
  end
  local git, directory = plan(args)
  local err = not git and directory
  local ok = git
  if ok then
    ok, err = check_empty(directory)
  end
  local package
  if ok then
    package, err = get.run { git = git, name = location.base(directory),
      strategy = flags.strategy, compat = flags.compat, fetch = remote.fetch,
      say = process.warn,
      unattributed = (process.env("KRM_DISABLE_ATTRIBUTION") or "") ~= "" }
  end
  ok = package
  if ok and flags["for-deployment"] then
    ok, err = customize(package, flags.compat)
  end
  if ok then
    ok, err = files.make(directory)
  end
  if ok then
    ok, err = disk.save(directory, tree.new(), package)
  end
  return ok and 0 or command.fail(err, directory)
end

return {
  usage = "get REPO_URI[.git]/PKG_PATH[@VERSION] [LOCAL_DEST_DIRECTORY]",
  summary = "Fetch a package from a git repo.",
  help = [[
Args:
  REPO_URI              git repository; its end is marked by .git
  PKG_PATH              directory of the package in it (default: the root)
  VERSION               tag, branch or commit (default: the default branch)
  LOCAL_DEST_DIRECTORY  where to write the package (default: a new directory named like it)

Environment:
  KPT_CACHE_DIR         where fetched repositories are kept (default ~/.kpt/repos)
]],
  flags = {
    strategy = { kind = "string", default = "resource-merge",
      help = "how the package will be updated: " .. table.concat(strategy.NAMES, ", ") },
    ["for-deployment"] = { kind = "bool", default = false,
      help = "the package will be deployed to a cluster: write its package-context.yaml" },
  },
  min = 1,
  max = 2,
  run = run,
}
