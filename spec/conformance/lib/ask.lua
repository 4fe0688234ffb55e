-- SPDX-License-Identifier: Apache-2.0
-- Asks functions of the product's Lua library from inside a run, where scripts use them:
-- ask.run(question, request, prepare?) → answer; scripts/ask.lua has the questions.
local host = require("probe_host")
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local SCRIPTS = os.getenv("LANAI_ROOT") .. "/spec/conformance/scripts"

--- Runs fn(env) with a host environment of its own.
function M.with_env(fn)
  return shell.with_tmp(function(dir)
    local env, kind, message = host.open(dir, { SCRIPTS })
    if not env then
      error(("%s: %s"):format(kind, message))
    end
    local result = table.pack(pcall(fn, env))
    env:close()
    if not result[1] then
      error(result[2], 0)
    end
    return table.unpack(result, 2, result.n)
  end)
end

--- Runs a workflow; request is JSON text. Returns its result, raises when it fails.
function M.workflow(env, verb, request, opts)
  local r = env:run(verb, request, opts)
  if not r.ok then
    error(("%s: %s"):format(r.kind, r.message), 2)
  end
  return r.result and yaml.from_json(r.result)
end

--- Answer to one question; request is JSON text, prepare(env) may store objects first.
function M.run(question, request, prepare)
  return M.with_env(function(env)
    if prepare then
      prepare(env)
    end
    return M.workflow(env, "Conformance/" .. question, request)
  end)
end

return M
