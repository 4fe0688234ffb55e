-- SPDX-License-Identifier: Apache-2.0
--
-- Where the verbs that run functions put resources: `-o stdout|unwrap|DIR`.

local disk = require("cli.disk")
local files = require("lanai.files")
local process = require("lanai.process")
local resources = require("lanai.resources")
local tree = require("lanai.tree")

local M = {}

-- Where a resource came from, which plain documents do not say.
local PLACES = { "config.kubernetes.io/path", "internal.config.kubernetes.io/path" }

--- The flag.
M.FLAG = { kind = "string", default = "", short = "o",
  help = "where resources go: stdout (a ResourceList), unwrap (YAML documents) or a new directory" }

--- Nil and kpt's words when a directory that is to be made is there.
--- @param path string
--- @return true|nil, string?
function M.check_new(path)
  if files.kind(path) then
    return nil, ("directory %q already exists, please delete the directory and retry"):format(path)
  end
  return true
end

--- Checks the value of the flag.
--- @param output string
--- @return true|nil, string?
function M.check(output)
  if output == "" or output == "stdout" or output == "unwrap" then
    return true
  end
  return M.check_new(output)
end

--- Writes resources into a new directory by their annotations.
--- @param items lanai.Node
--- @param path string
--- @param compat string
--- @return true|nil, lanai.Error?
function M.directory(items, path, compat)
  local written, err = resources.write(items, { compat = compat })
  if not written then
    return nil, err
  end
  local package, directory = tree.new(), disk.absolute(path)
  for _, file in ipairs(written) do
    package:set(file.path, file.text)
  end
  local ok
  ok, err = files.make(directory)
  if ok then
    ok, err = disk.save(directory, tree.new(), package)
  end
  return ok, err
end

--- Puts resources where the flag says.
--- @param items lanai.Node
--- @param output string not ""
--- @param compat string
--- @return true|nil, lanai.Error?
function M.put(items, output, compat)
  local text, err
  if output == "stdout" then
    text, err = resources.list(items, { compat = compat })
  elseif output == "unwrap" then
    text, err = resources.text(items, { without = PLACES, compat = compat })
  else
    return M.directory(items, output, compat)
  end
  if text then
    return process.out(text)
  end
  return nil, err
end

return M
