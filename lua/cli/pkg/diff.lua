-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg diff [PKG_PATH][@VERSION]`: both sides are written to temporary directories, without
-- Kptfile and with the same identity stamps, and a program compares them.

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local get = require("lanai.get")
local identity = require("lanai.identity")
local kptfile = require("lanai.kptfile")
local lanai = require("lanai")
local location = require("lanai.location")
local package = require("lanai.package")
local process = require("lanai.process")
local remote = require("cli.remote")
local tree = require("lanai.tree")

local TYPES = { "local", "remote", "combined", "3way" }

-- Which sides a type compares.
local SIDES = {
  ["local"] = { "local", "remote" },
  remote = { "remote", "target" },
  combined = { "local", "target" },
  ["3way"] = { "local", "remote", "target" },
}

local function upstream_of(directory)
  local text = files.read(directory .. "/Kptfile")
  if not text then
    return nil, { message = ("package missing Kptfile at '%s'"):format(directory) }
  end
  local file, err = kptfile.parse(text)
  if not file then
    return nil, { message = ("package missing Kptfile at '%s': %s"):format(directory, err.message) }
  end
  local git = lanai.at(file, "upstream.git")
  if not git then
    return nil, { message = ("package missing upstream in Kptfile at '%s'"):format(directory) }
  end
  return { repo = git.repo, directory = git.directory, ref = git.ref }
end

local function fetch_side(git, ref, name, compat)
  local wanted = { repo = git.repo, directory = git.directory, ref = ref }
  local side = tree.new { Kptfile = kptfile.minimal(name, kptfile.upstream(wanted)) }
  local file = assert(kptfile.parse(side:file("Kptfile")))
  local ok, err = get.fetch(side, file, { compat = compat, fetch = remote.fetch,
    say = process.warn })
  return ok and side, err
end

local function local_side(directory)
  local all, err = disk.load(directory)
  local side = tree.new()
  local ok = all
  if ok then
    ok, err = package.copy(all, side, { kptfile = true, subpackages = "LOCAL" })
  end
  return ok and side, err
end

-- Writes one side below the staging directory; gives its directory.
local function stage(staging, name, side, compat)
  identity.stamp(compat, side)
  side:set("Kptfile", nil)
  local directory = staging .. "/" .. name
  local ok, err = files.make(directory)
  if ok then
    ok, err = disk.save(directory, tree.new(), side)
  end
  return ok and directory, err
end

local function stage_all(staging, directory, git, refs, flags)
  local staged = {}
  for i, kind in ipairs(SIDES[flags["diff-type"]]) do
    local ref = kind == "target" and refs.target or git.ref
    local name = kind .. "-" .. ref:match("[^/]*$")
    local side, err
    if kind == "local" then
      side, err = local_side(directory)
    else
      side, err = fetch_side(git, ref, name, flags.compat)
    end
    local path
    if side then
      path, err = stage(staging, name, side, flags.compat)
    end
    if not path then
      return nil, err
    end
    staged[i] = { path = path, shown = kind == "local" and directory or name }
  end
  return staged
end

-- The full name of a program, or nil.
local function find_program(name)
  if name:find("/", 1, true) then
    return files.kind(name) == "executable" and name or nil
  end
  for directory in (process.env("PATH") or ""):gmatch("[^:]+") do
    if files.kind(directory .. "/" .. name) == "executable" then
      return directory .. "/" .. name
    end
  end
end

local function compare(staged, flags)
  local words = { flags["diff-tool"] }
  for word in flags["diff-tool-opts"]:gmatch("[^ ]+") do
    words[#words + 1] = word
  end
  for _, side in ipairs(staged) do
    words[#words + 1] = side.path
  end
  local code, text = process.run(words)
  if not code then
    return command.fail(text)
  end
  if code > 1 then
    process.out(("\nThe selected diff tool (%s) exited with an error. It may not support the "
      .. "chosen diff type (%s). To use a different diff tool please provide the tool using the "
      .. "--diff-tool flag. \n\nFor more information about using kpt's diff command please see "
      .. "the commands --help.\n"):format(words[1], flags["diff-type"]))
  end
  for _, side in ipairs(staged) do
    local pattern = side.path:gsub("[^%w]", "%%%0")
    text = text:gsub(pattern, (side.shown:gsub("%%", "%%%%")))
  end
  process.out(text)
  return code > 1 and 1 or 0
end

local function choose_defaults(flags, ref)
  if flags["diff-type"] == "" then
    flags["diff-type"] = ref ~= "" and "combined" or "local"
  end
  if flags["diff-tool"] == "" then
    flags["diff-tool"] = process.env("KPT_EXTERNAL_DIFF") or ""
  end
  if flags["diff-tool"] == "" then
    flags["diff-tool"] = "diff"
  end
  if flags["diff-tool-opts"] == "" then
    flags["diff-tool-opts"] = process.env("KPT_EXTERNAL_DIFF_OPTS") or ""
  end
end

local function run(args, flags)
  local path, ref = location.parse_version(args[1] or ".")
  if not path then
    return command.usage_error(ref.message)
  end
  choose_defaults(flags, ref)
  if not SIDES[flags["diff-type"]] then
    return command.usage_error(("invalid diff-type '%s': supported diff-types are: %s"):format(
      flags["diff-type"], table.concat(TYPES, ", ")))
  end
  local tool = find_program(flags["diff-tool"])
  if not tool then
    return command.usage_error(("diff-tool '%s' not found in the PATH"):format(flags["diff-tool"]))
  end
  flags["diff-tool"] = tool
  local directory, missing = disk.resolve(path == "" and "." or path)
  if not directory then
    return command.usage_error(missing)
  end
  local git, err = upstream_of(directory)
  if not git then
    return command.usage_error(err.message)
  end
  if ref == "" and flags["diff-type"] ~= "local" then
    ref, err = remote.default_branch(git.repo)
    if not ref then
      return command.fail(err or { message = "unable to detect default branch in repo" })
    end
  end
  local staging
  staging, err = files.temporary()
  local staged
  if staging then
    staged, err = stage_all(staging, directory, git, { target = ref }, flags)
  end
  if not staged then
    return command.fail(err, directory)
  end
  return compare(staged, flags)
end

return {
  usage = "diff [PKG_PATH][@VERSION]",
  summary = "Show differences between a local package and upstream.",
  help = [[
Types:
  local     the local package and upstream at the version that it follows (default)
  remote    upstream at that version and at VERSION
  combined  the local package and upstream at VERSION (default with a VERSION)
  3way      all three, for a tool that takes three directories

Environment:
  KPT_EXTERNAL_DIFF, KPT_EXTERNAL_DIFF_OPTS  program that compares, and its options
  KPT_CACHE_DIR                              where fetched repositories are kept
]],
  flags = {
    ["diff-type"] = { kind = "string", default = "",
      help = "what to compare: " .. table.concat(TYPES, ", ") },
    ["diff-tool"] = { kind = "string", default = "", help = "program that compares directories" },
    ["diff-tool-opts"] = { kind = "string", default = "", help = "options for it" },
  },
  max = 1,
  run = run,
}
