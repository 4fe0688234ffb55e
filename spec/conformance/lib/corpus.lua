-- SPDX-License-Identifier: Apache-2.0
-- Files that cases share: in the directory of the cases, or where the whole corpus usually is.
local shell = require("spec.conformance.lib.shell")

local M = {}

local dirs = {}

local function add(dir)
  local ok, path = pcall(shell.sh, "cd " .. shell.quote(dir) .. " && pwd")
  if ok then
    dirs[#dirs + 1] = path
  end
end

--- Sets the directory of the cases.
function M.set(dir)
  dirs = {}
  add(dir)
  local named = os.getenv("LANAI_CONFORMANCE")
  if named and named ~= "" then
    add(named)
  end
  add(os.getenv("LANAI_ROOT") .. "/../shared/conformance")
end

--- Full name of a file of the corpus, or nil and a reason.
function M.file(path)
  for _, dir in ipairs(dirs) do
    if shell.read(dir .. "/" .. path) then
      return dir .. "/" .. path
    end
  end
  return nil, path .. " is not among the cases"
end

return M
