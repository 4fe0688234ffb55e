-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn sink DIR`

local command = require("cli.command")
local output = require("cli.output")
local process = require("lanai.process")
local resources = require("lanai.resources")

local function run(args, flags)
  local free, taken = output.check_new(args[1])
  if not free then
    return command.usage_error(taken)
  end
  local text, err = process.input()
  local items, ok
  if text then
    items, err = resources.parse(text)
  end
  if items then
    ok, err = output.directory(items, args[1], flags.compat)
  end
  return ok and 0 or command.usage_error(err.message)
end

return {
  usage = "sink DIR",
  summary = "Write resources to a local directory",
  min = 1,
  run = run,
}
