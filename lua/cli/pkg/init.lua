-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg init [DIR]`

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local location = require("lanai.location")
local process = require("lanai.process")
local skeleton = require("lanai.skeleton")

local function run(args, flags)
  local shown = args[1] or "."
  local directory = disk.absolute(shown)
  local name = location.base(directory)
  if not files.kind(directory) then
    process.warn("creating package directory " .. shown .. "\n")
    local ok, err = files.make(directory)
    if not ok then
      return command.fail { message = ("failed to create directory %s: %s"):format(directory,
        err.message) }
    end
  end
  local draft = {
    file = function(_, path)
      return files.kind(directory .. "/" .. path) and "" or nil
    end,
    set = function(_, path, text)
      process.warn("writing " .. location.clean(shown .. "/" .. path) .. "\n")
      return files.write(directory, path, text)
    end,
  }
  local ok, err = skeleton.fill(draft, name, { description = flags.description,
    keywords = flags.keywords, site = flags.site })
  return ok and 0 or command.fail(err)
end

return {
  usage = "init [DIR]",
  summary = "Initialize an empty package.",
  flags = {
    description = { kind = "string", default = "sample description",
      help = "short description of the package." },
    keywords = { kind = "list", help = "list of keywords for the package." },
    site = { kind = "string", default = "",
      help = "link to page with information about the package." },
  },
  max = 1,
  run = run,
}
