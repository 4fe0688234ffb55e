-- SPDX-License-Identifier: Apache-2.0
--
-- The next revision of a package begins as a copy of a published one.
--
-- @api 1
-- @name copy
-- @version 1.0.0
-- @on PackageRevision/copy
-- @effects read, draft

local creation = require("lanai.creation")
local lanai = require("lanai")
local revision = require("lanai.revision")

-- The revision to copy from, or why it will not do.
local function find_source(ctx, object, name)
  local spec = object.spec
  local source = name ~= "" and ctx.get("packagerevisions", name)
  if not source then
    return creation.fail(ctx, "create-edit-fetch", name,
      creation.missing(ctx, object.metadata.namespace or "", name))
  end
  if source.spec.repository ~= spec.repository or source.spec.packageName ~= spec.packageName then
    return creation.fail(ctx, "create-edit-package", spec.repository, spec.packageName)
  end
  if revision.is_placeholder(ctx, source) then
    return creation.fail(ctx, "create-edit-placeholder", spec.repository, name)
  end
  if not revision.is_published(source) then
    return creation.fail(ctx, "create-edit-published")
  end
  return source
end

local function run(ctx, req)
  local spec = req.object.spec
  local task, err = creation.task(ctx, spec)
  if not task then
    return nil, err
  end
  if not lanai.at(task, "edit.sourceRef") then
    return lanai.invalid(ctx, "", "spec.tasks[0].edit.sourceRef", "FieldValueRequired",
      lanai.message("kube-field-required"))
  end
  local name = lanai.at(task, "edit.sourceRef.name") or ""

  local ok, source, draft
  ok, err = creation.check_workspace(ctx, spec)
  if not ok then
    return nil, err
  end
  source, err = find_source(ctx, req.object, name)
  if not source then
    return nil, err
  end
  draft, err = ctx.draft(source)
  if not draft then
    return creation.fail(ctx, "create-edit-read", name, err.message)
  end
  return creation.save(ctx, req.object, draft, task)
end

return {
  api = 1,
  name = "copy",
  version = "1.0.0",
  summary = "Creates a draft from a published revision of the same package.",
  on = { "PackageRevision/copy" },
  effects = { "read", "draft" },
  run = run,
}
