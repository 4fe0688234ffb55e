-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg cat [FILE | DIR]`

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local location = require("lanai.location")
local package = require("lanai.package")
local process = require("lanai.process")
local reading = require("cli.resources")
local resources = require("lanai.resources")
local tree = require("lanai.tree")

local PATHS = { "config.kubernetes.io/path", "internal.config.kubernetes.io/path" }

-- Resources of one file as they are shown.
local function show_resources(path, text, flags)
  local items, err = resources.read({ { path = location.base(path), text = text } },
    { annotate = true })
  if not items then
    return nil, { message = ("lanai pkg cat: %q: %s"):format(path, err.message) }
  end
  for _, item in ipairs(items) do
    if flags.format then
      resources.format(item)
    end
    if flags["strip-comments"] then
      resources.strip_comments(item)
    end
  end
  return resources.text(items, { keep = flags.annotate, without = not flags.annotate and PATHS
    or nil, compat = flags.compat })
end

local function show_file(path, text, flags)
  if reading.is_resource_file(path) then
    return show_resources(path, text, flags)
  elseif not utf8.len(text) then
    return "" -- nothing that a terminal could show
  end
  return text:sub(-1) == "\n" and text or text .. "\n"
end

-- What belongs to one package, its files separated as documents are.
local function show_package(root, directory, flags)
  local parts = {}
  local at = root:directory(directory)
  for _, path in ipairs(package.files(at)) do
    local text, err = show_file(path, at:file(path), flags)
    if not text then
      return nil, err
    end
    parts[#parts + 1] = text ~= "" and text or nil
  end
  return #parts > 0 and table.concat(parts, "---\n") .. "---" or ""
end

local function load(path)
  if files.kind(path) == "directory" then
    return disk.load(path)
  end
  local text, err = files.read(path)
  return text and tree.new { [location.base(path)] = text }, err
end

local function run(args, flags)
  local path, missing = disk.resolve(args[1] or ".")
  if not path then
    return command.usage_error(missing)
  end
  local root, err = load(path)
  local directories
  if root then
    directories = { "." }
    if flags["recurse-subpackages"] then
      directories, err = package.subpackages(root, "ALL", { recursive = true })
      table.insert(directories or {}, 1, ".")
    end
  end
  local parts = {}
  for _, directory in ipairs(directories or {}) do
    parts[#parts + 1], err = show_package(root, directory, flags)
    if err then
      break
    end
  end
  if err then
    return command.usage_error(err.message)
  end
  process.out((table.concat(parts, "\n"):gsub("%-%-%-\n?$", "")))
  return 0
end

return {
  usage = "cat [FILE | DIR]",
  summary = "Display resource file contents from a file or directory.",
  flags = {
    format = { kind = "bool", default = true,
      help = "reorder fields to their usual order before printing" },
    annotate = { kind = "bool", default = false,
      help = "annotate resources with their file origins." },
    ["strip-comments"] = { kind = "bool", default = false, help = "remove comments from yaml." },
    ["recurse-subpackages"] = { kind = "bool", default = true, short = "R",
      help = "print the packages inside, too" },
  },
  max = 1,
  run = run,
}
