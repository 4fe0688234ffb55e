-- SPDX-License-Identifier: Apache-2.0
--
-- Runs a body of Lua as a workflow of its own, with all effects granted.

local setup = require("spec.workflow.setup")
local sources = require("spec.core.script.sources")

local M = { clean = setup.clean }

local HEAD = [[
-- @api 1
-- @name probe-%s
-- @version 1.0.0
-- @on Probe/%s
-- @effects read, draft, eval, publish, objects, spawn
local lanai = require("lanai")
return { api = 1, name = "probe-%s", version = "1.0.0", summary = "s", on = { "Probe/%s" },
  effects = { "read", "draft", "eval", "publish", "objects", "spawn" },
]]

--- Text of a workflow `probe-<name>` for the verb Probe/<name> with these members.
function M.workflow(name, members)
  return HEAD:format(name, name, name, name) .. members .. "\n}\n"
end

--- An environment with one workflow per name → members of its table.
function M.open(workflows)
  local files = {}
  for name, members in pairs(workflows) do
    files["probe-" .. name .. ".lua"] = M.workflow(name, members)
  end
  return setup.open({ sources.dir(files) })
end

--- Runs a body as `run(ctx, req)`.
function M.run(body, req, prepare, options)
  local env = M.open({ x = "run = function(ctx, req)\n" .. body .. "\nend," })
  if prepare then
    prepare(env)
  end
  return env:run("Probe/x", req or "{}", options)
end

return M
