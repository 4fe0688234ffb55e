-- SPDX-License-Identifier: Apache-2.0
-- The deviations that deviations.md explains: its second-level headings are the ids.
local shell = require("spec.conformance.lib.shell")

local M = {}
local ids

--- True when deviations.md has a section of this name.
function M.known(id)
  if not ids then
    ids = {}
    local text = assert(shell.read(os.getenv("LANAI_ROOT") .. "/spec/conformance/deviations.md"))
    for name in text:gmatch("\n## ([^\n]+)") do
      ids[name] = true
    end
  end
  return ids[id] == true
end

return M
