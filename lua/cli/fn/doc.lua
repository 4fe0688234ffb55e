-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn doc [NAME]`: the manual of a function, from what its file says; without a name the list
-- of all.

local command = require("cli.command")
local eval = require("lanai.eval")
local functions = require("cli.functions")
local location = require("lanai.location")
local process = require("lanai.process")

-- The function of an image name: registry and tag do not matter.
local function find(wanted)
  local base = location.base(wanted):gsub("[@:].*$", "")
  for _, fn in ipairs(eval.functions()) do
    for _, name in ipairs { fn.name, table.unpack(fn.images) } do
      if name == base then
        return fn
      end
    end
  end
end

local function print_list()
  for _, fn in ipairs(eval.functions()) do
    process.out(("%-32s %s\n"):format(fn.name, fn.summary))
  end
end

local function manual(fn)
  local lines = { fn.name .. " - " .. fn.summary, "",
    "Images:   " .. table.concat(fn.images, ", "),
    "Versions: " .. table.concat(fn.versions, ", "),
    "File:     " .. fn.path }
  local doc = fn.doc:gsub("%s+$", "")
  if doc ~= "" then
    lines[#lines + 1] = "\n" .. doc
  end
  return table.concat(lines, "\n") .. "\n"
end

local function run(args, flags)
  local ok, err = functions.open(flags)
  if not ok then
    return command.usage_error(err)
  end
  local wanted = args[1] or flags.image
  if wanted == "" then
    print_list()
    return 0
  end
  local fn = find(wanted)
  if not fn then
    return command.usage_error(("no function is called %q: `lanai fn doc` lists all")
      :format(wanted))
  end
  process.out(manual(fn))
  return 0
end

return {
  usage = "doc [NAME]",
  summary = "Display the documentation for a function, or list all",
  flags = {
    functions = functions.DIRECTORIES,
    image = { kind = "string", default = "", short = "i", help = "the function, by its image" },
  },
  max = 1,
  run = run,
}
