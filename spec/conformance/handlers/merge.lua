-- SPDX-License-Identifier: Apache-2.0
-- Merges of single resources and of Kptfiles: core/krm/merge*.c, core/krm/patch.c.
local bydefault = require("spec.conformance.lib.bydefault")
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

-- Kpt's result decides; what the default mode makes of the case is recorded (lib/bydefault.lua).
local function with_default(case, ok, why, name, by_default, err)
  if not ok then
    return false, why
  elseif by_default == nil then
    return false, "by default, " .. message(err)
  end
  return bydefault.check(case, { [name] = trim(case:file("expected")) .. "\n" },
    { [name] = trim(by_default or "") .. "\n" })
end

-- kyaml's own merge takes changes of comments for changes (and so did kpt before beta.63).
M["kyaml.merge3"] = function(case)
  local got, err = merge.resource(case:file("origin"), case:file("local"), case:file("update"),
    { kpt = true, comments = true, infer = case:param("infer") or false })
  if got == nil then
    return false, message(err)
  end
  local ok, why = compare(got or "", case:file("expected"))
  return with_default(case, ok, why, "resource.yaml", merge.resource(
    case:file("origin"), case:file("local"), case:file("update"),
    { infer = case:param("infer") or false }))
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
  return with_default(case, ok, why, "Kptfile", merge.kptfile(
    case:file("origin"), case:file("local"), case:file(theirs), {}, take_upstream))
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

-- --- files ---

-- The files of a tree that are no Kptfiles of packages below it, and no marks of empty directories.
local function own_files(tree, keep)
  local out = {}
  for path, content in pairs(tree) do
    if not path:find("/Kptfile$") and not path:find("%.keep$") and (not keep or keep(path)) then
      out[path] = content
    end
  end
  return out
end

local function merge_trees(case, keep, options)
  return merge.files(own_files(case:tree("origin"), keep), own_files(case:tree("local"), keep),
    own_files(case:tree("updated"), keep), options)
end

local function is_plain(path)
  return not path:find("%.ya?ml$") and path ~= "Kptfile"
end

M["kpt.replace-non-krm"] = function(case)
  for _, mode in ipairs { "kpt", "lanai" } do
    local got, err = merge_trees(case, is_plain, { kpt = mode == "kpt" })
    if not got then
      return false, message(err)
    end
    local want = own_files(case:tree("expected"), is_plain)
    for _, files in ipairs { got, want } do
      for path in pairs(files) do
        if got[path] ~= want[path] then
          return false, ("%s, %s is\n%s\nexpected\n%s"):format(mode, path, tostring(got[path]),
            tostring(want[path]))
        end
      end
    end
  end
  return true
end

-- The resource of that name among the documents of all files.
local function find_resource(files, name)
  for path, content in pairs(files) do
    if path:find("%.ya?ml$") then
      for document in ("\n" .. content .. "\n---\n"):gmatch("(.-)\n%-%-%-\n") do
        local resource = yaml.parse(document .. "\n")
        if type(resource) == "table" and resource.metadata and resource.metadata.name == name then
          return resource
        end
      end
    end
  end
end

local function holds(check, resource)
  local value = resource
  for _, step in ipairs(check.path) do
    value = value and value[type(step) == "number" and step + 1 or step]
  end
  if check.equals ~= nil then
    return value == check.equals
  end
  local left = {}
  for key, amount in pairs(check.equals_map) do
    left[key] = amount
  end
  for _, element in ipairs(value or {}) do
    local key = element[check.map_by]
    if left[key] ~= element[check.value_of] then
      return false
    end
    left[key] = nil
  end
  return next(left) == nil
end

M["kpt.merge3-package"] = function(case)
  if case.spec.upstream_skipped then
    return nil, "kpt does not do it either: " .. tostring(case.spec.upstream_skipped)
  elseif case.spec.crds then
    return nil, "kpt's updates do not read the schemas of CRDs, only its test of this function does"
  end
  for _, mode in ipairs { "kpt", "lanai" } do
    local got, err = merge_trees(case, nil, { kpt = mode == "kpt", is_root = true })
    if not got then
      return false, message(err)
    end
    for _, check in ipairs(case.spec.checks) do
      if not holds(check, find_resource(got, check.name)) then
        return false, mode .. ": " .. table.concat(check.path, ".") .. " of " .. check.name
      end
    end
  end
  return true
end

return M
