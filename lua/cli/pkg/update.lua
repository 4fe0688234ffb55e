-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai pkg update [PKG_PATH][@VERSION]`

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local location = require("lanai.location")
local process = require("lanai.process")
local remote = require("cli.remote")
local report = require("cli.report")
local strategy = require("lanai.strategy")
local tree = require("lanai.tree")
local update = require("lanai.update")

-- The package's directory, or an exit code.
local function find_package(path)
  local directory, err = disk.resolve(path == "" and "." or path)
  if not directory then
    return nil, command.usage_error(err)
  end
  local here = assert(files.real("."))
  if directory ~= here and directory:sub(1, #here + 1) ~= here .. "/" and here ~= "/" then
    return nil, command.fail { message = "package path must be under current working directory" }
  end
  return directory
end

local function say_report(conflicts, flags)
  if flags.report ~= "" then
    local directory, name = disk.absolute(flags.report):match("^(.*)/([^/]+)$")
    return files.write(directory == "" and "/" or directory, name, report.yaml(conflicts))
  elseif flags.compat ~= "kpt" and #conflicts > 0 then
    process.warn(report.text(conflicts))
  end
  return true
end

-- kpt's flag has a default that wins over the Kptfile.
local function wished_strategy(flags)
  local wish = flags.strategy
  if wish == "" then
    return flags.compat == "kpt" and "resource-merge" or nil
  end
  return wish
end

local function run(args, flags)
  if flags.strategy ~= "" and not strategy.exists(flags.strategy) then
    return command.usage_error(("unknown update strategy %q"):format(flags.strategy))
  end
  local path, ref = location.parse_version(args[1] or ".")
  if not path then
    return command.fail(ref)
  end
  local ok, err = location.check_argument("ref", ref)
  if not ok then
    return command.fail(err)
  end
  local directory, code = find_package(path)
  if not directory then
    return code
  end
  local before
  before, err = disk.load(directory)
  if not before then
    return command.fail(err)
  end
  local after, conflicts = tree.load(before), {}
  ok, err = update.run { root = after, name = location.base(directory), compat = flags.compat,
    ref = ref ~= "" and ref or nil, strategy = wished_strategy(flags), fetch = remote.fetch,
    say = process.warn, report = conflicts }
  if ok then
    ok, err = disk.save(directory, before, after)
  end
  if ok then
    ok, err = say_report(conflicts, flags)
  end
  return ok and 0 or command.fail(err, directory)
end

return {
  usage = "update [PKG_PATH][@VERSION]",
  summary = "Apply upstream package updates.",
  help = [[
Args:
  PKG_PATH  directory of the package (default: the current one)
  VERSION   tag, branch or commit to go to (default: what the Kptfile's upstream says)

When both sides changed the same place, upstream wins; what that replaced is listed at the end.

Environment:
  KPT_CACHE_DIR  where fetched repositories are kept (default ~/.kpt/repos)
]],
  flags = {
    strategy = { kind = "string", default = "",
      help = "how to update, now and later (default: what the Kptfile says): "
        .. table.concat(strategy.NAMES, ", ") },
    report = { kind = "string", default = "",
      help = "write the conflicts to this file, as YAML, instead of printing them" },
  },
  max = 1,
  run = run,
}
