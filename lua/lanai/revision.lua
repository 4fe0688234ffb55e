-- SPDX-License-Identifier: Apache-2.0
--
-- Facts about PackageRevision objects, and the Kptfile edits that their fields stand for.

local lanai = require("lanai")
local render = require("lanai.render")

local M = {}

local STATUSES = { True = true, False = true, Unknown = true }

--- True when the revision is published, proposed for deletion or not.
--- @param object lanai.Node
--- @return boolean
function M.is_published(object)
  local lifecycle = object.spec.lifecycle
  return lifecycle == "Published" or lifecycle == "DeletionProposed"
end

--- True when the object stands for the head of its repository's branch.
--- @param ctx lanai.Ctx
--- @param object lanai.Node
--- @return boolean
function M.is_placeholder(ctx, object)
  local spec = object.spec
  if spec.revision ~= -1 then
    return false
  end
  local repository = ctx.get("repositories", spec.repository)
  local branch = lanai.at(repository, "spec.git.branch") or "main"
  return spec.workspaceName == branch
end

--- Names the first readiness gate that has no True condition, or nil when all have.
--- @param object lanai.Node
--- @return string|nil
function M.missing_gate(object)
  for _, gate in ipairs(object.spec.readinessGates or {}) do
    local met = false
    for _, condition in ipairs(lanai.at(object, "status.conditions") or {}) do
      met = met or (condition.type == gate.conditionType and condition.status == "True")
    end
    if not met then
      return gate.conditionType
    end
  end
end

--- Sets or overwrites the named labels and annotations and replaces the readiness gates (what a
--- creation asks for).
--- @param draft lanai.Draft
--- @param spec lanai.Node
--- @return true|nil, table?
function M.upsert_metadata(draft, spec)
  for _, name in ipairs({ "labels", "annotations" }) do
    for key, value in pairs(lanai.at(spec, "packageMetadata." .. name) or {}) do
      local ok, err = draft:edit("Kptfile", { "metadata", name, key }, value)
      if not ok then
        return nil, err
      end
    end
  end
  if spec.readinessGates then
    return draft:edit("Kptfile", { "info", "readinessGates" }, spec.readinessGates)
  end
  return true
end

-- Writes value at path unless it is there already; an empty value removes the member.
local function replace(draft, kptfile, path, value)
  local have = lanai.at(kptfile, table.concat(path, "."))
  if have ~= nil and lanai.equal(have, value) or have == nil and #value == 0 then
    return true
  end
  return draft:edit("Kptfile", path, #value > 0 and value or nil)
end

-- The new conditions, those that were there before first and in their old order.
local function ordered_conditions(old, new)
  local list, taken = lanai.list(), {}
  for _, before in ipairs(old or {}) do
    for i, condition in ipairs(new) do
      if condition.type == before.type and not taken[i] then
        taken[i] = true
        list[#list + 1] = condition
      end
    end
  end
  for i, condition in ipairs(new) do
    if not taken[i] then
      list[#list + 1] = condition
    end
  end
  return list
end

--- Checks what the fields say before anything is edited.
--- @param ctx lanai.Ctx
--- @param object lanai.Node
--- @return true|nil, table?
function M.check_conditions(ctx, object)
  for i, condition in ipairs(lanai.at(object, "status.conditions") or {}) do
    if not STATUSES[condition.status] then
      local field = ("status.conditions[%d].status"):format(i - 1)
      local text = lanai.message("kube-field-unsupported", '"' .. tostring(condition.status) .. '"',
        '"False", "True", "Unknown"')
      return lanai.invalid(ctx, object.metadata.name, field, "FieldValueNotSupported", text)
    end
  end
  return true
end

--- Makes the Kptfile say what the object's fields say (what an update of a draft asks for):
--- labels, annotations, readiness gates and conditions are replaced when they are given.
--- @param draft lanai.Draft
--- @param object lanai.Node
--- @return true|nil, table?
function M.replace_metadata(draft, object)
  local kptfile, err = draft:kptfile()
  if not kptfile then
    return nil, err
  end
  local conditions = lanai.at(object, "status.conditions")
  local wanted = {
    { { "metadata", "labels" }, lanai.at(object, "spec.packageMetadata.labels") },
    { { "metadata", "annotations" }, lanai.at(object, "spec.packageMetadata.annotations") },
    { { "info", "readinessGates" }, object.spec.readinessGates },
    { { "status", "conditions" }, conditions
      and ordered_conditions(lanai.at(kptfile, "status.conditions"), conditions) },
  }
  for i = 1, 4 do
    local path, value = wanted[i][1], wanted[i][2]
    if value then
      local ok
      ok, err = replace(draft, kptfile, path, value)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

-- True when the content is what a render made of it: then rendering it again gives the same. A
-- draft that came from git may have been changed there since.
local function is_rendered(draft, object)
  if lanai.at(object, "status.selfLock.git.commit") ~= "not-pushed" then
    return false
  end
  for _, condition in ipairs(lanai.at(draft:kptfile(), "status.conditions") or {}) do
    if condition.type == "Rendered" and condition.status == "True" then
      return not draft:changed()
    end
  end
  return false
end

--- Takes over what an update says: metadata, and for a draft the fields that live in its Kptfile.
--- @param ctx lanai.Ctx
--- @param req lanai.Node ctx.req of an update
--- @return true|nil, table?
function M.update(ctx, req)
  local object = req.object
  if req.old.spec.lifecycle == "Draft" then
    local draft, err = ctx.draft(object)
    if not draft then
      return nil, err
    end
    local ok
    ok, err = M.replace_metadata(draft, object)
    if not ok then
      return ctx.fail("internal", err.message)
    end
    local outcome = { failed = false }
    if not is_rendered(draft, req.old) then
      outcome, err = render.run(ctx, draft, object)
    end
    if not outcome then
      return nil, err
    end
    if outcome.failed then
      return ctx.fail("internal", lanai.message("resources-render-update", outcome.error))
    end
    if draft:changed() then
      ctx.save(object, draft)
    end
  end
  ctx.apply(object)
  return true
end

return M
