-- SPDX-License-Identifier: Apache-2.0
--
-- Packages made from other packages: what a clone takes over from its upstream, and how an upgrade
-- brings it to another version (cad-library.md §2.4, §3.2). Works on trees in memory; a whole draft
-- and a directory of one are the same to it.

local context = require("lanai.context")
local kptfile = require("lanai.kptfile")
local krm = require("lanai.krm")
local lanai = require("lanai")
local strategy = require("lanai.strategy")

local M = {}

--- How a package is derived.
--- @class lanai.Derivation
--- @field name string of the package, for its Kptfile
--- @field compat string "kpt" or "lanai"
--- @field locator {repo: string, directory: string?, ref: string, commit: string} of the upstream
--- @field context_path string|nil package path for the package context; nil: no context is made

-- Upstream and lock stand before what describes the package, as kpt writes them.
local FIRST = { "apiVersion", "kind", "metadata", "upstream", "upstreamLock" }

local function put_first(file)
  local rest = {}
  for key, value in pairs(file) do
    rest[#rest + 1] = { key, value }
  end
  local ordered = lanai.map()
  for _, key in ipairs(FIRST) do
    ordered[key] = file[key]
  end
  for _, member in ipairs(rest) do
    ordered[member[1]] = member[2]
  end
  return ordered
end

-- The strategy that a Kptfile asks for stays; kpt drops it.
local function set_origin(tree, d, name)
  local text = tree:file("Kptfile")
  local edited, err = kptfile.edit(text, d.compat, function(file)
    local wanted = d.compat ~= "kpt" and lanai.at(file, "upstream.updateStrategy") or nil
    if name then
      file.metadata = file.metadata or lanai.map()
      file.metadata.name = name
    end
    file.upstream = kptfile.upstream(d.locator, wanted)
    file.upstreamLock = kptfile.lock(d.locator)
    return put_first(file)
  end)
  if not edited then
    return nil, { kind = "internal",
      message = "failed to update package upstream: cannot parse Kptfile: " .. err.message }
  end
  tree:set("Kptfile", edited)
  return true
end

local function is_stamped(path)
  return path:find("%.ya?ml$") or path:match("[^/]+$") == "Kptfile"
end

local function put(tree, files)
  for _, file in ipairs(files) do
    tree:set(file.path, file.text)
  end
end

-- A file that cannot be stamped stays as it is, alone; as kpt does it, all of them. `known` holds
-- what became of files before: the sides of an upgrade have most files in common, and stamping
-- twice changes nothing.
local function stamp(tree, compat, known)
  local files = {}
  for _, path in ipairs(tree:files()) do
    if is_stamped(path) then
      files[#files + 1] = { path = path, text = tree:file(path) }
    end
  end
  if compat == "kpt" then
    put(tree, krm.stamp { files = files, compat = compat } or {})
    return
  end
  for _, file in ipairs(files) do
    local key = file.path .. "\0" .. file.text
    local made = known[key]
    if not made then
      made = krm.stamp { files = { file }, compat = compat } or {}
      known[key] = made
      if #made == 1 then
        known[made[1].path .. "\0" .. made[1].text] = made
      end
    end
    put(tree, made)
  end
end

--- Makes a clone of the upstream's files, in place.
--- @param tree lanai.Tree
--- @param d lanai.Derivation
--- @param known table|nil stamped files, for calls that belong together
--- @return true|nil, lanai.Error?
function M.clone(tree, d, known)
  local ok, err = set_origin(tree, d, d.name)
  if ok and d.context_path then
    ok, err = context.generate(tree, d.compat, d.context_path)
    if not ok then
      err.message = "failed to generate deployment context: " .. err.message
    end
  end
  if not ok then
    return nil, err
  end
  stamp(tree, d.compat, known or {})
  return true
end

--- Brings `ours` from the version `base` of its upstream to `theirs`, in place.
---
--- The sides of upstream are first made into clones of the same name, so that what cloning itself
--- changes is nobody's change; kpt compares them as they are.
--- @param sides {base: lanai.Tree, ours: lanai.Tree, theirs: lanai.Tree}
--- @param name string of the strategy; an unknown one means resource-merge
--- @param d lanai.Derivation
--- @return table[]|nil, lanai.Error? the conflict report
function M.upgrade(sides, name, d)
  local report, known = {}, {}
  if d.compat ~= "kpt" then
    for _, side in ipairs { sides.base, sides.theirs } do
      local ok, err = M.clone(side, d, known)
      if not ok then
        return nil, err
      end
    end
  end
  local ok, err = strategy.apply(strategy.exists(name) and name or "resource-merge", {
    ours = sides.ours, theirs = sides.theirs, base = sides.base,
    name = d.name, path = ".", is_root = true, compat = d.compat, report = report,
  })
  if ok then
    ok, err = set_origin(sides.ours, d)
  end
  if not ok then
    return nil, err
  end
  stamp(sides.ours, d.compat, known)
  return report
end

return M
