-- SPDX-License-Identifier: Apache-2.0
--
-- The next revision of a package is what its upstream has become, with the local changes on top.
-- Where both sides changed the same, a report says what was taken.
--
-- @api 1
-- @name upgrade
-- @version 1.0.0
-- @on PackageRevision/upgrade
-- @effects read, draft, objects

local creation = require("lanai.creation")
local lanai = require("lanai")
local merge = require("lanai.report")
local revision = require("lanai.revision")
local upstream = require("lanai.upstream")

-- Sources in the package itself must be published: an upgrade of a draft would be lost with it.
local function check_published(ctx, spec, refs)
  for _, ref in ipairs(refs) do
    local object = ref.name and ref.name ~= "" and ctx.get("packagerevisions", ref.name)
    if object and object.spec.repository == spec.repository
      and object.spec.packageName == spec.packageName and not revision.is_published(object) then
      return creation.fail(ctx, "create-upgrade-published", ref.name)
    end
  end
  return true
end

local function find(ctx, name, namespace, fault, placeholder)
  local found, cause = upstream.registered(ctx, name, namespace)
  if not found then
    return fault(cause)
  end
  if placeholder and revision.is_placeholder(ctx, found.revision) then
    return creation.fail(ctx, placeholder, found.revision.spec.repository, name)
  end
  return found
end

-- Old and new upstream and the local revision, in the order in which Porch looks.
local function find_sources(ctx, upgrade, spec, namespace)
  local old, new = upgrade.oldUpstreamRef.name or "", upgrade.newUpstreamRef.name or ""
  local here = upgrade.localPackageRevisionRef.name or ""
  local found, err = {}
  found.base, err = find(ctx, old, namespace, function(cause)
    return creation.fail(ctx, "create-upgrade-old", spec.packageName, old, cause)
  end)
  if found.base then
    found.theirs, err = find(ctx, new, namespace, function(cause)
      return creation.fail(ctx, "create-upgrade-new", new, cause)
    end, "create-upgrade-new-placeholder")
  end
  if found.theirs then
    found.ours, err = find(ctx, here, namespace, function(cause)
      return creation.fail(ctx, "create-upgrade-local", here, cause)
    end, "create-upgrade-local-placeholder")
  end
  return found.ours and found, err
end

-- The task as it is kept: no strategy and an empty one are the same.
local function kept_task(task)
  if task.upgrade.strategy ~= "" then
    return task
  end
  task = lanai.copy(task)
  task.upgrade.strategy = nil
  return task
end

local function run(ctx, req)
  local spec, namespace = req.object.spec, req.object.metadata.namespace or ""
  local task, err = creation.task(ctx, spec)
  if not task then
    return nil, err
  end
  local upgrade = task.upgrade
  local ok, sources, draft, report
  ok, err = creation.check_workspace(ctx, spec)
  if not ok then
    return nil, err
  end
  ok, err = check_published(ctx, spec, { upgrade.oldUpstreamRef, upgrade.newUpstreamRef,
    upgrade.localPackageRevisionRef })
  if not ok then
    return nil, err
  end
  sources, err = find_sources(ctx, upgrade, spec, namespace)
  if not sources then
    return nil, err
  end
  draft, report = upstream.upgrade(ctx, sources, upgrade.strategy or "")
  if not draft then
    return creation.fail(ctx, "create-upgrade-merge", spec.packageName,
      upgrade.newUpstreamRef.name, report.message)
  end
  local object = merge.attach(ctx, req.object, report, draft, sources.ours.package)
  return creation.save(ctx, object, draft, kept_task(task))
end

return {
  api = 1,
  name = "upgrade",
  version = "1.0.0",
  summary = "Creates a draft that brings a package to another version of its upstream.",
  on = { "PackageRevision/upgrade" },
  effects = { "read", "draft", "objects" },
  run = run,
}
