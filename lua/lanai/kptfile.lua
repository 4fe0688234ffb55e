-- SPDX-License-Identifier: Apache-2.0
--
-- Kptfiles as text that is changed: every function takes the text of a file and gives a new one. In
-- `kpt` mode the text is written anew from the fields that kpt knows, as kpt does; otherwise only
-- the lines change that hold something else (cad-library.md §1.1.2, docs decision 1).

local krm = require("lanai.krm")
local lanai = require("lanai")
local yaml = require("lanai.yaml")

local M = {}

--- Reads a Kptfile; the result may be changed. Broken ones give the bare cause.
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function M.parse(text)
  return krm.kptfile_parse(text)
end

--- Says of which package an unreadable Kptfile is.
--- @param path string of the package
--- @param err lanai.Error
--- @return lanai.Error
function M.error_at(path, err)
  return { kind = err.kind, kptfile = path, cause = err.message, code = err.code,
    message = ("error reading Kptfile at %q: %s"):format(path, err.message) }
end

-- Sets in the text what differs between two maps.
local function edit_text(text, members, before, after)
  local err
  local function set(key, value, follow)
    local path = table.move(members, 1, #members, 1, {})
    path[#path + 1] = key
    local old = before[key]
    if lanai.is_map(old) and lanai.is_map(value) then
      return edit_text(text, path, old, value)
    elseif lanai.equal(old, value) then
      return text
    end
    return yaml.set(text, path, value, follow)
  end
  for key in pairs(before) do
    if after[key] == nil then
      text, err = set(key, nil)
    end
    if not text then
      return nil, err
    end
  end
  local follow
  for key, value in pairs(after) do
    text, err = set(key, value, follow)
    if not text then
      return nil, err
    end
    follow = key
  end
  return text
end

--- Gives the text of a Kptfile after change(file), which works on its fields.
--- @param text string|nil none: a new file
--- @param compat string "kpt" or "lanai"
--- @param change fun(file: lanai.Node): lanai.Node|nil may give another map instead
--- @return string|nil, lanai.Error?
function M.edit(text, compat, change)
  local file, err
  if text then
    file, err = M.parse(text)
    if not file then
      return nil, err
    end
  else
    file = lanai.map()
    file.apiVersion = "kpt.dev/v1"
    file.kind = "Kptfile"
  end
  local before = lanai.copy(file)
  file = change(file) or file
  if compat == "kpt" or not text then
    return krm.kptfile_emit(file)
  end
  return edit_text(text, {}, before, file)
end

-- A map with these members in this order, without those that are nil.
local function ordered(members)
  local map = lanai.map()
  for _, member in ipairs(members) do
    map[member[1]] = member[2]
  end
  return map
end

--- The value of `upstream`.
--- @param git {repo: string, directory: string, ref: string}
--- @param strategy string|nil
--- @return lanai.Node
function M.upstream(git, strategy)
  return ordered {
    { "type", "git" },
    { "git", ordered { { "repo", git.repo }, { "directory", git.directory }, { "ref", git.ref } } },
    { "updateStrategy", strategy },
  }
end

--- The value of `upstreamLock`.
--- @param git {repo: string, directory: string, ref: string, commit: string}
--- @return lanai.Node
function M.lock(git)
  return ordered {
    { "type", "git" },
    { "git", ordered { { "repo", git.repo }, { "directory", git.directory }, { "ref", git.ref },
      { "commit", git.commit } } },
  }
end

--- The smallest Kptfile.
--- @param name string
--- @param upstream lanai.Node|nil
--- @return string
function M.minimal(name, upstream)
  local text = assert(M.edit(nil, "kpt", function(file)
    file.metadata = { name = name }
    file.upstream = upstream
  end))
  return text
end

local function without(text, members)
  local file, err = M.parse(text)
  if not file then
    return nil, err
  end
  file = lanai.copy(file)
  for _, member in ipairs(members) do
    file[member] = nil
  end
  return file
end

--- True when two Kptfiles say the same besides the members that are named.
--- @param a string
--- @param b string
--- @param members string[]
--- @return boolean|nil, lanai.Error?
function M.same(a, b, members)
  local left, err = without(a, members)
  if not left then
    return nil, err
  end
  local right, failure = without(b, members)
  if not right then
    return nil, failure
  end
  return krm.kptfile_emit(left) == krm.kptfile_emit(right)
end

--- Removes what a render left behind: renderStatus and the condition `Rendered`.
--- @param file lanai.Node
function M.drop_render_status(file)
  local status = file.status
  if not status then
    return
  end
  status.renderStatus = nil
  local kept = lanai.list()
  for _, condition in ipairs(status.conditions or {}) do
    if condition.type ~= "Rendered" then
      kept[#kept + 1] = condition
    end
  end
  status.conditions = #kept > 0 and kept or nil
  if #status == 0 then
    file.status = nil
  end
end

return M
