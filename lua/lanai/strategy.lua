-- SPDX-License-Identifier: Apache-2.0
--
-- How a package is brought to a new version of its upstream: resource-merge, fast-forward,
-- force-delete-replace and copy-merge (cad-library.md §3.3). Each changes the tree of the local
-- package in place.

local ignore = require("lanai.ignore")
local kptfile = require("lanai.kptfile")
local krm = require("lanai.krm")
local lanai = require("lanai")
local package = require("lanai.package")
local tree = require("lanai.tree")
local unchanged = require("lanai.unchanged")

local M = {}

--- What a strategy works on. Sides that are not there are empty trees.
--- @class lanai.Update
--- @field ours lanai.Tree the local package; changed in place
--- @field theirs lanai.Tree the new version of upstream
--- @field base lanai.Tree the version of upstream that the local package was made from
--- @field name string directory name of the local package, for its default Kptfile
--- @field path string of the package below the root of the operation, "." for the root
--- @field is_root boolean the package from whose Kptfile the sides were fetched
--- @field compat string "kpt" or "lanai"
--- @field report table[] conflicts are appended: what happened where both sides changed

-- The same update, of a directory below.
local function below(u, path)
  local name = path == "." and u.name or path:match("[^/]+$")
  return { ours = u.ours:directory(path), theirs = u.theirs:directory(path),
    base = u.base:directory(path), name = name, compat = u.compat, report = u.report,
    rules = u.rules,
    path = path == "." and u.path or u.path == "." and path or u.path .. "/" .. path,
    is_root = u.is_root and path == "." }
end

