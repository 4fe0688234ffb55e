-- SPDX-License-Identifier: Apache-2.0
-- spec/lib/server.lua from wherever the runner was started.
local M = {}

--- Starts a server; paths of the spec library are relative to the root.
function M.start()
  local root = os.getenv("LANAI_ROOT")
  local server = require("spec.lib.server")
  local shell = server.shell
  server.shell = function(command)
    return shell("cd '" .. root .. "' && " .. command)
  end
  return server.start()
end

return M
