-- SPDX-License-Identifier: Apache-2.0
--
-- Whether a local package is still what it was made from: the condition of a fast-forward
-- (cad-library.md §3.3).

local kptfile = require("lanai.kptfile")
local package = require("lanai.package")

local M = {}

-- True when ours says more than the Kptfile that it was made from.
local function kptfile_changed(ours_tree, base_tree, name)
  local ours, err = kptfile.edit(ours_tree:file("Kptfile"), "kpt", function(file)
    file.upstream, file.upstreamLock = nil, nil
    kptfile.drop_render_status(file)
  end)
  if not ours then
    return nil, err
  end
  local base = base_tree:file("Kptfile")
  if not base then
    return ours ~= kptfile.minimal(name)
  end
  local own_name = kptfile.parse(ours).metadata.name
  base, err = kptfile.edit(base, "kpt", function(file)
    kptfile.drop_render_status(file)
    file.metadata.name = own_name
  end)
  if not base then
    return nil, err
  end
  return base ~= ours
end

-- Paths that differ in one package below. kpt's own text about a package of one side is a defect.
local function local_changes(u, path)
  local ours, base = u.ours:directory(path), u.base:directory(path)
  if not ours or not base then
    return u.compat == "kpt" and { "%s (Package)", path } or { path .. " (Package)" }
  end
  local differ, err = package.diff(ours, base)
  if not differ then
    return nil, err
  end
  if path == "." then
    local changed, failure = kptfile_changed(ours, base, u.name)
    if failure then
      return nil, failure
    end
    for i = #differ, 1, -1 do
      if differ[i] == "Kptfile" and not changed then
        table.remove(differ, i)
      end
    end
  end
  return differ
end

--- Fails, naming the files, when the local package was changed.
--- @param u lanai.Update
--- @return true|nil, lanai.Error?
function M.check(u)
  local paths, err = package.subpackages_of("LOCAL", { recursive = true }, u.ours, u.base)
  if not paths then
    return nil, err
  end
  table.insert(paths, 1, ".")
  local seen, list = {}, {}
  for _, path in ipairs(paths) do
    local differ
    differ, err = local_changes(u, path)
    if not differ then
      return nil, err
    end
    for _, file in ipairs(differ) do
      list[#list + 1] = not seen[file] and file or nil
      seen[file] = true
    end
  end
  table.sort(list)
  if #list > 0 then
    return nil, { kind = "conflict", message = ("local package files have been modified: [%s].\n"
      .. "  use a different update --strategy."):format(table.concat(list, " ")) }
  end
  return true
end

return M