local function append_report(u, conflicts)
  for _, conflict in ipairs(conflicts) do
    conflict.package = u.path
    u.report[#u.report + 1] = conflict
  end
end

local function add_line(u, line)
  append_report(u, { line })
end

local function same_file(a, b, path)
  return a:kind(path) == b:kind(path) and a:file(path) == b:file(path)
end

--- Merges the Kptfiles of the three sides into ours.
--- @param u lanai.Update
--- @param take_upstream boolean upstream and lock come from theirs
--- @return true|nil, lanai.Error?
function M.merge_kptfile(u, take_upstream)
  local text, conflicts = krm.kptfile_merge {
    ours = u.ours:file("Kptfile"),
    theirs = u.theirs and u.theirs:file("Kptfile"),
    base = u.base and u.base:file("Kptfile"),
    take_upstream = take_upstream,
    compat = u.compat,
  }
  if text == nil then
    return nil, conflicts
  end
  if text then
    u.ours:set("Kptfile", text)
  end
  append_report(u, conflicts)
  return true
end

-- --- force-delete-replace ---

local function force_delete_replace(u)
  local ok, err = M.merge_kptfile(u, true)
  local paths
  if ok then
    paths, err = package.subpackages_of("LOCAL", { recursive = true }, u.ours, u.theirs)
  end
  if not paths then
    return nil, err
  end
  table.insert(paths, 1, ".")
  for _, path in ipairs(paths) do
    local keep = u.is_root and path == "."
    local ours, theirs = u.ours:directory(path), u.theirs:directory(path)
    if ours then
      package.remove_content(ours, { keep_kptfile = keep })
    end
    if not theirs then
      u.ours:remove_directory(path)
    else
      M.copy_at(u, path, { kptfile = not keep })
    end
  end
  return true
end

--- Copies a package of theirs, without the packages inside, to the same place in ours.
--- @param u lanai.Update
--- @param path string
--- @param opts {kptfile: boolean?}
function M.copy_at(u, path, opts)
  local theirs = u.theirs:directory(path)
  for _, file in ipairs(package.files(theirs)) do
    local to = path == "." and file or path .. "/" .. file
    if file ~= "Kptfile" or (opts.kptfile and not u.ours:kind(to)) then
      u.ours:take(theirs, file, to)
    end
  end
end

-- --- fast-forward ---

local function fast_forward(u)
  local ok, err = true, nil
  if u.has_base then
    ok, err = unchanged.check(u)
  end
  ok = ok and force_delete_replace(u)
  if not ok then
    return nil, err
  end
  local text
  text, err = kptfile.edit(u.ours:file("Kptfile"), u.compat, kptfile.drop_render_status)
  return text and u.ours:set("Kptfile", text), err
end

-- --- copy-merge ---

local function copy_merge(u)
  local ok, err = M.merge_kptfile(u, true)
  ok = ok and package.copy(u.theirs, u.ours, { kptfile = u.is_root, subpackages = "ALL" })
  if not ok then
    return nil, err
  end
  for _, path in ipairs(u.ours:files()) do
    if path ~= "Kptfile" and u.base:kind(path) and not u.theirs:kind(path) then
      u.ours:set(path, nil)
    end
  end
  return true
end

-- --- resource-merge ---

-- Merges a file that is no resource: what ours changed or added stays, else theirs wins.
local function merge_opaque(u, path)
  if same_file(u.base, u.ours, path) then
    if u.theirs:kind(path) then
      u.ours:take(u.theirs, path, path)
    else
      u.ours:set(path, nil)
    end
  elseif not same_file(u.base, u.theirs, path) and not same_file(u.ours, u.theirs, path) then
    local reason = not u.ours:kind(path) and "deleted here, changed upstream"
      or not u.theirs:kind(path) and "changed here, deleted upstream" or "both changed it"
    add_line(u, { file = path, taken = "ours", reason = reason })
  end
end

-- The files of a package as lists for krm.merge: those with resources; and as a set the others that
-- are merged as a whole. What .krmignore names is no resource.
local function split_files(directory)
  local list, opaque, wanted = {}, {}, {}
  local function enter(_, sub)
    return not package.is_package(sub)
  end
  for _, path in ipairs(ignore.files(directory, { enter = enter })) do
    wanted[path] = true
  end
  for _, path in ipairs(package.files(directory)) do
    local yaml = path:find("%.ya?ml$")
    if wanted[path] and yaml then
      list[#list + 1] = { path = path, text = directory:file(path) }
    elseif path ~= "Kptfile" then
      opaque[path] = not yaml or "ignored"
    end
  end
  return list, opaque
end

local function merge_files(u)
  local base, base_opaque = split_files(u.base)
  local ours, ours_opaque = split_files(u.ours)
  local theirs, theirs_opaque = split_files(u.theirs)
  local merged, conflicts = krm.merge { base = base, ours = ours, theirs = theirs,
    is_root = u.is_root, rules = u.rules, compat = u.compat }
  if not merged then
    return nil, conflicts
  end
  append_report(u, conflicts)
  local kept = {}
  for _, file in ipairs(merged) do
    kept[file.path] = true
    local kind = not u.ours:kind(file.path) and u.theirs:kind(file.path) or nil
    u.ours:set(file.path, file.text, kind)
  end
  for _, file in ipairs(ours) do
    if not kept[file.path] then
      u.ours:set(file.path, nil)
    end
  end
  local opaque = {}
  for _, side in ipairs { base_opaque, ours_opaque, theirs_opaque } do
    for path, why in pairs(side) do
      opaque[path] = why
    end
  end
  for path, why in lanai.sorted_pairs(opaque) do
    -- kpt reads no ignored file, so it neither brings nor removes one.
    if u.compat ~= "kpt" or why ~= "ignored" then
      merge_opaque(u, path)
    end
  end
  return true
end

-- True when the user has pointed the package at another upstream.
local function upstream_changed(u)
  local base, err = kptfile.parse(u.base:file("Kptfile"))
  local ours
  if base then
    ours, err = kptfile.parse(u.ours:file("Kptfile"))
  end
  if not ours then
    return nil, err
  end
  local function git(file)
    local g = file.upstream and file.upstream.git or {}
    return ("%s\0%s\0%s"):format(g.repo, g.directory, g.ref)
  end
  return base.upstream ~= nil and git(base) ~= git(ours)
end

-- The existence table of §3.1 for one package below.
local function merge_package(u, path)
  local at = below(u, path)
  local ours, theirs, base = at.ours ~= nil, at.theirs ~= nil, at.base ~= nil
  if path == "." then -- the directories of the operation itself are there
    ours, theirs, base = true, true, true
  end
  if not ours then
    if theirs and not base then
      M.copy_at(u, path, { kptfile = true })
    elseif theirs then
      add_line(at, { taken = "ours", reason = "deleted here" })
    end
    return true
  elseif not base and theirs then
    return nil, { kind = "conflict",
      message = ("subpackage %q added in both upstream and local"):format(path) }
  elseif not base then
    return true
  elseif not theirs then
    local differ, err = package.diff(at.base, at.ours)
    if differ and #differ == 0 then
      u.ours:remove_directory(path)
    elseif differ then
      add_line(at, { taken = "ours", reason = "changed here, deleted upstream" })
    end
    return differ and true, err
  end
  local ok, err = M.merge_kptfile(at, not at.is_root)
  if not ok then
    return nil, err
  end
  return merge_files(at)
end

local function resource_merge(u)
  if not u.is_root then
    local changed, err = upstream_changed(u)
    if changed or err then
      return changed, err
    end
  end
  local paths, err = package.subpackages_of("LOCAL", { recursive = true }, u.ours, u.theirs, u.base)
  if not paths then
    return nil, err
  end
  table.insert(paths, 1, ".")
  for _, path in ipairs(paths) do
    local ok, failure = merge_package(u, path)
    if not ok then
      return nil, failure
    end
  end
  return true
end

local STRATEGIES = {
  ["resource-merge"] = resource_merge,
  ["fast-forward"] = fast_forward,
  ["force-delete-replace"] = force_delete_replace,
  ["copy-merge"] = copy_merge,
}

--- Names of all strategies, as help texts list them.
M.NAMES = { "resource-merge", "fast-forward", "force-delete-replace", "copy-merge" }

--- True when a strategy of this name exists.
--- @param name string|nil
--- @return boolean
function M.exists(name)
  return STRATEGIES[name] ~= nil
end

-- What the local package says about whose changes win (core/krm/README.md).
local function merge_rules(ours)
  local text = ours:file("Kptfile")
  local file = text and kptfile.parse(text)
  local annotations = file and lanai.at(file, "metadata.annotations")
  return annotations and annotations["lanai.dev/merge"]
end

-- What was changed here and is not there any more gets a line.
local function report_losses(u, before, name)
  for _, path in ipairs(before:files()) do
    if path ~= "Kptfile" and not same_file(before, u.base, path)
      and not same_file(before, u.ours, path) then
      add_line(u, { file = path, taken = u.ours:kind(path) and "theirs" or "deleted",
        reason = "by strategy " .. name })
    end
  end
end

--- Applies a strategy.
--- @param name string
--- @param u lanai.Update
--- @return true|nil, lanai.Error?
function M.apply(name, u)
  u.has_base = u.base ~= nil
  u.base = u.base or tree.new()
  u.theirs = u.theirs or tree.new()
  u.rules = merge_rules(u.ours)
  local before = name ~= "resource-merge" and tree.copy(u.ours)
  local ok, err = STRATEGIES[name](u)
  if ok and before then
    report_losses(u, before, name)
  end
  return ok, err
end

return M
