-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn render [PKG_PATH]`: the pipelines of a package and of those inside it
-- (cad-library.md §4).

local command = require("cli.command")
local disk = require("cli.disk")
local eval = require("lanai.eval")
local functions = require("cli.functions")
local kptfile = require("lanai.kptfile")
local location = require("lanai.location")
local output = require("cli.output")
local process = require("lanai.process")
local progress = require("cli.progress")
local reading = require("cli.resources")
local tree = require("lanai.tree")

local function check(flags)
  local wrong = functions.check(flags)
  if wrong then
    return wrong
  end
  local ok, err = output.check(flags.output)
  if ok then
    ok, err = progress.prepare(flags["results-dir"])
  end
  if ok then
    ok, err = functions.open(flags)
  end
  return not ok and err or nil
end

-- The package in a directory; or an exit code.
local function read_package(path)
  local directory, missing = disk.resolve(path)
  if not directory then
    return nil, command.usage_error(missing)
  end
  local root, err = disk.load(directory)
  if not root then
    return nil, command.usage_error(err.message)
  end
  local text = root:file("Kptfile")
  local ok = false
  if text then
    ok, err = kptfile.parse(text)
    err = not ok and kptfile.error_at(".", err)
  else
    err = { kptfile = ".", missing = true, message = "no Kptfile" }
  end
  return ok and { root = root, directory = directory, files = reading.files(root) },
    err and command.fail(err, directory)
end

-- Writes what became of the files. A failure leaves its mark in the Kptfile.
local function write_back(package, outcome)
  local after, now = tree.copy(package.root), {}
  for _, file in ipairs(outcome.files) do
    now[file.path] = true
    if after:file(file.path) ~= file.text then
      after:set(file.path, file.text)
    end
  end
  for _, file in ipairs(package.files) do
    if not now[file.path] then
      after:set(file.path, nil)
    end
  end
  return disk.save(package.directory, package.root, after)
end

local function say_summary(outcome)
  local n, packages = outcome.functions, outcome.packages
  if not outcome.failure then
    process.warn(("Successfully executed %d function(s) in %d package(s).\n"):format(n, packages))
  elseif outcome.written and n > 0 then
    process.warn(("Partially executed %d function(s) in %d package(s).\n"):format(n, packages))
  elseif outcome.written then
    process.warn(("Failed to execute any functions in %d package(s).\n"):format(packages))
  end
end

local function run(args, flags)
  local wrong = check(flags)
  if wrong then
    return command.usage_error(wrong)
  end
  local package, code = read_package(args[1] or ".")
  if not package then
    return code
  end
  local said = false -- whether the function that failed has told why
  local listener = progress.listener(location.base(package.directory))
  local outcome, err = eval.render { files = package.files, root = package.directory,
    allow_exec = flags["allow-exec"], prefix = functions.prefix(flags), compat = flags.compat,
    on = { package = listener.package, done = listener.done, starts = listener.starts,
      ends = function(step, failure)
        said = step.exit_code ~= 0 and failure == ""
        listener.ends(step, failure)
      end } }
  if not outcome then
    return command.fail(err)
  end
  local ok = true
  if flags.output == "" then
    ok, err = write_back(package, outcome)
    say_summary(outcome)
  elseif not outcome.failure then
    ok, err = output.put(outcome.items, flags.output, flags.compat)
  end
  if ok then
    ok, err = progress.save(flags["results-dir"], outcome.results)
  end
  if not ok then
    return command.fail(err)
  elseif outcome.failure and not said then
    return command.fail { message = outcome.failure }
  end
  return outcome.failure and 1 or 0
end

return {
  usage = "render [PKG_PATH]",
  summary = "Render a package.",
  flags = functions.flags {
    output = output.FLAG,
    ["allow-exec"] = { kind = "bool", default = false,
      help = "let functions be programs of this machine" },
    ["allow-network"] = { kind = "bool", default = false },
  },
  max = 1,
  run = run,
}
