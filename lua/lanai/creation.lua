-- SPDX-License-Identifier: Apache-2.0
--
-- Checks and last steps that all workflows which create a package revision share. Every check
-- costs the same whatever number of revisions a repository has: exact look-ups, one per ancestor of
-- the package's path, and one look at the names that follow.

local krm = require("lanai.krm")
local lanai = require("lanai")
local render = require("lanai.render")
local revision = require("lanai.revision")

local M = {}

local KIND = "packagerevisions"

--- Fails the run as Porch's engine fails it: 500 with one of its texts.
--- @param ctx lanai.Ctx
--- @param id string message id
--- @param ... string|integer
--- @return nil, table
function M.fail(ctx, id, ...)
  return ctx.fail("internal", lanai.message(id, ...))
end

--- The creation task and its member of the same name; a text error when that is not set.
--- @param ctx lanai.Ctx
--- @param spec lanai.Node
--- @return lanai.Node|nil, table?
function M.task(ctx, spec)
  local task = spec.tasks[1]
  if not task[task.type] then
    return M.fail(ctx, "create-task-unset", task.type, task.type)
  end
  return task
end

-- Name of the PorchPackage, which is there as long as the package has a revision.
local function package_name(repository, package)
  return repository .. "." .. package:gsub("/", ".")
end

-- True when the package has any revision. Looked up by name, so that its absence counts as read:
-- when somebody makes it before this run is committed, the run is repeated.
local function package_exists(ctx, repository, package)
  return ctx.get("packages", package_name(repository, package)) ~= nil
end

-- A package above or below the path, or nil.
local function find_nested(ctx, repository, package)
  for slash in package:gmatch("()/") do
    local above = package:sub(1, slash - 1)
    if package_exists(ctx, repository, above) then
      return above
    end
  end
  -- Object names are dotted paths in order, so whatever lies below the package follows at once.
  local prefix = package_name(repository, package) .. "."
  local below = ctx.list(KIND, nil, { prefix = prefix, limit = 1 })[1]
  return below and below.spec.packageName
end

--- Checks names and that the workspace is free in its package.
--- @param ctx lanai.Ctx
--- @param spec lanai.Node
--- @return true|nil, table?
function M.check_workspace(ctx, spec)
  local repository, package, workspace = spec.repository, spec.packageName, spec.workspaceName
  -- "a/" lies in "a" before it is a bad name
  local above = package:sub(-1) == "/" and find_nested(ctx, repository, package)
  if above then
    return M.fail(ctx, "create-nested", package, above)
  end
  local ok, err = krm.check_name(repository, package, workspace)
  if not ok then
    return M.fail(ctx, "create-names", err.message)
  end
  if ctx.get(KIND, krm.name(repository, package, workspace)) then
    return M.fail(ctx, "create-workspace-taken", package, repository, workspace)
  end
  return true
end

--- Checks that the package does not exist and neither contains nor lies in another one.
--- @param ctx lanai.Ctx
--- @param spec lanai.Node
--- @return true|nil, table?
function M.check_new_package(ctx, spec)
  local repository, package = spec.repository, spec.packageName
  if package_exists(ctx, repository, package) then
    return M.fail(ctx, "create-package-exists", package, repository)
  end
  local other = find_nested(ctx, repository, package)
  if other then
    return M.fail(ctx, "create-nested", package, other)
  end
  return true
end

--- The same for a clone, which has a text of its own for a package that exists.
--- @param ctx lanai.Ctx
--- @param spec lanai.Node
--- @return true|nil, table?
function M.check_clone(ctx, spec)
  if package_exists(ctx, spec.repository, spec.packageName) then
    return M.fail(ctx, "create-clone-exists", spec.packageName, spec.repository)
  end
  return M.check_new_package(ctx, spec)
end

--- Says why a revision that a task names cannot be had.
--- @param ctx lanai.Ctx
--- @param namespace string
--- @param name string
--- @return string
function M.missing(ctx, namespace, name)
  local parts, err = krm.parse_name(name)
  if not parts then
    return err.message
  end
  if not ctx.get("repositories", parts.repository) then
    return lanai.message("create-repository-missing", namespace, parts.repository,
      parts.repository)
  end
  return lanai.message("create-revision-missing", name)
end

--- Gives the draft the metadata that the request asks for and records it as the new revision's
--- content.
--- @param ctx lanai.Ctx
--- @param object lanai.Node the requested PackageRevision
--- @param draft lanai.Draft
--- @param task lanai.Node|table how the content came into being
--- @return true|nil, table?
function M.save(ctx, object, draft, task)
  if not draft:file("Kptfile") then
    return M.fail(ctx, "create-kptfile-missing")
  end
  local ok, err = revision.upsert_metadata(draft, object.spec)
  if not ok then
    return ctx.fail("internal", err.message)
  end
  local outcome
  outcome, err = render.run(ctx, draft, object)
  if not outcome then
    return nil, err
  end
  if outcome.failed then
    return ctx.fail("internal", outcome.error)
  end
  ctx.save(object, draft, { task = task })
  return true
end

return M
