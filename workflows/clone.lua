-- SPDX-License-Identifier: Apache-2.0
--
-- A new package begins as a copy of another one: a registered revision, or a directory of any git
-- repository. Its Kptfile says where it comes from, so that it can be upgraded later.
--
-- @api 1
-- @name clone
-- @version 1.0.0
-- @on PackageRevision/clone
-- @effects read, draft

local creation = require("lanai.creation")
local upstream = require("lanai.upstream")

local function run(ctx, req)
  local spec, namespace = req.object.spec, req.object.metadata.namespace or ""
  local task, err = creation.task(ctx, spec)
  if not task then
    return nil, err
  end
  local ok, source, draft
  ok, err = creation.check_workspace(ctx, spec)
  if not ok then
    return nil, err
  end
  ok, err = creation.check_clone(ctx, spec)
  if not ok then
    return nil, err
  end
  source, err = upstream.of_clone(ctx, task.clone.upstreamRef, namespace)
  if not source then
    return nil, err
  end
  draft, err = upstream.adopt(ctx, source, spec)
  if not draft then
    return nil, err
  end
  return creation.save(ctx, req.object, draft, task)
end

return {
  api = 1,
  name = "clone",
  version = "1.0.0",
  summary = "Creates a draft of a new package from another package.",
  on = { "PackageRevision/clone" },
  effects = { "read", "draft" },
  run = run,
}
