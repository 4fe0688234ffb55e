-- SPDX-License-Identifier: Apache-2.0
--
-- Resources of directories for the verbs that print or write them.

local ignore = require("lanai.ignore")
local resources = require("lanai.resources")

local M = {}

--- True for files that `fn` reads.
--- @param path string
--- @return boolean
function M.is_resource_file(path)
  return path:find("%.ya?ml$") ~= nil or path:find("%.json$") ~= nil
    or path:match("[^/]+$") == "Kptfile"
end

--- Reads what is below a directory, packages inside included.
--- @param root lanai.Tree
--- @param opts table for lanai.resources.read
--- @return lanai.Node|nil, lanai.Error?
function M.read(root, opts)
  local list = {}
  for _, path in ipairs(ignore.files(root, { packages = true })) do
    if M.is_resource_file(path) then
      list[#list + 1] = { path = path, text = root:file(path) }
    end
  end
  return resources.read(list, opts)
end

return M
