-- SPDX-License-Identifier: Apache-2.0
--
-- A revision is deleted. Published ones must be proposed for deletion first, and nothing may have
-- been cloned from or upgraded to the revision.
--
-- @api 1
-- @name delete
-- @version 1.0.0
-- @on PackageRevision/delete
-- @effects read, objects

local lanai = require("lanai")

local function forbid(ctx, name, id, ...)
  return ctx.fail("forbidden", lanai.message("kube-frame-forbidden",
    "packagerevisions.porch.kpt.dev", name, lanai.message(id, ...)))
end

-- Names of the revisions whose content came from this one.
local function find_users(ctx, name)
  local users = {}
  for _, object in ipairs(ctx.list("packagerevisions", nil, { referring = name })) do
    if object.spec.revision ~= -1 then
      users[#users + 1] = object.metadata.name
    end
  end
  return users
end

local function check(ctx, req)
  local name = req.old.metadata.name
  if req.old.spec.lifecycle == "Published" then
    return forbid(ctx, name, "delete-published")
  end
  local users = find_users(ctx, name)
  if #users > 0 then
    return forbid(ctx, name, "delete-upstream", table.concat(users, ", "))
  end
  return true
end

local function run(ctx, req)
  ctx.remove(req.old)
  return true
end

return {
  api = 1,
  name = "delete",
  version = "1.0.0",
  summary = "Deletes a draft, a proposal, or a revision proposed for deletion.",
  on = { "PackageRevision/delete" },
  effects = { "read", "objects" },
  check = check,
  run = run,
}
