-- SPDX-License-Identifier: Apache-2.0
--
-- An environment for workflow specs: a temporary store with a Repository, package revisions put by
-- the spec, and runs of workflows whose effects are looked at instead of committed.

local cjson = require("cjson")
local host = require("probe_host")
local sources = require("spec.core.script.sources")

local M = {}

local open = {}

local Env = {}
Env.__index = Env

local KPTFILE = [[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: p # the name
info:
  description: d
]]
M.KPTFILE = KPTFILE

local function decoded(result)
  for _, effect in ipairs(result.effects) do
    effect.object = effect.object and cjson.decode(effect.object)
    effect.task = effect.task and cjson.decode(effect.task)
  end
  result.result = result.result and cjson.decode(result.result)
  return result
end

--- Opens an environment; dirs are workflow directories.
function M.open(dirs)
  local dir = sources.dir({})
  local raw, kind, message = host.open(dir, dirs)
  assert(raw, ("%s: %s"):format(kind, message))
  local env = setmetatable({ raw = raw }, Env)
  open[#open + 1] = env
  env:put("repositories", "repo", { metadata = { name = "repo" },
    spec = { type = "git", git = { repo = "https://x/y.git", branch = "main" } } })
  return env
end

function M.clean()
  for _, env in ipairs(open) do
    env.raw:close()
  end
  open = {}
  sources.clean()
end

-- The upstream that a task names, which the engine keeps in an index.
local function reference(object)
  local task = object.spec and object.spec.tasks and object.spec.tasks[1] or {}
  local upstream = task.clone and task.clone.upstreamRef and task.clone.upstreamRef.upstreamRef
    or task.upgrade and task.upgrade.newUpstreamRef
  return upstream and upstream.name
end

function Env:put(kind, name, object, f1, f2)
  local json = cjson.encode(object)
  return assert(self.raw:put(kind, "ns", name, json, f1, f2, reference(object)))
end

--- Puts a package revision with content, and its package, and gives its object.
function Env:revision(name, spec, files)
  spec.repository = spec.repository or "repo"
  local object = { kind = "PackageRevision", apiVersion = "porch.kpt.dev/v1alpha1",
    metadata = { name = name, namespace = "ns" }, spec = spec }
  self:put("packagerevisions", name, object, spec.repository, spec.packageName)
  local package = spec.repository .. "." .. spec.packageName:gsub("/", ".")
  self:put("packages", package, { kind = "PorchPackage", apiVersion = object.apiVersion,
    metadata = { name = package, namespace = "ns" },
    spec = { packageName = spec.packageName, repository = spec.repository } })
  assert(self.raw:content(name, files or { Kptfile = KPTFILE }))
  return object
end

--- Runs the workflow of a verb; req is a table or JSON text.
function Env:run(verb, req, options)
  local text = type(req) == "string" and req or cjson.encode(req)
  return decoded(self.raw:run(verb, text, options))
end

--- Types of the effects in order: "save apply transition".
function M.types(result)
  local types = {}
  for i, effect in ipairs(result.effects) do
    types[i] = effect.type
  end
  return table.concat(types, " ")
end

--- A request to create a package revision.
function M.creation(package, workspace, task, more)
  local spec = { packageName = package, workspaceName = workspace, repository = "repo",
    lifecycle = "Draft", tasks = task and { task } or nil }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return { object = { kind = "PackageRevision", apiVersion = "porch.kpt.dev/v1alpha1",
    metadata = { namespace = "ns" }, spec = spec } }
end

return M
