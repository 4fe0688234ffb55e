-- SPDX-License-Identifier: Apache-2.0
--
-- Packages of their own inside a draft: an update that adds a clone or upgrade task with a
-- directory clones into it, or upgrades what stands there. The draft keeps its one task.
--
-- @api 1
-- @name subpackage
-- @version 1.0.0
-- @on PackageRevision/subpackage
-- @effects read, draft, objects

local creation = require("lanai.creation")
local lanai = require("lanai")
local merge = require("lanai.report")
local render = require("lanai.render")
local upstream = require("lanai.upstream")

local function refuse(ctx, field, text)
  return lanai.invalid(ctx, "", field, "FieldValueInvalid", text)
end

-- The added task, its parameters and its directory.
local function read_task(ctx, spec)
  local field = ("spec.tasks[%d]"):format(#spec.tasks - 1)
  local task = spec.tasks[#spec.tasks]
  local parameters = (task.type == "clone" or task.type == "upgrade") and task[task.type]
  if not parameters then
    return refuse(ctx, field .. ".type", "only clone and upgrade tasks may be added to a draft")
  end
  local directory = parameters.subpackageDir or ""
  if directory == "" or directory:find("^/") or directory:find("/$") or directory:find(".", 1, true)
    or directory:find("//", 1, true) or not directory:find("^[%w_/-]+$") then
    return refuse(ctx, ("%s.%s.subpackageDir"):format(field, task.type),
      ("subpackage directory %q is invalid, it cannot contain '.' or start with '/' or end with"
        .. " '/'"):format(directory))
  end
  return { type = task.type, parameters = parameters, directory = directory,
    field = ("%s.%s.subpackageDir"):format(field, task.type) }
end

local function clone(ctx, req, task, draft)
  local source, err = upstream.of_clone(ctx, task.parameters.upstreamRef,
    req.object.metadata.namespace or "")
  if not source then
    return nil, err
  end
  local ok
  ok, err = upstream.clone_into(ctx, draft, task.directory, source, req.object.spec)
  if not ok then
    return refuse(ctx, task.field, err.message)
  end
  return {}
end

local function upgrade(ctx, req, task, draft)
  local namespace, spec = req.object.metadata.namespace or "", req.object.spec
  local old = task.parameters.oldUpstreamRef.name or ""
  local new = task.parameters.newUpstreamRef.name or ""
  local base, theirs, cause
  base, cause = upstream.registered(ctx, old, namespace)
  if not base then
    return creation.fail(ctx, "create-upgrade-old", spec.packageName, old, cause)
  end
  theirs, cause = upstream.registered(ctx, new, namespace)
  if not theirs then
    return creation.fail(ctx, "create-upgrade-new", new, cause)
  end
  local report, err = upstream.upgrade_in(ctx, draft, task.directory,
    { base = base, theirs = theirs }, task.parameters.strategy or "", spec)
  if not report then
    return refuse(ctx, task.field, err.message)
  end
  return report
end

local function run(ctx, req)
  local task, err = read_task(ctx, req.object.spec)
  if not task then
    return nil, err
  end
  local before, draft, report
  before, err = ctx.package(req.old)
  if not before then
    return nil, err
  end
  draft = ctx.draft(before)
  report, err = (task.type == "clone" and clone or upgrade)(ctx, req, task, draft)
  if not report then
    return nil, err
  end
  local outcome
  outcome, err = render.run(ctx, draft, req.object)
  if not outcome then
    return nil, err
  elseif outcome.failed then
    return ctx.fail("internal", lanai.message("resources-render-update", outcome.error))
  end
  local object = merge.attach(ctx, req.object, report, draft, before)
  ctx.save(object, draft)
  ctx.apply(object)
  return true
end

return {
  api = 1,
  name = "subpackage",
  version = "1.0.0",
  summary = "Clones into a directory of a draft, or upgrades a package in one.",
  on = { "PackageRevision/subpackage" },
  effects = { "read", "draft", "objects" },
  run = run,
}
