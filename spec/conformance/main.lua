-- SPDX-License-Identifier: Apache-2.0
-- Runs conformance cases: finds them, gives each to the handler of its op, counts, and prints a
-- line per category. Handlers (handlers/*.lua) return tables op → function(case) that run the
-- product's own code and answer with one of
--   true                 passed
--   true, nil, ids       passed with the difference that deviations.md explains under these ids,
--                        separated by commas
--   false, text          failed
--   nil, reason          skipped
-- A raised error is a failure.
local root = assert(os.getenv("LANAI_ROOT"), "run it through spec/conformance/run")
local build = assert(os.getenv("LANAI_BUILD"))
package.path = root .. "/?.lua;" .. package.path
package.cpath = build .. "/probe/?.so;" .. package.cpath

local bydefault = require("spec.conformance.lib.bydefault")
local cases = require("spec.conformance.lib.cases")
local corpus = require("spec.conformance.lib.corpus")
local deviations = require("spec.conformance.lib.deviations")

local AREAS = { "util", "api", "registry", "repository", "engine", "git", "cli", "task",
  "fixtures", "yaml", "kyaml", "merge", "packages", "setters",
  "functions", "transformers" }

-- Categories of the corpus that ask for parts which lanai does not have.
local NOT_YET = {
  ["porch-tables/webhook"] = "webhook configuration and certificates: not part of this version",
  ["porch-tables/packagevariant"] = "PackageVariant is not served in this version",
  ["porch-tables/packagevariantset"] = "PackageVariantSet is not served in this version",
  ["porch-tables/packagerevision"] = "v1alpha2 is not served in this version",
  ["porch-tables/fnrunner"] = "the function runner is not part of this version",
  ["porch-data/fnrunner"] = "the function runner is not part of this version",
  ["porch-tables/server"] = "flags of Porch's server program",
}

local function usage(text)
  io.stderr:write("conformance: ", text, "\n",
    "usage: spec/conformance/run --cases DIR [-v] [--record] [CATEGORY...]\n")
  os.exit(2)
end

local function parse(words)
  local o = { wanted = {} }
  local i = 1
  while i <= #words do
    local word = words[i]
    if word == "--cases" then
      i = i + 1
      o.dir = words[i] or usage("--cases needs a directory")
    elseif word == "-v" or word == "--verbose" then
      o.verbose = true
    elseif word == "--record" then
      bydefault.recording = true
    elseif word:find("^%-") then
      usage("unknown flag '" .. word .. "'")
    else
      o.wanted[#o.wanted + 1] = (word:gsub("/+$", ""))
    end
    i = i + 1
  end
  if not o.dir then
    usage("--cases is missing")
  end
  return o
end

local function load_handlers()
  local all = {}
  for _, area in ipairs(AREAS) do
    for op, fn in pairs(require("spec.conformance.handlers." .. area)) do
      assert(not all[op], "two handlers for " .. op)
      all[op] = fn
    end
  end
  return all
end

-- Returns "passed", "failed" or "skipped", and what there is to say.
local function run_case(case, handlers)
  local not_yet = NOT_YET[case.id:match("^[^/]+/[^/]+")]
  if not_yet then
    return "skipped", not_yet
  end
  local handler = handlers[case.op]
  if not handler then
    return "skipped", "lanai has no part yet that " .. tostring(case.op) .. " could test"
  end
  local ok, result, text, deviation = xpcall(handler, debug.traceback, case)
  if not ok then
    return "failed", result
  elseif result == nil then
    return "skipped", assert(text, "a skip without a reason")
  elseif not result then
    return "failed", text
  end
  for id in (deviation or ""):gmatch("[^,]+") do
    if not deviations.known(id) then
      return "failed", "deviation '" .. id .. "' is not in deviations.md"
    end
  end
  return "passed", deviation
end

local function print_category(name, count, reasons)
  print(("%-28s %4d passed, %d failed, %d skipped"):format(name, count.passed, count.failed,
    count.skipped))
  local texts = {}
  for reason in pairs(reasons) do
    texts[#texts + 1] = reason
  end
  table.sort(texts)
  for _, reason in ipairs(texts) do
    print(("  skipped %d: %s"):format(reasons[reason], reason))
  end
end

local function main(words)
  local o = parse(words)
  local list, err = cases.find(o.dir, o.wanted)
  if not list then
    usage(err)
  end
  corpus.set(o.dir)
  local handlers = load_handlers()
  local total = { passed = 0, failed = 0, skipped = 0 }
  local at = 1
  while at <= #list do
    local category = list[at].category
    local count, reasons = { passed = 0, failed = 0, skipped = 0 }, {}
    while list[at] and list[at].category == category do
      local case = cases.load(list[at])
      local outcome, text = run_case(case, handlers)
      count[outcome] = count[outcome] + 1
      total[outcome] = total[outcome] + 1
      if outcome == "skipped" then
        reasons[text] = (reasons[text] or 0) + 1
      elseif outcome == "failed" then
        print("FAILED " .. case.id .. "\n  " .. tostring(text):gsub("\n", "\n  "))
      end
      if o.verbose and outcome ~= "failed" then
        local note = ""
        if text then
          note = outcome == "passed" and " (deviation: " .. text .. ")" or ": " .. text
        end
        print(outcome .. " " .. case.id .. note)
      end
      at = at + 1
    end
    print_category(category, count, reasons)
  end
  print(("%d passed, %d failed, %d skipped"):format(total.passed, total.failed, total.skipped))
  bydefault.save()
  return total.failed == 0 and #list > 0
end

os.exit(main(arg), true)
