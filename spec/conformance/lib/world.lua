-- SPDX-License-Identifier: Apache-2.0
-- An engine over a store of its own for one case: world.with(opts, function(w) … end).
-- w.engine is the probe's engine, w.dir a temporary directory.
local engine = require("probe_engine")
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local World = {}
World.__index = World

local M = {}

M.NS = "default"

-- A workflow that ends every request of its verb with its own name.
local NAMER = [[
-- @api 1
-- @name %s
-- @version 1.0.0
-- @on %s
-- @effects none
return { api = 1, name = "%s", version = "1.0.0", summary = "Says its name.", on = { "%s" },
  effects = {}, run = function(ctx) return ctx.fail("internal", "workflow:%s") end }
]]
local VERBS = { "init", "clone", "copy", "upgrade", "update", "propose", "approve", "reject",
  "propose-delete", "delete" }

--- Writes workflows that name themselves into a directory: what the engine picks can be seen.
function M.write_namers(dir)
  shell.sh("mkdir -p " .. shell.quote(dir))
  for _, verb in ipairs(VERBS) do
    local on = "PackageRevision/" .. verb
    shell.write(dir .. "/" .. verb .. ".lua", NAMER:format(verb, on, verb, on, verb))
  end
end

--- Calls fn with a new world. opts.namers: workflows only name themselves.
function M.with(opts, fn)
  return shell.with_tmp(function(dir)
    local self = setmetatable({ dir = dir }, World)
    local dirs = {}
    if opts.namers then
      dirs[1] = dir .. "/workflows"
      M.write_namers(dirs[1])
    end
    shell.sh("mkdir " .. shell.quote(dir .. "/data"))
    local err
    self.engine, err = engine.open(dir .. "/data", { quiet = true, workflows = dirs })
    if not self.engine then
      error(err.message)
    end
    local result = table.pack(pcall(fn, self))
    self.engine:close()
    if not result[1] then
      error(result[2], 0)
    end
    return table.unpack(result, 2, result.n)
  end)
end

--- Stores a Repository; git: members of spec.git, deployment: spec.deployment.
function World:repository(name, git, deployment)
  git = git or { repo = "file:///nonexistent/" .. name .. ".git", branch = "main" }
  local object = { apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
    metadata = { name = name, namespace = M.NS, uid = "uid-" .. name, generation = 1 },
    spec = { type = "git", git = git, deployment = deployment } }
  assert(self.engine:put("repositories", yaml.encode(object)))
end

--- Stores a PackageRevision row as it is, with the package that it makes.
function World:revision(object, data)
  local package = object.spec.repository .. "." .. object.spec.packageName:gsub("/", ".")
  if not self.engine:get("packages", M.NS, package) then
    assert(self.engine:put("packages", yaml.encode { apiVersion = "porch.kpt.dev/v1alpha1",
      kind = "PorchPackage", metadata = { name = package, namespace = M.NS },
      spec = { repository = object.spec.repository, packageName = object.spec.packageName } }))
  end
  object.metadata.uid = object.metadata.uid or "uid-" .. object.metadata.name
  assert(self.engine:put("packagerevisions", yaml.encode(object), data and yaml.encode(data)))
end

--- Creates a revision through the engine. Returns the object, or nil and the error.
function World:create(spec, labels)
  local json, err = self.engine:write { verb = "create", kind = "packagerevisions", ns = M.NS,
    user = "tester", object = yaml.encode { apiVersion = "porch.kpt.dev/v1alpha1",
      kind = "PackageRevision", metadata = { namespace = M.NS, labels = labels }, spec = spec } }
  return json and yaml.from_json(json), err
end

--- JSON of a stored revision.
function World:get(name)
  return assert(self.engine:get("packagerevisions", M.NS, name), "no revision " .. name)
end

--- Updates a revision; json is the new object's text. Returns the object, or nil and the error.
function World:update(name, json, subresource, user)
  local out, err = self.engine:write { verb = "update", kind = "packagerevisions", ns = M.NS,
    name = name, subresource = subresource, object = json, user = user or "tester" }
  return out and yaml.from_json(out), err
end

--- Sets a revision's lifecycle.
function World:lifecycle(name, to, subresource, user)
  local data = require("probe_data")
  return self:update(name, (data.set_at(self:get(name), "spec.lifecycle", '"' .. to .. '"')),
    subresource, user)
end

--- Deletes a revision. Returns true, or nil and the error.
function World:delete(name)
  local out, err = self.engine:write { verb = "delete", kind = "packagerevisions", ns = M.NS,
    name = name, user = "tester" }
  return out and true, err
end

--- Files of a revision.
function World:files(name)
  local json, err = self.engine:resources(M.NS, name)
  if not json then
    error(err.message)
  end
  return yaml.from_json(json).spec.resources
end

--- Saves files as a revision's new content. Returns true, or nil and the error.
function World:save(name, files, rv)
  local out, err = self.engine:write { verb = "update", kind = "packagerevisionresources",
    ns = M.NS, name = name, user = "tester", rv = rv, object = yaml.encode {
      apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevisionResources",
      metadata = { name = name, namespace = M.NS }, spec = { resources = files } } }
  return out and true, err
end

return M
