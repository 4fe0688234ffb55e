-- SPDX-License-Identifier: Apache-2.0
--
-- A new, empty package: a Kptfile, a README and a package context.
--
-- @api 1
-- @name init
-- @version 1.0.0
-- @on PackageRevision/init
-- @effects read, draft

local creation = require("lanai.creation")
local lanai = require("lanai")
local skeleton = require("lanai.skeleton")

-- Without a task the request means an init with a description made from the name.
local function task_of(ctx, spec)
  if spec.tasks and spec.tasks[1] then
    return creation.task(ctx, spec)
  end
  local description = lanai.message("create-init-description", spec.packageName)
  return { type = "init", init = { description = description } }
end

local function run(ctx, req)
  local spec = req.object.spec
  local task, err = task_of(ctx, spec)
  if not task then
    return nil, err
  end
  if task.init.subpackage and task.init.subpackage ~= "" then
    return lanai.invalid(ctx, "", "spec.tasks[0].init.subpackage", "FieldValueForbidden",
      lanai.message("kube-field-forbidden", "a package begins at its root"))
  end

  local ok
  ok, err = creation.check_workspace(ctx, spec)
  if not ok then
    return nil, err
  end
  ok, err = creation.check_new_package(ctx, spec)
  if not ok then
    return nil, err
  end

  local draft = ctx.draft()
  ok, err = skeleton.fill(draft, spec.packageName, task.init)
  if not ok then
    return nil, err
  end
  return creation.save(ctx, req.object, draft, task)
end

return {
  api = 1,
  name = "init",
  version = "1.0.0",
  summary = "Creates a draft of a new, empty package.",
  on = { "PackageRevision/init" },
  effects = { "read", "draft" },
  run = run,
}
