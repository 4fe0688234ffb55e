-- SPDX-License-Identifier: Apache-2.0
--
-- A proposed revision is published: it gets the next revision number, a tag, and its content on
-- the repository's branch.
--
-- @api 1
-- @name approve
-- @version 1.0.0
-- @on PackageRevision/approve
-- @effects objects, publish

local lanai = require("lanai")
local revision = require("lanai.revision")

local function check(ctx, req)
  local gate = ctx.config.require_readiness and revision.missing_gate(req.old)
  if gate then
    return lanai.invalid(ctx, req.object.metadata.name, "spec.lifecycle", "FieldValueForbidden",
      lanai.message("kube-field-forbidden", 'readiness condition "' .. gate .. '" is not met'))
  end
  return true
end

local function run(ctx, req)
  ctx.apply(req.object)
  ctx.publish(req.object)
  return true
end

return {
  api = 1,
  name = "approve",
  version = "1.0.0",
  summary = "Publishes a proposed revision.",
  on = { "PackageRevision/approve" },
  effects = { "objects", "publish" },
  config = {
    require_readiness = {
      type = "boolean",
      default = false,
      description = "Refuse an approval while a readiness gate has no True condition.",
    },
  },
  check = check,
  run = run,
}
