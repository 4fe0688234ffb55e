-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn sink DIR`

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local process = require("lanai.process")
local resources = require("lanai.resources")
local tree = require("lanai.tree")

local function run(args, flags)
  if files.kind(args[1]) then
    return command.usage_error(("directory %q already exists, please delete the directory and "
      .. "retry"):format(args[1]))
  end
  local text, err = process.input()
  local items, written
  if text then
    items, err = resources.parse(text)
  end
  if items then
    written, err = resources.write(items, { compat = flags.compat })
  end
  if not written then
    return command.usage_error(err.message)
  end
  local package, directory = tree.new(), disk.absolute(args[1])
  for _, file in ipairs(written) do
    package:set(file.path, file.text)
  end
  local ok
  ok, err = files.make(directory)
  if ok then
    ok, err = disk.save(directory, tree.new(), package)
  end
  return ok and 0 or command.usage_error(err.message)
end

return {
  usage = "sink DIR",
  summary = "Write resources to a local directory",
  min = 1,
  run = run,
}
