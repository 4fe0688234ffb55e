-- SPDX-License-Identifier: Apache-2.0
--
-- A draft is ready for review. The same request may still change what an update may change.
--
-- @api 1
-- @name propose
-- @version 1.0.0
-- @on PackageRevision/propose
-- @effects read, draft, objects, publish

local lanai = require("lanai")
local revision = require("lanai.revision")

local function check(ctx, req)
  local gate = ctx.config.require_readiness and revision.missing_gate(req.object)
  if gate then
    return lanai.invalid(ctx, req.object.metadata.name, "spec.lifecycle", "FieldValueForbidden",
      lanai.message("kube-field-forbidden", 'readiness condition "' .. gate .. '" is not met'))
  end
  return revision.check_conditions(ctx, req.object)
end

local function run(ctx, req)
  local ok, err = revision.update(ctx, req)
  if not ok then
    return nil, err
  end
  ctx.transition(req.object, "Proposed")
  return true
end

return {
  api = 1,
  name = "propose",
  version = "1.0.0",
  summary = "Proposes a draft for publication.",
  on = { "PackageRevision/propose" },
  effects = { "read", "draft", "objects", "publish" },
  config = {
    require_readiness = {
      type = "boolean",
      default = false,
      description = "Refuse a proposal while a readiness gate has no True condition.",
    },
  },
  check = check,
  run = run,
}
