-- SPDX-License-Identifier: Apache-2.0
--
-- What functions did, told to people while it happens and written down in a results directory. The
-- words are kpt's (cad-library.md §4.6, §4.7).

local disk = require("cli.disk")
local files = require("lanai.files")
local json = require("lanai.json")
local lanai = require("lanai")
local node = require("lanai.node")
local process = require("lanai.process")

local M = {}

--- One run of a function.
--- @class lanai.Step
--- @field image string|nil reference of the image, or
--- @field exec string|nil command line
--- @field selected integer|nil number of resources, when selectors chose them
--- @field exit_code integer
--- @field ms integer how long it took
--- @field results lanai.Node
--- @field log string what the function printed for people
--- @field error string empty when it went well
--- @field ran boolean false when it was not even tried

-- A duration as Go prints one of whole tenths of a second.
local function duration(ms)
  local tenths = ms // 100
  if tenths == 0 then
    return "0s"
  elseif tenths < 10 then
    return tenths * 100 .. "ms"
  end
  local minutes, rest = tenths // 600, tenths % 600
  local seconds = rest // 10 .. (rest % 10 > 0 and "." .. rest % 10 or "") .. "s"
  return minutes > 0 and minutes .. "m" .. seconds or seconds
end

-- Where a result belongs: the parts of its reference that are there.
local function reference(result)
  local parts, ref = {}, result.resourceRef or {}
  for _, member in ipairs { "apiVersion", "kind", "namespace", "name" } do
    if (ref[member] or "") ~= "" then
      parts[#parts + 1] = ref[member]
    end
  end
  return table.concat(parts, "/")
end

--- A result as one line.
--- @param result lanai.Node
--- @return string
function M.line(result)
  local ref, path = reference(result), result.field and result.field.path
  return ("[%s]%s%s: %s"):format(result.severity or "info", ref ~= "" and " " .. ref or "",
    path and " " .. path or "", result.message or "")
end

local function block(title, lines)
  local text = "  " .. title .. ":\n"
  for _, line in ipairs(lines) do
    text = text .. "    " .. line .. "\n"
  end
  return text
end

local function results_text(step)
  if #step.results == 0 then
    return ""
  end
  local lines = {}
  for _, result in ipairs(step.results) do
    lines[#lines + 1] = M.line(result)
  end
  return block("[Results]", lines)
end

local function log_text(step)
  return step.log ~= "" and block("Stderr", lanai.split(step.log, "\n")) or ""
end

-- Says how a function ended. One that ran and failed has said why: its exit code is the last word.
local function say_end(step, failure)
  local failed = step.exit_code ~= 0 or failure ~= ""
  local text = ('[%s] "%s" in %s\n'):format(failed and "FAIL" or "PASS", step.image or step.exec,
    duration(step.ms)) .. results_text(step)
  if failure == "" then
    text = text .. log_text(step)
  end
  if failure == "" and failed then
    text = text .. ("  Exit code: %d\n\n"):format(step.exit_code)
  end
  process.warn(text)
end

--- Listeners for lanai.eval that say what happens. `name` is what the root package is called; nil
--- when functions are not those of packages.
--- @param name string|nil
--- @return lanai.EvalListener
function M.listener(name)
  local package
  return {
    package = function(dir)
      package = name .. (dir ~= "" and "/" .. dir or "")
      process.warn(('Package "%s":\n'):format(package))
    end,
    done = function()
      process.warn("\n")
    end,
    starts = function(step)
      process.warn(('[RUNNING] "%s"%s%s\n'):format(step.image or step.exec,
        step.selected and (" on %d resource(s)"):format(step.selected) or "",
        package and (' on package "%s"'):format(package) or ""))
    end,
    ends = say_end,
  }
end

--- Makes the results directory; nil and kpt's words when that cannot be.
--- @param directory string "" for none
--- @return true|nil, string?
function M.prepare(directory)
  if directory == "" then
    return true
  end
  local ok, err = files.make(disk.absolute(directory))
  if ok and files.kind(directory) ~= "directory" then
    ok, err = nil, { message = ("mkdir %s: not a directory"):format(directory) }
  end
  if not ok then
    return nil, ("cannot read or create results dir %q: %s"):format(directory, err.message)
  end
  return true
end

--- A FunctionResultList of one run.
--- @param step lanai.Step
--- @return lanai.Node
function M.list(step)
  local list, item = lanai.map(), lanai.map()
  list.apiVersion = "kpt.dev/v1"
  list.kind = "FunctionResultList"
  list.metadata = { name = "fnresults" }
  list.exitCode = step.exit_code ~= 0 and 1 or 0
  item.image = step.image
  item.exec = step.exec
  item.stderr = step.log ~= "" and step.log or nil
  item.exitCode = step.exit_code
  item.results = #step.results > 0 and step.results or nil
  list.items = step.ran and { item } or nil
  return list
end

-- A list of no results, too, says what it is.
local function whole(list)
  if list.items then
    return list
  end
  local empty = lanai.map()
  empty.apiVersion = "kpt.dev/v1"
  empty.kind = "FunctionResultList"
  empty.metadata = { name = "fnresults" }
  empty.exitCode = 0
  return empty
end

--- Writes results.yaml and says where it is.
--- @param directory string "" for none
--- @param list lanai.Node a FunctionResultList
--- @return true|nil, lanai.Error?
function M.save(directory, list)
  if directory == "" then
    return true
  end
  local plain = json.parse(node.json(whole(list))) -- how a function wrote its results is its own
  local ok, err = files.write(disk.absolute(directory), "results.yaml",
    node.emit(plain, { wide = true, values = true }))
  if ok then
    process.warn(("For complete results, see %s/results.yaml\n"):format(
      (directory:gsub("/+$", ""))))
  end
  return ok, err
end

return M
