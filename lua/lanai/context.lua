-- SPDX-License-Identifier: Apache-2.0
--
-- package-context.yaml of a package that is deployed (cad-library.md §2.5).

local ignore = require("lanai.ignore")
local krm = require("lanai.krm")

local M = {}

local function resource_files(directory)
  local list = {}
  for _, path in ipairs(ignore.files(directory)) do
    if path:find("%.ya?ml$") or path:find("%.json$") or path:match("[^/]+$") == "Kptfile" then
      list[#list + 1] = { path = path, text = directory:file(path) }
    end
  end
  return list
end

--- Writes the context of the root package; contexts of packages below go.
--- @param directory lanai.Tree changed in place
--- @param compat string "kpt" or "lanai"
--- @param package_path string|nil
--- @return true|nil, lanai.Error?
function M.generate(directory, compat, package_path)
  local before = resource_files(directory)
  local after, err = krm.context { files = before, compat = compat, package_path = package_path }
  if not after then
    return nil, err
  end
  local kept = {}
  for _, file in ipairs(after) do
    kept[file.path] = true
    directory:set(file.path, file.text)
  end
  for _, file in ipairs(before) do
    if not kept[file.path] then
      directory:set(file.path, nil)
    end
  end
  return true
end

return M
