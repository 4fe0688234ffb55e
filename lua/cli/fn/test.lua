-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn test FILE`: runs the cases of a function, which are in NAME_test.yaml beside NAME.lua.

local command = require("cli.command")
local disk = require("cli.disk")
local eval = require("lanai.eval")
local files = require("lanai.files")
local functions = require("cli.functions")
local node = require("lanai.node")
local process = require("lanai.process")
local progress = require("cli.progress")
local resources = require("lanai.resources")

local PLACES = { "config.kubernetes.io/path", "internal.config.kubernetes.io/path" }

local function parse(text)
  return resources.read({ { path = "resources.yaml", text = text } },
    { annotate = true, wide = true, wrap = true })
end

-- Resources as text, the same whatever blank lines and indentation they came with.
local function normal(items)
  return assert(resources.text(items, { without = PLACES }))
end

local function differ(what, is, expected)
  return is ~= expected and ("%s is\n%s\nexpected\n%s"):format(what, is, expected) or nil
end

local function check_results(step, expected)
  if not expected then
    return nil
  end
  local lines, wanted = {}, {}
  for _, result in ipairs(step.results) do
    lines[#lines + 1] = progress.line(result)
  end
  for _, line in ipairs(expected) do
    wanted[#wanted + 1] = line
  end
  return differ("the results are", table.concat(lines, "\n"), table.concat(wanted, "\n"))
end

local function check_failure(step, case)
  local failure = step.failure or step.error
  if failure == "" then
    return case.error and "it went well, but should fail: " .. case.error
  elseif not case.error then
    return "it failed: " .. failure
  elseif not failure:find(case.error, 1, true) then
    return differ("the error", failure, case.error)
  end
end

-- What is wrong, or nil.
local function run_case(name, case)
  local items, err = parse(case.input or "")
  local expected
  if items then
    expected, err = parse(case.output or case.input or "")
  end
  if not expected then
    return err.message
  end
  local step = eval.one { items = items, image = name, tag = case.version, config = case.config }
  local wrong = check_failure(step, case)
  if wrong or case.error then
    return wrong
  end
  return differ("the output", normal(items), normal(expected))
    or check_results(step, case.results)
end

local function read_cases(path)
  local text, err = files.read(path)
  local document
  if text then
    document, err = node.parse(text)
  end
  if not document then
    return nil, err.message
  elseif not node.is_list(document.cases) or #document.cases == 0 then
    return nil, ("%s: a list of cases is expected under 'cases'"):format(path)
  end
  return document.cases
end

local function run_cases(name, cases)
  local failed = 0
  for i, case in ipairs(cases) do
    local wrong = run_case(name, case)
    failed = failed + (wrong and 1 or 0)
    process.out(("%s %s\n"):format(wrong and "FAIL" or "ok  ", case.name or "case " .. i))
    if wrong then
      process.out("       " .. wrong:gsub("\n", "\n       ") .. "\n")
    end
  end
  process.out(("%d passed, %d failed\n"):format(#cases - failed, failed))
  return failed == 0 and 0 or 1
end

local function run(args, flags)
  local directory, name = disk.absolute(args[1]):match("^(.*)/([^/]+)$")
  name = name and (name:match("^(.*)_test%.yaml$") or name:match("^(.*)%.lua$"))
  if not name or not files.kind(directory .. "/" .. name .. ".lua") then
    return command.usage_error(("%q is not the file of a function: NAME.lua"):format(args[1]))
  end
  local ok, err = functions.open(flags, { directory })
  local cases
  if ok then
    cases, err = read_cases(directory .. "/" .. name .. "_test.yaml")
  end
  if not cases then
    return command.usage_error(err)
  end
  return run_cases(name, cases)
end

return {
  usage = "test FILE",
  summary = "Run the cases of a function",
  help = [[
FILE is NAME.lua; its cases are in NAME_test.yaml beside it. `lanai fn new` writes an example of
both.
]],
  flags = { functions = functions.DIRECTORIES },
  min = 1,
  max = 1,
  run = run,
}
