-- SPDX-License-Identifier: Apache-2.0
-- A running `lanai serve` for one case: spec/lib/server.lua from wherever the runner was started.
local shell = require("spec.conformance.lib.shell")

local M = {}

local started

local function library()
  if not started then
    started = require("spec.lib.server")
    local run, root = started.shell, shell.quote(os.getenv("LANAI_ROOT"))
    -- a sanitizer that was preloaded for the probes is not for python and curl
    started.shell = function(command)
      return run("cd " .. root .. " && unset LD_PRELOAD && " .. command)
    end
  end
  return started
end

--- Calls fn(server) and returns what it returns; nil and a reason when there is no program.
function M.with(fn)
  if not shell.read(os.getenv("LANAI_BUILD") .. "/lanai") then
    return nil, "the program is not built"
  end
  local server = library().start()
  local result = table.pack(pcall(fn, server))
  server:stop()
  if not result[1] then
    error(result[2], 0)
  end
  return table.unpack(result, 2, result.n)
end

return M
