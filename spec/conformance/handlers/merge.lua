-- SPDX-License-Identifier: Apache-2.0
-- Merges of single resources and of Kptfiles: core/krm/merge*.c, core/krm/patch.c.
local merge = require("probe_merge")
local text = require("probe_yaml")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local function trim(s)
  return (s:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- Texts that differ in white space at their ends are equal.
local function compare(got, want)
  got, want = trim(got or ""), trim(want)
  return got == want, ("is\n%s\nexpected\n%s"):format(got, want)
end

local function message(err)
  return "error: " .. err.message
end

local function same_data(a, b)
  return yaml.equal(yaml.to_json((a:gsub("%s+$", "\n"))), yaml.to_json((b:gsub("%s+$", "\n"))))
end

-- Kpt's result decides; what the default mode makes of the case may differ from it as
-- deviations.md says.
local function with_default(case, ok, why, by_default, err)
  if not ok then
    return false, why
  elseif by_default == nil then
    return false, "by default, " .. message(err)
  elseif not same_data(by_default or "", case:file("expected")) then
    return true, nil, "merges-by-default"
  end
  return true
end

-- kyaml's own merge takes changes of comments for changes (and so did kpt before beta.63).
M["kyaml.merge3"] = function(case)
  local got, err = merge.resource(case:file("origin"), case:file("local"), case:file("update"),
    { kpt = true, comments = true, infer = case:param("infer") or false })
  if got == nil then
    return false, message(err)
  end
  local ok, why = compare(got or "", case:file("expected"))
  return with_default(case, ok, why, merge.resource(case:file("origin"), case:file("local"),
    case:file("update"), { infer = case:param("infer") or false }))
end

-- As the formatter writes it.
local function formatted(document)
  return assert(text.rewrite((document:gsub("%s+$", "\n"))))
end

local function prepends(case)
  local options = case:param("mergeOptions") or {}
  local direction = options.ListIncreaseDirection
  return direction and direction.symbol == "yaml.MergeOptionsListPrepend" or false
end

M["kyaml.merge2"] = function(case)
  local got, err = merge.patch(case:file("dest"), case:file("source"),
    { kpt = true, infer = case:param("infer") or false, prepend = prepends(case) })
  if got == nil then
    return false, message(err)
  end
  return compare(formatted(got or ""), formatted(case:file("expected")))
end

M["kyaml.smp-directive"] = function(case)
  local got, rest = merge.directive(case:file("patch"), { wide = true })
  local err = case:param("errExpected")
  if err then
    return not got and rest.message:find(err, 1, true) ~= nil, got or rest.message
  elseif not got then
    return false, message(rest)
  elseif "smp" .. got:gsub("^%l", string.upper) ~= case:param("expected") then
    return false, "directive " .. got
  end
  return compare(rest, case:file("elided"))
end

-- --- Kptfiles ---

local function kptfile(case, theirs, take_upstream)
  local got, err = merge.kptfile(case:file("origin"), case:file("local"), case:file(theirs),
    { kpt = true }, take_upstream)
  if got == nil then
    return false, message(err)
  end
  local ok, why = compare(formatted(got or ""), formatted(case:file("expected")))
  return with_default(case, ok, why, merge.kptfile(case:file("origin"), case:file("local"),
    case:file(theirs), {}, take_upstream))
end

M["kpt.kptfile-merge"] = function(case)
  return kptfile(case, "update", false)
end

M["kpt.kptfile-update"] = function(case)
  return kptfile(case, "updated", case:param("updateUpstream"))
end

-- --- identity ---

M["kpt.add-merge-comment"] = function(case)
  local got, err = merge.stamp(case:file("input"), { kpt = true })
  if not got then
    return false, message(err)
  end
  return compare(got, case:file("expected"))
end

M["kpt.attribution"] = function(case)
  if case:param("disable") then
    return nil, "the environment variable is read by the command line, not by the library"
  end
  local got, err = merge.attribute(case:file("input"), case:param("group"), { kpt = true })
  if not got then
    return false, message(err)
  end
  return compare(got, case:file("expected"))
end

M["kpt.pkg-context"] = function(case)
  local got, err = merge.context(case:file("input"))
  if not got then
    return false, message(err)
  end
  return compare(got, case:file("expected"))
end

-- --- validation ---

-- A Go value as Kptfile fields: names begin in lower case.
local function fields(value)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, member in pairs(value) do
    local name = type(key) == "string" and key:gsub("^%u", string.lower) or key
    out[name] = name == "configMap" and member or fields(member)
  end
  return out
end

M["kpt.kptfile-validate"] = function(case)
  local form = fields(case:param("kptfile"))
  form.apiVersion, form.kind = "kpt.dev/v1", "Kptfile"
  local ok, err = merge.kptfile_check((yaml.encode(form):gsub("\\/", "/")))
  return (ok == true) == case:param("valid"), ok and "valid" or err.message
end

return M
