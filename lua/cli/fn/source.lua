-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn source [DIR]`

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local location = require("lanai.location")
local process = require("lanai.process")
local reading = require("cli.resources")
local resources = require("lanai.resources")

local PATHS = { "config.kubernetes.io/path", "internal.config.kubernetes.io/path" }

-- The one resource of a file.
local function read_config(path)
  local text, err = files.read(path)
  if not text then
    return nil, err
  end
  local items
  items, err = resources.read({ { path = location.base(path), text = text } },
    { annotate = true, wide = true, wrap = true })
  if items and #items ~= 1 then
    return nil, { message = ("expected exactly 1 functionConfig, found %d"):format(#items) }
  end
  return items and items[1], err
end

local function run(args, flags)
  local output = flags.output
  if output ~= "stdout" and output ~= "unwrap" then
    return command.usage_error(("invalid input for --output flag %q, must be %q or %q"):format(
      output, "stdout", "unwrap"))
  end
  local config, err
  if flags["fn-config"] ~= "" then
    config, err = read_config(flags["fn-config"])
    if not config then
      return command.usage_error(err.message)
    end
  end
  local directory, missing = disk.resolve(disk.absolute(args[1] or "."))
  if not directory then
    return command.usage_error(missing)
  end
  local root
  root, err = disk.load(directory)
  local items
  if root then
    items, err = reading.read(root, { annotate = true, wide = true, wrap = true })
  end
  if not items then
    return command.usage_error(err.message)
  end
  if output == "unwrap" then
    process.out(resources.text(items, { without = PATHS, compat = flags.compat }))
    return 0
  end
  process.out(resources.list(items, { config = config, compat = flags.compat }))
  return 0
end

return {
  usage = "source [DIR]",
  summary = "Source resources from a local directory",
  flags = {
    ["fn-config"] = { kind = "string", default = "", help = "path to function config file." },
    output = { kind = "string", default = "stdout", short = "o",
      help = "stdout: wrapped in a ResourceList; unwrap: YAML documents" },
  },
  max = 1,
  run = run,
}
