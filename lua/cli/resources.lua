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

--- The files of resources below a directory, those of packages inside included.
--- @param root lanai.Tree
--- @return lanai.File[]
function M.files(root)
  local list = {}
  for _, path in ipairs(ignore.files(root, { packages = true })) do
    if M.is_resource_file(path) then
      list[#list + 1] = { path = path, text = root:file(path) }
    end
  end
  return list
end

--- Reads what is below a directory, packages inside included.
--- @param root lanai.Tree
--- @param opts table for lanai.resources.read
--- @return lanai.Node|nil, lanai.Error?
function M.read(root, opts)
  return resources.read(M.files(root), opts)
end

--- Changes a tree into what became of the resources that were read from some of its files. A file
--- whose resources are all gone goes; one that had none stays.
--- @param root lanai.Tree
--- @param before lanai.File[] what was read
--- @param items lanai.Node
--- @param compat string
--- @return true|nil, lanai.Error?
function M.write(root, before, items, compat)
  local written, err = resources.write(items, { compat = compat,
    keep = compat ~= "kpt" and before or nil })
  if not written then
    return nil, err
  end
  local now = {}
  for _, file in ipairs(written) do
    now[file.path] = true
    root:set(file.path, file.text)
  end
  for _, file in ipairs(before) do
    if not now[file.path] and #assert(resources.read({ file }, { wrap = true })) > 0 then
      root:set(file.path, nil)
    end
  end
  return true
end

return M
