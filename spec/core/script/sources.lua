-- SPDX-License-Identifier: Apache-2.0
--
-- Temporary workflow directories for specs.

local M = {}

local made = {}

local function shell(command, ...)
  local arguments = { ... }
  for i, argument in ipairs(arguments) do
    arguments[i] = "'" .. argument:gsub("'", "'\\''") .. "'"
  end
  assert(os.execute(command .. " " .. table.concat(arguments, " ")))
end

--- Makes a directory with these files (path → text) and gives its path.
function M.dir(files)
  local root = os.tmpname()
  os.remove(root)
  shell("mkdir -p", root)
  made[#made + 1] = root
  for path, text in pairs(files) do
    if path:find("/") then
      shell("mkdir -p", root .. "/" .. path:match("^(.*)/"))
    end
    local file = assert(io.open(root .. "/" .. path, "wb"))
    file:write(text)
    file:close()
  end
  return root
end

M.shell = shell

--- Removes all directories made so far.
function M.clean()
  for _, root in ipairs(made) do
    shell("rm -rf", root)
  end
  made = {}
end

return M
